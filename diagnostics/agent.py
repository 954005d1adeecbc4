"""`python -m diagnostics agent`: lets the paired page run checks on this desk, over loopback only.

A page of any site can reach a loopback port, so each request must name this host (no DNS rebinding), come from an
allowed origin, and but for the greeting carry the token of a pairing. The page chooses checks and facts; it
chooses no file, no address and no region, and never repairs. It may ask for a signature over one of the platform's own
challenges: whoever sits at the desk sees what for and types the PIN there, or does not. The page never sees the PIN.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from core.domain.errors import (
    AuthenticationError,
    ConflictError,
    DomainError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)
from diagnostics import report
from diagnostics.fetch import FetchError, fetch
from diagnostics.pairing import Pairing
from diagnostics.result import Report

HOST = "127.0.0.1"
PORT = 17365
MAX_BODY_BYTES = 64 * 1024
MAX_REFERENCE = 128
UPLOAD_LIMIT_S, UPLOAD_ANSWER_BYTES = 10.0, 64 * 1024
FORMAT = "caigou-agent/1"
STATUSES: Mapping[type[DomainError], int] = {
    AuthenticationError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    InvalidError: 400,
    UnavailableError: 502,
}
Check = Callable[[list[str] | None, dict[str, object]], Report]
Sign = Callable[[str, str], str]  # challenge and origin → proof; DomainError where it is refused or fails
Json = dict[str, Any]


@dataclass
class Agent:
    """What the agent may do. `server` is where reports go, `sign` asks at the desk; None where there is none."""

    check: Check
    origins: Collection[str]
    server: str | None = None
    sign: Sign | None = None
    pairing: Pairing = field(default_factory=Pairing)
    _last: Json | None = None
    _busy: Lock = field(default_factory=Lock)
    _signing: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        """Refuse origins and servers that would open the desk: InvalidError."""
        self.origins = frozenset(_origin(each) for each in self.origins)
        if self.server is not None:
            _safe_server(self.server)

    def answer(self, path: str, origin: str, token: str, body: Json) -> Json:
        """One call. Raises DomainError."""
        if path == "/v1/pair":
            return self._pair(origin, body)
        reference = self.pairing.paired(token, origin).reference
        if path == "/v1/run":
            return self._run(body)
        if path == "/v1/upload":
            return self._upload(reference)
        if path == "/v1/sign":
            return self._signed(origin, body)
        raise NotFoundError("没有这个功能")

    def _pair(self, origin: str, body: Json) -> Json:
        code, reference = body.get("code"), body.get("reference", "")
        if not isinstance(code, str) or not isinstance(reference, str) or len(reference) > MAX_REFERENCE:
            raise InvalidError("配对请求读不懂，请刷新网页后再试", fields={"code": "格式不对"})
        return {"token": self.pairing.pair("".join(code.split()), origin, reference)}

    def _run(self, body: Json) -> Json:
        only, facts = body.get("only"), body.get("facts", {})
        listed = only is None or (isinstance(only, list) and all(isinstance(name, str) for name in only))
        if not listed or not isinstance(facts, dict) or set(body) - {"only", "facts"}:
            raise InvalidError("检查请求读不懂，请刷新网页后再试", fields={"only": "格式不对"})
        if not self._busy.acquire(blocking=False):
            raise ConflictError("正在检查，请等这一次结束后再试", code="busy")
        try:
            self._last = report.document(self.check(only, facts))
        finally:
            self._busy.release()
        return self._last

    def _signed(self, origin: str, body: Json) -> Json:
        challenge = body.get("challenge")
        if not isinstance(challenge, str) or set(body) != {"challenge"}:
            raise InvalidError("签名请求读不懂，请刷新网页后再试", fields={"challenge": "格式不对"})
        if self.sign is None:
            raise NotFoundError("这里的诊断助手不能签名，请照页面上的命令签", code="cannot_sign")
        if not self._signing.acquire(blocking=False):
            raise ConflictError("上一次签名还在等人输入口令，请先在那里办完", code="busy")
        try:
            return {"proof": self.sign(challenge, origin)}
        finally:
            self._signing.release()

    def _upload(self, reference: str) -> Json:
        if self.server is None:
            raise NotFoundError("没有设置接收报告的服务器", code="no_server")
        if self._last is None:
            raise ConflictError("还没有检查过，没有报告可传", code="no_report")
        document = {"format": FORMAT, "reference": reference, "report": self._last}
        try:
            fetch(
                self.server,
                until=time.monotonic() + UPLOAD_LIMIT_S,
                limit_bytes=UPLOAD_ANSWER_BYTES,
                body=json.dumps(document, ensure_ascii=False).encode(),
                content_type="application/json",
                intranet_hosts=[urlsplit(self.server).hostname or ""],
            )
        except FetchError as error:
            raise UnavailableError(f"报告没有传上去（{error.kind}），请稍后再试") from error
        return {"uploaded": True}


def serve(agent: Agent, port: int = PORT) -> ThreadingHTTPServer:
    """A server bound to loopback, not yet serving; port 0 takes a free one. OSError where the port is taken."""

    class Handler(_Handler):
        pass

    Handler.agent = agent
    return _Server((HOST, port), Handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that breaks off is its own affair."""


