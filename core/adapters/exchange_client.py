"""The way to other systems over HTTP: signed, with hard time limits, never following a redirect."""

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from core.adapters.written_once import own_secret
from core.domain.errors import DataError
from core.service import exchange_signature
from core.service.exchange_ports import SYSTEMS, RefusedError, UnreachableError

_LIMITS = httpx.Timeout(5, connect=3)  # seconds for each step
_MOST_SECONDS = 30  # for a whole answer; stays far below the lease of a claim
_MOST_BYTES = 64 * 1024
_NOTE_LIMIT = 200
# What may be otherwise next time: busy, over its limit, in the middle of the same message, or broken.
_AGAIN = {408, 409, 425, 429}
_SERVER_ERROR = 500
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


def shared_secrets(var: Path, environment: Mapping[str, str] = os.environ) -> dict[str, bytes]:
    """Secret of each system: `CAIGOU_<SYSTEM>_SECRET`, else one of this installation's own, kept in `var`."""
    own: bytes | None = None
    found: dict[str, bytes] = {}
    for system in SYSTEMS:
        given = environment.get(f"CAIGOU_{system.upper()}_SECRET", "")
        if not given:
            own = own or own_secret(var / "exchange.key")
        found[system] = given.encode() if given else (own or b"") + system.encode()
    return found


def is_local(url: str) -> bool:
    """Whether a base URL leads to this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def check_urls(urls: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> None:
    """DataError for addresses that are none, and for systems elsewhere without a secret of their own."""
    problems = []
    for system, url in urls.items():
        name = f"CAIGOU_{system.upper()}"
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            problems.append(f"{name}_URL: 要写成 http:// 或 https:// 开头的地址")
        elif not is_local(url) and not environment.get(f"{name}_SECRET"):
            problems.append(f"{name}_SECRET: {SYSTEMS[system]}不在本机，要设置与对方约定的密钥")
    if problems:
        raise DataError(problems)


def _now() -> datetime:
    return datetime.now(UTC)


class HttpExchange:
    """Implements `core.service.exchange_ports.ExchangePort`; close it or use it as a context manager."""

    def __init__(
        self, urls: Mapping[str, str], secrets: Mapping[str, bytes], *, clock: Callable[[], datetime] = _now,
        limits: httpx.Timeout = _LIMITS,
    ) -> None:  # fmt: skip
        """Keep base URLs and secrets by system; nothing is opened yet."""
        self._urls = dict(urls)
        self._secrets = dict(secrets)
        self._clock = clock
        self._client = httpx.Client(timeout=limits, follow_redirects=False, trust_env=False)

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close connections."""
        self.close()

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def send(self, system: str, topic: str, body: Mapping[str, Any], key: str) -> None:
        """Post one message; see `ExchangePort.send`."""
        content = json.dumps({"topic": topic, "body": body}, ensure_ascii=False).encode()
        headers = exchange_signature.sign(self._secrets[system], system, key, content, self._clock())
        headers["Content-Type"] = "application/json"
        try:
            status, answer = self._post(
                f"{self._urls[system].rstrip('/')}/{system}/messages", content, headers
            )
        except httpx.HTTPError as error:
            kind = "没有按时回应" if isinstance(error, httpx.TimeoutException) else "联系不上"
            raise UnreachableError(f"{SYSTEMS[system]}{kind}") from error
        self._judge(SYSTEMS[system], status, answer, key)

    def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        deadline = time.monotonic() + _MOST_SECONDS
        received = b""
        with self._client.stream("POST", url, content=content, headers=headers) as response:
            for piece in response.iter_bytes():
                received += piece
                if len(received) > _MOST_BYTES or time.monotonic() > deadline:
                    raise httpx.ReadError("answer too long")
        try:
            answer = json.loads(received)
        except (ValueError, RecursionError):
            answer = None
        return response.status_code, answer if isinstance(answer, dict) else {}

    def _judge(self, name: str, status: int, answer: Mapping[str, Any], key: str) -> None:
        """Only an answer that repeats our key counts: a proxy's friendly page is no receipt."""
        if httpx.codes.is_success(status):
            if answer.get("accepted") == key:
                return
            raise UnreachableError(f"{name}的答复看不懂")
        if status in _AGAIN or status >= _SERVER_ERROR:
            raise UnreachableError(f"{name}暂时办不了（{status}）")
        detail = answer.get("detail")
        said = _CONTROLS.sub(" ", detail)[:_NOTE_LIMIT] if isinstance(detail, str) else f"状态 {status}"
        raise RefusedError(f"{name}不接收：{said}")
