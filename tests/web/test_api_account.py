"""Certificates and staff over real HTTP, with real keys in SoftHSM and the command that users run."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import httpx
import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import demo
from core.__main__ import main
from core.settings import Settings
from tests.support.commands import Done, call
from tests.support.need import softhsm_module
from tests.web.conftest import HANDLER, OTHER, REVIEWER, SUPPORT

ADMIN = "150299PT000102"
GOOD = "墨绿 的 3 只鹤飞过"
SIGN = ["sign-challenge", "--token", "DEMO-SCHOOL", "--challenge"]
Bearer = Callable[[str], dict[str, str]]


@pytest.fixture
def http(site: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{site}/api/v1", timeout=60) as client:
        yield client


@pytest.fixture
def keys(demo_world: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demonstration key of the school is the one that is plugged in."""
    softhsm_module()
    monkeypatch.setenv("CAIGOU_VAR", str(demo_world.var))
    for name in ("SOFTHSM2_CONF", "CAIGOU_PKCS11_MODULE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sign(
    keys: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """`sign-challenge`; the PIN goes to standard input."""

    def run(challenge: str, *more: str, pin: str = demo.PIN) -> Done:
        monkeypatch.setattr("sys.stdin", StringIO(f"{pin}\n"))
        return call(main, capsys, *SIGN, challenge, *(more or ("--certificate", "公章")))

    return run


def test_the_command_as_users_run_it(http: httpx.Client, keys: None) -> None:
    command = [sys.executable, "-m", "core", *SIGN, challenge(http, "sign_in"), "--certificate", "公章"]

    def run(pin: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, input=f"{pin}\n", capture_output=True, text=True, check=False)

    done, wrong = run(demo.PIN), run("00000000")
    assert (done.returncode, bool(done.stdout.strip())) == (0, True), done.stderr
    assert (wrong.returncode, wrong.stdout) == (1, ""), "what is no proof goes to standard error"


def challenge(http: httpx.Client, purpose: str) -> str:
    answer = http.post("/challenges", json={"purpose": purpose})
    assert answer.status_code == 201
    return str(answer.json()["text"])


@pytest.mark.covers("nm-6")
@pytest.mark.covers("nm-7")
@pytest.mark.covers("ah-2.2")
def test_a_real_key_is_bound_signs_in_and_is_unbound(http: httpx.Client, sign: Callable[..., Done]) -> None:
    def sign_in() -> httpx.Response:
        text = challenge(http, "sign_in")
        signed = sign(text)
        assert signed.returncode == 0, signed.stderr
        assert "用途：登录" in signed.stderr
        body = {"challenge": text, "proof": signed.stdout.strip()}
        return http.post("/sessions/certificate", json=body)

    unbound = sign_in()
    assert unbound.status_code == 401
    problem = unbound.json()
    assert problem["code"] == "certificate_unbound"
    assert problem["fields"]["owner"] == "青原市示范中学公章"
    # method 1: straight from the sign-in, without signing again
    account = {"login": HANDLER, "password": demo.PASSWORD}
    bound = http.post("/certificates", json={**account, "ticket": problem["fields"]["ticket"]})
    assert bound.status_code == 201, bound.text
    serial = bound.json()["serial"]
    opened = sign_in()
    assert opened.status_code == 201, opened.text
    assert opened.json()["account"]["login"] == HANDLER
    headers = {"Authorization": f"Bearer {opened.json()['token']}"}
    sessions = http.get("/sessions", headers=headers).json()["items"]
    assert [one["method"] for one in sessions if one["current"]] == ["CA 证书"]
    asked = http.get(f"/certificates/{int(serial, 16)}", headers=headers)
    assert asked.json() == {"logins": [HANDLER]}
    unbind = http.post(f"/certificates/{serial}/unbind", json={}, headers=headers)
    assert unbind.status_code == 200, unbind.text
    assert http.get("/certificates", headers=headers).json() == {"items": []}
    # method 2: signed in with the password first
    token = http.post("/sessions", json={"login": REVIEWER, "password": demo.PASSWORD}).json()["token"]
    text = challenge(http, "bind")
    body = {"login": REVIEWER, "password": demo.PASSWORD, "challenge": text, "proof": sign(text).stdout}
    again = http.post("/certificates", json=body, headers={"Authorization": f"Bearer {token}"})
    assert again.status_code == 201, again.text
    assert sign_in().json()["account"]["login"] == REVIEWER


def test_the_command_refuses_what_it_should(
    http: httpx.Client, sign: Callable[..., Done], capsys: pytest.CaptureFixture[str]
) -> None:
    text = challenge(http, "sign_in")
    several = sign(text, "--certificate", "")
    assert several.returncode == 1
    assert all(label in several.stderr for label in ("公章", "财务专用章", "合同专用章", "--certificate"))
    foreign = sign("转账 100 万元")
    assert (foreign.returncode, foreign.stdout) == (1, "")
    assert "不是本平台的验证文字" in foreign.stderr
    wrong = sign(text, pin="00000000")
    assert wrong.returncode == 1
    assert "口令（PIN）不对" in wrong.stderr
    assert sign(text, pin="").returncode == 1
    # by serial, too
    listed = several.stderr.split("公章（", 1)[1].split("序列号 ", 1)[1].split("）", 1)[0]
    assert sign(text, "--certificate", listed.lower()).returncode == 0
    told = call(main, capsys, "sign-challenge", "--help").stdout
    assert "--challenge" in told
    assert "--pin" not in told


def test_a_certificate_signature_for_another_text_is_refused(
    http: httpx.Client, sign: Callable[..., Done]
) -> None:
    first, second = challenge(http, "sign_in"), challenge(http, "sign_in")
    proof = sign(first).stdout.strip()
    wrong = http.post("/sessions/certificate", json={"challenge": second, "proof": proof})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "signature_wrong")


