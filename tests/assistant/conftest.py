"""The real core with its demonstration world, built once and copied for each test."""

import shutil
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    settings = _settings(folder)
    migrate(settings)
    demo.provision(settings, ["neimenggu"])
    system = build_system(settings, clock=lambda: NOW)
    engine = _engine(system)
    tables.metadata.create_all(engine)
    demo.load(system, ["neimenggu"], walked=False)
    engine.dispose()
    return folder


@pytest.fixture
def world(template: Path, tmp_path: Path, knowledge: Knowledge) -> Iterator[World]:
    folder = tmp_path / "world"
    shutil.copytree(template, folder)
    system = build_system(_settings(folder), clock=lambda: NOW)
    yield World(system, knowledge)
    _engine(system).dispose()
