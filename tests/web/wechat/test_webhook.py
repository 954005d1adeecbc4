import logging

import httpx
import pytest
from sqlalchemy import func, select

from core.domain.errors import BlockedError
from web.wechat import texts
from web.wechat.counterpart import Delivery, Sent, event_delivery, pack, post, seal, text_delivery
from web.wechat.crypto import sign
from web.wechat.ports import Job
from web.wechat.tables import inbox, metadata


def rows(world) -> int:
    with world.engine.connect() as connection:
        tables = metadata.sorted_tables
        return sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def get(url: str, **query: str) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.get(url, params=query)


def test_url_check(world):
    url = world.serve()
    good = sign(world.channel.token, "1714036504", "1514711492")
    answer = get(url, signature=good, timestamp="1714036504", nonce="1514711492", echostr="<b>4375</b>")
    assert (answer.status_code, answer.text) == (200, "<b>4375</b>")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert get(url, signature="0" * 40, timestamp="1", nonce="2", echostr="x").status_code == 403
    assert get(url).status_code == 403
    assert get(url.replace("demo", "nobody"), signature=good).status_code == 404


@pytest.mark.parametrize("as_", ["xml", "json"])
def test_answers_in_time(world, as_):
    (answer,) = world.deliver(text_delivery(world.channel, "oUser1", "计划录错了", 1, as_=as_))
    assert answer.text == "答：计划录错了"
    assert "计划" not in answer.body
    world.settle()
    assert world.counterpart.sent == []
    ((channel, openid, account, text, _),) = world.talk.turns
    assert (channel, openid, account, text) == ("demo", "oUser1", None, "计划录错了")


def test_three_deliveries_at_once_act_once(world):
    answers = world.deliver(text_delivery(world.channel, "oUser1", "计划录错了", 1), times=3)
    assert sorted(answer.text or answer.body for answer in answers) == [
        "success",
        "success",
        "答：计划录错了",
    ]
    world.settle()
    assert len(world.talk.turns) == 1
    assert world.counterpart.sent == []


def test_three_deliveries_of_a_slow_turn_are_answered_later_once(world):
    world.talk.gate.clear()
    url = world.serve(wait_seconds=0.2)
    answers = world.deliver(text_delivery(world.channel, "oUser1", "计划录错了", 1), url=url, times=3)
    assert [answer.body for answer in answers] == ["success"] * 3
    assert world.counterpart.sent == []
    world.talk.gate.set()
    world.settle()
    assert world.counterpart.sent == [Sent("oUser1", "答：计划录错了")]
    assert len(world.talk.turns) == 1


def test_deliveries_to_several_processes_act_once(world):
    """Each server stands for a process: they share nothing but the database."""
    delivery = text_delivery(world.channel, "oUser1", "a", 1)
    bodies = [world.deliver(delivery, url=world.serve())[0].text for _ in range(3)]
    assert bodies == ["答：a", None, None]
    assert len(world.talk.turns) == 1


def test_a_long_answer_goes_on_as_messages(world):
    world.talk.answer = lambda _: "\n".join(f"{n}. " + "点开计划列表，找到那一条。" * 20 for n in range(1, 6))
    url = world.serve()
    (answer,) = world.deliver(text_delivery(world.channel, "oUser1", "a", 1), url=url)
    assert answer.text is not None
    assert answer.text.startswith("1. ")
    world.stop()
    later = [sent.text for sent in world.counterpart.sent]
    assert 1 <= len(later) <= 2
    assert later[0].startswith("3. ")


def test_wrong_signature_leaves_nothing_but_a_line(world, caplog):
    url = world.serve()
    good = text_delivery(world.channel, "oUser1", "a", 1)
    forged = [
        Delivery({**good.query, "msg_signature": "0" * 40}, good.body),
        Delivery({**good.query, "msg_signature": good.query["signature"]}, good.body),
        Delivery({**good.query, "nonce": "other"}, good.body),
        Delivery({}, good.body),
        Delivery(good.query, text_delivery(world.channel, "oUser1", "b", 2).body),
        Delivery({}, b"<xml><Content>plain</Content></xml>"),
        Delivery({}, b""),
    ]
    for delivery in forged:
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="web"):
            assert post(url, world.channel, delivery).status == 403
        assert [r.getMessage() for r in caplog.records if r.name.startswith("web.")] == [
            "wechat refused path=/wechat/demo code=wechat_signature"
        ]
    assert world.talk.turns == []
    assert rows(world) == 0


