"""A world where plans have time limits and copies; see tests/support/limited.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.adapters import processes
from core.domain.accounts import Account, Role
from tests.core.panel import colleague
from tests.core.world import World as WholeWorld
from tests.support import small_world
from tests.support.clock import Clock
from tests.support.limited import FRIDAY, data
from tests.support.process_data import in_force
from tests.support.small_world import World


@pytest.fixture(scope="module")
def limited_book(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return processes.load(data(tmp_path_factory.mktemp("limits")))


@pytest.fixture(scope="module")
def limited_processes(limited_book: Any) -> Iterator[None]:
    with in_force(limited_book):
        yield


@pytest.fixture(scope="module")
def limited_world(
    limited_processes: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Clock]]:
    """One world for the tests that look only at their own documents."""
    folder, clock = tmp_path_factory.mktemp("limits"), Clock(FRIDAY)
    built = small_world.build(f"sqlite:///{folder / 'caigou.db'}", folder, clock=clock)
    yield built, clock
    assert built.problems() == []
    built.system.database.engine.dispose()  # type: ignore[attr-defined]


@pytest.fixture
def crowd(limited_processes: None, small_url: str, tmp_path: Path) -> Iterator[tuple[list[World], Clock]]:
    """The same world opened four times, on each database."""
    clock = Clock(FRIDAY)
    built = small_world.build(small_url, tmp_path, clock=clock)
    opened = [built, *(small_world.reopen(small_url, tmp_path, clock=clock) for _ in range(3))]
    yield opened, clock
    assert built.problems() == []
    for one in opened:
        one.system.database.engine.dispose()  # type: ignore[attr-defined]


@pytest.fixture
def second(world: WholeWorld) -> Account:
    """Another 业务科室初审 in the same office."""
    return colleague(world, "office_first", Role.OFFICE_FIRST, "赵一鸣")
