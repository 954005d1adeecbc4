"""The demonstration world, built once for each database and copied for each test."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from core import demo
from core.adapters import processes
from core.adapters.database import make_engine
from core.adapters.process_registry import ProcessRegistry
from core.bootstrap import build_system, migrate
from core.settings import Settings
from tests.core.world import World
from tests.support.clock import Clock
from tests.support.process_data import change_plans, copied
from tests.support.servers import database, database_template
from tests.support.shared import Shared, copy_of, fast_engine


@pytest.fixture(scope="session")
def template(shared: Shared) -> Settings:
    """A finished world that nobody changes, without tokens: signing is slow and few tests need it."""

    def settings(var: Path) -> Settings:
        return Settings(var=var, database_url=f"sqlite:///{var / 'template.db'}")

    return settings(shared("world", lambda var: build_template(settings(var))))


def build_template(settings: Settings) -> None:
    migrate(settings)
    engine = fast_engine(settings.database_url)
    demo.load(build_system(settings, engine=engine), ["neimenggu"], walked=False)
    engine.dispose()


@pytest.fixture(scope="session")
def new_world(template: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], World]]:
    """Makes worlds on SQLite, for tests that need many."""
    folder = tmp_path_factory.mktemp("worlds")

    def make() -> World:
        clock = Clock()
        file = folder / f"{uuid.uuid4().hex}.db"
        return World.over(opened.enter_context(copy_of(template, file, clock)), clock)

    with ExitStack() as opened:
        yield make


@pytest.fixture
def world(new_world: Callable[[], World]) -> Iterator[World]:
    """The demonstration world on SQLite."""
    made = new_world()
    yield made
    made.engine.dispose()


@pytest.fixture(scope="session")
def postgres_template(postgres_port: int, template: Settings) -> str:
    """Name of a database with the world; PostgreSQL copies it by itself."""
    return database_template(
        postgres_port, "world", lambda url: build_template(Settings(var=template.var, database_url=url))
    )


@pytest.fixture
def postgres_world(postgres_port: int, postgres_template: str, template: Settings) -> Iterator[World]:
    """The demonstration world on PostgreSQL."""
    with database(postgres_port, postgres_template) as url:
        engine, clock = make_engine(url), Clock()
        yield World.over(build_system(template, clock=clock, engine=engine), clock)
        engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def each_world(request: pytest.FixtureRequest) -> World:
    """The demonstration world, once on each database."""
    made: World = request.getfixturevalue("world" if request.param == "sqlite" else "postgres_world")
    return made


def ruled(world: World, data: Path, operations: str) -> World:
    """The same world on changed data of its plans, as after an upgrade and a restart."""
    change_plans(data, operations)
    registry = ProcessRegistry(processes.load(data))
    with world.system.database.write() as tx:
        tx.records.keep_processes(registry.all())
    return World(replace(world.system, processes=registry), world.clock, world.people)


@pytest.fixture
def with_rules(world: World, data_copy: Path) -> Callable[[str], World]:
    """Changes the rules of the world on SQLite."""
    return lambda operations: ruled(world, data_copy, operations)


@pytest.fixture
def commanded(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world that `python -m core …` finds."""
    monkeypatch.setenv("CAIGOU_DATABASE_URL", str(world.engine.url))
    monkeypatch.setenv("CAIGOU_VAR", str(tmp_path))
    return world


@pytest.fixture
def data_copy(tmp_path: Path) -> Path:
    """A copy of the data files that a test may break."""
    return copied(tmp_path)
