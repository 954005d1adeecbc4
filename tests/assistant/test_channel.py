"""The same conversation in plain text, as WeChat has it."""

import pytest

from assistant import desk_store, store
from assistant.channel import PlainConversations
from core.domain.errors import NotFoundError
from tests.assistant.world import World

CHANNEL, OPENID = "neimenggu", "o-1"


@pytest.fixture
def channel(world: World) -> PlainConversations:
    return PlainConversations(world.system, world.knowledge, b"secret")


def test_numbers_choose_and_yes_acts_once(world: World, channel: PlainConversations) -> None:
    account = world.account("handler").id
    said = channel.turn(CHANNEL, OPENID, account, "计划录错了", "1")
    line = next(line for line in said.splitlines() if "激光打印机" in line)
    assert "采购单位复审" in channel.turn(CHANNEL, OPENID, account, line.split(".")[0], "2")
    first = channel.turn(CHANNEL, OPENID, account, "是", "3")
    assert "已办“撤销”" in first
    assert [channel.turn(CHANNEL, OPENID, account, "是", "3") for _ in range(2)] == [first, first]
    assert sum(entry.action == "withdraw" for entry in world.view("激光打印机").history) == 1


def test_a_numbered_choice_beside_a_document_is_understood(world: World, channel: PlainConversations) -> None:
    account = world.account("handler").id
    said = channel.turn(CHANNEL, OPENID, account, world.number("空调机"), "1")
    assert "1. 计划录错了" in said
    assert "王芳" in channel.turn(CHANNEL, OPENID, account, "1", "2")


def test_unbound_users_are_answered_and_may_have_a_person(channel: PlainConversations) -> None:
    assert "登录以后" in channel.turn(CHANNEL, OPENID, None, "计划录错了", "1")
    assert "已转人工" in channel.turn(CHANNEL, OPENID, None, "转人工", "2")
    assert "已经转人工" in channel.turn(CHANNEL, OPENID, None, "转人工", "3")


def test_users_and_bindings_do_not_mix(world: World, channel: PlainConversations) -> None:
    handler, other = world.account("handler").id, world.account("other").id
    channel.turn(CHANNEL, OPENID, handler, f"{world.number('激光打印机')} 录错了", "1")
    for openid, account in ((OPENID, other), (OPENID, None), ("o-2", handler)):
        assert "已办“撤销”" not in channel.turn(CHANNEL, openid, account, "是", f"x{openid}{account}")


def test_forgetting_deletes_every_word(world: World, channel: PlainConversations) -> None:
    handler = world.account("handler").id
    channel.turn(CHANNEL, OPENID, None, "转人工", "1")
    channel.turn(CHANNEL, OPENID, handler, "计划录错了", "2")
    channel.forget(CHANNEL, OPENID)
    kept = store.of(world.system)
    peer = channel._peer(CHANNEL, OPENID)
    assert kept.latest(store.Owner(None, peer), "wechat:neimenggu") is None
    assert all(not row.transcript for row in desk_store.of(world.system).tickets("neimenggu"))
    assert "没有等您确认" in channel.turn(CHANNEL, OPENID, handler, "是", "3")


def test_a_peer_cannot_take_an_accounts_conversation(world: World) -> None:
    world.say("handler", "你好")
    with pytest.raises(NotFoundError):
        store.of(world.system).load(world.conversations["handler"], store.Owner(None, "peer"))
