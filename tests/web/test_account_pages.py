"""Pages of the account, the staff and the other ways in."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from playwright.sync_api import Page

from core import demo
from core.adapters.certificates import X509Judge
from core.domain.accounts import Account
from core.service import certificates, challenges, second_factor
from core.service.system import System
from tests.core.keys import Authority, Key
from tests.web.conftest import HANDLER, REVIEWER, SUPPORT, Browser
from tests.web.test_browser import NAMELESS, SIZES, sign_in

GOOD = "墨绿 的 3 只鹤飞过"
Browse = Callable[[str], Browser]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def key(authority: Authority) -> Key:
    return authority.issue()


@pytest.fixture
def system(system: System, authority: Authority, tmp_path: Path) -> System:
    """Trusts the tests' authority."""
    return replace(system, certificates=X509Judge(authority.trust(tmp_path)))


def bind(system: System, key: Key, login: str = HANDLER) -> None:
    text = challenges.issue(system, "bind").text
    certificates.bind(system, login, demo.PASSWORD, challenge=text, proof=key.proof(text))


def by_certificate(app: Flask, key: Key, **fields: object) -> tuple[Browser, str]:
    """A browser after its signature was sent, and the page it sees then."""
    browser = Browser(app.test_client())
    form = browser.form("/signin/certificate", "/signin/certificate")
    answer = browser.post(
        "/signin/certificate",
        {**form, "proof": key.proof(form["challenge"]), **fields},
        follow_redirects=True,
    )
    return browser, answer.text


@pytest.mark.covers("nm-5")
def test_the_account_and_its_numbers(browse: Browse) -> None:
    page = browse(HANDLER).get("/account").text
    for part in ("15029910100101", "15029910100102", "李明", "王芳", "区划编码 150299 + 预算编码 101001"):
        assert part in page
    assert "员工管理" not in page
    assert "动态口令" not in page
    assert "员工管理" in browse(REVIEWER).get("/account").text


@pytest.mark.covers("nm-6")
def test_from_the_sign_in_page_to_a_bound_key_and_in(app: Flask, key: Key) -> None:
    browser, page = by_certificate(app, key)
    assert "还没有绑定账号" in page
    assert "青原市示范中学" in page
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    wrong = browser.post("/signin/bind", {**hidden, "login": HANDLER, "password": "no"})
    assert wrong.status_code == 401
    assert "账号或密码不对" in wrong.text
    done = browser.post(
        "/signin/bind", {**hidden, "login": HANDLER, "password": demo.PASSWORD}, follow_redirects=True
    )
    assert f"已绑定到账号 {HANDLER}" in done.text
    inside, _ = by_certificate(app, key)
    assert "这次就是用它登录的" in inside.get("/account").text


@pytest.mark.covers("nm-6")
@pytest.mark.covers("nm-7")
def test_bound_while_signed_in_and_unbound_by_password(browse: Browse, key: Key) -> None:
    browser = browse(HANDLER)
    form = browser.form("/account/certificates/bind")
    fields = {**form, "proof": key.proof(form["challenge"]), "password": demo.PASSWORD}
    assert "已绑定" in browser.post("/account/certificates/bind", fields, follow_redirects=True).text
    again = browser.post("/account/certificates/bind", fields)
    assert again.status_code == 401
    assert "重新取一段" in again.text
    target = f"/account/certificates/{key.serial}/unbind"
    without = browser.post(target, browser.form("/account", target))
    assert "解绑要输入账号密码" in without.text
    gone = browser.post(
        target, {**browser.form("/account", target), "password": demo.PASSWORD}, follow_redirects=True
    )
    assert "已解绑" in gone.text
    assert "还没有绑定" in gone.text


@pytest.mark.covers("nm-7")
def test_unbound_while_signed_in_by_it(app: Flask, system: System, key: Key) -> None:
    bind(system, key, REVIEWER)
    browser, _ = by_certificate(app, key)
    target = f"/account/certificates/{key.serial}/unbind"
    assert "已解绑" in browser.post(target, browser.form("/account", target), follow_redirects=True).text


def test_a_key_of_another_account_is_said_with_its_number_masked(
    app: Flask, system: System, key: Key
) -> None:
    bind(system, key)
    _, page = by_certificate(app, key, login=REVIEWER)
    assert "150299******01" in page
    assert HANDLER not in page


def test_a_new_password_signs_everybody_out(app: Flask, browse: Browse) -> None:
    browser, other = browse(HANDLER), browse(HANDLER)
    form = browser.form("/account", "/account/password")
    fields = {**form, "password": demo.PASSWORD, "new_password": GOOD, "again": "nicht gleich"}
    assert "两次输入的新密码不一样" in browser.post("/account/password", fields).text
    done = browser.post("/account/password", {**fields, "again": GOOD}, follow_redirects=True)
    assert "请用新密码登录" in done.text
    assert other.get("/account").status_code == 302
    fresh = Browser(app.test_client())
    assert (
        fresh.post("/signin", {**fresh.form("/signin"), "login": HANDLER, "password": GOOD}).status_code
        == 303
    )