# ── without keys ─────────────────────────────────────────────────────────


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_sessions_are_listed_and_ended(client: FlaskClient, bearer: Bearer) -> None:
    first, second = bearer(HANDLER), bearer(HANDLER)
    items = client.get("/api/v1/sessions", headers=second).get_json()["items"]
    other = next(one["id"] for one in items if not one["current"])
    assert client.delete(f"/api/v1/sessions/{other}", headers=bearer(REVIEWER)).status_code == 404
    assert client.delete(f"/api/v1/sessions/{other}", headers=second).status_code == 204
    assert client.get("/api/v1/me", headers=first).status_code == 401
    assert client.get("/api/v1/me", headers=second).status_code == 200


def test_a_new_password(client: FlaskClient, bearer: Bearer) -> None:
    headers = bearer(HANDLER)
    weak = {"password": demo.PASSWORD, "new_password": "12345"}
    answer = client.post("/api/v1/me/password", json=weak, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "weak_password")
    good = {"password": demo.PASSWORD, "new_password": GOOD}
    assert client.post("/api/v1/me/password", json=good, headers=headers).status_code == 204
    assert client.get("/api/v1/me", headers=headers).status_code == 401
    again = client.post("/api/v1/sessions", json={"login": HANDLER, "password": GOOD})
    assert again.status_code == 201


def test_two_steps_for_staff(client: FlaskClient, bearer: Bearer) -> None:
    headers = bearer(SUPPORT)
    begun = client.post("/api/v1/me/second-factor", json={"password": demo.PASSWORD}, headers=headers)
    code = pyotp.TOTP(begun.get_json()["secret"])
    enrolled = client.post("/api/v1/me/second-factor/enrolment", json={"code": code.now()}, headers=headers)
    assert enrolled.status_code == 201, enrolled.text
    recovery = enrolled.get_json()["codes"]
    assert client.get("/api/v1/me/second-factor", headers=headers).get_json()["enrolled"] is True
    first = client.post("/api/v1/sessions", json={"login": SUPPORT, "password": demo.PASSWORD})
    problem = first.get_json()
    assert (first.status_code, problem["code"]) == (401, "code_needed")
    step = {"ticket": problem["fields"]["ticket"], "code": recovery[0]}
    assert client.post("/api/v1/sessions/code", json={**step, "code": "000000"}).status_code == 401
    assert client.post("/api/v1/sessions/code", json=step).status_code == 201
    assert client.post("/api/v1/sessions/code", json=step).status_code == 401
    refused = client.post("/api/v1/me/second-factor", json={"password": "x"}, headers=bearer(HANDLER))
    assert refused.status_code == 403