class _Handler(BaseHTTPRequestHandler):
    agent: Agent
    timeout = 10  # a client that sends nothing holds a thread no longer
    server_version, sys_version = "diagnostics", ""

    def do_OPTIONS(self) -> None:
        """What a browser asks before it lets the page speak to a loopback address."""
        self._guarded(lambda _: None)

    def do_GET(self) -> None:
        """The greeting: that the agent is there, and nothing else."""
        self._guarded(self._greet)

    def do_POST(self) -> None:
        """Everything else."""
        self._guarded(self._post)

    def _greet(self, _: str) -> Json:
        if self.path != "/v1/hello":
            raise NotFoundError("没有这个功能")
        return {"format": FORMAT}

    def _post(self, origin: str) -> Json:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        return self.agent.answer(self.path, origin, token if kind == "Bearer" else "", self._body())

    def _body(self) -> Json:
        if self.headers.get_content_type() != "application/json":  # what a form can send without being asked
            raise InvalidError("请求要用 JSON")
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            raise InvalidError("请求太长，或没有写明长度")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise InvalidError("请求不是有效的 JSON") from error
        if not isinstance(body, dict):
            raise InvalidError("请求不是有效的 JSON")
        return body

    def _guarded(self, answer: Callable[[str], Json | None]) -> None:
        origin = self.headers.get("Origin", "")
        allowed = origin in self.agent.origins
        try:
            self._admit(allowed=allowed)
            document = answer(origin)
            status = 204 if document is None else 200
        except DomainError as error:
            document = {"error": {"code": error.code, "message": error.message}}
            status = next((each for kind, each in STATUSES.items() if isinstance(error, kind)), 400)
        except Exception:  # noqa: BLE001 – no internal text to a page
            document = {"error": {"code": "agent_failed", "message": "诊断助手自身出错，请重新启动它"}}
            status = 500
        self._send(status, document, origin if allowed else None)

    def _admit(self, *, allowed: bool) -> None:
        """Another host's name means that someone let a name of his own point at this machine."""
        port = self.connection.getsockname()[1]
        if not allowed or self.headers.get("Host", "") not in (f"{HOST}:{port}", f"localhost:{port}"):
            raise ForbiddenError("这个网页不能使用诊断助手")

    def _send(self, status: int, document: Json | None, origin: str | None) -> None:
        content = b"" if document is None else json.dumps(document, ensure_ascii=False).encode()
        self.send_response(status)
        asked = self.headers.get("Access-Control-Request-Private-Network")
        for name, value in _headers(origin, private=asked == "true").items():
            self.send_header(name, value)
        if document is not None:
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: requests carry tokens and facts."""


def _headers(origin: str | None, *, private: bool) -> dict[str, str]:
    headers = {
        "Vary": "Origin",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
    }
    if origin:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Methods"] = "GET, POST"
        headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        headers["Access-Control-Max-Age"] = "600"
        if private:
            headers["Access-Control-Allow-Private-Network"] = "true"
    return headers


def _origin(text: str) -> str:
    address = urlsplit(text)
    bare = f"{address.scheme}://{address.netloc}"
    if (
        address.scheme not in ("http", "https")
        or not address.hostname
        or text != bare
        or text != text.lower()
    ):
        raise InvalidError(
            f"来源 {text} 不对，要写成 https://主机名 或 https://主机名:端口，后面没有斜杠",
            fields={"origin": "格式不对"},
        )
    return text


def _safe_server(url: str) -> None:
    address = urlsplit(url)
    if address.scheme != "https" and address.hostname not in (HOST, "localhost"):
        raise InvalidError("接收报告的服务器地址要以 https:// 开头", fields={"server": "格式不对"})
