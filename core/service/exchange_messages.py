"""What other systems push to us, message by message: what has to be in it, and nothing else."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.domain.fields import AMOUNT_LIMIT
from core.service.budget_lines import FIRST_YEAR, LAST_YEAR

_NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"  # PostgreSQL keeps no NUL, and none of these belongs into a record
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=_NO_CONTROLS)]
Words = Annotated[str, Field(max_length=100, pattern=_NO_CONTROLS)]


class _Strict(BaseModel):
    """Read from a message: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OrderMove(_Strict):
    """mall.order.confirm, .finish and .cancel: what the supplier did with an order."""

    order: Code
    reason: Words = ""


class _Indicator(_Strict):
    """Which indicator of which unit."""

    division: str = Field(pattern=r"^[0-9]{6}$")
    unit: Code
    year: int = Field(ge=FIRST_YEAR, le=LAST_YEAR)
    code: Code
    name: Annotated[Words, Field(min_length=1)]


class TopUp(_Indicator):
    """finance.indicator: an indicator comes into being, or its total grows by `add_fen`.

    An increase, not a new total: two increases that arrive in the wrong order still add up.
    """

    add_fen: int = Field(gt=0, le=AMOUNT_LIMIT)


class Total(_Indicator):
    """One line of finance.budget: what an indicator's total is now."""

    total_fen: int = Field(ge=0, le=AMOUNT_LIMIT)


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


class Entered(_Strict):
    """trade.document and finance.document: a document made over there, entered here and sent on by `act`.

    `form` as in GET /api/v1/kinds; `under` is the document above, without one `region` says whose platform takes it.
    """

    kind: Code
    variant: Code
    form: dict[str, Any]
    act: Code
    under: Code | None = None
    region: Code = ""

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if not (self.under or self.region):
            raise ValueError("要写 under（上级单据的编号）或 region（哪个区域的平台）")
        return self


class Moved(_Strict):
    """trade.act: what was done over there with a document of theirs, such as an expert's answer."""

    number: Code
    act: Code
    arguments: dict[Code, Words] = {}


Topic = Literal[
    "trade.document",
    "trade.act",
    "finance.document",
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
