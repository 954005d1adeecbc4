import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from core.adapters.token_lock import BusyError, alone, store

PROCESSES = multiprocessing.get_context("spawn")
SECTION = 40  # times each of them goes in

# Holds the lock, hands it to a child that sleeps, says the child's number, and waits to be killed.
HOLDER = """
import subprocess, sys
from pathlib import Path
from core.adapters.token_lock import alone
with alone(Path(sys.argv[1]), 5) as lock:
    if sys.argv[2] == "child":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], pass_fds=(lock,))
        print(child.pid, flush=True)
    else:
        print(0, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "store").touch()
    return tmp_path / "store"


def taken(file: Path, limit_s: float = 0.0) -> bool:
    try:
        with alone(file, limit_s):
            return False
    except BusyError:
        return True


def count_up(file: Path, number: Path, together: Barrier, out: Connection) -> None:
    together.wait()
    for _ in range(SECTION):
        with alone(file, 60):
            seen = int(number.read_text())
            number.write_text("")  # what another one reads in between is no number
            number.write_text(str(seen + 1))
    out.send("done")


def test_processes_go_in_one_at_a_time(file: Path, tmp_path: Path) -> None:
    number = tmp_path / "number"
    number.write_text("0")
    together = PROCESSES.Barrier(3)
    ours, theirs = PROCESSES.Pipe()
    workers = [
        PROCESSES.Process(target=count_up, args=(file, number, together, theirs), daemon=True)
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [ours.recv() for worker in workers if worker.exitcode == 0] == ["done"] * 3
    assert number.read_text() == str(3 * SECTION)


def test_threads_go_in_one_at_a_time(file: Path) -> None:
    inside: list[int] = []

    def go_in(_: int) -> int:
        with alone(file, 60):
            inside.append(1)
            seen = len(inside)
            time.sleep(0)
            inside.pop()
        return seen

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(go_in, range(200))) == {1}


def test_who_waits_in_vain_is_told_and_may_come_again(file: Path) -> None:
    with alone(file, 0):
        assert taken(file, 0.1)
    assert not taken(file, 5)  # the turn that nobody waits for any more may come first, and passes at once


def test_an_error_inside_frees_it(file: Path) -> None:
    with pytest.raises(ValueError, match="inside"), alone(file, 0):
        raise ValueError("inside")
    assert not taken(file)


def holder(file: Path, how: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, file, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, int(process.stdout.readline())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


def test_a_killed_process_frees_it(file: Path) -> None:
    process, _ = holder(file, "alone")
    assert taken(file)
    end(process)
    assert not taken(file, 10)


def test_a_child_that_outlives_its_killed_parent_keeps_it_until_its_own_end(file: Path) -> None:
    process, child = holder(file, "child")
    try:
        end(process)
        assert taken(file, 0.2)
    finally:
        os.kill(child, signal.SIGKILL)
    assert not taken(file, 10)


def test_softhsm_is_told_apart_by_its_tokens_others_by_their_library(file: Path, tmp_path: Path) -> None:
    softhsm, other = tmp_path / "libsofthsm2.so", tmp_path / "vendor.so"
    configured = {"SOFTHSM2_CONF": str(file)}
    assert store(softhsm, configured) == file
    assert store(softhsm, {"SOFTHSM2_CONF": str(tmp_path / "absent")}) == softhsm
    assert store(other, configured) == other
