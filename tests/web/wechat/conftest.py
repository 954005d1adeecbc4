"""The channel over real HTTP: a webhook on loopback, WeChat's counterpart, and a real database."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.serving import make_server

from core.adapters.database import make_engine
from tests.support.clock import Clock
from tests.support.servers import running
from web.wechat.client import WeChatClient
from web.wechat.config import Channel
from web.wechat.counterpart import Answer, Counterpart, Delivery
from web.wechat.inbox import SqlInbox
from web.wechat.service import ChannelService, ThreadRunner
from web.wechat.store import SqlBindings, SqlTokenStore
from web.wechat.tables import metadata
from web.wechat.webhook import create_blueprint

SECRET = b"made-up key of the tests"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


@dataclass
class Talk:
    """A conversation that answers with what it was told; slow, long or failing where a test wants it."""

    turns: list[tuple[str, str, int | None, str, str]] = field(default_factory=list)
    forgotten: list[tuple[str, str]] = field(default_factory=list)
    answer: Callable[[str], str] = "答：{}".format
    gate: threading.Event = field(default_factory=threading.Event)

    def turn(self, channel: str, openid: str, account_id: int | None, text: str, key: str) -> str:
        self.turns.append((channel, openid, account_id, text, key))
        self.gate.wait(30)
        return self.answer(text)

    def forget(self, channel: str, openid: str) -> None:
        self.forgotten.append((channel, openid))


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, 1, 0, tzinfo=UTC))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def counterpart() -> Iterator[Counterpart]:
    with Counterpart({"wx0000000000000001": "app-secret"}) as counterpart:
        yield counterpart


@pytest.fixture
def channel(counterpart: Counterpart) -> Channel:
    return Channel(
        name="demo",
        token="AToken01",
        aes_key=AES_KEY,
        app_id="wx0000000000000001",
        secret="app-secret",
        base_url=counterpart.base_url,
    )


@dataclass
class World:
    """Everything of one channel, wired as an application does."""

    engine: Engine
    clock: Clock
    channel: Channel
    counterpart: Counterpart
    talk: Talk
    bindings: SqlBindings
    inbox: SqlInbox
    service: ChannelService
    runner: ThreadRunner
    serve: Callable[..., str]
    stack: ExitStack

    def deliver(self, delivery: Delivery, *, url: str | None = None, times: int = 1) -> list[Answer]:
        return self.counterpart.deliver(url or self.serve(), self.channel, delivery, times=times)

    def settle(self) -> None:
        """Wait until everything under way in the background has ended."""
        self.runner.close()

    def stop(self) -> None:
        """Close the servers, after their last response, then `settle`."""
        self.stack.close()
        self.settle()


@pytest.fixture
def world(engine: Engine, clock: Clock, channel: Channel, counterpart: Counterpart) -> Iterator[World]:
    channels = {"demo": channel}
    talk = Talk()
    talk.gate.set()
    bindings, inbox = SqlBindings(engine, clock, SECRET), SqlInbox(engine, clock)
    client = WeChatClient(channels, SqlTokenStore(engine, clock))
    service = ChannelService(channels, talk, bindings, inbox, client, SECRET)
    runner = ThreadRunner(service)
    with ExitStack() as stack:

        def serve(wait_seconds: float = 20.0) -> str:
            app = Flask("webhook")
            app.register_blueprint(create_blueprint(channels, service, runner, wait_seconds=wait_seconds))
            server = make_server("127.0.0.1", 0, app, threaded=True)
            server.daemon_threads = False  # close only after the last response
            return f"http://127.0.0.1:{stack.enter_context(running(server))}/wechat/demo"

        yield World(engine, clock, channel, counterpart, talk, bindings, inbox, service, runner, serve, stack)
        talk.gate.set()
        runner.close()
    client.close()
