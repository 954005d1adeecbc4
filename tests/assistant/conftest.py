"""The real core with its demonstration world, built once and copied for each test."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from assistant import tables
from assistant.knowledge import Knowledge, open_knowledge
from core import demo
from core.bootstrap import build_system, migrate
from core.coverage import bare_world
from core.service.system import System
from core.settings import Settings
from tests.assistant.world import World
from tests.core.conftest import fast_engine

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return open_knowledge()


def _settings(folder: Path, file: Path) -> Settings:
    return Settings(var=folder, database_url=f"sqlite:///{file}")


def _engine(system: System) -> Engine:
    engine = getattr(system.database, "engine", None)
    assert isinstance(engine, Engine)
    return engine


def _template(tmp_path_factory: pytest.TempPathFactory, region: str, *, walked: bool) -> Path:
    """`world.db` in the folder that has what is not in the database (keys, files)."""
    folder = tmp_path_factory.mktemp(f"world-{region}")
    settings = _settings(folder, folder / "world.db")
    migrate(settings)
    demo.provision(settings, [region], now=NOW)
    system = build_system(settings, clock=lambda: NOW)
    engine = _engine(system)
    tables.metadata.create_all(engine)
    demo.load(system, [region], walked=walked)
    engine.dispose()
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _template(tmp_path_factory, "neimenggu", walked=False)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Callable[[str], Path]:
    """The world of a region, with what its walks leave behind; made when it is first asked for."""
    made = {"neimenggu": template}

    def of(region: str) -> Path:
        if region not in made:
            made[region] = _template(tmp_path_factory, region, walked=True)
        return made[region]

    return of


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People, keys and budgets of all regions, and no documents yet."""
    folder = tmp_path_factory.mktemp("world-bare")
    bare_world(folder)
    (folder / "bare.db").rename(folder / "world.db")
    engine = fast_engine(f"sqlite:///{folder / 'world.db'}")
    tables.metadata.create_all(engine)
    engine.dispose()
    return folder


class Worlds:
    """Opens copies of worlds that only one test changes."""

    def __init__(self, folder: Path, knowledge: Knowledge) -> None:
        self.folder, self.knowledge, self.opened = folder, knowledge, list[System]()

    def open(self, template: Path, region: str, clock: Callable[[], datetime] = lambda: NOW) -> World:
        file = self.folder / f"{len(self.opened)}-{region}.db"
        shutil.copyfile(template / "world.db", file)
        settings = _settings(template, file)
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
def bare_world_of(bare: Path, worlds: Worlds) -> Callable[[str], World]:
    """A region's people without documents, today (their keys are made today): the test takes a walk of its own."""
    return lambda region: worlds.open(bare, region, lambda: datetime.now(UTC))


@pytest.fixture
def world(world_of: Callable[[str], World]) -> World:
    return world_of("neimenggu")
