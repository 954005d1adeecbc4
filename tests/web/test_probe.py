"""Checks of the clerk's machine from the conversation: over HTTP, and in a real browser with a real agent."""

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.test import TestResponse

import diagnostics
from assistant.desk import Desk
from assistant.knowledge import Knowledge, open_knowledge
from core.adapters.database import SqlDatabase
from core.service.system import System
from diagnostics import agent, report
from diagnostics.desk_reports import DeskReports
from diagnostics.result import Report
from tests.support.servers import running
from tests.web.conftest import HANDLER, OTHER, SUPPORT, Browser, Clock
from tests.web.echo import app_over
from web import probe, security
from web.wiring import AssistantTalk

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
CODE = re.compile(r"\d{8}")


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return open_knowledge()


@pytest.fixture
def reports(system: System) -> DeskReports:
    assert isinstance(system.database, SqlDatabase)
    return DeskReports(system.database.engine)


@pytest.fixture
def app(system: System, knowledge: Knowledge, reports: DeskReports) -> Flask:
    return app_over(system, talk=AssistantTalk(system, knowledge), desk=Desk(system), reports=reports)


def check(only: list[str] | None, facts: dict[str, object]) -> Report:
    """A desk whose session is over: the one finding that needs nothing of the machine."""
    facts = {**facts, "token_expires_at": "2026-01-01T00:00:00+08:00"}
    wanted = ["token"] if only is None else [*only, "token"]
    return diagnostics.run("neimenggu", only=wanted, facts=facts, offline=True)


def page_seen(clock: Clock, **given: object) -> dict[str, object]:
    known = {"cookies": True, "agent": "reached", "secure": True, "kernel": 150, "permission": "granted"}
    return {"clock_s": clock().timestamp(), **known, **given}


@dataclass
class Chat:
    """A conversation of one account over HTTP."""

    browser: Browser
    conversation: str

    def send(self, page: object, found: object, conversation: str = "") -> TestResponse:
        token = self.browser.form("/", "/chat")["csrf_token"]
        body = {"conversation": conversation or self.conversation, "page": page, "report": found}
        headers = {"X-CSRFToken": token, "HX-Request": "true"}
        return self.browser.client.post("/probe/report", json=body, headers=headers)


@pytest.fixture
def chat(browse: Callable[[str], Browser]) -> Callable[..., Chat]:
    def begin(login: str = HANDLER, text: str = "盖章没反应") -> Chat:
        browser = browse(login)
        fields = {**browser.form("/", "/chat"), "text": text}
        said = browser.post("/chat", fields, headers={"HX-Request": "true"}).text
        found = re.search(r'name="conversation" id="conversation" value="(\w+)"', said)
        assert found
        assert "data-desk-run" in said
        return Chat(browser, found[1])

    return begin


def document(**facts: object) -> dict[str, object]:
    made: dict[str, object] = json.loads(report.to_json(check(None, facts)))
    return made


def test_a_report_is_answered_and_kept_for_the_staff(
    chat: Callable[..., Chat], clock: Clock, reports: DeskReports, browse: Callable[[str], Browser]
) -> None:
    one = chat()
    said = one.send(page_seen(clock), document())
    assert said.status_code == 200
    assert "原因：登录凭证已过期" in said.text
    assert "另开标签页" in said.text  # the words of the entry
    assert "原因：登录凭证已过期" in one.browser.get(f"/?c={one.conversation}").text
    (kept,) = reports.of(one.conversation)
    assert (kept.origin, kept.report.root_cause.finding) == ("page", "token_expired")  # type: ignore[union-attr]
    fields = {**one.browser.form("/", "/chat"), "text": "转人工", "conversation": one.conversation}
    one.browser.post("/chat", fields)
    staff = browse(SUPPORT)
    ticket = re.search(r'href="(/tickets/[^"]+)"', staff.get("/tickets").text)
    assert ticket
    page = staff.get(ticket[1]).text
    assert "对方电脑的检测" in page
    assert "网页带来" in page
    printed = re.search(r'href="(/tickets/[^"]+/reports/\d+)"', page)
    assert printed
    sheet = staff.get(printed[1])
    assert "<h1>诊断报告" in sheet.text
    assert "登录凭证已过期" in sheet.text
    assert "script" not in sheet.headers["Content-Security-Policy"]
    assert one.browser.get(printed[1]).status_code == 403
    assert staff.get(re.sub(r"\d+$", "999", printed[1])).status_code == 404


