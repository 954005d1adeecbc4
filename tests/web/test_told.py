"""Limits, reminders, copies and deputies on the pages: lists, home page, a document's page."""

import io
import re
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from openpyxl import load_workbook

from core.service import deputies, documents
from core.service.system import System
from tests.web.conftest import HANDLER, OFFICE, OTHER, REVIEWER, Browser, Clock, account_of

BUREAU = "15029910100001"


def test_a_reminder_from_the_page(
    browse: Callable[[str], Browser], number: Callable[[str], str], clock: Clock
) -> None:
    browser, document = browse(HANDLER), number("空调机")
    target = f"/documents/{document}/reminders"
    assert "会提醒王芳（采购单位负责人 02）" in browser.get(f"/documents/{document}").text
    fields = browser.form(f"/documents/{document}", target)
    page = browser.post(target, fields, follow_redirects=True).text
    assert f"已提醒王芳（采购单位负责人 02）办理 {document}" in page
    assert "催办：王芳（采购单位负责人 02）" in page
    assert "同一步一个工作日只能催办一次" in page
    assert f'action="{target}"' not in page
    assert browser.post(target, fields).status_code == 303  # the same click again
    assert browser.post(target, {**fields, "key": "another-click"}).status_code == 409
    (told,) = re.findall(r'<p class="notice">(.*催办.*)</p>', browse(REVIEWER).get("/").text)
    assert f'<a href="/documents/{document}">{document}</a>' in told
    assert re.sub(r"<[^>]*>", "", told).count(document) == 1
    todo = browse(REVIEWER).get("/todo").text
    assert "催办 1 次" in todo
    clock.ahead = timedelta(days=5)
    assert f'action="{target}"' in browse(HANDLER).get(f"/documents/{document}").text


