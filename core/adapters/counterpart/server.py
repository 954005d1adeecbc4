"""The server: takes signed messages in, lists what it has, and with `control` can be told to misbehave and to push.

`POST /<system>/messages` · `GET /<system>/plans` · `GET /mall/orders`; with control also `POST /control/faults`,
`POST /mall/orders`, `POST /mall/orders/<number>/<confirm|finish|cancel>` and `POST /finance/indicators`.
"""

import json
import secrets
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.serving import make_server

from core.adapters.counterpart.store import KeyReusedError, Store
from core.domain.errors import AuthenticationError
from core.service import exchange_signature
from core.service.exchange_ports import SYSTEMS

FAULTS = ("late", "wrong", "refuse", "busy", "gone", "twice")
_POLL_SECONDS = 0.02  # how soon `stop` is noticed
_MOST_BYTES = 64 * 1024


class _PlanBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    number: str = Field(min_length=1, max_length=40)
    title: str = Field(max_length=200)
    amount_fen: int = Field(ge=0)


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    topic: str = Field(
        pattern=r"^((mall|agency)\.(dispatch|withdraw)|portal\.publish|finance\.intranet_return|trade\.[a-z_]+)$"
    )
    body: _PlanBody


@dataclass(frozen=True)
class Fault:
    """How the next message of a system goes wrong.

    late: done, but answered after `seconds`; wrong: a page instead of an answer; refuse: 422; busy: 503;
    gone: the line goes dead before anything is done; twice: the next push is sent two times at once.
    """

    kind: str
    seconds: float = 0


