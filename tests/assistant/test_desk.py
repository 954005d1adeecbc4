"""The desk: a person takes over and the assistant is silent; what had no answer or did not help is listed."""

from datetime import timedelta

import pytest

from assistant import desk_store, live, store
from assistant.desk import Desk
from assistant.plain import render
from core.domain.errors import BlockedError, ForbiddenError, InvalidError, NotFoundError
from core.service import notices
from tests.assistant.test_handoff import opened
from tests.assistant.world import World


def said(world: World, who: str = "handler") -> list[tuple[str, str]]:
    return [(one.role, one.text) for one in store.of(world.system).messages(world.conversations[who])]


def test_a_person_takes_over_answers_and_hands_back(world: World) -> None:
    number, desk, support = opened(world), Desk(world.system), world.account("support")
    desk.take(support, number)
    desk.take(support, number)
    for _ in range(2):
        desk.say(support, number, "我来看一下", "reply-0001")
    assert [text for role, text in said(world) if role == "staff"][1:] == ["我来看一下"]
    version = world.view("激光打印机").document.version
    world.say("handler", f"{world.number('激光打印机')} 计划录错了")
    answer = render(world.say("handler", "是"))
    assert "客服已接手" in answer
    assert world.view("激光打印机").document.version == version
    shown = desk.open(support, number)
    assert (shown.state, shown.mine, shown.messages[-2].text) == ("taken", True, "是")
    assert shown.document is not None
    assert shown.document.number == world.number("激光打印机")
    desk.hand_back(support, number)
    assert desk.open(support, number).state == "open"
    assert "客服已接手" not in render(world.say("handler", "单位账号是多少"))
    desk.take(support, number)
    desk.close(support, number, "已经电话联系您")
    closed = desk.open(support, number)
    assert (closed.state, closed.note, list(closed.messages)) == ("closed", "已经电话联系您", [])
    assert "客服已接手" not in render(world.say("handler", "单位账号是多少"))
    with world.system.database.read() as tx:
        assert tx.records.broken_audit() == []


def test_what_is_not_taken_is_not_answered(world: World) -> None:
    number, desk, support = opened(world), Desk(world.system), world.account("support")
    with pytest.raises(BlockedError):
        desk.say(support, number, "您好", "reply-0001")
    with pytest.raises(BlockedError):
        desk.hand_back(support, number)
    desk.take(support, number)
    with pytest.raises(InvalidError):
        desk.say(support, number, " ", "reply-0002")
    with pytest.raises(NotFoundError):
        desk.take(support, "GD-0")
    desk.close(support, number, "好了")
    with pytest.raises(BlockedError):
        desk.take(support, number)


@pytest.mark.parametrize("who", ["handler", "reviewer", "office", "agency"])
def test_the_desk_is_for_staff(world: World, who: str) -> None:
    number, desk, actor = opened(world), Desk(world.system), world.account(who)
    for use in (
        lambda: desk.listing(actor), lambda: desk.open(actor, number), lambda: desk.take(actor, number),
        lambda: desk.say(actor, number, "您好", "reply-0001"), lambda: desk.hand_back(actor, number),
        lambda: desk.close(actor, number, "好了"), lambda: desk.hits(actor),
    ):  # fmt: skip
        with pytest.raises(ForbiddenError):
            use()


def test_what_is_asked_most(world: World) -> None:
    for text in ("单位账号是多少", "怎么做红烧肉"):
        world.say("handler", text)
    assert dict(Desk(world.system).hits(world.account("support"))) == {"nm-5": 1}


def test_news_become_part_of_the_conversation_once(world: World) -> None:
    handler = world.account("handler")
    with world.system.database.write() as tx:
        tx.records.mark_seen(handler.id, [one.id for one in tx.records.notices(handler.id)])
        tx.records.notify([handler.id], "", "您的计划退回来了", world.system.clock())
    unseen = notices.unseen(world.system, handler)
    name, messages = live.since(world.system, handler, None, -1, unseen, "web")
    assert name is not None
    assert "您的计划退回来了" in messages[0].text
    assert notices.unseen(world.system, handler) == []
    assert live.since(world.system, handler, name, messages[-1].seq, (), "web") == (name, [])
    world.conversations["handler"] = name
    assert "您的计划退回来了" not in render(world.say("handler", "单位账号是多少"))
    with pytest.raises(NotFoundError):
        live.since(world.system, world.account("reviewer"), name, -1, (), "web")


def test_an_opinion_on_an_answer_may_be_changed(world: World) -> None:
    world.say("handler", "单位账号是多少")
    handler, name = world.account("handler"), world.conversations["handler"]
    seq = store.of(world.system).messages(name)[-1].seq
    live.rate(world.system, handler, name, seq, good=True)
    rated = desk_store.of(world.system)
    since = world.system.clock() - timedelta(days=1)
    assert rated.bad("neimenggu", since) == []
    live.rate(world.system, handler, name, seq, good=False, reason="没说尾号")
    (bad,) = rated.bad("neimenggu", since)
    assert (bad.question, bad.topic, bad.reason) == ("单位账号是多少", "nm-5", "没说尾号")
    for who, place in (("reviewer", seq), ("handler", seq - 1), ("handler", 999)):
        with pytest.raises(NotFoundError):
            live.rate(world.system, world.account(who), name, place, good=True)
    with pytest.raises(InvalidError):
        live.rate(world.system, handler, name, seq, good=False, reason="长" * 201)