def test_who_may_not_remind_sees_no_button(
    browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    document = number("空调机")
    reviewer = browse(REVIEWER)
    assert "reminders" not in reviewer.get(f"/documents/{document}").text
    hidden = {**reviewer.form("/", "/chat"), "key": "not-mine-1"}
    assert reviewer.post(f"/documents/{document}/reminders", hidden).status_code == 403
    draft = number("办公椅")
    assert "reminders" not in browse(HANDLER).get(f"/documents/{draft}").text


def test_a_copy_is_given_read_and_nothing_else(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    sender, reader, document = browse(HANDLER), browse(OTHER), number("空调机")
    assert reader.get(f"/documents/{document}").status_code == 404
    target = f"/documents/{document}/copies"
    fields = {**sender.form(target, target), "to": OTHER, "note": "看看<清单>"}
    page = sender.post(target, fields, follow_redirects=True).text
    assert "只能看，不能办理" in page
    assert "看看&lt;清单&gt;" in page
    assert "未读" in page
    home = reader.get("/home").text
    assert "没看过的抄送" in home
    assert document in reader.get("/documents?folder=copied&unread=1").text
    shown = reader.get(f"/documents/{document}").text
    assert "您可以看，不能办理" in shown
    assert "抄送给别人看" not in shown
    assert document not in reader.get("/documents?folder=copied&unread=1").text
    assert document in reader.get("/documents?folder=copied").text
    assert "已读" in sender.get(target).text
    version = documents.get(system, account_of(system, HANDLER), document).document.version
    hidden = {**reader.form("/", "/chat"), "version": str(version)}
    before = documents.get(system, account_of(system, HANDLER), document).history
    for at, (path, more) in enumerate(
        {
            f"/documents/{document}/acts/pass": {},
            f"/documents/{document}/acts/withdraw": {"reason": "我"},
            f"/documents/{document}/edit": {"name": "改"},
            f"/documents/{document}/copies": {"to": REVIEWER},
            f"/documents/{document}/reminders": {},
            f"/documents/{document}/goals/editable": {"fingerprint": "x"},
        }.items()
    ):
        refused = reader.post(path, {**hidden, "key": f"reader-{at:04}", **more})
        assert refused.status_code in {403, 404, 405}, path
    assert documents.get(system, account_of(system, HANDLER), document).history == before
    assert documents.get(system, account_of(system, HANDLER), document).document.version == version


def test_copies_that_cannot_be_given_are_said_beside_the_form(
    browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    browser, document = browse(HANDLER), number("空调机")
    target = f"/documents/{document}/copies"
    hidden = browser.form(target, target)
    for at, (to, said) in enumerate(
        (("", "请从列表里选"), (OFFICE, "没有这个账号"), (HANDLER, "不用抄送给自己"))
    ):
        answer = browser.post(target, {**hidden, "key": f"wrong-{at:04}", "to": to, "note": "留着"})
        assert answer.status_code == 422
        assert said in answer.text
        assert "留着" in answer.text


def test_lists_have_limits_filters_views_and_export(
    system: System, browse: Callable[[str], Browser], clock: Clock
) -> None:
    browser = browse(REVIEWER)
    assert "没有找到" in browser.get("/todo?overdue=1").text
    clock.ahead = timedelta(days=12)
    browser = browse(REVIEWER)
    todo = browser.get("/todo?overdue=1").text
    assert "空调机" in todo
    assert "已等" in todo
    kept = {**browser.form("/todo?overdue=1", "/documents/views"), "name": "急的"}
    assert kept["folder"] == "todo"
    landed = browser.post("/documents/views", kept)
    assert landed.headers["Location"] == "/todo?folder=todo&overdue=1"
    assert 'href="/todo?folder=todo&amp;overdue=1">急的' in browser.get("/documents").text
    for folder in ("todo", "done", "mine", "copied", "late", "all"):
        answer = browser.get(f"/documents/export.xlsx?folder={folder}")
        sheet = load_workbook(io.BytesIO(answer.data)).active
        assert sheet is not None
        assert [cell.value for cell in sheet[1]][7:9] == ["轮到谁", "期限"]
        assert browser.get(f"/documents?folder={folder}&q=空&at=x&before=1").status_code == 200
    late = browser.get("/documents/export.xlsx?folder=late")
    sheet = load_workbook(io.BytesIO(late.data)).active
    assert sheet is not None
    assert all("已等" in str(row[8].value) for row in sheet.iter_rows(min_row=2))


def test_the_home_page_counts_and_shows_the_most_urgent(
    browse: Callable[[str], Browser], clock: Clock
) -> None:
    for login in (
        HANDLER,
        REVIEWER,
        BUREAU,
        OFFICE,
        OTHER,
        "150299AG000101",
        "150299SP000101",
        "150299PT000101",
    ):
        page = browse(login).get("/home")
        assert page.status_code == 200
        assert "轮到我办" in page.text
    clock.ahead = timedelta(days=12)
    home = browse(REVIEWER).get("/home").text
    assert home.index("最急的待办") < home.index("超期最久的")
    assert 'class="num late"' in home


def test_a_deputy_finds_the_others_work_and_switches(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    day = system.today
    deputies.appoint(system, account_of(system, REVIEWER), HANDLER, day, day)
    browser = browse(HANDLER)
    home = browser.get("/home").text
    assert "您可以代王芳办理" in home
    fields = browser.form("/todo", "/account/acting")
    assert browser.post("/account/acting", fields).status_code == 303
    todo = browser.get("/todo").text
    assert "您可以代王芳办理" not in todo
    assert number("空调机") in todo


def test_the_same_by_the_api(
    app: Flask, bearer: Callable[[str], dict[str, str]], number: Callable[[str], str]
) -> None:
    client, document = app.test_client(), number("空调机")
    handler, reader, reviewer = bearer(HANDLER), bearer(OTHER), bearer(REVIEWER)
    address = f"/api/v1/documents/{document}"
    asked = {**handler, "Idempotency-Key": "remind-0001"}
    done = client.post(f"{address}/reminders", headers=asked)
    assert (done.status_code, done.json and done.json["told"]) == (201, "王芳（采购单位负责人 02）")
    assert client.post(f"{address}/reminders", headers=asked).json == done.json
    again = client.post(f"{address}/reminders", headers=handler)
    assert (again.status_code, again.json and again.json["code"]) == (409, "reminded_today")
    assert again.json
    assert done.json
    assert again.json["fields"]["again"] == done.json["again"]
    waiting = client.get("/api/v1/documents?folder=todo", headers=reviewer).json
    assert waiting
    assert [one["due"]["reminded"] for one in waiting["items"] if one["number"] == document] == [1]
    assert client.get(address, headers=reader).status_code == 404
    given = client.post(f"{address}/copies", json={"to": OTHER, "note": "请看"}, headers=handler)
    assert given.status_code == 201
    home = client.get("/api/v1/home", headers=reader).json
    assert home
    assert home["counts"]["copied"] == 1
    assert (home["copied"][0]["number"], home["copied"][0]["copy_note"]["note"]) == (document, "请看")
    told = client.get(f"{address}/told", headers=reader).json
    assert told
    assert told["reads"] is True
    assert told["copies"][0]["read_at"]
    unread = client.get("/api/v1/documents?folder=copied&unread=true", headers=reader).json
    assert unread
    assert unread["items"] == []
    refused = client.post(f"{address}/copies", json={"to": REVIEWER}, headers=reader)
    assert (refused.status_code, refused.json and refused.json["code"]) == (403, "read_only")
    wrong = client.post(f"{address}/copies", json={"to": OFFICE}, headers=handler)
    assert (wrong.status_code, list(wrong.json["fields"]) if wrong.json else []) == (422, ["to"])
