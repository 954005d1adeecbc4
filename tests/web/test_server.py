"""Companions come back when they die, and do not when the server stops."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from web.server import Companion, Companions

DEADLINE = 60
MORTAL = "import os, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')"
STEADY = f"{MORTAL}; import time; time.sleep(600)"


def started(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_died_is_started_again_and_what_lives_is_left_alone(tmp_path: Path) -> None:
    mortal, steady = tmp_path / "mortal", tmp_path / "steady"
    wanted = [
        Companion("mortal", ("-c", MORTAL, str(mortal))),
        Companion("steady", ("-c", STEADY, str(steady))),
    ]
    with Companions(wanted, os.environ, first_pause=0.01):
        until(lambda: len(started(mortal)) >= 3 and len(started(steady)) == 1)
    assert len(set(started(mortal))) == len(started(mortal))
    assert len(started(steady)) == 1
    assert not any(alive(pid) for pid in started(steady))


@pytest.mark.parametrize("pause", [0.0, 600.0])
def test_nothing_is_started_once_the_server_stops(tmp_path: Path, pause: float) -> None:
    file = tmp_path / "started"
    with Companions(
        [Companion("one", ("-c", MORTAL, str(file)))], os.environ, first_pause=pause
    ) as companions:
        until(lambda: bool(started(file)))
    assert not any(keeper.is_alive() for keeper in companions.keepers)
    assert not any(alive(pid) for pid in started(file))
