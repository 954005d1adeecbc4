"""The agent over real HTTP on loopback, asked by its page and by hostile ones."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diagnostics
from core.domain.errors import InvalidError
from diagnostics import agent
from diagnostics.agent import Agent
from diagnostics.pairing import MAX_TRIES
from diagnostics.result import Report
from tests.diagnostics.authority import LOOPBACK, site
from tests.diagnostics.conftest import NOW
from tests.diagnostics.test_report import SECRETS, leaky
from tests.support.servers import running

ORIGIN = "https://caigou.example"
HOSTILE = ["https://evil.example", "http://caigou.example", "https://caigou.example.evil.example", "null", ""]


def check(only: list[str] | None, facts: dict[str, object]) -> Report:
    return diagnostics.run("neimenggu", only=only, facts=facts, now=NOW, offline=True)


@dataclass
class Page:
    """A browser's page at `origin`, as far as HTTP goes."""

    port: int
    agent: Agent
    origin: str = ORIGIN
    token: str = ""

    def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, str], dict[str, object]]:
        sent = {"Origin": self.origin} if self.origin else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        try:
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, dict(answer.headers), json.loads(text) if text else {}

    def pair(self, reference: str = "") -> None:
        status, _, body = self.ask(
            "POST", "/v1/pair", {"code": self.agent.pairing.code, "reference": reference}
        )
        assert status == 200
        self.token = str(body["token"])


@pytest.fixture
def start() -> Iterator[Callable[..., Page]]:
    """`start(check, server=…)` serves an agent and returns its page, not paired yet."""

    def make(run: agent.Check = check, server: str | None = None) -> Page:
        made = Agent(run, [ORIGIN], server)
        return Page(stack.enter_context(running(agent.serve(made, 0))), made)

    with ExitStack() as stack:
        yield make


@pytest.fixture
def page(start: Callable[..., Page]) -> Page:
    return start()


EXPIRED = {"token_expires_at": (NOW - timedelta(hours=1)).isoformat()}


def test_a_paired_page_runs_checks(page: Page) -> None:
    page.pair()
    status, headers, body = page.ask("POST", "/v1/run", {"only": ["token"], "facts": EXPIRED})
    assert status == 200
    assert body["root_cause"]["finding"] == "token_expired"
    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert headers["Cache-Control"] == "no-store"


def test_the_greeting_tells_nothing_but_that_it_is_there(page: Page) -> None:
    assert page.ask("GET", "/v1/hello")[::2] == (200, {"format": agent.FORMAT})


@pytest.mark.parametrize("origin", HOSTILE)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/hello"), ("POST", "/v1/pair"), ("OPTIONS", "/v1/run")]
)
def test_other_origins_get_nothing(page: Page, origin: str, method: str, path: str) -> None:
    page.origin = origin
    body = {"code": page.agent.pairing.code} if method == "POST" else None
    status, headers, answer = page.ask(method, path, body, Access_Control_Request_Private_Network="true")
    assert status == 403
    assert not [name for name in headers if name.startswith("Access-Control")]
    assert set(answer) == {"error"}
    assert page.agent.pairing.code is not None


def test_a_stolen_token_is_no_use_to_another_allowed_origin(page: Page) -> None:
    page.pair()
    page.agent.origins = frozenset([ORIGIN, "https://other.example"])
    page.origin = "https://other.example"
    assert page.ask("POST", "/v1/run", {"only": ["token"]})[0] == 401


@pytest.mark.parametrize("host", ["caigou.example", "rebound.example:{port}", "127.0.0.1", "[::1]:{port}"])
def test_a_name_that_was_made_to_point_here_is_refused(page: Page, host: str) -> None:
    status, _, _ = page.ask("GET", "/v1/hello", Host=host.format(port=page.port))
    assert status == 403
    assert page.ask("GET", "/v1/hello", Host=f"localhost:{page.port}")[0] == 200


def test_it_listens_on_loopback_only(page: Page) -> None:
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {LOOPBACK}:
        if not address.startswith("127."):
            with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
                socket.create_connection((address, page.port), timeout=2).close()
    assert agent.HOST == LOOPBACK


@pytest.mark.parametrize("private", ["true", None])
def test_what_a_browser_asks_first(page: Page, private: str | None) -> None:
    headers = {
        "Access_Control_Request_Method": "POST",
        "Access_Control_Request_Headers": "authorization,content-type",
    }
    if private:
        headers["Access_Control_Request_Private_Network"] = private
    status, answer, _ = page.ask("OPTIONS", "/v1/run", **headers)
    assert status == 204
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in answer["Vary"]
    assert "Authorization" in answer["Access-Control-Allow-Headers"]
    assert answer.get("Access-Control-Allow-Private-Network") == private
    assert "Access-Control-Allow-Credentials" not in answer


def test_without_pairing_nothing_runs(page: Page) -> None:
    for token in ("", "x", "Bearer"):
        page.token = token
        for path in ("/v1/run", "/v1/upload", "/v1/none"):
            assert page.ask("POST", path, {})[0] == 401