class Counterpart:
    """All systems around on one port of loopback; use as a context manager or with `start` and `stop`."""

    def __init__(
        self,
        keys: Mapping[str, bytes],
        *,
        port: int = 0,
        database: str = ":memory:",
        control: bool = False,
        platform_url: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = dict(keys)
        self._clock = clock
        self._platform_url = platform_url.rstrip("/")
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._stopping = threading.Event()
        self.store = Store(database)
        try:
            self._server = make_server("127.0.0.1", port, self._app(control=control), threaded=True)
        except (OSError, SystemExit):  # werkzeug exits where the port is taken
            self.store.close()
            raise OSError(f"port {port} is taken") from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="counterpart", daemon=True
        )

    @property
    def url(self) -> str:
        """What `CAIGOU_MALL_URL` and the others have to be."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> Self:
        """Serve in a thread of this process."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread and free the port."""
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.store.close()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def fail(self, system: str, kind: str, *, times: int = 1, seconds: float = 0) -> None:
        """Let the next `times` messages of `system` go wrong."""
        self._faults[system].extend([Fault(kind, seconds)] * times)

    def _app(self, *, control: bool) -> Flask:
        app = Flask("counterpart")
        app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
        app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of the default provider
        app.post("/<any(mall,agency,finance,portal,trade):system>/messages")(self._messages)
        app.get("/<any(mall,agency,portal,trade):system>/plans")(self._plans)
        app.get("/mall/orders")(self._orders)
        if control:
            app.post("/control/faults")(self._set_fault)
            app.post("/mall/orders")(self._place)
            app.post("/mall/orders/<number>/<any(confirm,finish,cancel):verb>")(self._move_order)
            app.post("/finance/indicators", defaults={"system": "finance", "what": "indicator"})(
                self._of_theirs
            )
            app.post("/<any(trade,finance):system>/<any(document,act):what>")(self._of_theirs)
        return app

    def _messages(self, system: str) -> ResponseReturnValue:
        body = request.get_data()
        headers = dict(request.headers)
        try:
            key = exchange_signature.verify(self._keys[system], system, headers, body, self._clock())
        except AuthenticationError as error:
            return jsonify(detail=error.message), 401
        fault = self._next_fault(system)
        if fault.kind in {"gone", "refuse", "busy", "wrong"}:
            return _broken(fault.kind)
        try:
            message = _Message.model_validate_json(body)
            if not message.topic.startswith(f"{system}."):
                return jsonify(detail=f"{SYSTEMS[system]}不收这种消息"), 422
            repeated = self.store.take(system, key, message.topic, message.body.model_dump())
        except ValidationError:
            return jsonify(detail="消息内容不对"), 422
        except KeyReusedError:
            return jsonify(detail="消息编号已经用于另一条消息"), 422
        if fault.kind == "late":
            self._stopping.wait(fault.seconds)
        return jsonify(accepted=key, repeated=repeated)

    def _next_fault(self, system: str, *, push: bool = False) -> Fault:
        queue = self._faults[system]
        if queue and (queue[0].kind == "twice") == push:
            return queue.popleft()
        return Fault("")

    def _plans(self, system: str) -> ResponseReturnValue:
        return jsonify([asdict(plan) for plan in self.store.plans(system)])

    def _orders(self) -> ResponseReturnValue:
        return jsonify([{"order": n, "plan": plan, "state": state} for n, plan, state in self.store.orders()])

    def _set_fault(self) -> ResponseReturnValue:
        asked: dict[str, Any] = request.get_json()
        if asked.get("system") not in SYSTEMS or asked.get("kind") not in FAULTS:
            return jsonify(detail=f"system: {'、'.join(SYSTEMS)}；kind: {'、'.join(FAULTS)}"), 422
        times, seconds = int(asked.get("times", 1)), float(asked.get("seconds", 0))
        self.fail(asked["system"], asked["kind"], times=times, seconds=seconds)
        return jsonify(ok=True)

    def _place(self) -> ResponseReturnValue:
        asked: dict[str, Any] = request.get_json()
        if not self.store.place(str(asked["order"]), str(asked["plan"])):
            return jsonify(detail="卖场没有这个计划"), 404
        return jsonify(ok=True)

    def _move_order(self, number: str, verb: str) -> ResponseReturnValue:
        asked: dict[str, Any] = request.get_json(silent=True) or {}
        body = {"order": number, "reason": str(asked.get("reason", ""))}
        answer = self.push("mall", f"mall.order.{verb}", body, key=f"{number}-{verb}")
        if answer.is_success:
            self.store.set_order(
                number, {"confirm": "confirmed", "finish": "done", "cancel": "cancelled"}[verb]
            )
        return answer.text, answer.status_code, {"Content-Type": "application/json"}

    def _of_theirs(self, system: str, what: str) -> ResponseReturnValue:
        """An indicator, a lot, a batch of intranet plans, an expert's answer: what the platform says of it."""
        key = request.headers.get("Idempotency-Key") or secrets.token_hex(16)
        answer = self.push(system, f"{system}.{what}", request.get_json(), key=key)
        return answer.text, answer.status_code, {"Content-Type": "application/json"}

    def push(self, system: str, topic: str, body: Mapping[str, Any], key: str) -> httpx.Response:
        """Send a signed message to the platform as `system`; the (last) answer."""
        content = json.dumps({"topic": topic, "body": body}, ensure_ascii=False).encode()
        audience = f"{exchange_signature.PLATFORM}:{system}"
        headers = exchange_signature.sign(self._keys[system], audience, key, content, self._clock())
        headers["Content-Type"] = "application/json"
        url = f"{self._platform_url}/api/v1/exchange/{system}"
        times = 2 if self._next_fault(system, push=True).kind == "twice" else 1
        with httpx.Client(timeout=10, trust_env=False) as client:
            answers = [client.post(url, content=content, headers=headers) for _ in range(times)]
        return answers[-1]


def _broken(kind: str) -> ResponseReturnValue:
    if kind == "gone":
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    if kind == "refuse":
        return jsonify(detail="资料不全，请补充后再送"), 422
    if kind == "busy":
        return jsonify(detail="系统维护中"), 503
    return "<html>欢迎使用</html>"
