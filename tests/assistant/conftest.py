"""The real core with its demonstration world, built once and copied for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from assistant.knowledge import Knowledge, open_knowledge
from core import demo
from core.bootstrap import build_system, migrate
from core.settings import Settings
from kb.features import cache_folder
from tests.assistant.world import World
from tests.support.shared import Shared, copy_of, fast_engine

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return open_knowledge()


@pytest.fixture
def own_indexes(knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that publish: training drops the index of before, which the others go on using."""
    knowledge.retriever("neimenggu")  # trained by now
    own = tmp_path / "kb"
    own.mkdir()
    for file in cache_folder().iterdir():
        (own / file.name).symlink_to(file)
    monkeypatch.setenv("CAIGOU_VAR", str(tmp_path))


@pytest.fixture(scope="session")
def templates(shared: Shared) -> Callable[[str], Settings]:
    """A region's demonstration world, with what its walks leave behind; made when it is first asked for."""

    def settings(folder: Path) -> Settings:
        return Settings(var=folder, database_url=f"sqlite:///{folder / 'world.db'}")

    def build(folder: Path, region: str) -> None:
        made = settings(folder)
        migrate(made)
        demo.provision(made, [region], now=NOW)
        engine = fast_engine(made.database_url)
        demo.load(
            build_system(made, clock=lambda: NOW, engine=engine), [region], walked=region != "neimenggu"
        )
        engine.dispose()

    return lambda region: settings(shared(f"world-{region}", lambda folder: build(folder, region)))


class Worlds:
    """Opens copies of worlds that only one test changes."""

    def __init__(self, folder: Path, knowledge: Knowledge, opened: ExitStack) -> None:
        """Worlds in `folder`, open as long as `opened` is."""
        self._folder, self._knowledge, self._opened = folder, knowledge, opened

    def open(self, template: Settings, region: str, clock: Callable[[], datetime] = lambda: NOW) -> World:
        """A copy of the world `template`."""
        file = self._folder / f"{uuid4().hex}.db"
        return World(self._opened.enter_context(copy_of(template, file, clock)), self._knowledge, region)


@pytest.fixture
def worlds(tmp_path: Path, knowledge: Knowledge) -> Iterator[Worlds]:
    with ExitStack() as opened:
        yield Worlds(tmp_path, knowledge, opened)


@pytest.fixture
def world_of(templates: Callable[[str], Settings], worlds: Worlds) -> Callable[[str], World]:
    """A copy of a region's demonstration world."""
    return lambda region: worlds.open(templates(region), region)


@pytest.fixture
def bare_world_of(bare_worlds: Settings, worlds: Worlds) -> Callable[[str], World]:
    """A region's people without documents, today (their keys are made today): the test takes a walk of its own."""
    return lambda region: worlds.open(bare_worlds, region, lambda: datetime.now(UTC))


@pytest.fixture
def world(world_of: Callable[[str], World]) -> World:
    return world_of("neimenggu")
