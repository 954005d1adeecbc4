"""Chat turns a second over HTTP, beside an empty Flask route that writes one row. Goal: at least half of it.

Both run under the same server with the same settings and the same number of clients, one after the other, several
rounds each; a turn is the whole of it: session, understanding, the asker's documents, the stored conversation.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count, cycle
from pathlib import Path
from statistics import median

import httpx

from core import demo
from core.bootstrap import build_system, migrate
from core.service import accounts
from core.settings import Settings
from tests.support.servers import free_port

CLIENTS, SECONDS, ROUNDS, GOAL = 4, 3.0, 3, 0.5
READY_SECONDS = 60
SAID = (
    "你好",
    "单位账号是多少",
    "提示未传入access_token",
    "采购意向公开怎么做",
    "流程到哪里了",
    "算了",
    "谢谢",
)

Send = Callable[[], None]


def main() -> None:
    """Print both rates and their ratio; SystemExit(1) when the goal is missed."""
    with tempfile.TemporaryDirectory() as folder:
        token = _world(Path(folder))
        rates: dict[str, list[float]] = {"chat": [], "empty": []}
        with _server("chat", folder) as chat, _server("empty", folder) as empty:
            for _ in range(ROUNDS):
                rates["chat"].append(_rate(lambda: _talker(chat, token)))
                rates["empty"].append(_rate(lambda: _writer(empty)))
    chat_rate, empty_rate = median(rates["chat"]), median(rates["empty"])
    ratio = chat_rate / empty_rate
    print(f"chat turns         {chat_rate:8.0f} /s")
    print(f"empty route, 1 row {empty_rate:8.0f} /s")
    print(f"ratio              {ratio:8.2f}    goal ≥ {GOAL}  {'ok' if ratio >= GOAL else 'missed'}")
    if ratio < GOAL:
        raise SystemExit(1)


def _world(folder: Path) -> str:
    settings = Settings(var=folder, database_url=f"sqlite:///{folder}/caigou.db")
    migrate(settings)
    system = build_system(settings)
    demo.load(system, ["neimenggu"], walked=False)
    login = demo.accounts(system)[0].login
    for one in demo.accounts(system):
        login = one.login if "经办" in one.label else login
    return accounts.sign_in(system, login, demo.PASSWORD).token


@contextmanager
def _server(kind: str, folder: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.chat_server", kind, str(port), folder]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield _ready(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(20)


def _ready(address: str, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(address + "/nowhere")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return address
    raise RuntimeError(f"{address} did not start")


def _talker(address: str, token: str) -> Send:
    client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    said, numbers = cycle(SAID), count()
    started = time.monotonic_ns()
    conversation: str | None = None

    def send() -> None:
        nonlocal conversation
        key = f"bench-{started}-{next(numbers)}-{id(client)}"
        body = {"conversation": conversation, "text": next(said), "key": key}
        answer = client.post("/api/v1/chat", json=body)
        answer.raise_for_status()
        conversation = answer.json()["conversation"]

    return send


def _writer(address: str) -> Send:
    client = httpx.Client(base_url=address, timeout=30)

    def send() -> None:
        client.post("/").raise_for_status()

    return send


def _rate(sender: Callable[[], Send]) -> float:
    """Requests a second of all clients together."""

    def run(send: Send) -> int:
        done, until = 0, time.monotonic() + SECONDS
        while time.monotonic() < until:
            send()
            done += 1
        return done

    senders = [sender() for _ in range(CLIENTS)]
    for send in senders:
        send()
    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(run, senders)) / SECONDS


if __name__ == "__main__":
    main()
