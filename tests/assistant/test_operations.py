"""Every topic that can be carried out from chat, in its own region: asked in its own words by whoever may, done after a yes.

Whoever may not hears who can, and may have them asked. The moments are steps of the walks (`operations/*.yaml`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, RootModel

from assistant import store, turn
from assistant.conversation import Stage, State
from assistant.plain import render
from core.adapters.yaml_reader import read_model
from core.domain.accounts import Account
from core.service import documents
from kb import Entry
from tests.assistant.staging import before
from tests.assistant.world import World

FOLDER = Path(__file__).parent / "operations"
TURNS = 9  # of one errand


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    row: str
    walk: str
    until: str
    who: str = ""
    act: str = ""
    says: list[str] = []


class Rows(RootModel[list[Row]]):
    pass


ROWS = [row for file in sorted(FOLDER.glob("*.yaml")) for row in read_model(file, Rows)[0].root]


@dataclass
class Talk:
    """One person's conversation about one document, answering what the chat asks for."""

    world: World
    account: Account
    number: str
    conversation: str | None = None
    said: list[str] = field(default_factory=list)
    keys: "count[int]" = field(default_factory=count)

    def say(self, text: str) -> State:
        answer = turn.respond(
            self.world.system, self.world.knowledge, self.account, self.conversation, text,
            f"{self.account.id}-{next(self.keys)}-{len(self.said)}",
        )  # fmt: skip
        self.conversation = answer.conversation
        self.said += [f"> {text}", render(answer)]
        opened = store.of(self.world.system).load(answer.conversation, store.Owner(self.account.id))
        assert opened is not None
        return opened.state

    def carry_through(self, text: str, title: str) -> State:
        """Ask, choose, fill in and confirm until something was done or nothing more is asked."""
        state = self.say(text)
        for _ in range(TURNS):
            top = state.top
            if state.done or top is None:
                return state
            state = self.say(self._answer(top.stage, top.options, title))
        return state

    def _answer(self, stage: Stage, options: Any, title: str) -> str:
        if stage is Stage.CHOOSING_DOCUMENT:
            return self.number
        if stage is Stage.CHOOSING_TOPIC:
            return title
        if stage is Stage.FILLING:
            return options[0].title if options else "按流程办理，情况属实"
        return "不" if stage is Stage.OFFERING_PERSON else "是"


def entry_of(world: World, row: Row) -> Entry:
    return next(e for e in world.knowledge.library.of_region(world.region) if row.row in e.sources)


@pytest.mark.parametrize("row", [pytest.param(r, id=r.row, marks=pytest.mark.covers(r.row)) for r in ROWS])
def test_operation(bare_world_of: Callable[[str], World], row: Row) -> None:
    world = bare_world_of(row.walk.partition("/")[0])
    moment = before(world.system, row.walk, row.until)
    player, step = moment.player, moment.step
    entry = entry_of(world, row)
    talk = Talk(world, player.account(row.who or step.who), player.numbers[step.on])
    state = talk.carry_through(entry.title, entry.title)
    transcript = "\n".join(talk.said)
    if row.says:
        assert all(word in transcript for word in row.says), transcript
        return
    assert state.done, transcript
    acts = [one.action for one in documents.get(world.system, talk.account, talk.number).history]
    assert acts[-1] == (row.act or step.act), (acts, transcript)
