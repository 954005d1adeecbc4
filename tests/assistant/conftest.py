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
from core.service.system import System
from core.settings import Settings
from tests.assistant.world import World

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return open_knowledge()


def _settings(folder: Path) -> Settings:
    return Settings(var=folder, database_url=f"sqlite:///{folder}/caigou.db")


def _engine(system: System) -> Engine:
    engine = getattr(system.database, "engine", None)
    assert isinstance(engine, Engine)
    return engine


def _template(tmp_path_factory: pytest.TempPathFactory, region: str, *, walked: bool) -> Path:
    folder = tmp_path_factory.mktemp(f"world-{region}")
    settings = _settings(folder)
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


@pytest.fixture
def world_of(
    templates: Callable[[str], Path], tmp_path: Path, knowledge: Knowledge
) -> Iterator[Callable[[str], World]]:
    """A copy of a region's world that only this test changes."""
    opened: list[System] = []

    def open_world(region: str) -> World:
        folder = tmp_path / region
        shutil.copytree(templates(region), folder)
        opened.append(build_system(_settings(folder), clock=lambda: NOW))
        return World(opened[-1], knowledge, region)

    yield open_world
    for system in opened:
        _engine(system).dispose()


@pytest.fixture
def world(world_of: Callable[[str], World]) -> World:
    return world_of("neimenggu")