def test_a_code_is_used_once_and_guessed_at_five_times(start: Callable[..., Page]) -> None:
    used, guessed = start(), start()
    code = used.agent.pairing.code
    used.pair()
    assert used.ask("POST", "/v1/pair", {"code": code})[2]["error"]["code"] == "code_void"
    code = guessed.agent.pairing.code
    wrong = "00000000" if code != "00000000" else "11111111"
    for _ in range(MAX_TRIES):
        assert guessed.ask("POST", "/v1/pair", {"code": wrong})[2]["error"]["code"] == "code_wrong"
    assert guessed.ask("POST", "/v1/pair", {"code": code})[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 60_000,
        b"\xff",
        {"only": "token"},
        {"only": [1]},
        {"facts": []},
        {"only": ["none"]},
        {"facts": {"none": "x"}},
        {"facts": {"token_expires_at": {}}},
        {"module": "x.so"},
        {"only": ["pdf_sign"], "consent": {"pin": "1"}},
        b'{"facts": {}, "pad": "' + b"x" * agent.MAX_BODY_BYTES + b'"}',
    ],
)
def test_what_makes_no_sense_is_refused_and_the_agent_lives(page: Page, body: object) -> None:
    page.pair()
    status, _, answer = page.ask("POST", "/v1/run", body)
    assert status == 400
    assert answer["error"]["message"]
    assert page.ask("POST", "/v1/run", {"only": ["token"]})[0] == 200


@pytest.mark.parametrize(
    "headers", [{"Content_Type": "text/plain"}, {"Content_Length": "-1"}, {"Content_Length": "x"}]
)
def test_what_a_form_could_send_is_refused(page: Page, headers: dict[str, str]) -> None:
    page.pair()
    assert page.ask("POST", "/v1/run", {"only": ["token"]}, **headers)[0] == 400


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=200))
def test_any_body_ends_as_an_answer(body: bytes) -> None:
    made = Agent(check, [ORIGIN])
    token = made.pairing.pair(made.pairing.code or "", ORIGIN, "")
    with agent.serve(made, 0) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        status, _, _ = Page(server.server_port, made, token=token).ask("POST", "/v1/upload", body)
        thread.join()
    assert status in (400, 404)


def test_its_own_failure_is_said_without_internal_text(start: Callable[..., Page]) -> None:
    def broken(*_: object) -> Report:
        raise RuntimeError("internal text")

    page = start(broken)
    page.pair()
    status, _, body = page.ask("POST", "/v1/run", {})
    assert status == 500
    assert "internal" not in str(body)
    assert page.ask("GET", "/v1/hello")[0] == 200


def test_one_check_at_a_time(start: Callable[..., Page]) -> None:
    entered, release = threading.Event(), threading.Event()

    def slow(*_: object) -> Report:
        entered.set()
        release.wait(10)
        return leaky()

    page = start(slow)
    page.pair()
    first: list[int] = []
    thread = threading.Thread(target=lambda: first.append(page.ask("POST", "/v1/run", {})[0]))
    thread.start()
    entered.wait(10)
    assert page.ask("POST", "/v1/run", {})[0] == 409
    release.set()
    thread.join()
    assert first == [200]


def test_the_last_report_goes_to_the_server_redacted_with_the_reference(start: Callable[..., Page]) -> None:
    received: list[bytes] = []

    def take(body: bytes) -> bytes:
        received.append(body)
        return b"{}"

    with site() as server:
        server.send("/reports", take, status=201)
        page = start(lambda *_: leaky(), f"{server.url}/reports")
        page.pair("conversation-7")
        assert page.ask("POST", "/v1/upload", {})[2]["error"]["code"] == "no_report"
        page.ask("POST", "/v1/run", {})
        assert page.ask("POST", "/v1/upload", {})[::2] == (200, {"uploaded": True})
        server.send("/reports", b"", status=500)
        assert page.ask("POST", "/v1/upload", {})[0] == 502
    document = json.loads(received[0])
    assert document["reference"] == "conversation-7"
    assert document["report"]["root_cause"]["finding"] == "driver_error"
    for what in ("id", "credit", "phone", "token"):
        assert SECRETS[what] not in received[0].decode()


def test_a_server_that_redirects_gets_nothing_more(start: Callable[..., Page]) -> None:
    with site() as server, site() as elsewhere:
        server.redirect("/reports", f"{elsewhere.url}/take")
        page = start(lambda *_: leaky(), f"{server.url}/reports")
        page.pair()
        page.ask("POST", "/v1/run", {})
        assert page.ask("POST", "/v1/upload", {})[0] == 502
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    "origin", ["*", "caigou.example", "https://caigou.example/", "null", "ftp://x", "https://A.example"]
)
def test_origins_that_are_none_are_refused(origin: str) -> None:
    with pytest.raises(InvalidError, match="来源"):
        Agent(check, [origin])


def test_reports_are_not_sent_in_the_clear() -> None:
    with pytest.raises(InvalidError, match="https"):
        Agent(check, [ORIGIN], "http://server.example/reports")


def test_the_command_shows_a_code_that_pairs(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port = free.getsockname()[1]
    arguments = ["agent", "--region", "neimenggu", "--origin", ORIGIN, "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "diagnostics", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    with process.stdout:
        try:
            assert str(port) in process.stdout.readline()
            code = re.search(r"\d{8}", process.stdout.readline())
            assert code is not None
            page = Page(port, Agent(check, [ORIGIN]))
            status, _, body = page.ask("POST", "/v1/pair", {"code": f"{code[0][:4]} {code[0][4:]}"})
            page.token = str(body["token"])
            assert status == 200
            assert page.ask("POST", "/v1/run", {"only": ["pin_state"]})[0] == 200
        finally:
            process.terminate()  # not SIGINT: whoever runs the tests in the background has it ignored
            assert process.wait(20) == 0