def test_rights_of_ones_own(client: FlaskClient, bearer: Bearer) -> None:
    answers = [client.get("/api/v1/me/rights", headers=bearer(who)).get_json() for who in (HANDLER, ADMIN)]
    assert answers[0] == {"capabilities": []}
    assert "manage_accounts" in answers[1]["capabilities"]


@pytest.mark.covers("sx-phone")
def test_invited_joined_suspended(client: FlaskClient, bearer: Bearer) -> None:
    head = bearer(REVIEWER)
    assert (
        client.put("/api/v1/me/phone", json={"phone": "13800001111"}, headers=bearer(OTHER)).status_code
        == 204
    )
    taken = client.put("/api/v1/me/phone", json={"phone": "13800001111"}, headers=head)
    assert (taken.status_code, taken.get_json()["code"]) == (409, "phone_registered")
    body = {"phone": "13800001111", "name": "何小川", "role": "handler"}
    assert client.post("/api/v1/invitations", json=body, headers=bearer(HANDLER)).status_code == 403
    made = client.post("/api/v1/invitations", json=body, headers=head)
    assert made.status_code == 201, made.text
    assert made.get_json()["invitation"]["phone"] == "138****1111"
    join = {"code": made.get_json()["code"], "phone": "13800001111", "password": GOOD}
    joined = client.post("/api/v1/invitations/accept", json=join)
    assert joined.status_code == 201, joined.text
    login = joined.get_json()["login"]
    listed = client.get("/api/v1/invitations", headers=head).get_json()["items"]
    assert [one["state"] for one in listed] == ["accepted"]
    assert client.post(f"/api/v1/staff/{login}/suspend", headers=head).status_code == 204
    refused = client.post("/api/v1/sessions", json={"login": login, "password": GOOD})
    assert (refused.status_code, refused.get_json()["code"]) == (401, "suspended")
    assert client.post(f"/api/v1/staff/{login}/resume", headers=head).status_code == 204
    members = client.get("/api/v1/staff", headers=head).get_json()["items"]
    assert [one["account"]["login"] for one in members] == [HANDLER, REVIEWER, login]
    second = client.post(
        "/api/v1/invitations", json={**body, "phone": "13800002222"}, headers=head
    ).get_json()
    address = f"/api/v1/invitations/{second['invitation']['id']}"
    assert client.delete(address, headers=head).status_code == 204
    assert client.delete(address, headers=head).status_code == 409
    units = client.get("/api/v1/units", headers=head).get_json()["items"]
    assert [(one["depth"], one["name"]) for one in units] == [(0, "青原市示范中学")]


def test_a_deputy_over_the_api(client: FlaskClient, bearer: Bearer) -> None:
    day = datetime.now(UTC).date()
    body = {"deputy": HANDLER, "since": f"{day - timedelta(days=1)}", "until": f"{day + timedelta(days=2)}"}
    made = client.post("/api/v1/deputies", json=body, headers=bearer(REVIEWER))
    assert made.status_code == 201, made.text
    headers = bearer(HANDLER)
    number = made.get_json()["id"]
    acting = client.put("/api/v1/sessions/acting", json={"deputy": number}, headers=headers)
    assert acting.get_json()["account"]["role"] == "reviewer"
    assert client.get("/api/v1/me", headers=headers).get_json()["role"] == "reviewer"
    own = client.put("/api/v1/sessions/acting", json={"deputy": None}, headers=headers)
    assert own.get_json()["account"]["role"] == "handler"
    assert [one["holds"] for one in client.get("/api/v1/deputies", headers=headers).get_json()["items"]] == [
        True
    ]
    assert client.delete(f"/api/v1/deputies/{number}", headers=bearer(OTHER)).status_code == 404
    assert client.delete(f"/api/v1/deputies/{number}", headers=headers).status_code == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/sessions"), ("get", "/certificates"), ("get", "/certificates/AB"), ("get", "/staff"),
     ("get", "/deputies"), ("get", "/units"), ("get", "/me/rights"), ("post", "/me/password"),
     ("post", "/certificates/AB/unbind"), ("post", "/certificates/AB/release"), ("post", "/me/second-factor")],
)  # fmt: skip
def test_nothing_without_a_session(client: FlaskClient, method: str, path: str) -> None:
    answer = getattr(client, method)(f"/api/v1{path}", **({"json": {}} if method == "post" else {}))
    assert (answer.status_code, answer.get_json()["code"]) == (401, "not_signed_in")
