"""Reports, warnings, courses, experts and payments through API and pages, with spreadsheets that are read again."""

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from flask import Flask

from core import worlds
from core.service.accounts import sign_in
from core.service.reports import KINDS
from tests.core.fujian_money.stage import Stage
from tests.web.conftest import Browser, signed_in
from tests.web.echo import app_over

Get = Callable[..., Any]


@pytest.fixture
def app(stage: Stage) -> Flask:
    return app_over(stage.system)


@pytest.fixture
def get(app: Flask, stage: Stage) -> Get:
    """GET of the API as somebody."""

    def ask(path: str, who: str = "handler") -> Any:
        token = sign_in(stage.system, stage.person(who).login, worlds.PASSWORD).token
        return app.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})

    return ask


@pytest.fixture
def browse(app: Flask, stage: Stage) -> Callable[[str], Browser]:
    return lambda who: signed_in(app, stage.person(who).login)


@pytest.fixture
def course(stage: Stage) -> Stage:
    """Two contracts, one of them late and half paid."""
    stage.plan()
    stage.contract("late", 4, ends_on="2026-11-19", name="=2+3")
    stage.contract("other", 6)
    stage.payment("half", 1_000_000, "late")
    return stage


def sheet(content: bytes) -> list[tuple[object, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))  # type: ignore[union-attr]


