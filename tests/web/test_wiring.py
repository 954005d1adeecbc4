"""The whole application as it is served, with the real assistant."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from core import demo
from core.adapters.exchange_client import shared_secrets
from core.service import accounts, exchange_signature, ledger
from core.service.system import System
from core.settings import Settings
from tests.web.conftest import HANDLER, REVIEWER, SUPPORT, Browser
from web import wiring

CHANNEL = {"token": "Token123", "aes_key": "a" * 43, "app_id": "wx0000000000000001", "secret": "s" * 32}


@pytest.fixture
def settings(system: System, tmp_path: Path) -> Settings:
    return Settings(var=tmp_path, database_url=str(system.database.engine.url))  # type: ignore[attr-defined]


@pytest.fixture
def app(system: System, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setenv("CAIGOU_WECHAT_CHANNELS", json.dumps({"demo": CHANNEL}))
    return wiring.application(system, settings)


def say(browser: Browser, text: str) -> str:
    answer = browser.post("/chat", {**browser.form("/", "/chat"), "text": text})
    assert answer.status_code == 303, answer.text
    return browser.get("/").text


@pytest.mark.covers("nm-2")
def test_a_plan_is_repaired_in_the_conversation_of_two_accounts(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    handler, reviewer, plan = browse(HANDLER), browse(REVIEWER), number("激光打印机")
    fields = {**handler.form(f"/?about={plan}", "/chat"), "text": "计划录错了"}
    assert fields["page"] == plan
    conversation = handler.post("/chat", fields).headers["Location"].split("c=")[1]
    page = handler.get(f"/?c={conversation}").text
    assert "撤销" in page
    for text in ("是", "是"):
        fields = {**handler.form(f"/?c={conversation}", "/chat"), "text": text}
        handler.post("/chat", fields)
    assert "同事请您办" in reviewer.get("/todo").text
    step = reviewer.form("/todo", "/repairs/1")
    assert reviewer.post("/repairs/1", {**step, "opinion": "请改数量"}).status_code == 303
    assert handler.get(f"/documents/{plan}/edit").status_code == 200


def test_what_nobody_knows_becomes_a_ticket_that_support_answers(browse: Callable[[str], Browser]) -> None:
    handler, support = browse(HANDLER), browse(SUPPORT)
    say(handler, "怎么做红烧肉")
    assert "GD-" in say(handler, "转人工")
    page = support.get("/tickets").text
    assert "红烧肉" in page
    path = re.search(r'action="(/tickets/[^"]+/close)"', page)
    assert path is not None
    answer = support.post(path[1], {**support.form("/tickets", path[1]), "note": "这个平台上没有食谱"})
    assert answer.status_code == 303
    assert "这个平台上没有食谱" in handler.get("/").text
    assert handler.get("/tickets").status_code == 403


def test_a_code_binds_wechat(browse: Callable[[str], Browser], system: System, settings: Settings) -> None:
    handler = browse(HANDLER)
    assert "onetime" not in handler.get("/wechat-binding").text
    page = handler.post("/wechat-binding", handler.form("/wechat-binding")).text
    code = re.search(r'class="onetime num"[^>]*>(\d{8})<', page)
    assert code is not None
    channels = wiring.wechat(system, settings, wiring.open_knowledge())
    assert channels is not None
    channels.bindings.redeem("demo", "openid-1", code[1])
    account = accounts.sign_in(system, HANDLER, demo.PASSWORD).account
    assert channels.bindings.account_of("demo", "openid-1") == account.id


def test_wechat_without_a_signature_is_refused(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/wechat/demo?signature=x&timestamp=1&nonce=1&echostr=hi").status_code == 403
    assert client.post("/wechat/demo?signature=x&timestamp=1&nonce=1", data=b"<xml/>").status_code == 403
    assert client.get("/wechat/other").status_code == 404


def test_finance_tops_up_an_indicator_once(app: Flask, system: System, settings: Settings) -> None:
    actor = accounts.sign_in(system, HANDLER, demo.PASSWORD).account
    known = ledger.indicators(system, actor)[0]
    body = {"division": actor.unit.division, "unit": actor.unit.code, "year": known.year, "code": known.code}
    message = {"topic": "finance.indicator", "body": {**body, "name": known.name, "add_fen": 100}}
    raw = json.dumps(message).encode()
    secret = shared_secrets(settings.var)["finance"]
    signed = exchange_signature.sign(secret, "platform:finance", "push-0001", raw, system.clock())
    client = app.test_client()
    for _ in range(2):
        answer = client.post(
            "/api/v1/exchange/finance", data=raw, headers=signed, content_type="application/json"
        )
        assert answer.status_code == 200, answer.text
    assert ledger.indicators(system, actor)[0].total_fen == known.total_fen + 100
    forged = client.post("/api/v1/exchange/finance", data=raw + b" ", headers=signed)
    assert forged.status_code == 401
    assert forged.content_type == "application/problem+json"
    assert client.post("/api/v1/exchange/nobody", data=raw, headers=signed).status_code == 404


def test_without_channels_there_is_no_wechat(
    system: System, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAIGOU_WECHAT_CHANNELS", raising=False)
    client = wiring.application(system, settings).test_client()
    assert client.get("/wechat/demo").status_code == 404
    assert client.get("/wechat-binding").status_code == 404
