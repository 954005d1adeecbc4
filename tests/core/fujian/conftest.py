"""Fujian's made-up units without documents, and a clock that a test moves."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core import walks
from core.bootstrap import build_system
from core.domain.accounts import Account
from core.service.system import System
from core.settings import Settings
from tests.core.conftest import fast_engine
from tests.core.world import Clock


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
    engines: list[Any] = []

    def make() -> Fujian:
        file = tmp_path / f"{len(engines)}.db"
        shutil.copyfile(bare_worlds.var / "bare.db", file)
        engines.append(fast_engine(f"sqlite:///{file}"))
        clock = Clock()
        return Fujian(build_system(bare_worlds, clock=clock, engine=engines[-1]), clock)

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def fujian(new_fujian: Callable[[], Fujian]) -> Fujian:
    """One such world."""
    return new_fujian()
