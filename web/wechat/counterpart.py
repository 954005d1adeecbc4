"""WeChat's side on loopback, over real HTTP: for the embedded demonstration and for tests.

Speaks `/cgi-bin/stable_token` and `/cgi-bin/message/custom/send` with WeChat's error codes, counts what a
user may still be sent, keeps what was sent, and delivers signed and encrypted messages to a webhook.
"""

import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
from flask import Flask, Response, jsonify, redirect, request
from werkzeug.serving import make_server

from web.wechat.config import Channel
from web.wechat.crypto import sign
from web.wechat.messages import Format, read_fields, render

_AFTER_MESSAGE = 5  # customer-service messages within 48 hours of a user's message
_DELIVERY_SECONDS = 5.0
_POLL_SECONDS = 0.02  # how soon `stop` is noticed


@dataclass(frozen=True, slots=True)
class Sent:
    """A customer-service message that arrived."""

    openid: str
    text: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request to a webhook: query and body, ready to be posted."""

    query: dict[str, str]
    body: bytes
    openid: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook said: HTTP status, raw body, and the text of its passive reply, if there was one."""

    status: int
    body: str
    text: str | None


class Counterpart:
    """A WeChat of its own on a free port of loopback; use as a context manager or with `start` and `stop`.

    `refuse(errcode, times)` lets the next messages fail; `redirect_to` answers all calls with 307.
    """

    def __init__(self, secrets_by_app: Mapping[str, str], *, port: int = 0) -> None:
        self._secrets = dict(secrets_by_app)
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}  # token → app id
        self._credits: dict[str, int] = defaultdict(lambda: -1)  # openid → messages left; -1: window closed
        self._refusals: list[int] = []
        self.sent: list[Sent] = []
        self.token_calls = 0
        self.redirect_to: str | None = None
        self._server = make_server("127.0.0.1", port, self._app(), threaded=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="wechat-counterpart", daemon=True
        )

    @property
    def base_url(self) -> str:
        """What a channel's `base_url` has to be."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> Self:
        """Serve in a thread of this process."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def refuse(self, errcode: int, times: int = 1) -> None:
        """Let the next `times` messages be refused with `errcode`."""
        with self._lock:
            self._refusals += [errcode] * times

    def expire_tokens(self) -> None:
        """Forget all tokens: calls with them are refused with 42001."""
        with self._lock:
            self._tokens.clear()

    def allow(self, openid: str, messages: int = _AFTER_MESSAGE) -> None:
        """Open the window: `openid` may be sent so many messages."""
        with self._lock:
            self._credits[openid] = messages

    def deliver(self, url: str, channel: Channel, delivery: Delivery, *, times: int = 1) -> list[Answer]:
        """Post `delivery` to the webhook at `url`, `times` at the same time, and read the passive replies."""
        with self._lock:
            self._credits[delivery.openid] = _AFTER_MESSAGE
        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(lambda _: post(url, channel, delivery), range(times)))

    def _app(self) -> Flask:
        app = Flask("wechat-counterpart")
        app.before_request(self._redirect)
        app.post("/cgi-bin/stable_token")(self._stable_token)
        app.post("/cgi-bin/message/custom/send")(self._custom_send)
        return app

    def _redirect(self) -> Any:
        return redirect(self.redirect_to, 307) if self.redirect_to else None

    def _stable_token(self) -> Response:
        asked: dict[str, Any] = request.get_json()
        app_id = asked.get("appid", "")
        with self._lock:
            self.token_calls += 1
            if app_id not in self._secrets:
                return _error(40013, "invalid appid")
            if not secrets.compare_digest(self._secrets[app_id], asked.get("secret", "")):
                return _error(40125, "invalid appsecret")
            held = [token for token, owner in self._tokens.items() if owner == app_id]
            if held and not asked.get("force_refresh"):
                return jsonify(access_token=held[-1], expires_in=7200)
            token = secrets.token_urlsafe(64)
            # Forced, the earlier token is void at once; otherwise there was none
            self._tokens = {t: owner for t, owner in self._tokens.items() if owner != app_id} | {
                token: app_id
            }
            return jsonify(access_token=token, expires_in=7200)

    def _custom_send(self) -> Response:
        asked: dict[str, Any] = request.get_json()
        openid, text = asked.get("touser", ""), asked.get("text", {}).get("content", "")
        with self._lock:
            if request.args.get("access_token") not in self._tokens:
                return _error(42001, "access_token expired")
            if self._refusals:
                return _error(self._refusals.pop(0), "refused on demand")
            if len(text.encode()) > 2047:  # noqa: PLR2004 - WeChat's limit, said in the error
                return _error(45002, "content size out of limit")
            if self._credits[openid] < 0:
                return _error(45015, "response out of time limit")
            if self._credits[openid] == 0:
                return _error(45047, "out of response count limit")
            self._credits[openid] -= 1
            self.sent.append(Sent(openid, text))
            return jsonify(errcode=0, errmsg="ok")


