"""The whole application as it is served, with the real assistant."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from assistant.knowledge import open_knowledge
from core.adapters.exchange_client import shared_secrets
from core.service import documents, exchange_signature, ledger
from core.service.system import System
from core.settings import Settings
from tests.web.conftest import HANDLER, REVIEWER, SUPPORT, Browser, account_of
from tests.web.uploads import send
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


def test_a_spreadsheet_of_the_size_that_an_import_takes_is_checked_in_the_conversation(
    browse: Callable[[str], Browser],
) -> None:
    big = b"PK" + b"x" * 3 * 2**20
    answer = send(browse(HANDLER), "d/清单.xlsx", big, "/chat/file", **{"HX-Request": "true"})
    assert answer.status_code == 200
    assert "（发来表格：清单.xlsx）" in answer.text
    assert "“清单.xlsx”读不了：不是 XLSX 文件" in answer.text
    assert re.search(r'id="cursor" value="\d+"', answer.text)


def test_what_nobody_knows_becomes_a_ticket_that_support_answers(browse: Callable[[str], Browser]) -> None:
    handler, support = browse(HANDLER), browse(SUPPORT)
    say(handler, "怎么做红烧肉")
    assert "GD-" in say(handler, "转人工")
    page = support.get("/tickets").text
    assert "红烧肉" in page
    ticket = ticket_on(page)
    answer = support.post(
        f"{ticket}/close", {**support.form(ticket, f"{ticket}/close"), "note": "这个平台上没有食谱"}
    )
    assert answer.status_code == 303
    assert "这个平台上没有食谱" in handler.get("/").text
    assert "已关闭" in support.get(ticket).text
    for path in ("/tickets", ticket, "/desk/messages", "/desk/questions"):
        assert handler.get(path).status_code == 403, path


def ticket_on(page: str) -> str:
    found = re.search(r'href="(/tickets/[^"]+)"', page)
    assert found is not None
    return found[1]


def news(browser: Browser, **fields: object) -> TestResponse:
    """What the open chat page asks for by itself."""
    page = browser.get("/").text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', page))
    return browser.post("/news", {**hidden, **fields}, headers={"HX-Request": "true"})


def test_a_person_of_the_staff_joins_the_open_conversation(
    browse: Callable[[str], Browser], number: Callable[[str], str], system: System
) -> None:
    handler, support, plan = browse(HANDLER), browse(SUPPORT), number("激光打印机")
    say(handler, f"{plan} 到哪里了")
    say(handler, "转人工")
    ticket = ticket_on(support.get("/tickets").text)
    assert plan in support.get(ticket).text
    assert news(handler).status_code == 204
    cursor = re.search(r'id="cursor" value="(\d+)"', handler.get("/").text)
    assert cursor is not None
    assert support.post(f"{ticket}/take", support.form(ticket, f"{ticket}/take")).status_code == 303
    reply = {**support.form(ticket, f"{ticket}/say"), "text": "<b>我来看</b>"}
    for _ in range(2):
        assert support.post(f"{ticket}/say", reply).status_code == 303
    heard = news(handler, cursor=cursor[1])
    assert heard.text.count("&lt;b&gt;我来看&lt;/b&gt;") == 1
    assert heard.text.count(">客服<") == 2
    assert "客服已接手" in say(handler, "怎么作废")
    assert "怎么作废" in support.get(f"{ticket}/messages").text
    support.post(f"{ticket}/back", support.form(ticket, f"{ticket}/back"))
    assert "客服已接手" not in say(handler, "单位账号是多少").rsplit("单位账号是多少", 1)[1]
    actor = account_of(system, HANDLER)
    assert documents.get(system, actor, plan).document.node != "void"


def test_news_appear_in_the_open_conversation_once(
    browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    handler, reviewer, plan = browse(HANDLER), browse(REVIEWER), number("空调机")
    before = handler.get("/").text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', before))
    reviewer.act(plan, "return", opinion="数量不对", target="unit_first")
    answer = handler.post("/news", fields, headers={"HX-Request": "true"})
    assert plan in answer.text
    assert f'id="news-waiting" value="{int(fields["waiting"]) + 1}"' in answer.text
    assert plan in handler.get("/").text  # it is part of the conversation now
    assert news(handler).status_code == 204
    assert handler.post("/news", {"waiting": "0"}).status_code == 400  # a foreign page may not ask


def test_an_empty_conversation_offers_what_is_needed_now(
    browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    plan = number("空调机")
    browse(REVIEWER).act(plan, "return", opinion="数量不对", target="unit_first")
    page = browse(HANDLER).get("/").text
    assert f'data-say="{plan} 计划录错了"' in page


def test_an_answer_is_judged_and_staff_read_why(browse: Callable[[str], Browser]) -> None:
    handler, support = browse(HANDLER), browse(SUPPORT)
    page = say(handler, "单位账号是多少")
    form = re.search(r'<form class="rate".*?</form>', page, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', form[0]))
    asks = handler.post("/feedback", {**fields, "good": "0"}, headers={"HX-Request": "true"})
    assert 'name="reason"' in asks.text
    thanks = handler.post("/feedback", {**fields, "good": "0", "reason": "<i>太长</i>"})
    assert thanks.status_code == 303
    assert "谢谢，已记下" in handler.get("/").text
    listed = support.get("/desk/questions").text
    assert "&lt;i&gt;太长&lt;/i&gt;" in listed
    assert "nm-5" in listed
    other = browse(REVIEWER)
    stolen = {**fields, "csrf_token": other.form("/", "/chat")["csrf_token"], "good": "0"}
    stolen.pop("_account")
    assert other.post("/feedback", stolen).status_code == 404


def test_questions_like_the_one_typed(app: Flask, bearer: Callable[[str], dict[str, str]]) -> None:
    client = app.test_client()

    def suggested(text: str) -> list[str]:
        answer = client.get("/api/v1/suggest", query_string={"q": text}, headers=bearer(HANDLER))
        assert answer.status_code == 200
        items: list[str] = answer.get_json()["items"]
        return items

    assert any("作废" in title for title in suggested("作废"))
    assert 0 < len(suggested("备案书")) <= 5
    assert suggested("备") == suggested("") == []
    assert client.get("/api/v1/suggest?q=作废").status_code == 401


def test_stuck_messages_are_sent_again_or_set_aside(
    browse: Callable[[str], Browser], system: System, number: Callable[[str], str]
) -> None:
    now, plan = system.clock(), number("激光打印机")
    with system.database.write() as tx:
        document = tx.documents.by_number(plan, None)
        assert document is not None
        tx.outbox.send(document.id, "mall.dispatch", {}, "stuck-1", now)
        due = next(one for one in tx.outbox.due(system.clock(), 100) if one.key == "stuck-1")
        message = tx.outbox.claim(due, system.clock(), now + timedelta(minutes=2))
        assert message is not None
        assert tx.outbox.postponed(message, now, "对方拒收", parked=True)
    support = browse(SUPPORT)
    page = support.get("/desk/messages").text
    assert "对方拒收" in page
    path = re.search(r'action="(/desk/messages/\d+)/set-aside"', page)
    assert path is not None
    action = f"{path[1]}/set-aside"
    empty = {**support.form("/desk/messages", action), "reason": " "}
    assert support.post(action, empty).status_code == 422
    assert (
        support.post(f"{path[1]}/resume", support.form("/desk/messages", f"{path[1]}/resume")).status_code
        == 303
    )
    assert "对方拒收" not in support.get("/desk/messages").text
    gone = {"csrf_token": support.form("/", "/chat")["csrf_token"], "reason": "已电话处理"}
    assert support.post(action, gone).status_code == 409


def test_a_code_binds_wechat(browse: Callable[[str], Browser], system: System, settings: Settings) -> None:
    handler = browse(HANDLER)
    assert "onetime" not in handler.get("/wechat-binding").text
    page = handler.post("/wechat-binding", handler.form("/wechat-binding")).text
    code = re.search(r'class="onetime num"[^>]*>(\d{8})<', page)
    assert code is not None
    channels = wiring.wechat(system, settings, open_knowledge())
    assert channels is not None
    channels.bindings.redeem("demo", "openid-1", code[1])
    account = account_of(system, HANDLER)
    assert channels.bindings.account_of("demo", "openid-1") == account.id
    form = handler.form("/wechat-binding", "/wechat-binding/end")  # there once something is bound
    assert handler.post("/wechat-binding/end", form).status_code == 303
    assert channels.bindings.account_of("demo", "openid-1") is None
    assert "解除绑定" not in handler.get("/wechat-binding").text


def test_wechat_without_a_signature_is_refused(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/wechat/demo?signature=x&timestamp=1&nonce=1&echostr=hi").status_code == 403
    assert client.post("/wechat/demo?signature=x&timestamp=1&nonce=1", data=b"<xml/>").status_code == 403
    assert client.get("/wechat/other").status_code == 404


def test_finance_tops_up_an_indicator_once(app: Flask, system: System, settings: Settings) -> None:
    actor = account_of(system, HANDLER)
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
