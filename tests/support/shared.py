"""What is slow to build is built once for a run, by whichever test process needs it first; the others wait for it."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import coverage, demo
from core.adapters.database import make_engine
from core.bootstrap import build_system, now
from core.service.system import System
from core.settings import Settings

Shared = Callable[[str, Callable[[Path], object]], Path]


def once(home: Path, name: str, build: Callable[[Path], object]) -> Path:
    """The folder `name` under `home`, filled by `build`. Nobody changes it afterwards: tests take copies of what is in it."""
    folder, finished = home / name, home / f"{name}.finished"
    home.mkdir(exist_ok=True)
    with (home / f"{name}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # given back when the file is closed
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of somebody who failed half way
            folder.mkdir()
            build(folder)
            finished.touch()
    return folder


def fast_engine(url: str) -> sa.Engine:
    """The product's engine; only the wait for the disk is left out."""
    engine = make_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    return engine


@contextmanager
def copy_of(world: Settings, file: Path, clock: Callable[[], datetime] = now) -> Iterator[System]:
    """A system over a copy, in `file`, of a world's SQLite database; its keys and files stay where they are."""
    shutil.copyfile(str(sa.make_url(world.database_url).database), file)
    engine = fast_engine(f"sqlite:///{file}")
    try:
        yield build_system(world, clock=clock, engine=engine)
    finally:
        engine.dispose()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """`shared("name", build)` is a folder that all processes of this run have in common."""
    own = tmp_path_factory.getbasetemp()
    home = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    return lambda name, build: once(home, name, build)


@pytest.fixture(scope="session", autouse=True)
def own_var(shared: Shared, pytestconfig: pytest.Config) -> Iterator[None]:
    """Where no test says otherwise, what runs writes to the run's own folder and never to the checkout's `var`.

    Only trained indexes stay from run to run, in pytest's cache: their names change with the knowledge and the code.
    """

    def build(var: Path) -> None:
        cache: pytest.Cache | None = getattr(pytestconfig, "cache", None)  # without one, in this run alone
        if cache:
            (var / "kb").symlink_to(cache.mkdir("kb"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAIGOU_VAR", str(shared("var", build)))
        yield


@pytest.fixture(scope="session")
def bare_worlds(shared: Shared) -> Settings:
    """`bare.db`: units, people, keys and indicators of all regions, and no documents yet."""
    folder = shared("bare", coverage.bare_world)
    return Settings(var=folder, database_url=f"sqlite:///{folder / 'bare.db'}")


@pytest.fixture(scope="session")
def demo_world(shared: Shared) -> Settings:
    """内蒙古's demonstration world, with keys."""

    def settings(folder: Path) -> Settings:
        return Settings(var=folder, database_url=f"sqlite:///{folder / 'caigou.db'}")

    def build(folder: Path) -> None:
        system = demo.start(settings(folder), ["neimenggu"], walked=False)
        system.database.engine.dispose()  # type: ignore[attr-defined]  # all of it is in the file now

    return settings(shared("demonstration", build))