def test_what_the_browser_alone_tells_is_answered_and_not_kept(
    chat: Callable[..., Chat], clock: Clock, reports: DeskReports
) -> None:
    one = chat()
    said = one.send(page_seen(clock, agent="absent", permission="denied"), None)
    assert "不许这个网页访问本机" in said.text
    assert reports.of(one.conversation) == []


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        "report",
        {"format": "x"},
        {"region": "shanxi"},
        {"results": [{"probe": "nothing", "title": "", "status": "fail", "finding": "x", "summary": ""}]},
        {"results": "x" * 70_000},
    ],
)
def test_what_is_no_report_is_refused(chat: Callable[..., Chat], clock: Clock, broken: object) -> None:
    found = {**document(), **broken} if isinstance(broken, dict) and broken else broken
    if broken == {"format": "x"}:
        found = {"format": "x"}
    assert chat().send(page_seen(clock), found).status_code == 422


@pytest.mark.parametrize("broken", [None, {}, {"clock_s": "now"}, {"kernel": -1}, {"more": 1}])
def test_what_no_page_sends_is_refused(chat: Callable[..., Chat], clock: Clock, broken: object) -> None:
    page = {**page_seen(clock), **broken} if broken else broken
    assert chat().send(page, None).status_code == 422


def test_markup_and_numbers_in_a_report_do_no_harm(
    chat: Callable[..., Chat], clock: Clock, reports: DeskReports
) -> None:
    found = document()
    found["results"][-1]["summary"] = "<script>alert(1)</script> PIN=123456 13912345678"  # type: ignore[index]
    one = chat()
    said = one.send(page_seen(clock), found).text
    assert "<script>" not in said
    assert "&lt;script&gt;" in said
    assert "123456" not in said
    assert "13912345678" not in json.dumps(reports.of(one.conversation)[0].report.to_dict())


def test_nobody_speaks_into_another_ones_conversation(chat: Callable[..., Chat], clock: Clock) -> None:
    mine = chat()
    stranger = chat(OTHER)
    assert stranger.send(page_seen(clock), document(), mine.conversation).status_code == 404
    assert stranger.browser.get(f"/probe/facts?conversation={mine.conversation}").status_code == 404


def test_a_form_token_is_needed(chat: Callable[..., Chat], clock: Clock) -> None:
    one = chat()
    body = {"conversation": one.conversation, "page": page_seen(clock), "report": None}
    assert one.browser.client.post("/probe/report", json=body).status_code == 400


def upload(app: Flask, reference: str, found: object, form: str = agent.FORMAT) -> TestResponse:
    body = {"format": form, "reference": reference, "report": found}
    return app.test_client().post("/api/v1/desk-reports", json=body)


def test_the_agent_uploads_under_the_reference_of_its_pairing(
    app: Flask, chat: Callable[..., Chat], reports: DeskReports
) -> None:
    one = chat()
    facts = one.browser.get(f"/probe/facts?conversation={one.conversation}").get_json()
    assert len(facts["reference"]) <= agent.MAX_REFERENCE
    assert facts["region"] == "neimenggu"
    assert upload(app, facts["reference"], document()).status_code == 200
    assert [kept.origin for kept in reports.of(one.conversation)] == ["agent"]
    assert upload(app, facts["reference"][:-2] + "xx", document()).status_code == 401
    assert upload(app, "", document()).status_code == 401
    assert upload(app, facts["reference"], {"results": []}).status_code == 422
    assert upload(app, facts["reference"], document(), "other/1").status_code == 422
    assert len(reports.of(one.conversation)) == 1