@pytest.mark.covers("fj-11.2.1", "fj-11.2.2")
@pytest.mark.parametrize("form", ["result", "upload"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_report_leaves_as_a_spreadsheet_with_the_same_total(
    course: Stage, get: Get, kind: str, form: str
) -> None:
    shown = get(f"/reports/{kind}").get_json()
    answer = get(f"/reports/{kind}/file?form={form}")
    assert answer.mimetype == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    rows = sheet(answer.data)
    assert len(rows[0]) == len(shown["header"])
    assert [list(row) for row in rows[1 : len(shown["rows"]) + 1]] == [
        [cell if cell != "" else None for cell in row] for row in shown["rows"]
    ]
    assert 50_000 in rows[len(shown["rows"])]
    below = [row[0] for row in rows[len(shown["rows"]) + 1 :]]
    assert below == (
        [None, "统计时间：最早 至 今天（按合同签订日期）", "与账本核对一致", "金额单位：元"]
        if form == "result"
        else []
    )


@pytest.mark.covers("fj-11.2.2")
def test_a_name_that_looks_like_a_formula_stays_a_text(course: Stage, get: Get) -> None:
    book = openpyxl.load_workbook(io.BytesIO(get("/reports/contracts/file").data))
    cell = next(row[1] for row in book.active.iter_rows() if str(row[1].value).startswith("=2+3"))  # type: ignore[union-attr]
    assert cell.data_type == "s"


@pytest.mark.covers("fj-11.2.1")
def test_a_period_bounds_the_report(course: Stage, get: Get) -> None:
    assert get("/reports/funds?since=2026-11-10&until=2026-11-10").get_json()["rows"][-1][1] == 2
    assert get("/reports/funds?since=2026-11-11").get_json()["rows"][-1][1] == 0
    assert get("/reports/funds?since=2026-13-41").status_code == 422
    assert get("/reports/nothing").status_code == 404
    assert get("/reports/funds", "supplier").status_code == 403
    assert [item["id"] for item in get("/reports").get_json()["items"]] == list(KINDS)


@pytest.mark.covers("fj-11.1.1")
def test_warnings_and_the_course_through_the_api(course: Stage, get: Get) -> None:
    found = get("/warnings?level=warning", "procurement_first").get_json()["items"]
    assert [(item["rule"], item["number"]) for item in found] == [("not_accepted", course.numbers["late"])]
    points = get(f"/documents/{course.numbers['half']}/course", "procurement_first").get_json()["items"]
    assert [point["kind"] for point in points] == ["project", "plan", "contract", "contract", "payment"]
    assert get("/warnings?stage=never").status_code == 422
    assert get("/warnings", "agency").status_code == 403
    assert get(f"/documents/{course.numbers['half']}/course", "handler@member").status_code == 404


@pytest.mark.covers("fj-6.2")
def test_what_was_paid_through_api_and_page(
    course: Stage, get: Get, browse: Callable[[str], Browser]
) -> None:
    number = course.numbers["late"]
    assert get(f"/documents/{number}/paid").get_json()["open_fen"] == 1_000_000
    assert get(f"/documents/{number}/paid", "handler@member").status_code == 404
    page = browse("handler").get(f"/documents/{number}/paid").text
    assert "还没付 10,000.00 元" in page
    assert course.numbers["half"] in page


@pytest.mark.covers("fj-8.4")
def test_the_draft_of_the_notice_asks_for_its_figures(
    course: Stage, browse: Callable[[str], Browser]
) -> None:
    course.contract("kept", 2, reserve="whole", reserve_fen=900_000)
    course.enter(
        "notice/sme_report", "report", title="预留情况", body="见表", figures="computed", starts_on="2026-01-01",
        ends_on="2026-11-20",
    )  # fmt: skip
    number = course.numbers["report"]
    browser, target = browse("handler"), f"/documents/{number}/figures"
    asked = browser.post(target, dict(browser.form(f"/documents/{number}", target)), follow_redirects=True)
    assert asked.status_code == 200
    assert course.document("report").form["total_fen"] == 900_000
    assert target not in browse("reviewer").get(f"/documents/{number}").text


@pytest.mark.covers("fj-10.4")
def test_the_list_of_experts_through_api_and_page(
    course: Stage, get: Get, browse: Callable[[str], Browser]
) -> None:
    course.enter(
        "expert_request/expert_request", "request", name="电脑论证", method="on_site", review_on="2026-12-01",
        place="会议室", contact="李明", phone="0599-1234567",
        groups=[{"category": "信息技术", "area": "本市", "count": 2}],
    )  # fmt: skip
    number = course.numbers["request"]
    assert "还没有抽取专家" in browse("handler").get(f"/documents/{number}/experts").text
    course.acts("request", "submit")
    found = get(f"/documents/{number}/experts").get_json()
    assert found["repeated"] == [True]
    page = browse("handler").get(f"/documents/{number}/experts").text
    for one in found["experts"]:
        assert one["name"].endswith("**")
        assert one["code"] in page
    with course.system.database.read() as tx:
        secret = [row for row in tx.experts.directory("fujian") if row.expert.code in page]
    assert not any(row.name in page or row.phone in page or row.expert.id_number in page for row in secret)
    assert browse("handler").get(f"/documents/{course.numbers['late']}/experts").status_code == 404


@pytest.mark.covers("fj-11.1.1", "fj-11.2.1")
def test_pages_of_reports_and_warnings(course: Stage, browse: Callable[[str], Browser]) -> None:
    browser = browse("procurement_first")
    page = browser.get("/reports", follow_redirects=True).text
    assert "01-政府采购资金情况表" in page
    assert "50,000.00" in page
    assert "与账本核对一致" in page
    assert "还没有备案的验收" in browser.get("/warnings").text
    assert "没有预警" in browser.get("/warnings?stage=after").text
    assert "日期要写成" in browser.get("/reports/funds?since=昨天").text
    turned = "since=2026-12-01&until=2026-01-01"
    assert "开始日期不能晚于结束日期" in browser.get(f"/reports/funds?{turned}").text
    assert browser.get("/reports/contracts/upload.xlsx").status_code == 200
    assert browser.get(f"/reports/contracts/upload.xlsx?{turned}").status_code == 422
    assert "履约期满没有验收" in browser.get(f"/documents/{course.numbers['late']}/course").text
    assert 'href="/reports"' not in browse("supplier").get("/").text


def test_an_account_that_is_closed_for_now_is_not_shown_as_nothing(
    stage: Stage, browse: Callable[[str], Browser]
) -> None:
    stage.enter(
        "project/project", "project", name="教学电脑", category="goods", implementation="general", government=True,
        lines=[{"catalogue": "A02010105", "name": "台式计算机", "quantity": 2, "unit_price_fen": 500_000}],
        funding=[{"indicator": 1, "amount_fen": 1_000_000}],
    )  # fmt: skip
    stage.acts("project", "submit", "reviewer:pass")
    page = f"/documents/{stage.numbers['project']}"
    assert "本单据的额度" in browse("handler").get(page).text
    stage.acts("project", "change")
    assert "本单据的额度" not in browse("handler").get(page).text
