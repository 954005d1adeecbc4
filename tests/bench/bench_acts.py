"""Acts per second beside the bare transactions of the very same SQL statements. Goal: at least half.

Both start from equal databases. The acts of one run are captured as the driver saw them; the bare run replays the
statements and parameters on a plain driver connection, one transaction for each act, and fetches what they return.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import event

from core.domain.accounts import Role
from core.service import acts
from tests.support import small_world

WARM, ACTS, ROUNDS, GOAL = 5, 60, 7, 0.5  # the first few fill the caches of both sides and do not count
Statement = tuple[str, Any]


def main() -> None:
    """Print both figures for SQLite, and for PostgreSQL where it is installed."""
    reached = [_report("SQLite", _sqlite_rounds())]
    with _postgres() as address:
        if address is None:
            print("PostgreSQL：没有安装，跳过")
        else:
            reached.append(_report("PostgreSQL", _postgres_rounds(address)))
    if not all(reached):
        sys.exit(1)


def _report(name: str, rounds: Sequence[tuple[float, float]]) -> bool:
    own, bare = (median(column) for column in zip(*rounds, strict=True))
    ratio = median(mine / theirs for mine, theirs in rounds)
    state = "达到" if ratio >= GOAL else "未达到"
    print(
        f"{name:<11} 送审 {own:7.0f} 次/秒　裸事务 {bare:7.0f} 次/秒　{ratio:.0%}（目标 {GOAL:.0%}，{state}）"
    )
    return ratio >= GOAL


def _submit_all(url: str, var: Path, numbers: Sequence[str], captured: list[list[Statement]] | None) -> float:
    """Seconds that the acts took; with `captured`, their statements instead of an honest time."""
    world = small_world.reopen(url, var)
    engine, handler = world.system.database.engine, world.crew[Role.HANDLER]

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001
        assert captured is not None
        if not statement.startswith("BEGIN"):
            captured[-1].append((statement, parameters))

    if captured is not None:
        event.listen(engine, "before_cursor_execute", note)
    started = 0.0
    for index, number in enumerate(numbers):
        if index == WARM:
            started = time.perf_counter()
        if captured is not None:
            captured.append([])
        acts.perform(world.system, handler, number, "submit", version=1, arguments={}, key=f"bench-{number}")
    seconds = time.perf_counter() - started
    engine.dispose()
    return seconds


def _replay(connection: Any, transactions: Sequence[Sequence[Statement]], begin: str) -> float:
    """Seconds for the statements alone, a transaction for each act."""
    cursor = connection.cursor()
    started = 0.0
    for index, statements in enumerate(transactions):
        if index == WARM:
            started = time.perf_counter()
        cursor.execute(begin)
        for statement, parameters in statements:
            if isinstance(parameters, list):
                cursor.executemany(statement, parameters)
            else:
                cursor.execute(statement, parameters)
            if cursor.description:
                cursor.fetchall()
        cursor.execute("COMMIT")
    return time.perf_counter() - started


def _prepare(url: str, var: Path) -> list[str]:
    world = small_world.build(url, var)
    numbers = [world.enter(f"p{index}").number for index in range(WARM + ACTS)]
    world.system.database.engine.dispose()
    return numbers


def _sqlite_rounds() -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder)
        numbers = _prepare(f"sqlite:///{var / 'origin.db'}", var)

        def fresh(name: str) -> Path:
            for old in var.glob(f"{name}.db*"):
                old.unlink()
            with sqlite3.connect(var / "origin.db") as source, sqlite3.connect(var / f"{name}.db") as target:
                source.backup(target)
            return var / f"{name}.db"

        captured: list[list[Statement]] = []
        _submit_all(f"sqlite:///{fresh('capture')}", var, numbers, captured)
        rounds = []
        for _ in range(ROUNDS):
            own = _submit_all(f"sqlite:///{fresh('own')}", var, numbers, None)
            connection = sqlite3.connect(fresh("bare"), isolation_level=None)
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
            ):  # as the product sets them
                connection.execute(f"PRAGMA {pragma}")
            bare = _replay(connection, captured, "BEGIN IMMEDIATE")
            connection.close()
            rounds.append((ACTS / own, ACTS / bare))
        return rounds


def _postgres_rounds(address: str) -> list[tuple[float, float]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        psycopg.connect(f"{address}/postgres", autocommit=True) as admin,
    ):
        var = Path(folder)
        admin.execute("CREATE DATABASE origin")
        numbers = _prepare(_sqlalchemy(f"{address}/origin"), var)

        def fresh(name: str) -> str:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            admin.execute(f"CREATE DATABASE {name} TEMPLATE origin".encode())
            return f"{address}/{name}"

        captured: list[list[Statement]] = []
        _submit_all(_sqlalchemy(fresh("capture")), var, numbers, captured)
        rounds = []
        for _ in range(ROUNDS):
            own = _submit_all(_sqlalchemy(fresh("own")), var, numbers, None)
            with psycopg.connect(fresh("bare"), autocommit=True) as connection:
                bare = _replay(connection, captured, "BEGIN")
            rounds.append((ACTS / own, ACTS / bare))
        return rounds


def _sqlalchemy(address: str) -> str:
    return address.replace("postgresql://", "postgresql+psycopg://")


@contextmanager
def _postgres() -> Iterator[str | None]:
    """Address of a private cluster with the settings PostgreSQL ships with; None where it is not installed."""
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which("initdb") or next(
        (str(f / "initdb") for f in folders if (f / "initdb").exists()), None
    )
    if found is None:
        yield None
        return
    from tests.support import servers

    binaries, owner = Path(found).parent, servers._owner()
    home = Path(tempfile.mkdtemp(prefix="caigou-bench-"))
    if owner:
        os.chown(home, int(str(owner["user"])), int(str(owner["group"])))
    options: dict[str, Any] = {"cwd": home, **owner}
    try:
        initdb = [
            str(binaries / "initdb"),
            "-D",
            str(home / "data"),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        subprocess.run([*initdb, "--locale=C"], check=True, stdout=subprocess.DEVNULL, **options)
        settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=")
        chosen = [part for setting in settings for part in ("-c", setting)]
        port, process = servers.start(
            lambda p: [str(binaries / "postgres"), "-D", str(home / "data"), "-p", str(p), *chosen],
            lambda p: psycopg.connect(f"host=127.0.0.1 port={p} user=postgres", connect_timeout=5).close(),
            **options,
        )
        yield f"postgresql://postgres@127.0.0.1:{port}"
        process.send_signal(2)  # fast shutdown
        servers.stop(process)
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
