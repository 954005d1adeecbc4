"""The client against servers that misbehave, and where the secrets come from."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from core.adapters.counterpart.server import Counterpart
from core.adapters.exchange_client import HttpExchange, check_urls, shared_secrets
from core.domain.errors import DataError
from core.service.exchange_ports import SYSTEMS, RefusedError, UnreachableError
from tests.support.servers import free_port

BODY = {"number": "JH-1", "title": "打印机", "amount_fen": 100}
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def saying() -> Iterator[Callable[[Answer], str]]:
    servers: list[HTTPServer] = []

    def serve(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(answer[0])
                for name, value in answer[1].items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer[2])

            def log_message(self, *args: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b'{"accepted": "other"}', UnreachableError),
        (200, b"[1]", UnreachableError),
        (200, b"[" * 100_000, UnreachableError),
        (500, b'{"detail": "x"}', UnreachableError),
        (429, b"", UnreachableError),
        (404, b'{"detail": "\\u6ca1\\u6709\\u000a"}', RefusedError),
        (401, b"{}", RefusedError),
    ],
)
def test_answers_that_are_no_receipt(
    saying: Callable[[Answer], str], port_to: Callable[[str], HttpExchange], status: int, body: bytes,
    error: type[Exception],
) -> None:  # fmt: skip
    with pytest.raises(error):
        port_to(saying((status, {}, body))).send("mall", "mall.dispatch", BODY, "k-1")


def test_redirects_are_not_followed(
    saying: Callable[[Answer], str], port_to: Callable[[str], HttpExchange], counterpart: Counterpart
) -> None:
    target = {"Location": f"{counterpart.url}/mall/messages"}
    with pytest.raises(RefusedError):
        port_to(saying((307, target, b""))).send("mall", "mall.dispatch", BODY, "k-1")
    assert counterpart.store.messages("mall") == []


def test_the_same_key_acts_once_and_never_for_another_message(
    counterpart: Counterpart, port_to: Callable[[str], HttpExchange]
) -> None:
    port = port_to(counterpart.url)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: port.send("mall", "mall.dispatch", BODY, "k-1"), range(4)))
    assert [item.deliveries for item in counterpart.store.messages("mall")] == [4]
    with pytest.raises(RefusedError, match="另一条消息"):
        port.send("mall", "mall.dispatch", {**BODY, "amount_fen": 1}, "k-1")
    assert [plan.amount_fen for plan in counterpart.store.plans("mall")] == [100]


def test_a_message_for_another_system_or_without_sense_is_refused(
    counterpart: Counterpart, port_to: Callable[[str], HttpExchange]
) -> None:
    port = port_to(counterpart.url)
    for topic, body in (("agency.dispatch", BODY), ("mall.explode", BODY), ("mall.dispatch", {"number": 1})):
        with pytest.raises(RefusedError):
            port.send("mall", topic, body, f"k-{topic}")
    assert counterpart.store.messages("mall") == []


def test_an_unsigned_message_leaves_nothing(counterpart: Counterpart) -> None:
    answer = httpx.post(f"{counterpart.url}/mall/messages", json={"topic": "mall.dispatch", "body": BODY})
    assert answer.status_code == 401
    assert counterpart.store.messages("mall") == []


def test_the_counterpart_remembers_in_its_file(
    tmp_path: Path, port_to: Callable[[str], HttpExchange], clock
) -> None:
    secrets = {"mall": b"secret of mall"}
    for deliveries in (1, 2):
        with Counterpart(secrets, database=str(tmp_path / "c.db"), clock=clock) as running:
            port_to(running.url).send("mall", "mall.dispatch", BODY, "k-1")
            assert [item.deliveries for item in running.store.messages("mall")] == [deliveries]
            assert httpx.post(f"{running.url}/control/faults", json={}).status_code == 404


def test_a_taken_port_is_said(counterpart: Counterpart) -> None:
    with pytest.raises(OSError, match="is taken"):
        Counterpart({}, port=int(counterpart.url.rpartition(":")[2]))


def test_own_secrets_are_made_once_for_all_processes(tmp_path: Path) -> None:
    var = tmp_path / "var"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: shared_secrets(var, {}), range(8)))
    assert all(each == found[0] for each in found)
    assert len(set(found[0].values())) == len(SYSTEMS)
    assert (var / "exchange.key").stat().st_mode & 0o077 == 0
    assert [path.name for path in var.iterdir()] == ["exchange.key"]
    assert shared_secrets(var, {"CAIGOU_MALL_SECRET": "given"})["mall"] == b"given"


def test_a_system_elsewhere_needs_a_secret() -> None:
    check_urls({"mall": "http://127.0.0.1:8001"}, {})
    check_urls({"mall": "https://mall.example"}, {"CAIGOU_MALL_SECRET": "s"})
    with pytest.raises(DataError) as caught:
        check_urls({"mall": "https://mall.example", "agency": "agency.example"}, {})
    assert [line.split(":")[0] for line in caught.value.problems] == [
        "CAIGOU_MALL_SECRET",
        "CAIGOU_AGENCY_URL",
    ]


def test_the_command_serves_until_its_parent_is_gone(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "core.adapters.counterpart", "--port", str(port), "--companion"]
    starts_it = f"import subprocess; subprocess.Popen({command!r}).stdout; input()"
    environment = {**os.environ, "CAIGOU_VAR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", starts_it], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert str(port) in parent.stdout.readline().decode()
        assert httpx.get(f"http://127.0.0.1:{port}/mall/plans").json() == []
        again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (again.returncode, "已被占用" in again.stderr) == (1, True)
        parent.kill()
        assert parent.stdout.read() == b"", "its end closes what it printed to"
