"""Runs the application under gunicorn, with the companions of the embedded mode beside it."""

import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

THREADS = 8
STOP_SECONDS = 20
WORKER_SECONDS = 60
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before a companion that died is started again

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Companion:
    """A process beside the server: what it is for, and its command after the interpreter."""

    name: str
    command: tuple[str, ...]


class Companions:
    """Started before the server, started again where one dies, stopped after it."""

    def __init__(
        self, wanted: Sequence[Companion], environment: Mapping[str, str], *, first_pause: float = FIRST_PAUSE
    ) -> None:
        """Nothing runs yet. A companion that died is started again after `first_pause` seconds, then twice that …"""
        self._wanted = wanted
        self._environment = dict(environment)
        self._first_pause = first_pause
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.keepers: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._owner = os.getpid()

    def __enter__(self) -> Self:
        """Start all, in groups of their own: Ctrl-C reaches the server first, which stops them in order."""
        for companion in self._wanted:
            process = self._start(companion)
            keeper = threading.Thread(
                target=self._keep, args=(companion, process), name=companion.name, daemon=True
            )
            keeper.start()
            self.keepers.append(keeper)
        return self

    def _start(self, companion: Companion) -> subprocess.Popen[bytes]:
        command = [sys.executable, *companion.command]
        process = subprocess.Popen(command, env=self._environment, start_new_session=True)  # noqa: S603 - our own modules
        self._running[companion.name] = process
        return process

    def _keep(self, companion: Companion, process: subprocess.Popen[bytes]) -> None:
        """Wait for the end of a companion and start it again, the sooner the longer it had lived."""
        pause = self._first_pause
        while True:
            began = time.monotonic()
            code = process.wait()
            if self._stop.is_set():
                return
            pause = self._first_pause if time.monotonic() - began > LONGEST_PAUSE else pause
            log.warning("companion %s ended with %s, started again in %.1f s", companion.name, code, pause)
            if self._stop.wait(pause):
                return
            pause = min(2 * pause, LONGEST_PAUSE)
            with self._lock:  # not while the others are being stopped
                if self._stop.is_set():
                    return
                process = self._start(companion)

    def __exit__(self, *_error: object) -> None:
        """Ask all to stop, then insist. The server's forked workers leave through here, too, and must not."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            self._stop.set()
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for keeper in self.keepers:
            keeper.join()


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn around an application that was built before the fork, so that it is built once."""

    def __init__(self, app: Flask, options: Mapping[str, Any]) -> None:
        """`options` are gunicorn's settings by name."""
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Our settings and none from files or the environment."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application."""
        return self._app


def options(host: str, port: int, workers: int, when_ready: Any, after_fork: Any) -> dict[str, Any]:
    """Threads share a process: SQLite has one writer at a time anyway, and more processes come with PostgreSQL."""
    return {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": THREADS,
        "graceful_timeout": STOP_SECONDS,
        "timeout": WORKER_SECONDS,
        "keepalive": 5,
        "max_requests": 0,
        "loglevel": "warning",
        "accesslog": None,
        "worker_tmp_dir": tempfile.gettempdir(),
        "limit_request_line": 8190,
        "control_socket_disable": True,
        "when_ready": when_ready,
        "post_fork": after_fork,
    }


def measure_together(workers: int) -> tempfile.TemporaryDirectory[str] | None:
    """Several processes count in shared files; has to be said before prometheus_client is imported."""
    if workers == 1:
        return None
    folder = tempfile.TemporaryDirectory(prefix="caigou-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder.name
    return folder
