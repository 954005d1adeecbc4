"""Fujian's made-up place, built once and copied for each test."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core import worlds
from core.bootstrap import build_system, migrate
from core.settings import Settings
from tests.core.conftest import fast_engine
from tests.core.fujian_money.stage import Stage
from tests.core.world import Clock


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Units, people, experts and indicators; no documents."""
    var = tmp_path_factory.mktemp("fujian")
    settings = Settings(var=var, database_url=f"sqlite:///{var / 'bare.db'}")
    migrate(settings)
    engine = fast_engine(settings.database_url)
    system = build_system(settings, engine=engine)
    with system.database.write() as tx:
        units = worlds.build(system, tx, worlds.places()["fujian"])
        for unit in worlds.BUYERS:
            worlds.budget(system, tx, units[unit], f"Z-{unit}", "设备", 50_000_000)
    engine.dispose()
    return settings


@pytest.fixture
def stage(place: Settings, tmp_path: Path) -> Iterator[Stage]:
    """A place that only this test changes; the day is 20 November 2026."""
    shutil.copyfile(place.var / "bare.db", tmp_path / "stage.db")
    engine = fast_engine(f"sqlite:///{tmp_path / 'stage.db'}")
    clock = Clock(datetime(2026, 11, 20, 4, tzinfo=UTC))
    yield Stage(build_system(place, clock=clock, engine=engine))
    engine.dispose()
