"""Where the program is reached from outside: HTTPS, and proxies in front that are believed only when told."""

import pytest
from flask import Flask, request

from core import demo
from core.domain.errors import DataError
from core.service.system import System
from core.settings import Settings
from tests.web.conftest import HANDLER, Browser
from tests.web.echo import EchoTalk
from web.__main__ import main
from web.app import create_app
from web.parts import Parts

FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "cg.example"}


def application(system: System, settings: Settings) -> Flask:
    app = create_app(
        system,
        Parts(talk=EchoTalk(system)),
        secret_key=b"k" * 32,
        secure=settings.secure,
        proxies=settings.proxies,
    )
    app.add_url_rule("/where", view_func=lambda: f"{request.remote_addr} {request.scheme} {request.host}")
    return app


def settings(**environment: str) -> Settings:
    return Settings.from_environment({f"CAIGOU_{name}": value for name, value in environment.items()})


def test_nobody_is_believed_unless_told(system: System) -> None:
    client = application(system, settings()).test_client()
    assert client.get("/where", headers=FORWARDED).text == "127.0.0.1 http localhost"
    client = application(system, settings(BEHIND_PROXY="1")).test_client()
    assert client.get("/where", headers=FORWARDED).text == "203.0.113.7 https cg.example"
    spoofed = {**FORWARDED, "X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
    assert client.get("/where", headers=spoofed).text.startswith("203.0.113.7 ")


@pytest.mark.parametrize(
    ("url", "secure"), [("https://cg.example/", True), ("http://cg.example", False), ("", False)]
)
def test_cookies_are_for_https_where_that_is_how_browsers_come(
    system: System, url: str, *, secure: bool
) -> None:
    given = settings(PUBLIC_URL=url)
    browser = Browser(application(system, given).test_client())
    base = "https://localhost" if secure else "http://localhost"
    page = browser.get("/signin", base_url=base)
    assert ("Strict-Transport-Security" in page.headers) is secure
    assert ("; Secure;" in page.headers["Set-Cookie"]) is secure
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    fields: dict[str, object] = {"csrf_token": token, "login": HANDLER, "password": demo.PASSWORD}
    assert browser.post("/signin", fields, base_url=base).status_code == 303
    assert browser.get("/todo", base_url=base).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", value)
        for value in ("cg.example", "ftp://cg.example", "https://", "https://cg.example/sub")
    ]
    + [("BEHIND_PROXY", value) for value in ("yes", "-1", "10", "²")],
)
def test_what_cannot_be_read_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    with pytest.raises(DataError):
        settings(**{name: value})
    monkeypatch.setenv(f"CAIGOU_{name}", value)
    assert main(["serve"]) == 1
    assert f"CAIGOU_{name}" in capsys.readouterr().err
