from collections.abc import Callable
from urllib.parse import unquote

import pytest
from flask import Flask

from core import demo
from core.service import documents, ledger
from core.service.system import System
from tests.web.conftest import HANDLER, OFFICE, OTHER, REVIEWER, SUPPORT, Browser, account_of

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"


def view(system: System, number: str, login: str = HANDLER) -> documents.DocumentView:
    return documents.get(system, account_of(system, login), number)


def plan_fields(**more: str) -> dict[str, object]:
    """Fields of a plan; `more` are paths with two underscores for each dot."""
    return {
        "f.name": "激光打印机",
        "f.implementation": "网上竞价",
        "f.need_by": "2026-12-31",
        "f.lines.0.catalogue": "A02021003",
        "f.lines.0.name": "激光打印机",
        "f.lines.0.quantity": "2",
        "f.lines.0.unit": "台",
        "f.lines.0.unit_price_fen": "1,800.00",
        "f.lines.0.requirement": "双面",
        "f.funding.0.indicator": "2",
        "f.funding.0.amount_fen": "3600",
        **{f"f.{path.replace('__', '.')}": text for path, text in more.items()},
    }


@pytest.mark.parametrize("login", [HANDLER, REVIEWER, OFFICE, SUPPORT, "150299AG000101", "150299SP000101"])
def test_every_role_has_its_pages(browse: Callable[[str], Browser], login: str) -> None:
    browser = browse(login)
    for path in ("/", "/todo", "/documents", "/documents?q=zzz&kind=plan"):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert "<h1" in answer.text or path == "/"


def test_pages_want_a_session(app: Flask) -> None:
    for path in (
        "/",
        "/todo",
        "/documents",
        "/documents/JH-1",
        "/documents/new",
        "/documents/new/plan/mall",
        "/indicators",
    ):
        answer = app.test_client().get(path)
        assert answer.status_code == 302, path
        assert "/signin?next=" in answer.headers["Location"]


