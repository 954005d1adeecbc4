import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select

from web.wechat.client import AccessToken, WeChatClient
from web.wechat.config import Channel
from web.wechat.counterpart import Counterpart, Sent
from web.wechat.errors import WeChatError
from web.wechat.store import SqlTokenStore
from web.wechat.tables import token

APP = "wx0000000000000001"


@pytest.fixture
def client(engine: Engine, clock, channel: Channel):
    client = WeChatClient({"demo": channel}, SqlTokenStore(engine, clock))
    yield client
    client.close()


def refused(client: WeChatClient, text: str = "您好") -> WeChatError:
    with pytest.raises(WeChatError) as caught:
        client.send_text("demo", "oUser1", text)
    return caught.value


def test_sends_with_one_token(client: WeChatClient, counterpart: Counterpart):
    counterpart.allow("oUser1")
    client.send_text("demo", "oUser1", "您好")
    client.send_text("demo", "oUser1", "第二条")
    assert counterpart.sent == [Sent("oUser1", "您好"), Sent("oUser1", "第二条")]
    assert counterpart.token_calls == 1


def test_token_is_renewed_before_it_ends(client: WeChatClient, counterpart: Counterpart, clock):
    counterpart.allow("oUser1")
    client.send_text("demo", "oUser1", "a")
    clock.pass_by(seconds=7200 - 299)
    client.send_text("demo", "oUser1", "b")
    assert counterpart.token_calls == 2


def test_a_lost_token_is_renewed_once(client: WeChatClient, counterpart: Counterpart):
    counterpart.allow("oUser1")
    client.send_text("demo", "oUser1", "a")
    counterpart.expire_tokens()
    client.send_text("demo", "oUser1", "b")
    assert [sent.text for sent in counterpart.sent] == ["a", "b"]
    assert counterpart.token_calls == 2


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_token_that_stays_refused_does_not_recurse(
    client: WeChatClient, counterpart: Counterpart, errcode: int
):
    counterpart.allow("oUser1")
    counterpart.refuse(errcode, times=100)
    error = refused(client)
    assert (error.code, error.fields["errcode"]) == ("wechat_token", errcode)
    # first token; the same again without force, then forced; no third try
    assert counterpart.token_calls == 3
    assert len(counterpart._refusals) == 98


@pytest.mark.parametrize(
    ("errcode", "code"),
    [
        (45015, "wechat_window_closed"),
        (45047, "wechat_count_used_up"),
        (48001, "wechat_no_permission"),
        (45009, "wechat_quota"),
        (45011, "wechat_quota"),
        (-1, "wechat_busy"),
        (99999, "wechat_refused"),
    ],
)
def test_errors_by_name(client: WeChatClient, counterpart: Counterpart, errcode: int, code: str):
    counterpart.refuse(errcode)
    assert refused(client).code == code
    assert counterpart.sent == []


def test_the_counterpart_counts_as_wechat_does(client: WeChatClient, counterpart: Counterpart):
    assert refused(client).code == "wechat_window_closed"
    counterpart.allow("oUser1", 1)
    client.send_text("demo", "oUser1", "a")
    assert refused(client).code == "wechat_count_used_up"
    assert refused(client, "长" * 700).code == "wechat_too_long"


def test_a_wrong_secret_is_said(engine: Engine, clock, channel: Channel):
    wrong = channel.model_copy(update={"secret": "wrong"})
    client = WeChatClient({"demo": wrong}, SqlTokenStore(engine, clock))
    assert refused(client).code == "wechat_credentials"
    client.close()


def test_redirects_are_not_followed(client: WeChatClient, counterpart: Counterpart):
    with Counterpart({APP: "app-secret"}) as elsewhere:
        counterpart.redirect_to = elsewhere.base_url + "/cgi-bin/stable_token"
        assert refused(client).code == "wechat_unreachable"
        assert elsewhere.token_calls == 0


def test_nobody_there(engine: Engine, clock, channel: Channel):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        gone = channel.model_copy(update={"base_url": url})
        client = WeChatClient({"demo": gone}, SqlTokenStore(engine, clock))
        error = refused(client)
        assert (error.code, error.may_send_again) == ("wechat_unreachable", True)
        client.close()


@pytest.mark.parametrize(
    "answer",
    [b"", b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nnot json", b"HTTP/1.1 200 OK\r\n\r\n[]",
     b'HTTP/1.1 200 OK\r\n\r\n{"errcode": "x"}', b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 100_000,
     b"HTTP/1.1 502 Bad Gateway\r\n\r\n{}"],
)  # fmt: skip
def test_answers_that_are_none(engine: Engine, clock, channel: Channel, answer: bytes):
    """A message that may have arrived is not sent again."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        odd = channel.model_copy(update={"base_url": f"http://127.0.0.1:{server.getsockname()[1]}"})
        store = SqlTokenStore(engine, clock)
        store.refresh(APP, None, lambda: AccessToken("token-1", 6000))
        client = WeChatClient({"demo": odd}, store)
        error = refused(client)
        assert (error.code, error.may_send_again) == ("wechat_no_answer", False)
        thread.join()
        client.close()


def test_a_silent_server_is_given_up(engine: Engine, clock, channel: Channel):
    with socket.create_server(("127.0.0.1", 0)) as server:
        mute = channel.model_copy(update={"base_url": f"http://127.0.0.1:{server.getsockname()[1]}"})
        store = SqlTokenStore(engine, clock)
        store.refresh(APP, None, lambda: AccessToken("token-1", 6000))
        client = WeChatClient({"demo": mute}, store, seconds=0.2)
        assert refused(client).code == "wechat_no_answer"
        client.close()


def test_many_workers_refresh_once(engine: Engine, clock, channel: Channel, counterpart: Counterpart):
    """Workers share nothing but the database."""
    counterpart.allow("oUser1", 16)
    clients = [WeChatClient({"demo": channel}, SqlTokenStore(engine, clock)) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda client: client.send_text("demo", "oUser1", "a"), clients))
        assert counterpart.token_calls == 1
        counterpart.expire_tokens()
        list(pool.map(lambda client: client.send_text("demo", "oUser1", "b"), clients))
    assert counterpart.token_calls == 2
    assert len(counterpart.sent) == 16
    for client in clients:
        client.close()


def test_a_failed_refresh_frees_the_lock(engine: Engine, clock):
    store = SqlTokenStore(engine, clock)

    def fail() -> AccessToken:
        raise WeChatError("不行", code="wechat_unreachable")

    with pytest.raises(WeChatError):
        store.refresh(APP, None, fail)
    assert store.refresh(APP, None, lambda: AccessToken("token-1", 60)) == "token-1"


def test_a_lock_of_a_dead_worker_runs_out(engine: Engine, clock):
    store = SqlTokenStore(engine, clock)
    store._ensure_row(APP)
    assert store._take_lease(APP, "dead")
    assert not store._take_lease(APP, "alive")
    clock.pass_by(seconds=31)
    assert store.refresh(APP, None, lambda: AccessToken("t" * 512, 60)) == "t" * 512
    with engine.connect() as connection:
        assert connection.execute(select(token.c.lease)).scalar() is None


def test_the_token_is_not_logged(client: WeChatClient, counterpart: Counterpart, caplog, engine: Engine):
    caplog.set_level(logging.INFO)
    counterpart.allow("oUser1")
    client.send_text("demo", "oUser1", "您好")
    with engine.connect() as connection:
        value = connection.execute(select(token.c.token)).scalar_one()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("werkzeug")]
    assert not any(value in line or "app-secret" in line for line in ours)
    assert value not in repr(AccessToken(value, 1))
