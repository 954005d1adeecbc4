"""The worker: `python -m web.worker` delivers the outbox and runs what was put into the queue.

Several loops in one process. The outbox is looked at every second by a thread of its own: huey's periodic tasks go by the
minute, and whoever files a plan should see it dispatched while still looking. A second thread checks what the platform
itself stands on (`diagnostics.watch`), a third keeps the record in order (`web.upkeep`). The queue (huey; a SQLite file,
or Redis where `CAIGOU_REDIS_URL` is set) carries WeChat's follow-ups and, every minute, what follows from time limits.
Any number of workers may run; killing one loses nothing: messages stay in the outbox until they are delivered, jobs in
the inbox until they are answered, checks and limits are due again.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from huey import Huey, RedisHuey, SqliteHuey, crontab

from core.adapters.companion import stop_with_parent
from core.adapters.exchange_client import HttpExchange, check_urls, shared_secrets
from core.bootstrap import build_system
from core.domain.errors import DataError, DomainError
from core.service import escalating, exchange, limits
from core.service.exchange_ports import ExchangePort
from core.service.system import System
from core.settings import Settings
from diagnostics.targets import Targets
from diagnostics.watch import Watch
from diagnostics.watch_store import WatchStore
from web import logs
from web.upkeep import upkeep_until
from web.wechat.service import ChannelService

log = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
WATCH_SECONDS = 3.0
_ROUND_LIMIT = 20
_THREADS = 4
_STOP_SECONDS = 10

FollowUps = Callable[[System, Settings], ChannelService | None]


def queue(settings: Settings) -> Huey:
    """The queue that web processes and workers share."""
    if settings.redis_url:
        return RedisHuey("caigou", url=settings.redis_url, results=False)
    settings.var.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("caigou", filename=str(settings.var / "queue.db"), results=False)


def http_exchange(settings: Settings) -> HttpExchange:
    """The way to the systems around. DataError where an address or a secret is missing."""
    check_urls(settings.system_urls)
    return HttpExchange(settings.system_urls, shared_secrets(settings.var))


def _follow_up(tasks: Huey, run: Callable[[str], None]) -> Any:
    """The task as both sides know it, by its name: one puts keys in, the other runs them."""

    def follow_up(key: str) -> None:
        run(key)

    follow_up.__module__ = (
        "web.worker"  # also where this runs as __main__: the module is part of the task's name
    )
    return tasks.task(name="wechat_follow_up")(follow_up)


def _elsewhere(_key: str) -> None:
    message = "follow-ups are run by the worker"
    raise RuntimeError(message)


class QueueRunner:
    """Implements `web.wechat.ports.Runner`: some worker takes the job up. `run` is what it does, in the worker."""

    def __init__(self, tasks: Huey, run: Callable[[str], None] = _elsewhere) -> None:
        self._task = _follow_up(tasks, run)

    def start(self, key: str) -> None:
        """Put the job into the queue and return."""
        self._task(key)


def serve_follow_ups(tasks: Huey, service: ChannelService) -> None:
    """Let `tasks` run WeChat's jobs, and every minute those that a dead process left behind."""
    runner = QueueRunner(tasks, service.run)

    def resume() -> None:
        service.resume(runner)

    tasks.periodic_task(crontab(minute="*"), name="wechat_resume")(resume)


def serve_limits(tasks: Huey, system: System) -> None:
    """Let `tasks` do every minute what follows from time limits that have passed.

    Every worker's clock puts the task in; a step that two of them come to is done once.
    """

    def escalate() -> None:
        while escalating.escalate_due(system):
            pass

    tasks.periodic_task(crontab(minute="*"), name="limits")(escalate)


def deliver_until(stop: threading.Event, system: System, port: ExchangePort) -> None:
    """Deliver the outbox every second until `stop`; a failed round is logged and the next one comes."""
    while not stop.is_set():
        try:
            arrived = exchange.deliver_due(system, port, limit=_ROUND_LIMIT)
        except DomainError as error:
            log.warning("delivery failed code=%s", error.code)
            arrived = 0
        except Exception:
            log.exception("delivery failed")
            arrived = 0
        if arrived < _ROUND_LIMIT:
            stop.wait(ROUND_SECONDS)


def watch_until(stop: threading.Event, watch: Watch) -> None:
    """Check what is due until `stop`; a failed round is logged and the next one comes."""
    while not stop.is_set():
        try:
            watch.round()
        except Exception:
            log.exception("checks failed")
        stop.wait(WATCH_SECONDS)


def own_watch(system: System, settings: Settings) -> Watch:
    """The checks of this installation."""
    engine = system.database.engine  # type: ignore[attr-defined]  # the port hides it; only SQL has one
    return Watch(WatchStore(engine), Targets(system, settings), system.clock)


def run_worker(
    settings: Settings | None = None, follow_ups: FollowUps | None = None, *, companion: bool = False
) -> int:
    """Work until SIGTERM (finishes what is under way) or SIGINT. `companion`: also until the parent is gone."""
    settings = settings or Settings.from_environment()
    system = build_system(settings)
    tasks = queue(settings)
    service = follow_ups(system, settings) if follow_ups else None
    if service is not None:
        serve_follow_ups(tasks, service)
    limits.recount(system)  # holidays may have been announced since
    serve_limits(tasks, system)
    stop = threading.Event()
    with http_exchange(settings) as port:
        delivery = threading.Thread(target=deliver_until, args=(stop, system, port), name="delivery")
        delivery.start()
        watching = threading.Thread(
            target=watch_until, args=(stop, own_watch(system, settings)), name="watch", daemon=True
        )
        watching.start()  # a look may take its ten seconds; nobody waits for it at the end
        keeping = threading.Thread(
            target=upkeep_until, args=(stop, system, settings), name="upkeep", daemon=True
        )
        keeping.start()
        if companion:
            stop_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
        consumer = tasks.create_consumer(
            workers=_THREADS, max_delay=ROUND_SECONDS, shutdown_timeout=_STOP_SECONDS, graceful_signal="TERM"
        )
        try:
            consumer.run()
        finally:
            stop.set()
            delivery.join()
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run a worker with settings from the environment; 1 where they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m web.worker", description="送出对接消息，处理微信后续答复"
    )
    parser.add_argument("--companion", action="store_true", help="启动它的进程结束时，自己也结束")
    given = parser.parse_args(arguments)
    logs.configure()
    try:
        return run_worker(companion=given.companion)
    except DataError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