def test_another_units_plan_is_not_found(
    browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    plan = number("激光打印机")
    stranger = browse(OTHER)
    for path in ("", "/edit", "/sign", "/certificate", "/goals/void"):
        assert stranger.get(f"/documents/{plan}{path}").status_code == 404, path


@pytest.mark.covers("nm-8")
def test_the_page_draws_the_flow_with_who_and_when(
    browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    page = browse(HANDLER).get(f"/documents/{number('激光打印机')}").text
    assert page.count('class="flow wide"') == 1
    assert page.count('class="flow narrow"') == 1
    assert "业务科室初审" in page
    assert "孙宁" in page
    assert "青原市财政局教科文股" in page


def test_a_plan_is_entered_corrected_and_sent_on(system: System, browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    hidden = browser.form("/documents/new/plan/mall")
    wrong = browser.post(
        "/documents/new/plan/mall", {**hidden, **plan_fields(lines__0__unit_price_fen="便宜")}
    )
    assert wrong.status_code == 422
    assert '<p class="field-wrong" id="f-lines-0-unit_price_fen-wrong" data-wrong >请写成元' in wrong.text
    assert 'value="便宜"' in wrong.text
    gaps = browser.post(
        "/documents/new/plan/mall", {**hidden, **plan_fields(name="", lines__0__requirement="长" * 301)}
    )
    assert gaps.status_code == 303
    edit = browser.get(gaps.headers["Location"])
    assert '<p class="field-wrong" id="f-name-wrong" data-wrong >请选择计划名称</p>' in edit.text
    assert "301 字" in edit.text
    hidden = browser.form(gaps.headers["Location"])
    saved = browser.post(gaps.headers["Location"], {**hidden, **plan_fields()})
    number = unquote(saved.headers["Location"]).rsplit("/", 1)[1]
    assert view(system, number).document.amount_fen == 360_000
    sent = browser.act(number, "submit")
    assert "采购单位复审" in sent.text
    assert view(system, number).document.node == "unit_second"


@pytest.mark.covers("nm-16")
def test_mistakes_of_a_plan_are_said_at_their_fields(browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    fields = {**browser.form("/documents/new/plan/mall"), **plan_fields(name="我自己起的名字")}
    answer = browser.post("/documents/new/plan/mall", fields, follow_redirects=True)
    assert "计划名称要从采购目录里选" in answer.text
    assert 'id="f-name-wrong" data-wrong >计划名称要从采购目录里选' in answer.text


def test_the_same_form_twice_makes_one_plan(system: System, browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    fields = {**browser.form("/documents/new/plan/mall"), **plan_fields()}
    places = {browser.post("/documents/new/plan/mall", fields).headers["Location"] for _ in range(3)}
    assert len(places) == 1


def test_a_stale_page_changes_nothing(browse: Callable[[str], Browser], number: Callable[[str], str]) -> None:
    browser, plan = browse(HANDLER), number("办公椅")
    path = f"/documents/{plan}/acts/submit"
    fields = browser.form(f"/documents/{plan}", path)
    assert browser.post(path, {**fields, "key": "first-key"}).status_code == 303
    again = browser.post(path, {**fields, "key": "other-key"})
    assert again.status_code == 409
    assert 'role="alert"' in again.text


def test_returning_wants_an_opinion_and_a_target(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    browser, plan = browse(REVIEWER), number("空调机")
    answer = browser.act(plan, "return", opinion="", target="unit_first")
    assert answer.status_code == 422
    assert 'id="return-opinion-wrong"' in answer.text
    done = browser.act(plan, "return", opinion="数量不对", target="unit_first")
    assert done.status_code == 200
    assert view(system, plan).document.node == "unit_first"
    assert "数量不对" in browse(HANDLER).get(f"/documents/{plan}").text


@pytest.mark.covers("nm-2")
def test_a_repair_goes_from_page_to_page(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    handler, plan = browse(HANDLER), number("激光打印机")
    path = f"/documents/{plan}/goals/editable"
    page = handler.get(path).text
    assert "撤销" in page
    assert "由 王芳" in page
    begun = handler.post(path, handler.form(path), follow_redirects=True)
    assert "已经开始办理" in begun.text
    step = handler.form("/todo", "/repairs/1")
    assert handler.post("/repairs/1", step).status_code == 303
    reviewer = browse(REVIEWER)
    assert "同事请您办" in reviewer.get("/todo").text
    step = reviewer.form("/todo", "/repairs/1")
    assert reviewer.post("/repairs/1", {**step, "opinion": "请改数量"}).status_code == 303
    assert view(system, plan).document.node == "unit_first"
    assert plan in handler.get("/").text  # it is heard that it is the handler's turn again


@pytest.mark.covers("nm-2")
def test_where_there_is_no_way_the_reason_and_the_other_way_are_said(
    browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    page = browse(HANDLER).get(f"/documents/{number('服务器')}/goals/editable").text
    assert "不能再退回修改" in page
    assert "/goals/void" in page


def test_indicators_add_up_on_their_page(system: System, browse: Callable[[str], Browser]) -> None:
    actor = account_of(system, HANDLER)
    browser = browse(HANDLER)
    page = browser.get("/indicators").text
    for item in ledger.indicators(system, actor):
        assert item.name in page
        assert browser.get(f"/indicators/{item.id}").status_code == 200
    foreign = ledger.indicators(system, account_of(system, OTHER))[0]
    assert browser.get(f"/indicators/{foreign.id}").status_code == 404


@pytest.mark.covers("nm-9")
def test_signing_with_a_chosen_seal(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    browser, plan = browse(HANDLER), number("服务器")
    path = f"/documents/{plan}/sign"
    page = browser.get(path)
    if page.status_code == 503:
        pytest.skip("SoftHSM is not installed")
    serial = page.text.split('name="seal" value="')[1].split('"')[0]
    assert 'autocomplete="off"' in page.text.split('id="pin"')[1].split(">")[0]
    missing = browser.post(path, {**browser.form(path), "seal": serial, "pin": ""})
    assert missing.status_code == 422
    wrong = browser.post(path, {**browser.form(path), "seal": serial, "pin": "00000000"})
    assert wrong.status_code == 422
    assert "00000000" not in wrong.text
    done = browser.post(path, {**browser.form(path), "seal": serial, "pin": demo.PIN}, follow_redirects=True)
    assert done.status_code == 200
    assert view(system, plan).certificate is not None
    pdf = browser.get(f"/documents/{plan}/certificate")
    assert pdf.data.startswith(b"%PDF")
    assert plan in unquote(pdf.headers["Content-Disposition"])


def test_nothing_typed_becomes_markup(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    browser = browse(HANDLER)
    fields = {
        **browser.form("/documents/new/plan/mall"),
        **plan_fields(name=EVIL, lines__0__name=EVIL, lines__0__requirement=EVIL),
    }
    browser.post("/documents/new/plan/mall", fields)
    reviewer, plan = browse(REVIEWER), number("空调机")
    reviewer.act(plan, "return", opinion=EVIL, target="unit_first")
    chat = browser.form("/", "/chat")
    said = browser.post("/chat", {**chat, "text": EVIL}, headers={"HX-Request": "true"})
    pages = [
        browser.get(path).text
        for path in ("/", "/documents", "/todo", f"/documents/{plan}", f"/?about={EVIL}")
    ]
    pages += [
        said.text,
        browser.get(f"/documents?q={EVIL}").text,
        browser.get(f"/signin?tab=1&next={EVIL}").text,
    ]
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert "&lt;script&gt;" in said.text


def test_the_conversation_without_htmx(browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    answer = browser.post("/chat", {**browser.form("/", "/chat"), "text": "你好"}, follow_redirects=True)
    assert "您说：你好" in answer.text
    empty = browser.post("/chat", {**browser.form("/", "/chat"), "text": " "})
    assert empty.status_code == 422


def test_every_card_is_drawn(browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    fields = browser.form("/", "/chat")
    marks = {
        "流程到哪里了": 'class="flow narrow"',
        "计划录错了": "就是这个",
        "JH-1": "改这份计划",
        "是": 'class="confirm"',
        "账号": HANDLER,
        "怎么作废": "您现在是这种情况",
    }
    for at, (text, mark) in enumerate(marks.items()):
        answer = browser.post(
            "/chat", {**fields, "key": f"card-{at:04}", "text": text}, headers={"HX-Request": "true"}
        )
        assert answer.status_code == 200, text
        assert mark in answer.text, text


def test_the_agency_is_chosen_from_those_there_are(browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    path = "/documents/new/plan/project"
    assert '<option value="AG0001" >诚明招标代理有限公司（AG0001）</option>' in browser.get(path).text
    fields = {**browser.form(path), **plan_fields(agency="AG0001", lines__0__unit_price_fen="x")}
    assert '<option value="AG0001" selected>' in browser.post(path, fields).text


def test_catalogue_suggestions(browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    assert 'value="A02021003 激光打印机"' in browser.get("/catalogue/options?text=激光").text
    assert browser.get("/catalogue/options?text=").text.strip() == ""


def test_pages_of_absent_parts_are_not_there(browse: Callable[[str], Browser]) -> None:
    assert browse(SUPPORT).get("/tickets").status_code == 404
    assert browse(HANDLER).get("/wechat-binding").status_code == 404
