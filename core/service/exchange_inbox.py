"""What other systems push to us: verified, taken once, and done in the name of the platform's account."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from core.domain.accounts import Account
from core.domain.errors import BlockedError, InvalidError, NotFoundError
from core.domain.money import yuan
from core.service import (
    acts,
    budget_import,
    exchange_documents,
    exchange_signature,
    once,
    signed_contracts,
    situations,
)
from core.service.budget_import import Origin
from core.service.budget_lines import BudgetLine
from core.service.exchange_messages import Entered, Envelope, Moved, OrderMove, Signed, TopUp, Totals
from core.service.exchange_ports import SYSTEMS
from core.service.ports import Transaction
from core.service.system import System

MOST_BYTES = 64 * 1024
_KEY_LIMIT = 64

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Receipt:
    """What to answer: the key shows the sender that it was understood."""

    key: str
    said: str
    repeated: bool

    @property
    def answer(self) -> dict[str, Any]:
        """As JSON."""
        return {"accepted": self.key, "said": self.said, "repeated": self.repeated}


# A cancellation is another act once the supplier had agreed to the order; the first that leads on counts.
_ORDER_ACTS = {
    "mall.order.confirm": ("confirm",),
    "mall.order.finish": ("finish",),
    "mall.order.cancel": ("cancel", "release"),
}


def receive(
    system: System, secrets: Mapping[str, bytes], source: str, body: bytes, headers: Mapping[str, str]
) -> Receipt:
    """Take in one message of `source` (a key of `SYSTEMS`); the same key again changes nothing.

    Errors: NotFoundError (no such system, order or unit), AuthenticationError (signature), InvalidError (content,
    or a key used for something else), BlockedError and ConflictError of the act itself.
    """
    if source not in SYSTEMS or source not in secrets:
        raise NotFoundError("没有这个对接系统", code="no_such_system")
    audience = f"{exchange_signature.PLATFORM}:{source}"
    key = exchange_signature.verify(secrets[source], audience, headers, body, system.clock())
    if len(key) > _KEY_LIMIT:
        raise InvalidError(f"消息编号不能超过 {_KEY_LIMIT} 个字符", code="bad_key", fields={"key": "太长"})
    if len(body) > MOST_BYTES:
        raise InvalidError(f"消息不能超过 {MOST_BYTES // 1024} KB", code="too_large", fields={"body": "太大"})
    envelope = _read(Envelope, _json(body))
    if not envelope.topic.startswith(f"{source}."):
        raise InvalidError(
            f"{SYSTEMS[source]}不能发“{envelope.topic}”", fields={"topic": "不是这个系统的消息"}
        )
    with system.database.write() as tx:
        message = _Message(system, tx, envelope.topic, key, envelope.body)
        if envelope.topic == "finance.indicator":
            return _top_up(message)
        if envelope.topic == "finance.budget":
            return _totals(message)
        if envelope.topic.endswith(".contract.signed"):
            return _signed(message)
        if envelope.topic.endswith(".document"):
            return _entered(message)
        if envelope.topic == "trade.act":
            return _moved(message)
        return _move_order(message)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidError("消息不是 JSON", fields={"body": "不是 JSON"}) from None


def _read(model: type[Model], content: object) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        wrong = {
            ".".join(str(part) for part in item["loc"]) or "body": item["msg"] for item in error.errors()
        }
        raise InvalidError("消息内容不对：" + "、".join(wrong), fields=wrong) from None


@dataclass(frozen=True)
class _Message:
    """A verified message on its way through the transaction."""

    system: System
    tx: Transaction
    topic: str
    key: str
    body: Mapping[str, Any]

    @property
    def source(self) -> str:
        """Which system sent it."""
        return self.topic.partition(".")[0]

    @property
    def name(self) -> str:
        """Unlike any other's: senders number their own messages only."""
        return f"{self.source}:{self.key}"

    def once(self, region: str, content: BaseModel, act: Callable[[Account], str]) -> Receipt:
        """`act` in the name of the region's platform, unless the message came before; it returns what to say."""
        platform = self.tx.accounts.system(region)
        request = ("exchange", self.topic, content.model_dump(mode="json"))
        earlier = once.earlier(self.tx, platform, self.name, request)
        if earlier is not None:
            return Receipt(self.key, earlier["said"], repeated=True)
        said = act(platform)
        once.keep(self.tx, platform, self.name, request, {"said": said}, self.system)
        return Receipt(self.key, said, repeated=False)


