"""Fujian's made-up units without documents, and a clock that a test moves."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from core.domain.accounts import Account
from core.service.system import System
from core.settings import Settings
from core.walks import Player
from tests.support import steps
from tests.support.clock import Clock
from tests.support.shared import copy_of


@dataclass
class Fujian:
    """A system, its clock, and walks taken in it."""

    system: System
    clock: Clock

    def play(self, wanted: steps.Steps) -> Player:
        """A walk that `go_on` takes further."""
        return steps.play(self.system, "fujian", wanted)

    def person(self, who: str) -> Account:
        """`handler`, `handler@province`."""
        return self.play([{"as": "handler"}]).account(who)


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
