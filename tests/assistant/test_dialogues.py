"""End-to-end dialogues as data: who says what, what has to be answered, and what has to be true in the database.

Each file: `covers` (inventory rows), `turns` and `then`. A turn: `who`, `say` (`<word>` becomes the number of the
plan with that word in its title, `<order>` that of the mall order), optional `key` and `page`, and what is expected:
`has` / `lacks` (words in the plain text), `cards` (types, in order), `at` (where plans are afterwards), `act` (the
last act recorded on a plan). `aside` are acts outside the conversation before the turn. `region` is another than 内蒙古,
with what its walks left; `<contract:词>` and `contract:词` name a document of a kind, `<contract:>` the newest. With
`walk: fujian/funds` and `until: submit@early` it starts from an empty world and that walk, taken up to that step; its
documents are `<early>` and `early`. `held`: yuan that a document holds. `sets/` holds files with several dialogues each;
with `plain: true` the turns go over the plain-text channel, as on WeChat.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel, ConfigDict, RootModel

from assistant.conversation import Errand, Stage, State
from assistant.plain import render
from assistant.understanding import hear, patterns
from core.adapters.yaml_reader import read_model
from core.service import acts, documents
from tests.assistant import staging
from tests.assistant.world import World

FOLDER = Path(__file__).parent / "dialogues"
FILES = sorted(FOLDER.glob("*.yaml"))
SETS = sorted(FOLDER.glob("sets/*.yaml"))


@dataclass
class Entered:
    """Which steps of the conversation the dialogues come through."""

    stages: set[str] = field(default_factory=set)
    errands: set[str] = field(default_factory=set)
    moves: set[str] = field(default_factory=set)
    acts: set[str] = field(default_factory=set)
    played: int = 0

    def follow(self, said: str, before: State, after: State) -> None:
        self.moves.add(hear(said).act)
        for frame in after.stack:
            self.stages.add(frame.stage)
            self.errands |= {frame.errand.kind} if frame.errand else set()
        top = before.top
        if top is not None and top.stage is Stage.CONFIRMING and after.done != before.done:
            self.acts |= {action for _, action, _ in top.run}


ENTERED = Entered()
# Errands that no dialogue comes to: a certificate opens a session (test_certificates), a colleague asks (test_opinions).
ELSEWHERE = {"unbind", "opinion"}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Aside(Strict):
    who: str
    plan: str
    action: str
    arguments: dict[str, str] = {}


class Expected(Strict):
    at: dict[str, str] = {}
    held: dict[str, int] = {}
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
    region: str = "neimenggu"
    walk: str = ""
    until: str = ""
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
def test_dialogue(
    world_of: Callable[[str], World], bare_world_of: Callable[[str], World], dialogue: Dialogue
) -> None:
    if dialogue.walk:
        world = bare_world_of(dialogue.walk.partition("/")[0])
        world.named = staging.before(world.system, dialogue.walk, dialogue.until).player.numbers
    else:
        world = world_of(dialogue.region)
    for at, turn in enumerate(dialogue.turns, 1):
        for aside in turn.aside:
            act_aside(world, aside)
        said, page = fill(world, turn.say), fill(world, turn.page or "") or None
        before = world.state(turn.who, plain=dialogue.plain)
        if dialogue.plain:
            text, cards = world.write(turn.who, said, key=turn.key), None
        else:
            answer = world.say(turn.who, said, key=turn.key, page=page)
            text, cards = render(answer), tuple(reply.card.type for reply in answer.replies if reply.card)
        ENTERED.follow(said, before, world.state(turn.who, plain=dialogue.plain))
        where = f"turn {at} ({turn.who}: {turn.say}) said:\n{text}"
        assert text.strip(), where
        assert all(fill(world, word) in text for word in turn.has), where
        assert not any(fill(world, word) in text for word in turn.lacks), where
        assert turn.cards is None or cards == turn.cards, where
        check(world, turn, where)
    check(world, dialogue.then, "at the end")
    ENTERED.played += 1


def fill(world: World, text: str) -> str:
    text = text.replace("<order>", world.order()) if "<order>" in text else text
    return re.sub(r"<([\w:]+)>", lambda match: world.number(match[1]), text)


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
    for word, yuan in expected.held.items():
        holds = world.view(word).holds
        assert sum(one.frozen_fen + one.used_fen for one in holds) == yuan * 100, (where, word)


def counted(world: World, word: str) -> int:
    """`plan:action` → how often the act was recorded."""
    plan, action = word.rsplit(":", 1)
    return sum(entry.action == action for entry in world.view(plan).history)


def acts_of_people(world: World) -> set[str]:
    """Every act that somebody may take in a conversation; signing needs the key at the machine."""
    processes = [
        process
        for kind in ("plan", "mall_order")
        for process in world.system.processes.variants("neimenggu", kind)
    ]
    return {action.id for process in processes for action in process.actions.values() if not action.hidden}


def test_every_step_of_the_conversation_is_entered(world: World) -> None:
    if ENTERED.played < len(dialogues()):
        pytest.skip("only some of the dialogues were played")
    moves = (
        set(patterns().exact.values())
        | {act for _, act, _ in patterns().contains}
        | {"silence", "symbols", ""}
    )
    assert {str(stage) for stage in Stage} - ENTERED.stages == set()
    assert set(get_args(get_type_hints(Errand)["kind"])) - ENTERED.errands - ELSEWHERE == set()
    assert moves - ENTERED.moves == set()
    assert acts_of_people(world) - ENTERED.acts == set()


def test_there_are_many() -> None:
    assert len(dialogues()) >= 200, len(dialogues())


def test_titles_are_told_apart() -> None:
    titles = [dialogue.title for _, dialogue in dialogues()]
    assert len(set(titles)) == len(titles)
