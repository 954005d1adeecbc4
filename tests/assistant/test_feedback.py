"""Questions without a good answer: together by meaning, and two clicks away from being knowledge."""

from dataclasses import replace
from datetime import timedelta

import pytest

from assistant import live, store
from assistant.feedback import Cluster, Feedback
from assistant.handoff import Tickets
from assistant.knowledge import open_live
from core.domain.errors import ForbiddenError, InvalidError
from kb.editing import Editing
from kb.features import cache_folder
from kb.revisions import Revision
from tests.assistant.test_handoff import opened
from tests.assistant.world import World


@pytest.fixture
def editing(world: World, own_indexes: None) -> Editing:
    engine = world.system.database.engine  # type: ignore[attr-defined]
    return Editing(world.system, engine, open_live(world.system, bring_in=True), cache_folder())


@pytest.fixture
def feedback(world: World, editing: Editing) -> Feedback:
    return Feedback(world.system, editing)


def by_text(clusters: list[Cluster]) -> list[set[str]]:
    return [set(one.texts) for one in clusters]


def down_voted(world: World, text: str, reason: str = "") -> None:
    world.say("handler", text)
    name = world.conversations["handler"]
    seq = store.of(world.system).messages(name)[-1].seq
    live.rate(world.system, world.account("handler"), name, seq, good=False, reason=reason)


def test_what_means_the_same_is_together(world: World, feedback: Feedback) -> None:
    for text in ("怎么做红烧肉", "红烧肉怎么做啊", "今天天气怎么样", "明天天气怎么样", "怎么做红烧肉"):
        world.say("handler", text)
    clusters = feedback.clusters(world.account("support"))
    assert by_text(clusters) == [{"怎么做红烧肉", "红烧肉怎么做啊"}, {"今天天气怎么样", "明天天气怎么样"}]
    assert [len(one.questions) for one in clusters] == [3, 2]
    assert all(one.declined for one in clusters)


def test_an_answer_that_did_not_help_names_its_entry_and_reason(world: World, feedback: Feedback) -> None:
    down_voted(world, "单位账号是多少", "没说尾号")
    (one,) = feedback.clusters(world.account("support"))
    assert (one.down, one.declined, one.reasons) == (1, False, ("没说尾号",))
    assert one.entries[0].id == "nm-5"


def test_an_answer_from_the_documents_is_tied_to_its_topic_too(world: World, feedback: Feedback) -> None:
    down_voted(world, "文件柜的备案书盖错章了")
    (one,) = feedback.clusters(world.account("support"))
    assert [question.topic for question in one.questions] == ["nm-9"]


def test_a_new_draft_starts_with_what_the_staff_answered(world: World, feedback: Feedback) -> None:
    number, support = opened(world), world.account("support")
    (one,) = feedback.clusters(support)
    assert "400-0471-010" in one.start.short
    assert "400-0471-010" in one.start.steps
    Tickets(world.system).close(support, number, "食谱平台没有。问食堂王师傅，电话 13912345678！他中午在。")
    (one,) = feedback.clusters(support)
    assert one.start.title == "怎么做红烧肉"
    assert one.start.short == "食谱平台没有。问食堂王师傅，电话 某号码！"
    assert one.start.steps.splitlines() == ["食谱平台没有。", "问食堂王师傅，电话 某号码！", "他中午在。"]
    assert "客服" in one.start.note


def published(editing: Editing, one: Revision) -> None:
    editing.store.review(one.id, "second")
    editing.store.publish([one.id], "chief", editing.live.base)


def test_a_question_becomes_a_phrasing_and_is_answered(
    world: World, editing: Editing, feedback: Feedback
) -> None:
    support = world.account("support")
    world.say("handler", "食堂咋走")
    (one,) = feedback.clusters(support)
    draft = feedback.add_phrasings(support, "nm-5", one.texts)
    assert (draft.state, draft.author) == ("draft", support.login)
    assert "食堂咋走" in draft.entry.phrasings.short
    assert feedback.clusters(support) == []
    world.say("handler", "食堂怎么走呀")
    (later,) = feedback.clusters(support)
    second = feedback.add_phrasings(support, "nm-5", later.texts)
    assert {"食堂咋走", "食堂怎么走呀"} <= set(second.entry.phrasings.short)
    assert [item.id for item in editing.waiting(support)] == [second.id]
    published(editing, second)
    assert editing.live.refresh().find("neimenggu", "食堂咋走").candidates[0].topic == "nm-5"
    assert feedback.clusters(support) == []
    with pytest.raises(InvalidError, match="都有了"):
        feedback.add_phrasings(support, "nm-5", ["食堂咋走"])
    with pytest.raises(InvalidError, match="至少选一种"):
        feedback.add_phrasings(support, "nm-5", [" "])


def test_what_is_set_aside_comes_back_when_it_is_asked_again(world: World, editing: Editing) -> None:
    support = world.account("support")
    world.say("handler", "怎么做红烧肉")
    feedback = Feedback(world.system, editing)
    feedback.set_aside(support, ["怎么做红烧肉"])
    assert feedback.clusters(support) == []
    now = world.system.clock() + timedelta(hours=1)
    world.system = replace(world.system, clock=lambda: now)
    world.say("handler", "怎么做红烧肉")
    assert [len(one.questions) for one in Feedback(world.system, editing).clusters(support)] == [1]


def test_numbers_of_people_and_documents_do_not_get_into_the_knowledge(
    world: World, feedback: Feedback
) -> None:
    world.say("handler", "怎么做红烧肉给 13912345678 送去,卡号 6222 0212 3456")
    (one,) = feedback.clusters(world.account("support"))
    assert one.texts == ("怎么做红烧肉给 某号码 送去,卡号 某号码",)


def test_it_is_for_keepers_of_the_knowledge(world: World, feedback: Feedback) -> None:
    for who in ("handler", "reviewer", "office", "agency"):
        actor = world.account(who)
        for use in (
            lambda actor=actor: feedback.clusters(actor),
            lambda actor=actor: feedback.add_phrasings(actor, "nm-5", ["食堂"]),
            lambda actor=actor: feedback.set_aside(actor, ["食堂"]),
        ):
            with pytest.raises(ForbiddenError):
                use()
