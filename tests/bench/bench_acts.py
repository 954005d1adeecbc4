"""Acts per second of 8 workers beside the bare transactions of the very same SQL statements. Goal: at least 0.6.

Both sides start from equal databases, with as many processes on as many documents of their own. The acts of one run
are captured as the driver saw them; the bare side replays exactly those statements and parameters on a plain driver
connection, one transaction for each act, with the settings the product gives its connections, and fetches what they
return. Both wait for the disk at every commit.
"""

import multiprocessing
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import event

from core.domain.accounts import Role
from core.service import acts
from tests.bench.postgres import cluster, sqlalchemy_address
from tests.support import small_world

WORKERS, WARM, ACTS, ROUNDS, GOAL = 8, 3, 40, 7, 0.6  # each worker's first few fill caches and do not count
BUSY_SECONDS = 30

Statement = tuple[str, Any]
Transactions = Sequence[Sequence[Statement]]
Span = tuple[float, float]
_PROCESSES = multiprocessing.get_context("fork")


def main() -> None:
    """Print both figures for SQLite, and for PostgreSQL where it is installed."""
    reached = [_report("SQLite", _sqlite_rounds())]
    with cluster() as address:
        if address is None:
            print("PostgreSQL：没有安装，跳过")
        else:
            reached.append(_report("PostgreSQL", _postgres_rounds(address)))
    if not all(reached):
        sys.exit(1)


def _report(name: str, rounds: Sequence[tuple[float, float]]) -> bool:
    own, bare = (median(column) for column in zip(*rounds, strict=True))
    ratio = median(mine / theirs for mine, theirs in rounds)
    print(
        f"{name:<11} {WORKERS} 个进程　送审 {own:6.0f} 次/秒　裸事务 {bare:6.0f} 次/秒　{ratio:.0%}"
        f"（各轮 {'、'.join(f'{mine / theirs:.0%}' for mine, theirs in rounds)}；"
        f"目标 {GOAL:.0%}，{'达到' if ratio >= GOAL else '未达到'}）"
    )
    return ratio >= GOAL


def _together(jobs: Sequence[Callable[[Callable[[], None]], Span]]) -> float:
    """Things done a second, all workers together: each job says when it began, at the barrier, and when it ended."""
    barrier = _PROCESSES.Barrier(len(jobs))
    queue = _PROCESSES.SimpleQueue()

    def run(job: Callable[[Callable[[], None]], Span]) -> None:
        queue.put(job(lambda: (barrier.wait(), None)[1]))

    started = [_PROCESSES.Process(target=run, args=(job,)) for job in jobs]
    for process in started:
        process.start()
    spans = [queue.get() for _ in started]
    for process in started:
        process.join()
    return len(jobs) * ACTS / (max(end for _, end in spans) - min(begin for begin, _ in spans))


def _own(url: str, var: Path, shares: Sequence[Sequence[str]]) -> float:
    def job(numbers: Sequence[str]) -> Callable[[Callable[[], None]], Span]:
        return lambda ready: _submit_all(url, var, numbers, ready)

    return _together([job(numbers) for numbers in shares])


def _submit_all(url: str, var: Path, numbers: Sequence[str], ready: Callable[[], None]) -> Span:
    world = small_world.reopen(url, var)
    started = 0.0
    for index, number in enumerate(numbers):
        if index == WARM:
            ready()
            started = time.perf_counter()
        _submit(world, number)
    ended = time.perf_counter()
    world.system.database.engine.dispose()
    return started, ended


def _submit(world: small_world.World, number: str) -> None:
    handler = world.crew[Role.HANDLER]
    acts.perform(world.system, handler, number, "submit", version=1, arguments={}, key=f"bench-{number}")


def _capture(url: str, var: Path, shares: Sequence[Sequence[str]]) -> list[list[list[Statement]]]:
    """For each worker and act the statements with their parameters, as the driver saw them."""
    world = small_world.reopen(url, var)
    engine, captured = world.system.database.engine, list[list[list[Statement]]]()

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001
        captured[-1][-1].append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    for numbers in shares:
        captured.append([])
        for number in numbers:
            captured[-1].append([])
            _submit(world, number)
    engine.dispose()
    return captured


def _bare(open_connection: Callable[[], Any], begin: str, captured: Sequence[Transactions]) -> float:
    def job(transactions: Transactions) -> Callable[[Callable[[], None]], Span]:
        return lambda ready: _replay(open_connection(), begin, transactions, ready)

    return _together([job(transactions) for transactions in captured])


def _replay(connection: Any, begin: str, transactions: Transactions, ready: Callable[[], None]) -> Span:
    cursor = connection.cursor()
    started = 0.0
    for index, statements in enumerate(transactions):
        if index == WARM:
            ready()
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
    ended = time.perf_counter()
    connection.close()
    return started, ended


def _prepare(url: str, var: Path) -> list[list[str]]:
    """A world with plans to submit; their numbers, a share for each worker."""
    world = small_world.build(url, var)
    shares = [
        [world.enter(f"p{worker}-{index}").number for index in range(WARM + ACTS)]
        for worker in range(WORKERS)
    ]
    world.system.database.engine.dispose()
    return shares


def _sqlite_rounds() -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder)
        shares = _prepare(f"sqlite:///{var / 'origin.db'}", var)

        def fresh(name: str) -> Path:
            for old in var.glob(f"{name}.db*"):
                old.unlink()
            with sqlite3.connect(var / "origin.db") as source, sqlite3.connect(var / f"{name}.db") as target:
                source.backup(target)
            return var / f"{name}.db"

        def plain(path: Path) -> sqlite3.Connection:
            """With what the product sets."""
            connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")
            return connection

        captured = _capture(f"sqlite:///{fresh('capture')}", var, shares)
        rounds = []
        for _ in range(ROUNDS):
            own = _own(f"sqlite:///{fresh('own')}", var, shares)
            path = fresh("bare")
            rounds.append((own, _bare(lambda path=path: plain(path), "BEGIN IMMEDIATE", captured)))  # type: ignore[misc]
        return rounds


def _postgres_rounds(address: str) -> list[tuple[float, float]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        psycopg.connect(f"{address}/postgres", autocommit=True) as admin,
    ):
        var = Path(folder)
        admin.execute("CREATE DATABASE origin")
        shares = _prepare(sqlalchemy_address(f"{address}/origin"), var)

        def fresh(name: str) -> str:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            admin.execute(f"CREATE DATABASE {name} TEMPLATE origin".encode())
            return f"{address}/{name}"

        captured = _capture(sqlalchemy_address(fresh("capture")), var, shares)
        rounds = []
        for _ in range(ROUNDS):
            own = _own(sqlalchemy_address(fresh("own")), var, shares)
            bare_address = fresh("bare")
            bare = _bare(lambda a=bare_address: psycopg.connect(a, autocommit=True), "BEGIN", captured)  # type: ignore[misc]
            rounds.append((own, bare))
        return rounds


if __name__ == "__main__":
    main()
