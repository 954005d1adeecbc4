"""`python -m web serve`: prepares the database, starts what belongs to the embedded mode, and serves."""

import argparse
import os
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.domain.errors import DataError
from core.settings import Settings
from web import logs

if TYPE_CHECKING:
    from web.server import Companion

_ELSEWHERE = tuple(f"CAIGOU_{name}_URL" for name in ("MALL", "AGENCY", "FINANCE", "PORTAL", "TRADE"))
_LAST_PORT = 65535
_STOPPING_SECONDS, _LOOK_SECONDS = 5.0, 0.1


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 1 where it could not start, with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m web", description="政府采购助手的网页、接口和微信")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="准备数据库并启动服务")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000, help="同机的对接方用下一个端口")
    serve.add_argument("--workers", type=int, default=1, help="进程数；SQLite 用 1 个，PostgreSQL 可以更多")
    serve.add_argument("--alone", action="store_true", help="不启动同机的对接方和后台进程，也不装入演示数据")
    worker = commands.add_parser("worker", help="后台进程：送出对接消息，处理微信后续答复")
    worker.add_argument("--companion", action="store_true", help="启动它的进程结束时，自己也结束")
    given = parser.parse_args(arguments)
    if given.command == "serve" and not given.alone:
        _place_counterpart(given.port)
    try:
        settings = Settings.from_environment()
        return _work(given, settings) if given.command == "worker" else _serve(given, settings)
    except DataError as error:
        print(error.message, file=sys.stderr)
        return 1


def _work(given: argparse.Namespace, settings: Settings) -> int:
    from web.wiring import follow_ups
    from web.worker import run_worker

    logs.configure()
    return run_worker(settings, follow_ups, companion=given.companion)


def _place_counterpart(port: int) -> None:
    """Put the other side of the exchange at the port after ours, unless somebody said where it is.

    At a fixed port two servers on one machine would send each other's documents to the same counterpart. Said in the
    environment, because the companions read it there.
    """
    if any(name in os.environ for name in _ELSEWHERE):
        return
    beside = port + 1 if port < _LAST_PORT else port - 1
    os.environ.update(dict.fromkeys(_ELSEWHERE, f"http://127.0.0.1:{beside}"))


def _obstacle(given: argparse.Namespace, settings: Settings) -> str | None:
    """Why it cannot start, found before anything is done."""
    from core.adapters.exchange_client import is_local

    if given.workers > 1 and not settings.redis_url:
        return "多个进程要共用 Redis 计数，请设置 CAIGOU_REDIS_URL"
    if not _free(given.host, given.port):
        return f"端口 {given.port} 已被占用，请用 --port 换一个"
    beside = urlsplit(settings.mall_url)
    if (
        not given.alone
        and is_local(settings.mall_url)
        and not _free(beside.hostname or "", beside.port or 80)
    ):
        return f"端口 {beside.port or 80} 已被占用，同机的对接方要用它，请用 --port 换一个"
    return None


def _free(host: str, port: int) -> bool:
    """Whether nobody listens there, soon at the latest: the server that stood here before may still be stopping."""
    deadline = time.monotonic() + _STOPPING_SECONDS
    while not _may_listen(host, port):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _may_listen(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _serve(given: argparse.Namespace, settings: Settings) -> int:
    from web.server import Companions, Server, measure_together, options

    if obstacle := _obstacle(given, settings):
        print(obstacle, file=sys.stderr)
        return 1
    logs.configure()
    metrics = measure_together(given.workers)
    from core import demo
    from core.adapters.database import SqlDatabase
    from core.bootstrap import build_system, migrate
    from web.preflight import check_data
    from web.wiring import application, warm_up

    print("正在准备数据库和知识库 …", flush=True)
    check_data()
    if given.alone:
        migrate(settings)
        system = build_system(settings)
    else:
        system = demo.start(settings)
    app = application(system, settings)
    address = f"http://{given.host}:{given.port}"

    def ready(_arbiter: object) -> None:
        print(f"\n政府采购助手已启动：{settings.public_url or address}", flush=True)
        if not given.alone:
            _print_accounts(demo.PASSWORD, demo.PIN, [(a.login, a.label) for a in demo.accounts(system)])

    def after_fork(_arbiter: object, _worker: object) -> None:
        # a connection must not be shared between processes; each opens its own
        if isinstance(system.database, SqlDatabase):
            system.database.engine.dispose(close=False)
        threading.Thread(target=warm_up, args=(app,), name="warm-up", daemon=True).start()

    companions = [] if given.alone else _companions(settings, address)
    with Companions(companions, os.environ):
        Server(app, options(given.host, given.port, given.workers, ready, after_fork)).run()
    if metrics:
        metrics.cleanup()
    return 0


def _companions(settings: Settings, address: str) -> list["Companion"]:
    """The other side of the exchange where it is meant to be on this machine, and the worker."""
    from core.adapters.exchange_client import is_local
    from web.server import Companion

    found = []
    if is_local(settings.mall_url):
        port = str(urlsplit(settings.mall_url).port or 80)
        store = str(settings.var / "counterpart.db")
        found.append(
            Companion(
                "counterpart",
                (
                    "-m",
                    "core.adapters.counterpart",
                    "--port",
                    port,
                    "--database",
                    store,
                    "--platform",
                    address,
                    "--control",
                    "--companion",
                ),
            )
        )
    return [*found, Companion("worker", ("-m", "web.worker", "--companion"))]


def _print_accounts(password: str, pin: str, accounts: list[tuple[str, str]]) -> None:
    print(f"演示账号（密码都是 {password}，演示印章的 PIN 是 {pin}）：")
    for login, label in accounts:
        print(f"  {login:<18} {label}")
    print("按 Ctrl + C 停止。", flush=True)


if __name__ == "__main__":
    sys.exit(main())