def test_an_account_cannot_fill_the_database(
    chat: Callable[..., Chat], reports: DeskReports, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diagnostics.desk_reports.MOST_A_DAY", 1)
    one = chat()
    assert one.send(page_seen(clock), document()).status_code == 200
    assert one.send(page_seen(clock), document()).status_code == 409
    clock.ahead += timedelta(days=91)
    reports.keep("other", 1, "page", reports.of(one.conversation)[0].report, clock())
    assert reports.of(one.conversation) == []  # kept for ninety days


def test_the_single_file_is_handed_out(browse: Callable[[str], Browser]) -> None:
    answer = browse(HANDLER).get("/probe/zhenduan.pyz")
    assert answer.status_code == 200
    assert "__main__.py" in zipfile.ZipFile(BytesIO(answer.data)).namelist()


@pytest.fixture
def desk(site: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[agent.Agent]:
    """The agent of this machine, on a port of its own, for the site's pages; it uploads to the site."""
    made = agent.Agent(check, [site], f"{site}/api/v1/desk-reports")
    with running(agent.serve(made, 0)) as port:
        address = f"http://{agent.HOST}:{port}"
        policy = security.HEADERS["Content-Security-Policy"].replace(security.AGENT, address)
        monkeypatch.setitem(security.HEADERS, "Content-Security-Policy", policy)
        monkeypatch.setattr(probe, "AGENT", address)
        yield made


def open_chat(page: Page, site: str) -> None:
    page.goto(f"{site}/signin")
    page.get_by_label("账号").fill(HANDLER)
    page.get_by_label("密码").fill("Demo-2026")
    page.get_by_label("密码").press("Enter")
    page.wait_for_url(f"{site}/")
    page.locator("#text").fill("盖章没反应")
    page.locator("#text").press("Enter")
    expect(page.locator("[data-desk-run]")).to_be_visible()


@pytest.mark.browser
@pytest.mark.covers("nm-10", "nm-11", "nm-13")
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_a_desk_is_paired_asked_and_answered_in_the_browser(
    page: Page, site: str, desk: agent.Agent, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_chat(page, site)
    page.get_by_role("button", name="检测这台电脑").click()
    field = page.get_by_label("诊断助手显示的 8 位配对码")
    expect(field).to_be_visible()
    field.fill("0000 0000")
    page.get_by_role("button", name="配对并检测").click()
    expect(page.locator("[data-desk-state]").last).to_contain_text("配对码不对")
    field.fill(desk.pairing.code or "")
    field.press("Enter")
    expect(page.locator("#log")).to_contain_text("原因：登录凭证已过期")
    expect(page.locator("#log")).to_contain_text("另开标签页")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("scrollY") == 0  # the conversation moves, not the page
    expect(page.get_by_text("原因：登录凭证已过期")).to_be_in_viewport()
    # paired: the next answer that wants the desk asks it by itself
    before = page.locator("#log .finding").count()
    page.locator("#text").fill("未插入KEY")
    page.locator("#text").press("Enter")
    expect(page.locator("#log .finding")).to_have_count(before + 1)


@pytest.mark.browser
def test_without_an_agent_the_browser_tells_what_it_can_and_pairing_is_offered(page: Page, site: str) -> None:
    open_chat(page, site)
    page.get_by_role("button", name="检测这台电脑").click()
    expect(page.locator("#log")).to_contain_text("诊断助手")
    expect(page.locator("#log .finding")).to_have_count(1)
    expect(page.get_by_label("诊断助手显示的 8 位配对码")).to_be_visible()
    page.get_by_role("button", name="只看浏览器").click()
    expect(page.locator("#log")).to_contain_text("浏览器这一边没有发现问题")
