"""Budgets from a file: an administrator sees first what it would change; others are told who may."""

import io
from collections.abc import Callable

from flask import Flask
from openpyxl import Workbook, load_workbook

from core.service.system import System
from tests.web.conftest import HANDLER, Browser

ADMIN = "150299PT000102"
PAGE, API = "/budgets/import", "/api/v1/budgets/import"
LINE = ["150299", "101001", 2026, "N-9", "实训设备", "12000.50"]


def filled(browser: Browser, *lines: list[object]) -> bytes:
    """The page's own template with these lines."""
    book: Workbook = load_workbook(io.BytesIO(browser.get(f"{PAGE}/template.xlsx").data))
    for line in lines:
        book.worksheets[0].append(line)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def total(system: System, code: str) -> int | None:
    with system.database.read() as tx:
        [unit] = [one for one in tx.accounts.units_of({"150299"}) if one.code == "101001"]
        return next((one.total_fen for one in tx.ledger.indicators(unit.id) if one.code == code), None)


def test_preview_then_all_of_it_and_the_same_again_changes_nothing(
    system: System, browse: Callable[[str], Browser]
) -> None:
    browser = browse(ADMIN)
    assert f'href="{PAGE}"' in browser.get("/").text
    content = filled(browser, LINE)
    given = browser.form(PAGE)
    shown = browser.client.post(
        PAGE, data={**given, "file": (io.BytesIO(content), "预算.xlsx")}, content_type="multipart/form-data"
    )
    assert "新增 1 条；总额增加 12,000.50 元" in shown.text
    assert total(system, "N-9") is None
    sha256 = shown.text.split('name="sha256" value="')[1].split('"')[0]
    done = browser.client.post(PAGE, data={**given, "sha256": sha256}, follow_redirects=True)
    assert "预算指标已经导入" in done.text
    assert total(system, "N-9") == 12_000_50
    again = browser.client.post(
        PAGE, data={**given, "file": (io.BytesIO(content), "预算.xlsx")}, content_type="multipart/form-data"
    )
    assert "不用导入" in again.text


def test_every_bad_cell_is_named_and_nothing_is_taken(
    system: System, browse: Callable[[str], Browser]
) -> None:
    browser = browse(ADMIN)
    content = filled(browser, LINE, [*LINE[:3], "N-10", "桌椅", "一千"])
    data = {**browser.form(PAGE), "file": (io.BytesIO(content), "预算.xlsx")}
    answer = browser.client.post(PAGE, data=data, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "<li>第 3 行 F 列" in answer.text
    assert total(system, "N-9") is None


def test_the_api_does_the_same(
    app: Flask, system: System, browse: Callable[[str], Browser], bearer: Callable[[str], dict[str, str]]
) -> None:
    content, client = filled(browse(ADMIN), LINE), app.test_client()
    for query, expected in (("?preview=true", None), ("", 12_000_50)):
        answer = client.post(
            f"{API}{query}", data={"file": (io.BytesIO(content), "b.xlsx")}, headers=bearer(ADMIN),
            content_type="multipart/form-data",
        )  # fmt: skip
        assert (answer.status_code, answer.get_json()["added"]) == (200, 1), answer.text
        assert total(system, "N-9") == expected


def test_others_are_told_who_may(
    app: Flask, browse: Callable[[str], Browser], bearer: Callable[[str], dict[str, str]]
) -> None:
    refused = browse(HANDLER).client.get(PAGE)
    assert refused.status_code == 403
    assert "管理员" in refused.text
    answer = app.test_client().get("/api/v1/budgets/template", headers=bearer(HANDLER))
    assert answer.status_code == 403
