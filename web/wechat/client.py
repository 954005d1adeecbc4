"""Calls to WeChat: the access token and customer-service messages, within a time limit."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from web.wechat.config import Channel
from web.wechat.errors import WeChatError, refusal
from web.wechat.messages import clean

_CALL_SECONDS = 5.0
_MAX_ANSWER_BYTES = 64 * 1024
_MAX_TOKEN_CHARACTERS = 512
_MARGIN_SECONDS = 300  # old and new token overlap by five minutes: change before the old one ends
_TOKEN_REFUSED = frozenset({40001, 40014, 42001})

# httpx logs every address at INFO, and WeChat wants the access token in the address
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and for how many seconds it may be used."""

    value: str
    seconds: int

    def __repr__(self) -> str:
        return f"AccessToken(seconds={self.seconds})"


class TokenStore(Protocol):
    """The access token of an app id, shared by all workers."""

    def current(self, app_id: str) -> str | None:
        """The stored token while it is good."""
        ...

    def refresh(self, app_id: str, stale: str | None, fetch: Callable[[], AccessToken]) -> str:
        """A token other than `stale`; `fetch` is called by one worker at a time, the others wait for it."""
        ...


class WeChatClient:
    """Customer-service messages for all channels; safe to share between threads."""

    def __init__(
        self, channels: Mapping[str, Channel], tokens: TokenStore, *, seconds: float = _CALL_SECONDS
    ) -> None:
        """`seconds` limits each call as a whole, connecting and reading included."""
        self._channels = channels
        self._tokens = tokens
        self._seconds = seconds
        self._http = {name: _http(channel, seconds) for name, channel in channels.items()}

    def close(self) -> None:
        """Close all connections."""
        for client in self._http.values():
            client.close()

    def send_text(self, channel: str, openid: str, text: str) -> None:
        """Send one customer-service text (≤ 2047 bytes UTF-8); raises `WeChatError`.

        A token that WeChat refuses is renewed once and the call made once more.
        """
        if channel not in self._channels:
            raise WeChatError(f"没有名为 {channel} 的微信通道。", code="wechat_credentials")
        body = {"touser": openid, "msgtype": "text", "text": {"content": clean(text)}}
        app_id = self._channels[channel].app_id
        token = self._tokens.current(app_id) or self._renew(channel, stale=None)
        answer = self._send(channel, token, body)
        if _errcode(answer) in _TOKEN_REFUSED:
            answer = self._send(channel, self._renew(channel, stale=token), body)
        if _errcode(answer):
            raise refusal(_errcode(answer))

    def _send(self, channel: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._post(channel, "/cgi-bin/message/custom/send", body, {"access_token": token})

    def _renew(self, channel: str, stale: str | None) -> str:
        def fetch() -> AccessToken:
            token = self._stable_token(channel, force=False)
            # Without force WeChat returns the token it has, even one it has just refused
            return self._stable_token(channel, force=True) if token.value == stale else token

        try:
            return self._tokens.refresh(self._channels[channel].app_id, stale, fetch)
        except WeChatError as error:
            if error.code != "wechat_no_answer":
                raise
            # No token, so no message either: it may be sent again
            raise WeChatError(error.message, code="wechat_unreachable", fields=error.fields) from error

    def _stable_token(self, channel: str, *, force: bool) -> AccessToken:
        config = self._channels[channel]
        body = {"grant_type": "client_credential", "appid": config.app_id, "secret": config.secret}
        answer = self._post(channel, "/cgi-bin/stable_token", {**body, "force_refresh": force}, {})
        if _errcode(answer):
            raise refusal(_errcode(answer))
        value, seconds = answer.get("access_token"), answer.get("expires_in")
        if (
            not isinstance(value, str)
            or not 0 < len(value) <= _MAX_TOKEN_CHARACTERS
            or not isinstance(seconds, int)
        ):
            raise _no_answer("微信返回的 access_token 无法识别")
        return AccessToken(value, max(seconds - _MARGIN_SECONDS, min(seconds, 60)))

    def _post(self, channel: str, path: str, body: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        deadline = time.monotonic() + self._seconds
        content = b""
        try:
            with self._http[channel].stream("POST", path, json=body, params=query) as response:
                # httpx limits each wait, not the sum of them: a slow drip must not hold a worker
                for part in response.iter_raw():
                    content += part
                    if len(content) > _MAX_ANSWER_BYTES or time.monotonic() > deadline:
                        raise _no_answer("微信的应答过长或过慢")
                status = response.status_code
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.UnsupportedProtocol,
        ) as error:
            raise WeChatError(
                "连不上微信服务器，请检查网络与通道的 base_url。", code="wechat_unreachable"
            ) from error
        except httpx.HTTPError as error:
            raise _no_answer("微信没有在规定时间内应答") from error
        if status != httpx.codes.OK:
            raise _no_answer(f"微信服务器应答状态为 {status}")
        return _object(content)


def _http(channel: Channel, seconds: float) -> httpx.Client:
    return httpx.Client(
        base_url=channel.base_url,
        timeout=seconds,
        follow_redirects=False,  # a redirect would carry the token, or the secret, to another host
        proxy=channel.proxy,
        trust_env=False,  # where it goes is said in the channel's configuration, and only there
        headers={"Accept-Encoding": "identity"},
    )


def _object(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _no_answer("微信的应答不是 JSON") from error
    if not isinstance(answer, dict):
        raise _no_answer("微信的应答不是 JSON 对象")
    return answer


def _errcode(answer: Mapping[str, Any]) -> int:
    code = answer.get("errcode", 0)
    if not isinstance(code, int):
        raise _no_answer("微信的错误码无法识别")
    return code


def _no_answer(what: str) -> WeChatError:
    return WeChatError(f"{what}，消息可能未送达。", code="wechat_no_answer")
