"""Fujian's made-up units without documents, and a clock that a test moves."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from core import walks
from core.domain.accounts import Account
from core.service.system import System
from core.settings import Settings
from tests.core.world import Clock
from tests.support.shared import copy_of


@dataclass
class Fujian:
    """A system, its clock, and walks taken in it."""

    system: System
    clock: Clock

    def play(self, steps: list[dict[str, Any]]) -> walks.Player:
        """A walk that goes on where its player is told to."""
        walk = walks.Walk.model_validate({"region": "fujian", "label": "测试", "steps": steps})
        player = walks.Player(self.system, walk, "fujian-test")
        player.play()
        return player

    def person(self, who: str) -> Account:
        """`handler`, `handler@province`."""
        return self.play([{"as": "handler"}]).account(who)


def go_on(player: walks.Player, steps: list[dict[str, Any]]) -> None:
    """Further steps of the same walk."""
    player.walk = walks.Walk.model_validate({"region": "fujian", "label": "测试", "steps": steps})
    player.play()


@pytest.fixture
def new_fujian(bare_worlds: Settings, tmp_path: Path) -> Iterator[Callable[[], Fujian]]:
    """Makes worlds that only one test changes."""
    files = (tmp_path / f"{number}.db" for number in count())

    def make() -> Fujian:
        clock = Clock()
        return Fujian(opened.enter_context(copy_of(bare_worlds, next(files), clock)), clock)

    with ExitStack() as opened:
        yield make


@pytest.fixture
def fujian(new_fujian: Callable[[], Fujian]) -> Fujian:
    """One such world."""
    return new_fujian()