def test_secrets_are_never_kept_in_a_form_that_came_too_late(app: Flask) -> None:
    browser = Browser(app.test_client())
    token = browser.form("/signin")["csrf_token"]
    fields = {"csrf_token": token, "password": "geheim-1", "new_password": "geheim-2", "again": "geheim-2"}
    answer = browser.post("/account/password", fields)
    assert answer.status_code == 401
    assert "geheim" not in answer.text


def test_sessions_are_ended_from_the_page(browse: Browse) -> None:
    first, second = browse(HANDLER), browse(HANDLER)
    target = re.search(r'action="(/account/sessions/[0-9a-f]+/end)"', second.get("/account").text)
    assert target is not None
    second.post(target[1], second.form("/account", target[1]))
    assert first.get("/account").status_code == 302
    assert second.get("/account").status_code == 200


def test_two_steps_for_support(app: Flask, browse: Browse, system: System) -> None:
    browser = browse(SUPPORT)
    begun = browser.post(
        "/account/second-factor",
        {**browser.form("/account", "/account/second-factor"), "password": demo.PASSWORD},
        follow_redirects=True,
    ).text
    assert '<svg role="img" aria-label="动态口令二维码"' in begun
    waiting = second_factor.pending(system, _account(system, SUPPORT))
    assert waiting is not None
    assert waiting.secret in begun
    form = browser.form("/account/second-factor", "/account/second-factor/enrol")
    page = browser.post(
        "/account/second-factor/enrol", {**form, "code": pyotp.TOTP(waiting.secret).now()}
    ).text
    codes = re.findall(r"<li>([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})</li>", page)
    assert len(codes) == second_factor.RECOVERY_CODES
    assert codes[0] not in browser.get("/account/second-factor").text
    fresh = Browser(app.test_client())
    asked = fresh.post("/signin", {**fresh.form("/signin"), "login": SUPPORT, "password": demo.PASSWORD})
    assert asked.status_code == 401
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', asked.text))
    wrong = fresh.post("/signin/code", {**hidden, "code": "000"})
    assert "动态口令不对" in wrong.text
    assert fresh.post("/signin/code", {**hidden, "code": codes[0]}).status_code == 303
    assert fresh.get("/account").status_code == 200


def _account(system: System, login: str) -> Account:
    with system.database.read() as tx:
        found = tx.accounts.credentials(login)
    assert found is not None
    return found.account


@pytest.mark.covers("sx-phone")
def test_invited_and_joined(app: Flask, browse: Browse) -> None:
    head = browse(REVIEWER)
    form = head.form("/staff", "/staff/invitations")
    fields = {**form, "phone": "13800001111", "name": "何小川", "role": "handler"}
    assert "手机号是 11 位" in head.post("/staff/invitations", {**fields, "phone": "12"}).text
    made = head.post("/staff/invitations", fields).text
    code = re.search(r'class="big-code">([0-9A-Z]{12})<', made)
    assert code is not None
    fresh = Browser(app.test_client())
    join = {**fresh.form("/join"), "phone": "13800001111", "new_password": GOOD, "again": GOOD}
    assert "邀请码不对" in fresh.post("/join", {**join, "code": "X"}).text
    assert "15029910100103" in fresh.post("/join", {**join, "code": code[1]}).text
    assert browse(HANDLER).get("/staff").status_code == 403
    target = "/staff/15029910100103/suspend"
    assert "已停用" in head.post(target, head.form("/staff", target), follow_redirects=True).text


def test_a_deputy_begins_and_the_page_says_so(browse: Browse) -> None:
    head, deputy = browse(REVIEWER), browse(HANDLER)
    day = re.search(r'id="since"[^>]*value="([0-9-]+)"', head.get("/account").text)
    assert day is not None
    fields = {**head.form("/account", "/account/deputies"), "deputy": HANDLER, "since": day[1]}
    assert "日期要写成" in head.post("/account/deputies", {**fields, "until": "morgen"}).text
    head.post("/account/deputies", {**fields, "until": day[1]})
    begun = deputy.post("/account/acting", deputy.form("/account", "/account/acting"), follow_redirects=True)
    assert "现在代王芳办理" in begun.text
    assert "换回自己" in begun.text
    back = deputy.post("/account/acting", deputy.form("/account", "/account/acting"), follow_redirects=True)
    assert "已换回自己的身份" in back.text


# ── in a browser ─────────────────────────────────────────────────────────


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_page_fits_and_is_named(
    page: Page, site: str, system: System, key: Key, width: int, height: int
) -> None:
    with ThreadPoolExecutor(
        1
    ) as pool:  # Playwright runs a loop in this thread, and checking a chain runs its own
        pool.submit(bind, system, key, REVIEWER).result()
    page.set_viewport_size({"width": width, "height": height})
    paths = ["/signin", "/signin/certificate", "/join"]
    for path in (*paths, "", "/account", "/account/certificates/bind", "/account/second-factor", "/staff"):
        if path == "":
            sign_in(page, site, REVIEWER)
            continue
        page.goto(site + path)
        page.evaluate("document.querySelectorAll('main details').forEach(d => { d.open = true })")
        sticks_out = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert sticks_out <= 0, path
        assert page.evaluate(NAMELESS) == [], path
