"""What a unit and those below it have to spend, and choosing the document above, on pages and through the API."""

import io
from collections.abc import Callable

import pytest
from flask import Flask
from openpyxl import load_workbook

from core.service.system import System
from tests.support.pushing import push
from tests.web.conftest import HANDLER, OTHER, REVIEWER, Browser

SUPERVISING, AGENCY = "15029910100001", "150299AG000101"


@pytest.fixture
def pushed(system: System) -> None:
    """An indicator of this year and one of last year, from finance, for the school."""
    for years_ago, code in ((0, "N-7"), (1, "OLD")):
        year = system.clock().year - years_ago
        body = {
            "division": "150299", "unit": "101001", "year": year, "code": code, "name": "=一体化指标",
            "add_fen": 1_234_567_00,
        }  # fmt: skip
        push(system, "finance.indicator", body, f"push-{code}-{year}")


@pytest.mark.covers("fj-1.1")
def test_whether_an_indicator_came_over_and_is_valid_is_seen(
    pushed: None, browse: Callable[[str], Browser]
) -> None:
    browser = browse(HANDLER)
    own = browser.get("/indicators").text
    assert "一体化同步" in own
    assert "手工录入" in own
    found = browser.get("/budgets?origin=synchronised&below=no").text
    assert "N-7" in found
    assert "1,234,567.00" in found
    assert "年不能用" in found
    nothing = browser.get("/budgets?q=N-8").text
    assert "还没有同步过来" in nothing


@pytest.mark.covers("fj-1.2")
def test_units_below_are_there_unless_left_out(pushed: None, browse: Callable[[str], Browser]) -> None:
    above = browse(SUPERVISING)
    assert 'href="/budgets"' in above.get("/").text
    everywhere = above.get("/budgets").text
    assert "青原市示范中学" in everywhere
    assert "青原市图书馆" in everywhere
    assert "没有查到预算" in above.get("/budgets?below=no").text
    assert "青原市示范中学" not in browse(OTHER).get("/budgets").text.split("<main")[1]
    assert browse(HANDLER).client.get("/budgets?origin=x&below=y").status_code == 200


def test_the_spreadsheet_holds_no_formula(pushed: None, browse: Callable[[str], Browser]) -> None:
    book = load_workbook(io.BytesIO(browse(SUPERVISING).get("/budgets.xlsx?q=N-7").data))
    header, line = list(book.worksheets[0].iter_rows())
    assert [cell.value for cell in header][:4] == ["单位编码", "单位", "指标编码", "指标名称"]
    assert line[3].data_type == "s"
    assert line[-1].value == 1_234_567.0


@pytest.mark.covers("fj-1.1", "fj-1.2")
def test_a_program_asks_for_budgets(
    pushed: None, app: Flask, bearer: Callable[[str], dict[str, str]]
) -> None:
    client = app.test_client()
    found = client.get("/api/v1/budgets?q=N-7", headers=bearer(SUPERVISING)).get_json()["items"]
    assert [
        (one["unit_code"], one["origin"], one["valid"], one["indicator"]["total_fen"]) for one in found
    ] == [("101001", "synchronised", True, 123_456_700)]
    entered = client.get("/api/v1/budgets?origin=entered&below=false", headers=bearer(HANDLER)).get_json()[
        "items"
    ]
    assert entered
    assert {one["origin"] for one in entered} == {"entered"}
    assert client.get("/api/v1/budgets", headers=bearer(AGENCY)).get_json() == {"items": []}
    assert client.get("/api/v1/budgets?below=perhaps", headers=bearer(HANDLER)).status_code == 422


@pytest.mark.covers("nm-14-1")
def test_the_document_above_is_chosen_among_those_that_others_do_not_cover(
    app: Flask, browse: Callable[[str], Browser], bearer: Callable[[str], dict[str, str]]
) -> None:
    browser = browse(HANDLER)
    asked = browser.get("/documents/new/contract/contract")
    assert asked.headers["Location"] == "/documents/new/contract/contract/above"
    items = app.test_client().get(
        "/api/v1/kinds/contract/contract/above?uncovered=true", headers=bearer(HANDLER)
    ).get_json()["items"]  # fmt: skip
    page = browser.get("/documents/new/contract/contract/above").text
    for one in items:
        assert f'href="/documents/new/contract/contract?under={one["number"]}"' in page
    assert items
    assert browser.get(f"/documents/new/contract/contract?under={items[0]['number']}").status_code == 200
    assert "没有可以选的上级单据" in browser.get("/documents/new/contract/contract/above?q=没有的").text
    assert "没有可以选的上级单据" in browse(REVIEWER).get("/documents/new/contract/contract/above").text
    assert browser.get("/documents/new/nothing/nothing/above").status_code == 404
    assert 'href="/documents/new/contract/contract"' in browser.get("/documents/new").text
