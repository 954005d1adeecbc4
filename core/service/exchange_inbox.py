"""What other systems push to us: verified, taken once, and done in the name of the platform's account."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.domain.accounts import Account
from core.domain.errors import BlockedError, InvalidError, NotFoundError
from core.domain.money import yuan
from core.service import acts, budget_import, exchange_signature, once, signed_contracts, situations
from core.service.budget_import import Origin
from core.service.budget_lines import BudgetLine
from core.service.exchange_ports import SYSTEMS
from core.service.ports import Transaction
from core.service.system import System

MOST_BYTES = 64 * 1024
_KEY_LIMIT = 64
_AMOUNT_LIMIT = 10**13  # fen, as for forms

_NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"  # PostgreSQL keeps no NUL, and none of these belongs into a record
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=_NO_CONTROLS)]
Words = Annotated[str, Field(max_length=100, pattern=_NO_CONTROLS)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OrderMove(_Strict):
    """mall.order.confirm, .finish and .cancel: what the supplier did with an order."""

    order: Code
    reason: Words = ""


class TopUp(_Strict):
    """finance.indicator: an indicator comes into being, or its total grows by `add_fen`.

    An increase, not a new total: two increases that arrive in the wrong order still add up.
    """

    division: str = Field(pattern=r"^[0-9]{6}$")
    unit: Code
    year: int = Field(ge=2000, le=2100)
    code: Code
    name: Annotated[Words, Field(min_length=1)]
    add_fen: int = Field(gt=0, le=_AMOUNT_LIMIT)


class Total(_Strict):
    """One line of finance.budget: what an indicator's total is now."""

    division: str = Field(pattern=r"^[0-9]{6}$")
    unit: Code
    year: int = Field(ge=2000, le=2100)
    code: Code
    name: Annotated[Words, Field(min_length=1)]
    total_fen: int = Field(ge=0, le=_AMOUNT_LIMIT)


class Totals(_Strict):
    """finance.budget: totals of indicators as finance knew them at `as_of`.

    What was stated later and arrived earlier stays: statements may come in any order, late and twice.
    """

    as_of: datetime
    lines: Annotated[list[Total], Field(min_length=1, max_length=500)]

    @field_validator("as_of", mode="before")
    @classmethod
    def _with_zone(cls, given: object) -> datetime:
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
        if at is None or at.tzinfo is None:
            raise ValueError("要写带时区的时间，例如 2026-03-01T08:00:00+08:00")
        return at


class Signed(_Strict):
    """trade.contract.signed and mall.contract.signed: a contract under a plan has been signed over there.

    `form` as in GET /api/v1/kinds, amounts in fen.
    """

    plan: Code
    form: dict[str, Any]


Topic = Literal[
    "mall.order.confirm",
    "mall.order.finish",
    "mall.order.cancel",
    "mall.contract.signed",
    "trade.contract.signed",
    "finance.indicator",
    "finance.budget",
]


class Envelope(_Strict):
    """Every message: what it is about, and its content."""

    topic: Topic
    body: dict[str, Any]


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
        if envelope.topic == "finance.indicator":
            return _top_up(system, tx, key, _read(TopUp, envelope.body))
        if envelope.topic == "finance.budget":
            return _totals(system, tx, key, _read(Totals, envelope.body))
        if envelope.topic.endswith(".contract.signed"):
            return _signed(system, tx, key, source, _read(Signed, envelope.body))
        return _move_order(system, tx, key, envelope.topic, _read(OrderMove, envelope.body))


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


