"""Runs the application under gunicorn, with the companions of the embedded mode beside it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

THREADS = 8
STOP_SECONDS = 20
WORKER_SECONDS = 60


@dataclass(frozen=True)
class Companion:
    """A process beside the server: what it is for, and its command after the interpreter."""

    name: str
    command: tuple[str, ...]


class Companions:
    """Started before the server and stopped after it."""

    def __init__(self, wanted: Sequence[Companion], environment: Mapping[str, str]) -> None:
        """Nothing runs yet."""
        self._wanted = wanted
        self._environment = dict(environment)
        self._running: list[subprocess.Popen[bytes]] = []
        self._owner = os.getpid()

    def __enter__(self) -> Self:
        """Start all, in groups of their own: Ctrl-C reaches the server first, which stops them in order."""
        for companion in self._wanted:
            command = [sys.executable, *companion.command]
            self._running.append(
                subprocess.Popen(command, env=self._environment, start_new_session=True)  # noqa: S603 - our own modules
            )
        return self

    def __exit__(self, *_error: object) -> None:
        """Ask all to stop, then insist. The server's forked workers leave through here, too, and must not."""
        if os.getpid() != self._owner:
            return
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


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
