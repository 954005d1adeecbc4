"""Fujian's made-up place, a copy for each test."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.settings import Settings
from tests.core.fujian_money.stage import Stage
from tests.support.clock import Clock
from tests.support.shared import copy_of


@pytest.fixture
def stage(bare_worlds: Settings, tmp_path: Path) -> Iterator[Stage]:
    """A place that only this test changes; the day is 20 November 2026."""
    clock = Clock(datetime(2026, 11, 20, 4, tzinfo=UTC))
    with copy_of(bare_worlds, tmp_path / "stage.db", clock) as system:
        yield Stage(system)
