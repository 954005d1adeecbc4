"""The real core with its demonstration world, built once and copied for each test."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from assistant.knowledge import Knowledge, open_knowledge
from core import demo
from core.bootstrap import build_system, migrate
from core.service.system import System
from core.settings import Settings
from tests.assistant.world import World
from tests.core.conftest import fast_engine
from tests.support.shared import Shared

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return open_knowledge()


def _engine(system: System) -> Engine:
    engine = getattr(system.database, "engine", None)
    assert isinstance(engine, Engine)
    return engine


def _build(folder: Path, region: str) -> None:
    settings = Settings(var=folder, database_url=f"sqlite:///{folder / 'world.db'}")
    migrate(settings)
    demo.provision(settings, [region], now=NOW)
    system = build_system(settings, clock=lambda: NOW, engine=fast_engine(settings.database_url))
    demo.load(system, [region], walked=region != "neimenggu")
    _engine(system).dispose()


@pytest.fixture(scope="session")
def templates(shared: Shared) -> Callable[[str], Path]:
    """Database of a region's demonstration world, with what its walks leave behind; made when it is first asked for."""
    return lambda region: shared(f"world-{region}", lambda folder: _build(folder, region)) / "world.db"


class Worlds:
    """Opens copies of worlds that only one test changes."""

    def __init__(self, folder: Path, knowledge: Knowledge) -> None:
        self.folder, self.knowledge, self.opened = folder, knowledge, list[System]()

    def open(self, template: Path, region: str, clock: Callable[[], datetime] = lambda: NOW) -> World:
        """A copy of the database `template`; what is not in databases (keys, files) stays beside that one."""
        file = self.folder / f"{len(self.opened)}-{region}.db"
        shutil.copyfile(template, file)
        settings = Settings(var=template.parent, database_url=f"sqlite:///{file}")
        system = build_system(settings, clock=clock, engine=fast_engine(settings.database_url))
        self.opened.append(system)
        return World(system, self.knowledge, region)


@pytest.fixture
def worlds(tmp_path: Path, knowledge: Knowledge) -> Iterator[Worlds]:
    made = Worlds(tmp_path, knowledge)
    yield made
    for system in made.opened:
        _engine(system).dispose()


@pytest.fixture
def world_of(templates: Callable[[str], Path], worlds: Worlds) -> Callable[[str], World]:
    """A copy of a region's demonstration world."""
    return lambda region: worlds.open(templates(region), region)


@pytest.fixture
def bare_world_of(bare_worlds: Settings, worlds: Worlds) -> Callable[[str], World]:
    """A region's people without documents, today (their keys are made today): the test takes a walk of its own."""
    return lambda region: worlds.open(bare_worlds.var / "bare.db", region, lambda: datetime.now(UTC))


@pytest.fixture
def world(world_of: Callable[[str], World]) -> World:
    return world_of("neimenggu")
