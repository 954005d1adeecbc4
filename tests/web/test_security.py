import re
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from core import demo
from core.adapters.secret_key import secret_key
from core.service import documents
from core.service.system import System
from tests.web.conftest import HANDLER, OTHER, REVIEWER, Browser, Clock, account_of
from tests.web.echo import EchoTalk
from web.app import create_app
from web.parts import Parts
from web.session import local


def test_headers_forbid_foreign_scripts_frames_and_guessing(app: Flask) -> None:
    headers = app.test_client().get("/signin").headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"


def test_no_page_has_inline_scripts_or_styles(
    browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    browser = browse(HANDLER)
    for path in (
        "/",
        "/todo",
        "/documents",
        f"/documents/{number('激光打印机')}",
        "/plans/new",
        "/indicators",
    ):
        page = browser.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"\s(style|on\w+)=\"", page), path


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(app: Flask) -> None:
    browser = Browser(app.test_client())
    fields = {**browser.form("/signin"), "login": HANDLER, "password": demo.PASSWORD}
    cookie = browser.post("/signin", fields).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_without_the_form_token_nothing_is_done_and_it_is_said(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    plan = number("办公椅")
    answer = browse(HANDLER).post(f"/documents/{plan}/acts/submit", {"version": 1, "key": "k" * 16})
    assert answer.status_code == 400
    assert "为安全起见没有提交" in answer.text
    actor = account_of(system, HANDLER)
    assert documents.get(system, actor, plan).document.node == "entry"


def test_the_api_wants_the_form_token_from_a_browser_only(
    app: Flask, browse: Callable[[str], Browser], bearer: Callable[[str], dict[str, str]]
) -> None:
    message = {"text": "你好", "key": "k" * 16}
    refused = browse(HANDLER).client.post("/api/v1/chat", json=message)
    assert refused.status_code == 400
    assert refused.get_json()["code"] == "csrf"
    assert app.test_client().post("/api/v1/chat", json=message, headers=bearer(HANDLER)).status_code == 200
    browser = browse(HANDLER)
    token = browser.form("/", "/chat")["csrf_token"]
    answer = browser.client.post("/api/v1/chat", json=message, headers={"X-CSRFToken": token})
    assert answer.status_code == 200


def test_signing_in_wrong_is_said_and_locks(app: Flask) -> None:
    browser = Browser(app.test_client())
    fields = {**browser.form("/signin"), "login": HANDLER, "password": "no"}
    answers = [browser.post("/signin", fields) for _ in range(6)]
    assert answers[0].status_code == 401
    assert "账号或密码不对" in answers[0].text
    assert answers[-1].status_code == 423
    assert "分钟后再试" in answers[-1].text


def test_signing_out_ends_the_session_on_the_server(system: System, browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    with browser.client.session_transaction() as kept:
        token = kept["token"]
    fields = {"csrf_token": browser.form("/", "/chat")["csrf_token"]}
    assert browser.post("/signout", fields).status_code == 303
    assert browser.get("/todo").status_code == 302
    answer = browser.client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example", "javascript:alert(1)", "/\\evil.example", "evil", "", None],
)
def test_after_signing_in_nobody_is_led_elsewhere(app: Flask, address: str | None) -> None:
    with app.test_request_context():
        assert local(address) == "/"
        assert local("/todo?x=1") == "/todo?x=1"


@pytest.mark.covers("nm-13")
def test_an_expired_token_is_said_with_the_advice(
    app: Flask, bearer: Callable[[str], dict[str, str]], clock: Clock
) -> None:
    headers = bearer(HANDLER)
    clock.ahead = timedelta(days=1)
    answer = app.test_client().get("/api/v1/todo", headers=headers)
    assert answer.status_code == 401
    body = answer.get_json()
    assert body["code"] == "session_expired"
    assert "另开一个标签页登录" in body["detail"]
    assert "不会丢" in body["detail"]


@pytest.mark.covers("nm-13")
def test_a_form_sent_too_late_is_kept_and_sent_again(
    system: System, browse: Callable[[str], Browser], clock: Clock
) -> None:
    browser = browse(HANDLER)
    fields = {
        **browser.form("/documents/new/plan/mall", None),
        "f.name": "复印机",
        "f.lines.0.name": "数码复印机",
    }
    clock.ahead = timedelta(days=1)
    refused = browser.post("/documents/new/plan/mall", fields)
    assert refused.status_code == 401
    assert "填好的内容还在" in refused.text
    assert 'value="数码复印机"' in refused.text
    kept = dict(re.findall(r'<input type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', refused.text))
    # another tab of the same browser
    again = {**browser.form("/signin?tab=1"), "login": HANDLER, "password": demo.PASSWORD}
    assert "可以关掉这个标签页" in browser.post("/signin", again, follow_redirects=True).text
    saved = browser.post("/documents/new/plan/mall", dict(kept), follow_redirects=True)
    assert saved.status_code == 200
    actor = account_of(system, HANDLER)
    assert any(d.title.startswith("复印机") for d in documents.listing(system, actor))


def test_a_kept_form_is_not_sent_in_another_name(browse: Callable[[str], Browser], system: System) -> None:
    fields = browse(HANDLER).form("/documents/new/plan/mall", None)
    other = browse(OTHER)
    fields["csrf_token"] = other.form("/", "/chat")["csrf_token"]
    answer = other.post("/documents/new/plan/mall", {**fields, "f.name": "复印机"})
    assert answer.status_code == 409
    assert "另一个账号" in answer.text


def test_a_pin_is_never_kept(
    browse: Callable[[str], Browser], clock: Clock, number: Callable[[str], str]
) -> None:
    browser = browse(HANDLER)
    plan = number("服务器")
    fields = {**browser.form(f"/documents/{plan}/sign"), "seal": "AB", "pin": "24681357"}
    clock.ahead = timedelta(days=1)
    answer = browser.post(f"/documents/{plan}/sign", fields)
    assert answer.status_code == 401
    assert "24681357" not in answer.text
    assert 'name="seal"' in answer.text


def test_limits_hold_off_guessing(system: System) -> None:
    app = create_app(system, Parts(talk=EchoTalk(system)), secret_key=b"k" * 32)
    browser = Browser(app.test_client())
    fields = {**browser.form("/signin"), "login": "nobody", "password": "no"}
    answers = [browser.post("/signin", fields).status_code for _ in range(21)]
    assert answers[0] == 401
    assert answers[-1] == 429


def test_the_secret_key_is_made_once_and_for_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = secret_key(tmp_path / "var")
    assert len(first) == 32
    assert secret_key(tmp_path / "var") == first
    assert stat.S_IMODE((tmp_path / "var" / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret-key"]
    monkeypatch.setenv("CAIGOU_SECRET_KEY", "given")
    assert secret_key(tmp_path / "var") == b"given"


def test_conversations_of_others_are_not_found(browse: Callable[[str], Browser]) -> None:
    first = browse(HANDLER)
    answer = first.post("/chat", {**first.form("/", "/chat"), "text": "你好"})
    conversation = answer.headers["Location"].split("c=")[1]
    assert browse(REVIEWER).get(f"/?c={conversation}").status_code == 404
