"""Every topic of every region: answered from its entry, in one JSON shape, whatever the core can do there."""

import pytest

from assistant.answering import judge
from assistant.batch import answer
from assistant.cards import EntryCard
from assistant.knowledge import Knowledge, open_knowledge
from assistant.openers import openers
from assistant.plain import render
from assistant.turn import respond
from core.domain.accounts import Account, Role
from kb import Entry
from tests.assistant.world import World

KNOWLEDGE = open_knowledge()
ENTRIES = sorted(KNOWLEDGE.library.entries.values(), key=lambda one: (one.region, one.id))
CONTRACT = {"kind", "sources", "confidence", "candidates", "choices", "reply"}
SAMPLE = 8
NAMED = 0.85  # share of the short phrasings of one topic that have to name it; the whole has to reach more
NAMED_IN_ALL = 0.97


def sample(entry: Entry) -> list[str]:
    short = entry.phrasings.short
    return list(short[:: max(1, len(short) // SAMPLE)])[:SAMPLE]


def named(found: dict[str, object], entry: Entry) -> bool:
    if found["kind"] == "answer":
        return found["sources"] == list(entry.sources)
    choices = found["choices"]
    assert isinstance(choices, list)
    return found["kind"] == "clarify" and list(entry.sources) in [one["sources"] for one in choices]


def test_all_topics_are_there() -> None:
    assert len({source for entry in ENTRIES for source in entry.sources}) == 131
    assert len({entry.region for entry in ENTRIES}) == 5


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda one: f"{one.region}-{one.id}")
def test_a_topic_is_named_and_told_with_its_steps(entry: Entry, knowledge: Knowledge) -> None:
    hits = 0
    for text in sample(entry):
        found = answer(knowledge, entry.region, text)
        assert set(found) == CONTRACT
        assert found["kind"] in {"answer", "clarify", "unknown"}
        assert isinstance(found["confidence"], float)
        assert 0 <= found["confidence"] <= 1
        assert len(found["candidates"]) <= 5
        assert len(found["choices"]) <= 4
        assert found["reply"].strip()
        hits += named(found, entry)
        if found["kind"] == "answer" and found["sources"] == list(entry.sources):
            assert entry.short in found["reply"]
            assert all(step in found["reply"] for case in entry.cases for step in case.steps)
    assert hits >= int(NAMED * len(sample(entry))), f"{hits} of {len(sample(entry))}"


def test_nearly_all_short_phrasings_name_their_topic(knowledge: Knowledge) -> None:
    asked = [(entry, text) for entry in ENTRIES for text in sample(entry)]
    hits = sum(named(answer(knowledge, entry.region, text), entry) for entry, text in asked)
    assert hits >= NAMED_IN_ALL * len(asked), f"{hits} of {len(asked)}"


def account_of(world: World, region: str, role: Role) -> Account:
    """Somebody of a region that the demonstration world has no units of."""
    unit = {"region": region, "division": "999999", "code": f"T{region[:6]}", "name": "某某实验学校"}
    with world.system.database.write() as tx:
        unit_id = tx.accounts.add_unit(unit)
        login = f"{region}-{role.value}"
        person = {
            "login": login,
            "name": "何平",
            "role": role.value,
            "unit_id": unit_id,
            "password_hash": "-",
        }
        return tx.accounts.account(tx.accounts.add_account(person))


@pytest.mark.parametrize("region", [one for one in KNOWLEDGE.library.regions if one != "neimenggu"])
@pytest.mark.parametrize("role", [None, Role.HANDLER])
def test_the_chat_tells_every_entry_of_a_region(world: World, region: str, role: Role | None) -> None:
    """To who has no such document, with and without an account: the entry's cases and steps."""
    account = account_of(world, region, role) if role else None
    asked = 0
    for at, entry in enumerate(world.knowledge.library.of_region(region)):
        found = [(text, judge(world.knowledge, region, text)) for text in entry.phrasings.short[:20]]
        clear = [text for text, judged in found if judged.to_json()["sources"] == list(entry.sources)]
        if not clear:
            continue
        asked += 1
        key = f"{region}-{at}"
        turn = respond(world.system, world.knowledge, account, None, clear[0], key, region=region)
        said = render(turn)
        assert entry.short in said
        assert all(step in said for case in entry.cases for step in case.steps)
        leaning_on = respond(
            world.system,
            world.knowledge,
            account,
            turn.conversation,
            "还有别的办法吗",
            f"{key}-2",
            region=region,
        )
        assert entry.title in render(leaning_on)
    assert asked >= 0.95 * len(world.knowledge.library.of_region(region))


@pytest.mark.parametrize("region", [one for one in KNOWLEDGE.library.regions if one != "neimenggu"])
def test_an_account_without_documents_can_say_anything(world: World, region: str) -> None:
    account = account_of(world, region, Role.REVIEWER)
    assert openers(world.system, account)
    conversation = None
    for at, text in enumerate(
        [
            "你好",
            "我有什么要办的",
            "同意",
            "退回",
            "现在呢",
            "谁来审",
            "JH-999999-2026-000001",
            "是",
            "转人工",
            "算了",
        ]
    ):
        turn = respond(world.system, world.knowledge, account, conversation, text, f"any-{at}")
        conversation = turn.conversation
        assert render(turn).strip()


def test_an_account_asks_in_its_own_region(world: World) -> None:
    """What only 安徽 knows is not told to an account of 内蒙古, even where another region is named."""
    account = world.account("handler")
    ids = {entry.id for entry in world.knowledge.library.of_region("neimenggu")}
    for at, entry in enumerate(world.knowledge.library.of_region("anhui")):
        turn = respond(world.system, world.knowledge, account, None, entry.title, f"own-{at}", region="anhui")
        cards = [reply.card.topic for reply in turn.replies if isinstance(reply.card, EntryCard)]
        assert set(cards) <= ids, render(turn)
