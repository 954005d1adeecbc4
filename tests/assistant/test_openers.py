"""What an empty chat offers, and that tapping any of it is understood and does nothing by itself."""

import pytest

from assistant.knowledge import Knowledge
from assistant.openers import SHOWN, common, openers
from assistant.plain import render
from core.domain.accounts import Role
from core.service import acts, documents
from tests.assistant.world import LOGINS, World


def titles(world: World, who: str) -> list[str]:
    return [one.title for one in openers(world.system, world.account(who))]


@pytest.mark.parametrize("who", sorted(LOGINS))
def test_every_account_is_offered_what_is_understood_and_nothing_is_done(world: World, who: str) -> None:
    before = {d.number: d.version for d in documents.listing(world.system, world.account("handler"))}
    offered = openers(world.system, world.account(who))
    assert 0 < len(offered) <= SHOWN
    for choice in offered:
        world.conversations.pop(who, None)
        said = render(world.say(who, choice.say))
        assert not any(word in said for word in ("要转人工吗", "没有找到", "没看明白", "没对上")), said
    assert before == {d.number: d.version for d in documents.listing(world.system, world.account("handler"))}


def test_what_came_back_is_first_for_the_handler(world: World) -> None:
    assert not any("退回" in title for title in titles(world, "handler"))
    number = world.number("空调机")
    version = documents.get(world.system, world.account("reviewer"), number).document.version
    acts.perform(
        world.system, world.account("reviewer"), number, "return", version=version,
        arguments={"opinion": "台数不对", "target": "unit_first"}, key="back",
    )  # fmt: skip
    first = openers(world.system, world.account("handler"))[0]
    assert "空调机" in first.title
    assert "退回" in first.title
    assert first.say == number


def test_a_waiting_task_is_first_for_whoever_was_asked(world: World) -> None:
    world.say("handler", f"作废 {world.number('文件柜')} 理由：不要了")
    world.say("handler", "是")
    first = openers(world.system, world.account("reviewer"))[0]
    assert first.title.startswith("作废终审通过")
    assert "已作废" in render(world.say("reviewer", first.say))
    assert world.view("文件柜").summary.node == "cancel_review"


def test_the_reviewer_is_offered_what_waits(world: World) -> None:
    assert any("空调机" in title for title in titles(world, "reviewer"))
    assert any("激光打印机" in title for title in titles(world, "office"))


def test_the_usual_questions_are_clear(knowledge: Knowledge) -> None:
    for region, by_role in common().items():
        assert set(by_role) <= {role.value for role in Role} | {"*"}
        for text in {text for asked in by_role.values() for text in asked}:
            assert knowledge.find(region, text).kind == "answer", text
