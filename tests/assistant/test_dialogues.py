"""End-to-end dialogues as data: who says what, what has to be answered, and what has to be true in the database.

Each file: `covers` (inventory rows), `turns` and `then`. A turn: `who`, `say` (`<word>` becomes the number of the
plan with that word in its title, `<order>` that of the mall order), optional `key` and `page`, and what is expected:
`has` / `lacks` (words in the plain text), `cards` (types, in order), `at` (where plans are afterwards), `act` (the
last act recorded on a plan). `aside` are acts outside the conversation before the turn. `sets/` holds files with
several dialogues each; with `plain: true` the turns go over the plain-text channel, as on WeChat.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, RootModel

from assistant.plain import render
from core.adapters.yaml_reader import read_model
from core.service import acts, documents
from tests.assistant.world import World

FOLDER = Path(__file__).parent / "dialogues"
FILES = sorted(FOLDER.glob("*.yaml"))
SETS = sorted(FOLDER.glob("sets/*.yaml"))


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Aside(Strict):
    who: str
    plan: str
    action: str
    arguments: dict[str, str] = {}


class Expected(Strict):
    at: dict[str, str] = {}
    act: dict[str, str] = {}
    free: dict[str, int] = {}
    times: dict[str, int] = {}


class Said(Expected):
    who: str
    say: str
    key: str = ""
    page: str | None = None
    aside: tuple[Aside, ...] = ()
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    cards: tuple[str, ...] | None = None


class Dialogue(Strict):
    title: str
    plain: bool = False
    covers: tuple[str, ...] = ()
    turns: tuple[Said, ...]
    then: Expected = Expected()


class Set(RootModel[list[Dialogue]]):
    pass


def dialogues() -> list[tuple[str, Dialogue]]:
    single = [(file.stem, read_model(file, Dialogue)[0]) for file in FILES]
    several = [(file.stem, one) for file in SETS for one in read_model(file, Set)[0].root]
    return [*single, *((f"{stem}: {one.title}", one) for stem, one in several)]


def cases() -> list[Any]:
    return [
        pytest.param(dialogue, id=name, marks=[pytest.mark.covers(row) for row in dialogue.covers])
        for name, dialogue in dialogues()
    ]


@pytest.mark.parametrize("dialogue", cases())
def test_dialogue(world: World, dialogue: Dialogue) -> None:
    for at, turn in enumerate(dialogue.turns, 1):
        for aside in turn.aside:
            act_aside(world, aside)
        said, page = fill(world, turn.say), fill(world, turn.page or "") or None
        if dialogue.plain:
            text, cards = world.write(turn.who, said, key=turn.key), None
        else:
            answer = world.say(turn.who, said, key=turn.key, page=page)
            text, cards = render(answer), tuple(reply.card.type for reply in answer.replies if reply.card)
        where = f"turn {at} ({turn.who}: {turn.say}) said:\n{text}"
        assert text.strip(), where
        assert all(fill(world, word) in text for word in turn.has), where
        assert not any(fill(world, word) in text for word in turn.lacks), where
        assert turn.cards is None or cards == turn.cards, where
        check(world, turn, where)
    check(world, dialogue.then, "at the end")


def fill(world: World, text: str) -> str:
    text = text.replace("<order>", world.order()) if "<order>" in text else text
    return re.sub(r"<(\w+)>", lambda match: world.number(match[1]), text)


def act_aside(world: World, aside: Aside) -> None:
    actor, number = world.account(aside.who), world.number(aside.plan)
    version = documents.get(world.system, actor, number).document.version
    acts.perform(
        world.system,
        actor,
        number,
        aside.action,
        version=version,
        arguments=aside.arguments,
        key=f"aside-{version}",
    )


def check(world: World, expected: Expected, where: str) -> None:
    for word, node in expected.at.items():
        assert world.view(word).summary.node == node, (where, word)
    for word, action in expected.act.items():
        assert world.view(word).history[-1].action == action, (where, word)
    for code, fen in expected.free.items():
        assert world.available(code) == fen, (where, code)
    for word, count in expected.times.items():
        assert counted(world, word) == count, (where, word)


def counted(world: World, word: str) -> int:
    """`plan:action` → how often the act was recorded."""
    plan, action = word.split(":")
    return sum(entry.action == action for entry in world.view(plan).history)


def test_titles_are_told_apart() -> None:
    titles = [dialogue.title for _, dialogue in dialogues()]
    assert len(set(titles)) == len(titles)
