"""The worker as a process of its own, and the queue between web and worker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.adapters import processes
from core.adapters.counterpart.server import Counterpart
from core.adapters.database import make_engine
from core.adapters.exchange_client import shared_secrets
from core.settings import Settings
from diagnostics.watch_store import WatchStore
from tests.support import limited, small_world
from tests.support.process_data import in_force
from tests.support.small_world import TO_FILED, World
from web.wechat.inbox import SqlInbox
from web.wechat.ports import Job
from web.wechat.service import ChannelService
from web.wechat.store import SqlBindings
from web.wechat.tables import metadata
from web.worker import QueueRunner, queue, serve_follow_ups, serve_limits

PATIENCE = 30
# Starts a worker as its companion, says its process id, and waits to be killed.
PARENT = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-m", "web.worker", "--companion"]).pid, flush=True)
time.sleep(600)
"""


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = small_world.build(f"sqlite:///{tmp_path / 'caigou.db'}", tmp_path)
    yield built
    built.system.database.engine.dispose()


@pytest.fixture
def mall(tmp_path: Path) -> Iterator[Counterpart]:
    with Counterpart(shared_secrets(tmp_path, {})) as counterpart:
        yield counterpart


@pytest.fixture
def environment(tmp_path: Path, mall: Counterpart) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CAIGOU_")}
    urls = {f"CAIGOU_{system}_URL": mall.url for system in ("MALL", "AGENCY", "FINANCE")}
    return {**kept, **urls, "CAIGOU_VAR": str(tmp_path)}


@contextmanager
def running(
    environment: dict[str, str], *arguments: str, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process of its own that is gone afterwards, also where the test failed."""
    with subprocess.Popen([sys.executable, *arguments], env=environment, stdout=stdout) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.covers("nm-2")
def test_a_worker_delivers_and_stops_when_asked(world: World, environment: dict[str, str]) -> None:
    first = world.plan("p", *TO_FILED).number
    with running(environment, "-m", "web.worker") as worker:
        until(lambda: world.find(first).node == "dispatched")
        second = world.plan("q", *TO_FILED, variant="project").number
        until(lambda: world.find(second).node == "dispatched")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    assert world.problems() == []


def test_a_worker_checks_what_the_platform_stands_on_and_signs_the_audit(
    world: World, environment: dict[str, str], tmp_path: Path
) -> None:
    store = WatchStore(world.system.database.engine)  # type: ignore[attr-defined]

    def seen(probe: str) -> str:
        return next((span.finding for span in store.latest() if span.probe == probe), "")

    with running(environment, "-m", "web.worker") as worker:
        until(lambda: seen("counterpart:mall") == "counterpart_answers")
        until(lambda: seen("outbox:all") == "outbox_clear")
        until(lambda: bool(list((tmp_path / "checkpoints").glob("audit-*.json"))))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0


def test_a_companion_does_not_outlive_who_started_it(world: World, environment: dict[str, str]) -> None:
    number = world.plan("p", *TO_FILED).number
    with running(environment, "-c", PARENT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        until(lambda: world.find(number).node == "dispatched")
        parent.kill()

    def gone() -> bool:
        try:
            state = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        return state == "Z"

    until(gone)


def test_wrong_settings_are_named(world: World, environment: dict[str, str]) -> None:
    elsewhere = {**environment, "CAIGOU_MALL_URL": "https://mall.example"}
    done = subprocess.run(
        [sys.executable, "-m", "web.worker"], env=elsewhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "CAIGOU_MALL_SECRET" in done.stderr
    assert "Traceback" not in done.stderr


class _Talk:
    def turn(self, channel: str, openid: str, account_id: int | None, text: str, key: str) -> str:
        return f"{channel} {openid} {account_id} {text} {key[:2]}"

    def forget(self, channel: str, openid: str) -> None:
        pass


class _NoSender:
    def send_text(self, channel: str, openid: str, text: str) -> None:
        raise AssertionError(channel, openid, text)  # the answer is waited for


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_a_follow_up_goes_from_web_to_worker(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    redis_url = request.getfixturevalue("redis_url") if store == "redis" else None
    settings = Settings(var=tmp_path, database_url=f"sqlite:///{tmp_path / 'w.db'}", redis_url=redis_url)
    engine = make_engine(settings.database_url)
    metadata.create_all(engine)

    def clock() -> datetime:
        return datetime(2026, 6, 1, tzinfo=UTC)

    inbox, bindings = SqlInbox(engine, clock), SqlBindings(engine, clock, b"s")
    service = ChannelService({}, _Talk(), bindings, inbox, _NoSender(), b"s")
    job = Job(key="k" * 64, channel="demo", openid="o", kind="text", text="计划录错了")
    assert inbox.first_time(job)
    in_web, in_worker = queue(settings), queue(settings)
    QueueRunner(in_web).start(job.key)
    serve_follow_ups(in_worker, service)
    task = in_worker.dequeue()
    assert task is not None
    in_worker.execute(task)
    collected = inbox.collect(job.key, split=lambda reply: (reply, ""))
    assert collected is not None
    assert collected.text == "demo o None 计划录错了 kk"
    assert in_worker.pending_count() == 0
    for each in (in_web, in_worker):
        each.storage.close()
    engine.dispose()


def test_limits_are_looked_at_every_minute_by_every_worker_and_acted_on_once(tmp_path: Path) -> None:
    at = [datetime(2026, 11, 20, 2, tzinfo=UTC)]
    with in_force(processes.load(limited.data(tmp_path))):
        world = small_world.build(f"sqlite:///{tmp_path / 'caigou.db'}", tmp_path, clock=lambda: at[0])
    number = world.plan("p", "submit").number
    at[0] = datetime(2026, 12, 3, 17, tzinfo=UTC)
    workers = [queue(small_world.settings("", tmp_path)) for _ in range(2)]
    for worker in workers:
        serve_limits(worker, world.system)
        for task in worker.read_periodic(at[0]):
            worker.enqueue(task)
    assert workers[0].pending_count() == 2
    for worker in workers:
        task = worker.dequeue()
        assert task is not None
        worker.execute(task)
    assert world.find(number).node == "unit_first"
    with world.system.database.read() as tx:
        assert [one.slot for one in tx.terms.nudges(world.find(number).id)] == [
            "limit-0",
            "limit-1",
            "limit-2",
        ]
    assert world.problems() == []
    for worker in workers:
        worker.storage.close()
    world.system.database.engine.dispose()