def _move_order(system: System, tx: Transaction, key: str, topic: str, move: OrderMove) -> Receipt:
    order = situations.find(tx, None, move.order)
    if order.kind != "mall_order":
        raise NotFoundError(f"{order.number} 不是电子卖场订单", fields={"order": "不是订单"})
    platform = tx.accounts.system(order.region)
    request = ("exchange", topic, move.model_dump())
    earlier = once.earlier(tx, platform, f"mall:{key}", request)
    if earlier is not None:
        return Receipt(key, earlier["said"], repeated=True)
    process = system.processes.version(order.process_version, tx)
    possible = [name for name in _ORDER_ACTS[topic] if order.node in process.actions[name].routes]
    if not possible:
        raise BlockedError(f"{order.number} 现在在“{process.node(order.node).label}”，办不了这一步")
    action = process.actions[possible[0]]
    words = move.reason.strip() or f"{SYSTEMS['mall']}通知"
    done = acts.perform_in(
        system, tx, platform, order.number, action.id,
        version=order.version, arguments=dict.fromkeys(action.required, words), key=f"mall-act:{key}",
    )  # fmt: skip
    once.keep(tx, platform, f"mall:{key}", request, {"said": done.said}, system)
    return Receipt(key, done.said, repeated=False)


def _signed(system: System, tx: Transaction, key: str, source: str, signed: Signed) -> Receipt:
    plan = situations.find(tx, None, signed.plan)
    platform = tx.accounts.system(plan.region)
    request = ("exchange", f"{source}.contract.signed", signed.model_dump())
    earlier = once.earlier(tx, platform, f"{source}:{key}", request)
    if earlier is not None:
        return Receipt(key, earlier["said"], repeated=True)
    said = signed_contracts.enter(system, tx, platform, plan, source, signed.form, key=key)
    once.keep(tx, platform, f"{source}:{key}", request, {"said": said}, system)
    return Receipt(key, said, repeated=False)


def _top_up(system: System, tx: Transaction, key: str, top_up: TopUp) -> Receipt:
    unit = tx.accounts.unit_by_code(top_up.division, top_up.unit)
    if unit is None:
        raise NotFoundError("没有这个单位，请核对区划编码和预算编码", fields={"unit": "没有找到"})
    platform = tx.accounts.system(unit.region)
    request = ("exchange", "finance.indicator", top_up.model_dump())
    earlier = once.earlier(tx, platform, f"finance:{key}", request)
    if earlier is not None:
        return Receipt(key, earlier["said"], repeated=True)
    indicator = tx.ledger.top_up(
        unit.id, top_up.year, top_up.code, top_up.name, top_up.add_fen,
        source=f"finance:{key}", at=system.clock(),
    )  # fmt: skip
    said = f"指标 {indicator.code} 增加 {yuan(top_up.add_fen)} 元，现在共 {yuan(indicator.total_fen)} 元"
    _record(system, tx, platform, top_up)
    once.keep(tx, platform, f"finance:{key}", request, {"said": said}, system)
    return Receipt(key, said, repeated=False)


def _totals(system: System, tx: Transaction, key: str, totals: Totals) -> Receipt:
    """Totals of one region's units; taken or refused as a whole."""
    lines = [
        BudgetLine(row, one.division, one.unit, one.year, one.code, one.name, one.total_fen)
        for row, one in enumerate(totals.lines, 1)
    ]
    units = budget_import.units_of(tx, lines)
    regions = {unit.region for unit in units.values()}
    if len(regions) != 1:
        raise InvalidError("一条消息只能说一个区域的单位", fields={"lines": "没有找到单位，或不在同一个区域"})
    platform = tx.accounts.system(regions.pop())
    request = ("exchange", "finance.budget", totals.model_dump(mode="json"))
    earlier = once.earlier(tx, platform, f"finance:{key}", request)
    if earlier is not None:
        return Receipt(key, earlier["said"], repeated=True)
    outcome = budget_import.take_in(system, tx, lines, Origin(platform.login, f"finance:{key}", totals.as_of))
    once.keep(tx, platform, f"finance:{key}", request, {"said": outcome.said}, system)
    return Receipt(key, outcome.said, repeated=False)


def _record(system: System, tx: Transaction, platform: Account, top_up: TopUp) -> None:
    body = top_up.model_dump()
    tx.records.audit(platform.region, system.clock(), platform.login, "finance.indicator", top_up.code, body)
