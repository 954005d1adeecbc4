"""The assistant speaks from what is published: a new publication is said without a restart, and nothing is lost between."""

from datetime import date

import pytest

from assistant.knowledge import Knowledge, open_live
from assistant.plain import render
from core.domain.errors import NotFoundError
from kb.live import Live, Snapshot
from tests.assistant.world import World

REGION, TOPIC = "neimenggu", "nm-5"


@pytest.fixture
def live(world: World, own_indexes: None) -> Live:
    """As another process has it that looks every time it is asked."""
    started = open_live(world.system, bring_in=True)
    return Live(started.store, started.base, every=0.0, bring_in=False)


def publish(live: Live, short: str) -> int:
    entry = live.base.entry(REGION, TOPIC).model_copy(update={"short": short})
    one = live.store.draft(entry, "writer")
    live.store.review(one.id, "second")
    return live.store.publish([one.id], "chief", live.base)


def test_the_first_start_publishes_the_files_and_later_ones_only_read(world: World) -> None:
    before = open_live(world.system)
    assert (before.current().number, before.current().library.entries) == (0, before.base.entries)
    assert open_live(world.system, bring_in=True).current().number == 1
    assert open_live(world.system, bring_in=True).current().number == 1
    assert open_live(world.system).current().library.digest == before.base.digest


def test_what_is_published_is_said_in_the_running_process(world: World, live: Live) -> None:
    world.knowledge = Knowledge(live.current)
    assert "全新的说法" not in render(world.say("handler", "单位账号是多少"))
    publish(live, "全新的说法，在这里。")
    assert live.refresh().number == 2
    assert "全新的说法" in render(world.say("handler", "单位账号是多少"))


def test_one_request_keeps_what_it_began_with(live: Live) -> None:
    knowledge = Knowledge(live.current)
    held = knowledge.settled()
    publish(live, "全新的说法，在这里。")
    live.refresh()
    assert knowledge.entry(REGION, TOPIC).short == "全新的说法，在这里。"
    assert held.entry(REGION, TOPIC) == live.base.entry(REGION, TOPIC)


def test_an_entry_taken_out_while_it_was_offered_is_not_known_any_more(world: World, live: Live) -> None:
    text = next(
        text
        for text in ("密码", "合同", "怎么撤", "付款", "验收", "账号")
        if live.find(REGION, text).kind == "clarify"
    )
    world.knowledge = Knowledge(live.current)
    offered = world.say("reviewer", text).replies[-1].choices
    gone = live.find(REGION, text).choices[0]
    assert gone.title == offered[0].title
    library = live.current().library
    rest = library.with_entries(e for e in library.entries.values() if e.title != gone.title)
    snapshot = Snapshot(2, date.min, rest)
    world.knowledge = Knowledge(lambda: snapshot)
    assert "转人工" in render(world.say("reviewer", "1"))


def test_a_region_without_entries_is_named(live: Live) -> None:
    with pytest.raises(NotFoundError, match="mars"):
        Knowledge(live.current).find("mars", "你好")
