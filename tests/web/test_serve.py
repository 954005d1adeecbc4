"""The served thing as a user starts it: a process of its own, with all that belongs to it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from core import demo
from tests.support.servers import free_port
from tests.web.conftest import HANDLER

START_SECONDS = 180  # the first start builds five regions, on a machine that may be busy
CLIENT = httpx.Client(timeout=60)  # the machine that runs the tests may be busy


class Served:
    """`python -m web serve` with a database of its own."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.port, self.other = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        environment = {
            **os.environ,
            "CAIGOU_VAR": str(self.var),
            **{
                f"CAIGOU_{name}_URL": f"http://127.0.0.1:{self.other}"
                for name in ("MALL", "AGENCY", "FINANCE")
            },
        }
        command = [sys.executable, "-m", "web", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                CLIENT.get(f"{self.url}/healthz")
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
    if one.process and one.process.poll() is None:
        one.process.kill()
        one.process.wait()


def sign_in(url: str) -> dict[str, str]:
    answer = CLIENT.post(f"{url}/api/v1/sessions", json={"login": HANDLER, "password": demo.PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_answers_stops_and_keeps_what_was_done(served: Served, by: signal.Signals) -> None:
    served.start()
    assert CLIENT.get(f"{served.url}/readyz").json()["ready"] is True
    headers = sign_in(served.url)
    body = {"variant": "mall", "form": {"name": "激光打印机", "need_by": "2026-12-31"}}
    made = CLIENT.post(f"{served.url}/api/v1/documents", json=body, headers=headers)
    assert made.status_code == 201, made.text
    said = CLIENT.post(
        f"{served.url}/api/v1/chat", json={"text": "单位账号是多少", "key": "message-1"}, headers=headers
    )
    assert said.status_code == 200, said.text
    assert said.json()["replies"]
    family = served.family()
    output = served.stop(by)
    assert served.process is not None
    assert served.process.returncode == 0, output
    assert served.url in output
    assert HANDLER in output
    assert demo.PASSWORD in output
    assert "Traceback" not in output
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    served.start()
    number = made.json()["summary"]["number"]
    # the session outlives the restart, too
    again = CLIENT.get(f"{served.url}/api/v1/documents/{number}", headers=headers)
    assert again.status_code == 200
    served.stop()


def test_a_busy_port_is_said(served: Served) -> None:
    served.start()
    environment = {**os.environ, "CAIGOU_VAR": str(served.var)}
    command = [sys.executable, "-m", "web", "serve", "--port", str(served.port)]
    second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "已被占用" in second.stderr
    served.stop()


def test_several_processes_want_redis(tmp_path: Path) -> None:
    environment = {**os.environ, "CAIGOU_VAR": str(tmp_path)}
    environment.pop("CAIGOU_REDIS_URL", None)
    command = [sys.executable, "-m", "web", "serve", "--workers", "2"]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "CAIGOU_REDIS_URL" in refused.stderr