def test_plain_and_foreign_messages_are_refused_in_safe_mode(world):
    url = world.serve()
    plain = pack(
        world.channel.model_copy(update={"mode": "plain"}), {"FromUserName": "oUser1", "MsgType": "text"}
    )
    assert post(url, world.channel, plain).status == 400
    other = text_delivery(world.channel.model_copy(update={"app_id": "wx02"}), "oUser1", "a", 1)
    assert post(url, world.channel, other).status == 403
    key = text_delivery(world.channel.model_copy(update={"aes_key": "B" * 43}), "oUser1", "a", 1)
    assert post(url, world.channel, key).status == 403
    assert rows(world) == 0


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'
LEAK = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>'


@pytest.mark.parametrize("text", [BOMB, LEAK, "", "<xml>", "{}", "[]", "\0", "<xml/>", "x" * 200_000])
def test_malicious_bodies_harm_nothing(world, text: str):
    url = world.serve()
    query = text_delivery(world.channel, "oUser1", "a", 1).query
    inside = post(url, world.channel, seal(world.channel, text[:30_000]))
    outside = post(url, world.channel, Delivery(query, text.encode()))
    assert inside.status == 400
    assert outside.status in {400, 413}
    assert "root:" not in inside.body + outside.body
    assert rows(world) == 0


def test_section_end_in_message_and_answer(world):
    evil = "]]></Content><MsgType><![CDATA[event]]></MsgType>"
    (answer,) = world.deliver(text_delivery(world.channel, "oUser1", evil, 1))
    assert answer.text == "答：" + evil


def test_greeting(world):
    (answer,) = world.deliver(event_delivery(world.channel, "oUser1", "subscribe", "qrscene_1"))
    assert answer.text == texts.GREETING
    (again,) = world.deliver(event_delivery(world.channel, "oUser1", "VIEW", "https://example.org"))
    assert again.body == "success"
    assert world.talk.turns == []


def test_menu_click_is_a_question(world):
    (answer,) = world.deliver(event_delivery(world.channel, "oUser1", "CLICK", "流程到哪里了"))
    assert answer.text == "答：流程到哪里了"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"MsgType": "voice", "MediaId": "m", "Format": "amr", "Recognition": ""}, texts.VOICE),
        ({"MsgType": "voice", "MediaId": "m", "Recognition": "计划录错了"}, "答：计划录错了"),
        ({"MsgType": "image", "MediaId": "m", "PicUrl": "http://x/"}, texts.IMAGE),
        ({"MsgType": "location"}, texts.OTHER),
        ({"MsgType": "text", "Content": " "}, texts.OTHER),
    ],
)
def test_what_is_not_text(world, fields, said):
    head = {"ToUserName": "gh_1", "FromUserName": "oUser1", "CreateTime": 1, "MsgId": 5}
    (answer,) = world.deliver(pack(world.channel, {**head, **fields}))
    assert answer.text == said


def test_binding_with_a_code(world):
    url = world.serve()
    code = world.bindings.issue(7).code
    wide = code.translate({ord("0") + n: ord("０") + n for n in range(10)})
    (answer,) = world.deliver(text_delivery(world.channel, "oUser1", f" 绑定码：{wide} ", 1), url=url)
    assert answer.text == texts.BOUND
    # bound: digits are now an answer, unless the word is there
    world.deliver(text_delivery(world.channel, "oUser1", "20260001", 2), url=url)
    (again,) = world.deliver(text_delivery(world.channel, "oUser1", "绑定 20260001", 3), url=url)
    assert again.text == texts.CODE_WRONG
    assert [turn[2:4] for turn in world.talk.turns] == [(7, "20260001")]