def text_delivery(
    channel: Channel, openid: str, text: str, message_id: int, *, as_: Format = "xml"
) -> Delivery:
    """A text message of a user."""
    return pack(channel, {**_head(openid, "text"), "Content": text, "MsgId": str(message_id)}, as_=as_)


def event_delivery(channel: Channel, openid: str, event: str, event_key: str = "") -> Delivery:
    """subscribe, unsubscribe, SCAN, CLICK …"""
    return pack(channel, {**_head(openid, "event"), "Event": event, "EventKey": event_key})


def pack(channel: Channel, fields: Mapping[str, str | int], *, as_: Format = "xml") -> Delivery:
    """Any message, rendered, encrypted and signed as WeChat does in the channel's mode."""
    return seal(channel, render(dict(fields), as_), str(fields.get("FromUserName", "")), as_=as_)


def seal(channel: Channel, plain: str, openid: str = "", *, as_: Format = "xml") -> Delivery:
    """Any inner body, malformed ones included, encrypted and signed."""
    timestamp, nonce = str(int(time.time())), str(secrets.randbelow(10**9))
    query = {"timestamp": timestamp, "nonce": nonce, "openid": openid}
    query["signature"] = sign(channel.token, timestamp, nonce)
    if channel.mode == "plain":
        return Delivery(query, plain.encode(), openid)
    encrypted, signature = channel.crypto.seal(plain, timestamp, nonce)
    query |= {"encrypt_type": "aes", "msg_signature": signature}
    return Delivery(query, render({"ToUserName": "gh_demo", "Encrypt": encrypted}, as_).encode(), openid)


def post(url: str, channel: Channel, delivery: Delivery) -> Answer:
    """Post once, as long as WeChat would wait, and read what came back."""
    kind = "application/json" if delivery.body.startswith(b"{") else "text/xml"
    with httpx.Client(timeout=_DELIVERY_SECONDS, trust_env=False) as client:
        response = client.post(
            url, params=delivery.query, content=delivery.body, headers={"Content-Type": kind}
        )
    body = response.text
    answered = response.status_code == httpx.codes.OK and body[:1] in {"<", "{"}
    return Answer(response.status_code, body, read_reply(channel, body) if answered else None)


def read_reply(channel: Channel, body: str) -> str:
    """The text of a passive reply, its signature checked."""
    fields, _ = read_fields(body.encode())
    if channel.mode == "safe":
        parts: Sequence[str] = [fields[name] for name in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")]
        fields, _ = read_fields(channel.crypto.open(*parts).encode())
    return fields["Content"]


def _head(openid: str, kind: str) -> dict[str, str | int]:
    return {"ToUserName": "gh_demo", "FromUserName": openid, "CreateTime": int(time.time()), "MsgType": kind}


def _error(errcode: int, errmsg: str) -> Response:
    return jsonify(errcode=errcode, errmsg=errmsg)
