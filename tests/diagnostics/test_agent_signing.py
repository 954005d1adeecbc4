"""The agent signs the platform's own challenges, and only when whoever sits at the desk types the PIN there."""

import os
import pty
import re
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from queue import SimpleQueue

import pytest

from core.adapters import softhsm
from core.adapters.certificates import X509Judge
from core.adapters.seal_trust import Trust
from core.service.challenges import _parts
from diagnostics import agent
from diagnostics.agent import Agent
from tests.diagnostics.test_agent import ORIGIN, Page, check
from tests.support.need import softhsm_module
from tests.support.servers import free_port, running

PIN = "73915026"
CHALLENGE = "caigou-v1:sign_in:" + "A" * 43


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> softhsm.Provisioned:
    softhsm_module()
    seals = [softhsm.DemoSeal("公章"), softhsm.DemoSeal("加密章", encryption_only=True)]
    token = softhsm.DemoToken("DESK", "河湾示例区第三中学", PIN, seals)
    return softhsm.provision(tmp_path_factory.mktemp("desk"), [token])


def serve(sign: Callable[[str, str], str] | None) -> Iterator[Page]:
    made = Agent(check, [ORIGIN], None, sign)
    with running(agent.serve(made, 0)) as port:
        yield Page(port, made)


@pytest.fixture
def asked() -> SimpleQueue[tuple[str, str]]:
    return SimpleQueue()


@pytest.fixture
def page(asked: SimpleQueue[tuple[str, str]]) -> Iterator[Page]:
    def sign(challenge: str, origin: str) -> str:
        asked.put((challenge, origin))
        return "made"

    yield from serve(sign)


def test_only_a_paired_page_may_ask(page: Page, asked: SimpleQueue[tuple[str, str]]) -> None:
    assert page.ask("POST", "/v1/sign", {"challenge": CHALLENGE})[0] == 401
    assert asked.empty()
    page.pair()
    assert page.ask("POST", "/v1/sign", {"challenge": CHALLENGE})[::2] == (200, {"proof": "made"})
    assert asked.get() == (CHALLENGE, ORIGIN)


@pytest.mark.parametrize("body", [{}, {"challenge": 1}, {"challenge": CHALLENGE, "pin": "1"}, {"text": "x"}])
def test_nothing_but_a_challenge_can_be_asked_for(
    page: Page, asked: SimpleQueue[tuple[str, str]], body: dict[str, object]
) -> None:
    page.pair()
    assert page.ask("POST", "/v1/sign", body)[0] == 400
    assert asked.empty()


def test_one_at_a_time() -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(_challenge: str, _origin: str) -> str:
        begun.set()
        go.wait(30)
        return "made"

    for page in serve(slow):
        page.pair()
        first = ask(page, CHALLENGE)
        assert begun.wait(30)
        status, _, second = page.ask("POST", "/v1/sign", {"challenge": CHALLENGE})
        go.set()
        assert (status, first.get(timeout=30)[0]) == (409, 200)
        assert second["error"]["code"] == "busy"  # type: ignore[index]


def test_an_agent_that_cannot_sign_says_so() -> None:
    for page in serve(None):
        page.pair()
        status, _, answer = page.ask("POST", "/v1/sign", {"challenge": CHALLENGE})
        assert status == 404
        assert answer["error"]["code"] == "cannot_sign"  # type: ignore[index]


class Desk:
    """`python -m diagnostics agent` in a terminal of its own."""

    def __init__(self, made: softhsm.Provisioned) -> None:
        self.terminal, inner = pty.openpty()
        environment = {**os.environ, **made.environment, "CAIGOU_PKCS11_MODULE": str(made.module)}
        command = [sys.executable, "-m", "diagnostics", "agent", "--region", "neimenggu", "--origin", ORIGIN]
        self.process = subprocess.Popen(
            [*command, "--port", str(free_port())], stdin=inner, stdout=inner, stderr=inner, env=environment, close_fds=True,
            start_new_session=True, preexec_fn=_take_terminal,  # noqa: PLW1509 - getpass wants a controlling terminal
        )  # fmt: skip
        os.close(inner)
        self.seen = ""

    def until(self, pattern: str) -> str:
        """What the terminal shows up to `pattern`."""
        while not (found := re.search(pattern, self.seen)):
            assert select.select([self.terminal], [], [], 60)[0], f"no {pattern} in {self.seen}"
            self.seen += os.read(self.terminal, 1024).decode("utf-8", "replace")
        return found[0]

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        os.close(self.terminal)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def desk(made: softhsm.Provisioned) -> Iterator[Desk]:
    started = Desk(made)
    yield started
    started.end()


def pair(desk: Desk) -> Page:
    port = int(desk.until(r"127\.0\.0\.1:\d+").rpartition(":")[2])
    code = desk.until(r"配对码：\d{8}")[-8:]
    page = Page(port, Agent(check, [ORIGIN]))
    status, _, body = page.ask("POST", "/v1/pair", {"code": code})
    assert status == 200
    page.token = str(body["token"])
    return page


def ask(page: Page, challenge: str) -> SimpleQueue[tuple[int, dict[str, object]]]:
    answers: SimpleQueue[tuple[int, dict[str, object]]] = SimpleQueue()

    def wait() -> None:
        status, _, body = page.ask("POST", "/v1/sign", {"challenge": challenge})
        answers.put((status, body))

    threading.Thread(target=wait, daemon=True).start()
    return answers


@pytest.mark.covers("nm-6", "ah-2.2")
def test_the_pin_is_typed_at_the_desk_and_the_proof_holds(desk: Desk, made: softhsm.Provisioned) -> None:
    page = pair(desk)
    answers = ask(page, CHALLENGE)
    said = desk.until(r"网页 [\s\S]*直接回车：")
    assert ORIGIN in desk.seen
    assert "公章" in said
    assert "用途：登录" in said
    desk.type(f"{PIN}\n")
    status, body = answers.get(timeout=60)
    assert status == 200
    der, signature = _parts(str(body["proof"]))
    judge = X509Judge(Trust(made.roots, made.intermediates))
    assert judge.why_not(der, datetime.now(UTC)) is None
    assert judge.signed(der, CHALLENGE.encode(), signature)
    assert PIN not in desk.seen
    assert PIN not in str(body)


def test_whoever_sits_there_may_refuse(desk: Desk) -> None:
    page = pair(desk)
    answers = ask(page, CHALLENGE)
    desk.until("直接回车：")
    desk.type("\n")
    status, body = answers.get(timeout=60)
    assert status == 403
    assert body["error"]["code"] == "declined"  # type: ignore[index]


def test_other_texts_are_not_signed_and_nobody_is_asked(desk: Desk) -> None:
    page = pair(desk)
    status, body = ask(page, "我同意付款").get(timeout=60)
    assert status == 400
    assert "不是本平台的验证文字" in str(body)
    assert "直接回车" not in desk.seen


def test_a_wrong_pin_is_used_once(desk: Desk) -> None:
    page = pair(desk)
    answers = ask(page, CHALLENGE)
    desk.until("直接回车：")
    desk.type("00000000\n")
    status, body = answers.get(timeout=60)
    assert status == 400
    assert body["error"]["code"] == "pin_wrong"  # type: ignore[index]
