"""Two tabs, a page sent twice, a page that was left and came back: nothing is done twice and nothing typed is lost."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from core.service import documents
from core.service.system import System
from tests.web.conftest import HANDLER, Browser, account_of
from tests.web.test_pages import plan_fields


@pytest.fixture
def stored(system: System) -> Callable[[str], dict[str, object]]:
    actor = account_of(system, HANDLER)
    return lambda number: dict(documents.get(system, actor, number).document.form)


def hidden(page: str) -> dict[str, str]:
    form = next(one for one in re.findall(r"<form.*?</form>", page, re.DOTALL) if 'id="document-form"' in one)
    return dict(re.findall(r'<input type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', form))


def test_the_second_tab_sees_what_the_first_one_saved_and_decides(
    browse: Callable[[str], Browser], number: Callable[[str], str], stored: Callable[[str], dict[str, object]]
) -> None:
    browser, plan = browse(HANDLER), number("办公椅")
    path = f"/documents/{plan}/edit"
    first, second = browser.form(path), browser.form(path)
    typed = {"f.name": "办公椅", "f.lines.0.name": "办公椅", "f.lines.0._": "1"}
    assert browser.post(path, {**first, **typed, "f.need_by": "2026-12-01"}).status_code == 303
    refused = browser.post(path, {**second, **typed, "f.need_by": "2026-12-31"})
    assert refused.status_code == 409
    assert stored(plan)["need_by"] == "2026-12-01"
    differs = refused.text.split("不同的地方")[1].split("</table>")[0]
    assert "2026-12-01" in differs
    assert "2026-12-31" in differs
    again = {**hidden(refused.text), **typed, "f.need_by": "2026-12-31"}
    assert browser.post(path, again).status_code == 303
    assert stored(plan)["need_by"] == "2026-12-31"


def test_a_page_that_was_saved_and_is_sent_again_with_something_else_loses_nothing(
    browse: Callable[[str], Browser], system: System
) -> None:
    browser, path = browse(HANDLER), "/documents/new/plan/mall"
    fields = {**browser.form(path), **plan_fields()}
    saved = browser.post(path, fields).headers["Location"]
    assert browser.post(path, fields).headers["Location"] == saved  # the back button, and sent again
    changed = {**fields, "f.lines.0.quantity": "7"}
    asked = browser.post(path, changed)
    assert asked.status_code == 422
    assert "另存为一张新的单据" in asked.text
    assert 'value="7"' in asked.text
    other = browser.post(path, {**changed, "key": hidden(asked.text)["key"]}).headers["Location"]
    assert other != saved


def test_an_act_sent_twice_is_done_once(
    browse: Callable[[str], Browser], number: Callable[[str], str], system: System
) -> None:
    browser, plan = browse(HANDLER), number("办公椅")
    path = f"/documents/{plan}/acts/submit"
    fields = browser.form(f"/documents/{plan}", path)
    assert [browser.post(path, fields).status_code for _ in range(3)] == [303] * 3
    actor = account_of(system, HANDLER)
    assert [entry.action for entry in documents.get(system, actor, plan).history].count("submit") == 1


def test_no_page_takes_a_form_of_another_site(
    app: Flask, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    browser, plan = browse(HANDLER), number("办公椅")
    ours = {rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    paths = [
        rule.replace("<number>", plan).replace("<action>", "submit").replace("<goal>", "void").replace("<table>", "lines")
        .replace("<kind>", "plan").replace("<variant>", "mall")
        for rule in ours if not rule.startswith(("/api/", "/wechat", "/exchange"))
    ]  # fmt: skip
    tried = [re.sub(r"<[^>]*>", "1", path) for path in paths]
    assert len(tried) > 20
    answers = {path: browser.post(path, {"csrf_token": "made-up"}).status_code for path in tried}
    assert {path: status for path, status in answers.items() if status != 400} == {}