def _move_order(message: _Message) -> Receipt:
    system, tx, move = message.system, message.tx, _read(OrderMove, message.body)
    order = situations.find(tx, None, move.order)
    if order.kind != "mall_order":
        raise NotFoundError(f"{order.number} 不是电子卖场订单", fields={"order": "不是订单"})

    def act(platform: Account) -> str:
        process = system.processes.version(order.process_version, tx)
        possible = [name for name in _ORDER_ACTS[message.topic] if order.node in process.actions[name].routes]
        if not possible:
            raise BlockedError(f"{order.number} 现在在“{process.node(order.node).label}”，办不了这一步")
        action = process.actions[possible[0]]
        words = move.reason.strip() or f"{SYSTEMS['mall']}通知"
        return acts.perform_in(
            system, tx, platform, order.number, action.id,
            version=order.version, arguments=dict.fromkeys(action.required, words), key=f"mall-act:{message.key}",
        ).said  # fmt: skip

    return message.once(order.region, move, act)


def _signed(message: _Message) -> Receipt:
    tx, signed = message.tx, _read(Signed, message.body)
    plan = situations.find(tx, None, signed.plan)

    def act(platform: Account) -> str:
        return signed_contracts.enter(
            message.system, tx, platform, plan, message.source, signed.form, key=message.key
        )

    return message.once(plan.region, signed, act)


def _entered(message: _Message) -> Receipt:
    system, tx, given = message.system, message.tx, _read(Entered, message.body)
    region = exchange_documents.region_of(tx, message.source, given)

    def act(platform: Account) -> str:
        return exchange_documents.enter(system, tx, platform, given, key=f"made:{message.name}")

    return message.once(region, given, act)


def _moved(message: _Message) -> Receipt:
    system, tx, given = message.system, message.tx, _read(Moved, message.body)

    def act(platform: Account) -> str:
        return exchange_documents.move(system, tx, platform, given, key=f"moved:{message.name}")

    return message.once(exchange_documents.region_of(tx, message.source, given), given, act)


def _top_up(message: _Message) -> Receipt:
    tx, top_up, at = message.tx, _read(TopUp, message.body), message.system.clock()
    unit = tx.accounts.unit_by_code(top_up.division, top_up.unit)
    if unit is None:
        raise NotFoundError("没有这个单位，请核对区划编码和预算编码", fields={"unit": "没有找到"})

    def act(platform: Account) -> str:
        indicator = tx.ledger.top_up(
            unit.id, top_up.year, top_up.code, top_up.name, top_up.add_fen, source=message.name, at=at
        )
        body = top_up.model_dump()
        tx.records.audit(platform.region, at, platform.login, message.topic, top_up.code, body)
        return f"指标 {indicator.code} 增加 {yuan(top_up.add_fen)} 元，现在共 {yuan(indicator.total_fen)} 元"

    return message.once(unit.region, top_up, act)


def _totals(message: _Message) -> Receipt:
    """Totals of one region's units; taken or refused as a whole."""
    tx, totals = message.tx, _read(Totals, message.body)
    lines = [
        BudgetLine(row, one.division, one.unit, one.year, one.code, one.name, one.total_fen)
        for row, one in enumerate(totals.lines, 1)
    ]
    regions = {unit.region for unit in budget_import.units_of(tx, lines).values()}
    if len(regions) != 1:
        raise InvalidError("一条消息只能说一个区域的单位", fields={"lines": "没有找到单位，或不在同一个区域"})

    def act(platform: Account) -> str:
        origin = Origin(platform.login, message.name, totals.as_of)
        return budget_import.take_in(message.system, tx, lines, origin).said

    return message.once(regions.pop(), totals, act)
