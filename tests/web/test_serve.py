"""The served thing as a user starts it: a process of its own, with all that belongs to it."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from core import demo
from tests.web.conftest import HANDLER

START_SECONDS = 180  # the first start builds five regions, on a machine that may be busy


def _two_ports() -> int:
    """A port that is free together with the next one, below those that the system hands out for connections."""
    for _ in range(100):
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as one, socket.socket() as next_one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            next_one.bind(("127.0.0.1", port + 1))
            return port
    raise AssertionError("no two free ports side by side")


class Served:
    """`python -m web serve` with a database of its own."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.port = _two_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None
        self.client = httpx.Client(timeout=60)  # the machine that runs the tests may be busy

    def start(self) -> None:
        environment = {**os.environ, "CAIGOU_VAR": str(self.var)}
        command = [sys.executable, "-m", "web", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.client.get(f"{self.url}/healthz")
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
        self.process.kill()
        pytest.fail(f"did not start: {self.process.communicate()[0]}")

    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def stop(self, by: signal.Signals = signal.SIGTERM) -> str:
        assert self.process is not None
        self.process.send_signal(by)
        return self.process.communicate(timeout=START_SECONDS)[0]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    one = Served(tmp_path / "var")
    yield one
    one.client.close()
    if one.process and one.process.poll() is None:
        one.process.kill()
        one.process.wait()


def sign_in(served: Served) -> dict[str, str]:
    answer = served.client.post(
        f"{served.url}/api/v1/sessions", json={"login": HANDLER, "password": demo.PASSWORD}
    )
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_answers_stops_and_keeps_what_was_done(served: Served, by: signal.Signals) -> None:
    served.start()
    assert served.client.get(f"{served.url}/readyz").json()["ready"] is True
    headers = sign_in(served)
    body = {"variant": "mall", "form": {"name": "激光打印机", "need_by": "2026-12-31"}}
    made = served.client.post(f"{served.url}/api/v1/documents", json=body, headers=headers)
    assert made.status_code == 201, made.text
    said = served.client.post(
        f"{served.url}/api/v1/chat", json={"text": "单位账号是多少", "key": "message-1"}, headers=headers
    )
    assert said.status_code == 200, said.text
    assert said.json()["replies"]
    family = served.family()
    output = served.stop(by)
    assert served.process is not None
    assert served.process.returncode == 0, output
    assert served.url in output
    # its own counterpart, whoever else serves on this machine
    assert f"对接方在 http://127.0.0.1:{served.port + 1}" in output
    assert HANDLER in output
    assert demo.PASSWORD in output
    assert "Traceback" not in output
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    served.start()
    number = made.json()["summary"]["number"]
    # the session outlives the restart, too
    again = served.client.get(f"{served.url}/api/v1/documents/{number}", headers=headers)
    assert again.status_code == 200
    served.stop()


@pytest.mark.parametrize(("beside", "whose"), [(0, "已被占用"), (1, "已被占用，同机的对接方要用它")])
def test_a_busy_port_is_said_before_anything_is_done(tmp_path: Path, beside: int, whose: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", _two_ports() + beside))
        other.listen()
        busy = other.getsockname()[1]
        command = [sys.executable, "-m", "web", "serve", "--port", str(busy - beside)]
        environment = {**os.environ, "CAIGOU_VAR": str(tmp_path)}
        refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert f"端口 {busy} {whose}，请用 --port 换一个" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_several_processes_want_redis(tmp_path: Path) -> None:
    environment = {**os.environ, "CAIGOU_VAR": str(tmp_path)}
    environment.pop("CAIGOU_REDIS_URL", None)
    command = [sys.executable, "-m", "web", "serve", "--workers", "2"]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "CAIGOU_REDIS_URL" in refused.stderr