def test_unbinding_from_wechat_itself(world):
    url = world.serve()
    world.deliver(text_delivery(world.channel, "oUser1", world.bindings.issue(7).code, 1), url=url)
    world.deliver(text_delivery(world.channel, "oUser1", "解绑", 2), url=url)  # may be about a CA key
    assert world.bindings.account_of("demo", "oUser1") == 7
    (answer,) = world.deliver(text_delivery(world.channel, "oUser1", " 解绑微信 ", 3), url=url)
    assert answer.text == texts.UNBOUND
    assert world.bindings.account_of("demo", "oUser1") is None
    assert world.talk.forgotten == [("demo", "oUser1")]


def test_unsubscribing_deletes_everything(world, caplog):
    caplog.set_level(logging.INFO, logger="web")
    url = world.serve()
    world.deliver(text_delivery(world.channel, "oUser1", world.bindings.issue(7).code, 1), url=url)
    assert world.bindings.account_of("demo", "oUser1") == 7
    (answer,) = world.deliver(event_delivery(world.channel, "oUser1", "unsubscribe"), url=url)
    assert answer.body == "success"
    assert world.bindings.account_of("demo", "oUser1") is None
    assert world.talk.forgotten == [("demo", "oUser1")]
    with world.engine.connect() as connection:
        assert all(row.openid is None and row.text is None for row in connection.execute(select(inbox)))
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("web.")]
    assert any(line.startswith("wechat forgotten channel=demo user=") for line in lines)
    assert not any("oUser1" in line for line in lines)


def test_errors_of_a_turn_are_said(world):
    def blocked(_: str) -> str:
        raise BlockedError("计划已下达，不能作废。")

    def broken(_: str) -> str:
        raise ZeroDivisionError("internal")

    url = world.serve()
    world.talk.answer = blocked
    (answer,) = world.deliver(text_delivery(world.channel, "oUser1", "a", 1), url=url)
    assert answer.text == "计划已下达，不能作废。"
    world.talk.answer = broken
    (answer,) = world.deliver(text_delivery(world.channel, "oUser1", "b", 2), url=url)
    assert answer.text == texts.FAILED


def test_what_a_dead_process_left_is_answered_once(world):
    """Stored, then the process died: nobody waits, and WeChat gets `success` for its later deliveries."""
    world.counterpart.allow("oUser1")
    world.inbox.first_time(Job("k1", "demo", "oUser1", "text", "计划录错了"))
    assert world.service.resume(world.runner) == 0
    world.clock.pass_by(seconds=61)
    assert world.service.resume(world.runner) == 1
    assert world.service.resume(world.runner) == 0
    world.settle()
    assert world.counterpart.sent == [Sent("oUser1", "答：计划录错了")]


def test_what_could_not_be_sent_is_sent_later(world, caplog):
    world.counterpart.allow("oUser1")
    world.counterpart.refuse(-1)
    world.inbox.first_time(Job("k1", "demo", "oUser1", "text", "a"))
    world.inbox.give_up("k1")
    world.service.run("k1")
    assert world.counterpart.sent == []
    world.clock.pass_by(seconds=61)
    world.service.resume(world.runner)
    world.settle()
    assert world.counterpart.sent == [Sent("oUser1", "答：a")]
    assert len(world.talk.turns) == 1


def test_a_closed_window_ends_it(world, caplog):
    world.inbox.first_time(Job("k1", "demo", "oUser1", "text", "a"))
    world.inbox.give_up("k1")
    world.service.run("k1")
    assert "code=wechat_window_closed errcode=45015" in caplog.text
    assert "oUser1" not in caplog.text
    world.clock.pass_by(seconds=61)
    assert world.service.resume(world.runner) == 0


def test_plain_mode_checks_the_plain_signature(world):
    """Only ever with a counterpart on loopback: `config` refuses it elsewhere."""
    from flask import Flask

    from web.wechat.webhook import create_blueprint

    channel = world.channel.model_copy(update={"mode": "plain"})
    app = Flask("plain")
    app.register_blueprint(create_blueprint({"demo": channel}, world.service, world.runner, wait_seconds=20))
    delivery = text_delivery(channel, "oUser1", "a", 1)
    client = app.test_client()
    wrong = {**delivery.query, "signature": "0" * 40}
    assert client.post("/wechat/demo", query_string=wrong, data=delivery.body).status_code == 403
    answer = client.post("/wechat/demo", query_string=delivery.query, data=delivery.body)
    assert "<Content><![CDATA[答：a]]></Content>" in answer.text
