"""What a turn promises: never more than the account may, never unconfirmed, never twice, never somebody else's."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from assistant import news, store, turn
from assistant.cards import FindingCard, from_json, to_json
from assistant.conversation import Stage, State
from assistant.dialogue import decide
from assistant.plain import render, render_replies
from assistant.scene import Scene, Viewer
from assistant.store import Owner
from assistant.understanding import hear
from core.domain.errors import InvalidError, NotFoundError
from core.service import accounts, documents, notices
from tests.assistant.world import LOGINS, World

PLAN = "激光打印机"


def acted(world: World, action: str, plan: str = PLAN) -> int:
    return sum(entry.action == action for entry in world.view(plan).history)


def state(world: World, who: str) -> State:
    opened = store.of(world.system).load(world.conversations[who], Owner(world.account(who).id))
    assert opened is not None
    return opened.state


def confirm_withdrawal(world: World) -> None:
    world.say("handler", f"{world.number(PLAN)} 录错了")
    top = state(world, "handler").top
    assert top is not None
    assert top.stage is Stage.CONFIRMING


def test_two_messages_at_the_same_time_act_once(world: World) -> None:
    confirm_withdrawal(world)
    account, conversation = world.account("handler"), world.conversations["handler"]

    def yes(key: str) -> str:
        return render(turn.respond(world.system, world.knowledge, account, conversation, "是", key))

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(yes, ["a", "b", "c", "a"]))
    assert acted(world, "withdraw") == 1
    # Whoever acted may have had to look again, and then says like the others that it is done.
    assert all("采购单位复审" in text for text in said)


def test_a_turn_that_was_lost_after_the_act_is_told_and_not_done_again(world: World) -> None:
    confirm_withdrawal(world)
    viewer = Viewer(world.system, world.account("handler"))
    scene = Scene(world.knowledge, "neimenggu", hear("是"), state(world, "handler"), viewer)
    decide(scene)  # acts, and the process dies before the turn is written
    assert acted(world, "withdraw") == 1
    said = render(world.say("handler", "是", key="lost"))
    assert "采购单位复审" in said
    assert "什么都没有办理" not in said
    assert acted(world, "withdraw") == 1
    assert world.view(PLAN).summary.node == "unit_second"


def test_a_key_used_for_something_else_is_refused(world: World) -> None:
    world.say("handler", "你好", key="one")
    with pytest.raises(InvalidError) as caught:
        world.say("handler", "谢谢", key="one")
    assert caught.value.code == "key_reused"
    with pytest.raises(InvalidError):
        world.say("handler", "你好", key="x" * 81)


def test_a_conversation_of_someone_else_is_not_found(world: World) -> None:
    world.say("handler", "你好")
    for who in ("reviewer", "other", "nobody"):
        world.conversations[who] = world.conversations["handler"]
        with pytest.raises(NotFoundError):
            world.say(who, "是")
    world.conversations["handler"] = "unknown"
    with pytest.raises(NotFoundError):
        world.say("handler", "你好")


@pytest.mark.parametrize("who", sorted(LOGINS))
def test_nobody_acts_beyond_the_offers_of_the_account(world: World, who: str) -> None:
    """Every act by name on every visible plan: what the account may not do is never even confirmed."""
    account = world.account(who)
    for summary in documents.listing(world.system, world.account("handler"), kind="plan")[:6]:
        for word in ("审核通过", "退回", "撤销", "备案", "终审通过"):
            world.conversations.pop(who, None)
            world.say(who, f"{word} {summary.number} 意见：试一下")
            top = state(world, who).top
            if top is None or top.errand is None or top.errand.kind != "act":
                continue
            allowed = {offer.action for offer in documents.get(world.system, account, summary.number).offers}
            assert top.errand.action in allowed
    assert acted(world, "pass") == 2, "nothing was carried out"


def test_no_word_but_yes_carries_out(world: World) -> None:
    before = {d.number: d.version for d in documents.listing(world.system, world.account("handler"))}
    for text in ("不", "也许", "谢谢", "再说一遍", "😀", "", "单位账号是多少", "2", "0", "不是这个"):
        confirm_withdrawal(world)
        world.say("handler", text)
        world.say("handler", "算了")
    after = {d.number: d.version for d in documents.listing(world.system, world.account("handler"))}
    assert after == before


def test_yes_is_only_for_what_was_shown(world: World) -> None:
    confirm_withdrawal(world)
    world.say("handler", f"撤销 {world.number('物业管理')}")
    world.say("handler", "是")
    assert acted(world, "withdraw", "物业管理") == 1
    assert acted(world, "withdraw") == 0


def test_the_stack_keeps_three_and_comes_back_in_order(world: World) -> None:
    for word in ("文件柜", "服务器", "培训服务", "一体机"):
        world.say("handler", f"作废 {world.number(word)} 理由：不要了")
    frames = state(world, "handler").stack
    assert [frame.errand.number for frame in frames if frame.errand] == [
        world.number(word) for word in ("服务器", "培训服务", "一体机")
    ]
    assert "培训服务" in render(world.say("handler", "是"))
    assert world.view("一体机").summary.node == "cancel_review"
    assert "服务器" in render(world.say("handler", "算了"))
    assert render(world.say("handler", "算了"))
    assert state(world, "handler").stack == ()


def test_notices_are_told_once_and_opening_the_chat_marks_nothing(world: World) -> None:
    confirm_withdrawal(world)
    world.say("handler", "是")
    reviewer = world.account("reviewer")
    first = render_replies(news.news(world.system, reviewer))
    assert "请您" in first
    assert render_replies(news.news(world.system, reviewer)) == first
    world.say("reviewer", "你好")
    assert notices.unseen(world.system, reviewer) == []
    assert "请您" not in render(world.say("reviewer", "谢谢"))


def test_the_session_is_checked_and_said_in_minutes(world: World) -> None:
    account = world.account("handler")
    session = accounts.sign_in(world.system, account.login, "Demo-2026")
    for left, said, status in ((4, "还剩 4 分钟", "warn"), (300, "还剩 300 分钟", "ok")):
        expires = world.system.clock() + timedelta(minutes=left)
        answer = turn.respond(
            world.system,
            world.knowledge,
            session.account,
            None,
            "提示未传入access_token",
            f"t{left}",
            expires_at=expires,
        )
        card = next(reply.card for reply in answer.replies if isinstance(reply.card, FindingCard))
        assert card.status == status
        assert said in render(answer)


def test_replies_and_state_survive_storage(world: World) -> None:
    for text in ("流程到哪里了", "空调机", "单位账号是多少", "转人工", f"{world.number(PLAN)} 录错了"):
        answer = world.say("handler", text)
        assert from_json(to_json(answer.replies)) == answer.replies
    kept = store.of(world.system)
    said = kept.messages(world.conversations["handler"])
    assert [one.role for one in said] == ["user", "assistant"] * 5
    assert said[-1].replies == answer.replies


def test_without_an_account_and_in_an_unknown_region(world: World) -> None:
    assert "登录以后" in render(world.say("nobody", "计划录错了"))
    with pytest.raises(NotFoundError):
        turn.respond(world.system, world.knowledge, None, None, "你好", "k", region="mars")


def test_ten_thousand_characters_are_answered(world: World) -> None:
    assert world.say("handler", "计划" * 5000).replies
    assert world.say("handler", "录错了\0\x07\u202e" * 50).replies


def test_a_page_of_a_foreign_plan_is_not_used(world: World) -> None:
    answer = render(world.say("other", "计划录错了", page=f"/documents/{world.number(PLAN)}"))
    assert PLAN not in answer
    assert "业务科室初审" not in answer


def test_state_is_a_value(world: World) -> None:
    confirm_withdrawal(world)
    kept = state(world, "handler")
    assert kept.top is not None
    assert kept.push(kept.top) == kept
    assert replace(kept, stack=()).pop() == replace(kept, stack=())
