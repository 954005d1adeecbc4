"""Shapes on the wire, for /api/v1 and for the conversation page. Money is integer fen, times are ISO 8601 in UTC."""

import functools
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.cards import Reply

MAX_TEXT = 1000
SHORTEST_KEY, LONGEST_KEY = 8, 64  # of idempotency keys


class Shown(BaseModel):
    """Read from the core's own objects."""

    model_config = ConfigDict(from_attributes=True)


class Taken(BaseModel):
    """Read from a request; a field nobody knows is a mistake, not a wish."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fields: dict[str, Any]
    instance: str

    @classmethod
    @functools.cache
    def model_json_schema(cls, **options: Any) -> dict[str, Any]:  # type: ignore[override]  # all by name
        """Every answer of every endpoint is described with it: made once, which takes a start half a second less."""
        return super().model_json_schema(**options)


# ── conversation ─────────────────────────────────────────────────────────


class Station(Shown):
    """A station of a drawn flow."""

    id: str
    label: str
    lane: str
    state: Literal["done", "current", "returned", "ahead", "side"]
    who: str = ""
    when: datetime | None = None
    opinion: str = ""
    whose: str = ""
    help: str = ""
    spent_s: int = 0
    due: str = ""


class ChatIn(Taken):
    """One message. Sending the same `key` again repeats the answer and does nothing twice."""

    conversation: str | None = Field(None, max_length=64)
    page: str | None = Field(None, max_length=200, description="编号或地址：提问时正在看的单据")
    text: str = Field(min_length=1, max_length=MAX_TEXT)
    key: str = Field(min_length=SHORTEST_KEY, max_length=LONGEST_KEY)


class ChatOut(BaseModel):
    """What came of it."""

    conversation: str
    replies: tuple[Reply, ...]


class SuggestQuery(Taken):
    """What has been typed so far."""

    q: str = Field("", max_length=200)


class Suggestions(BaseModel):
    """Questions like it, the likeliest first."""

    items: list[str]


# ── accounts ─────────────────────────────────────────────────────────────


class SignIn(Taken):
    """Account number and password."""

    login: str = Field(min_length=1, max_length=40)
    password: str = Field(min_length=1, max_length=200)


class AccountOut(Shown):
    """Who acts."""

    login: str
    name: str
    role: str
    role_label: str
    unit_name: str
    unit_code: str
    division: str
    region: str


class SessionOut(BaseModel):
    """Send the token as `Authorization: Bearer …`."""

    token: str
    expires_at: datetime
    account: AccountOut


# ── notices, money, catalogue ────────────────────────────────────────────


class NoticeOut(Shown):
    """Something to hear."""

    id: int
    at: datetime
    text: str
    number: str


class Notices(BaseModel):
    """Not yet seen."""

    items: list[NoticeOut]


class SeenIn(Taken):
    """These were read."""

    ids: list[Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)]] = Field(max_length=1000)


class IndicatorOut(Shown):
    """A budget indicator."""

    id: int
    code: str
    name: str
    year: int
    total_fen: int
    frozen_fen: int
    used_fen: int
    available_fen: int


class Indicators(BaseModel):
    """All of the unit."""

    items: list[IndicatorOut]


class BudgetQuery(Taken):
    """`q` in code or name; `below` with the units below; `origin` empty means both."""

    q: str = Field("", max_length=100)
    below: bool = True
    origin: Literal["synchronised", "entered"] | None = None


class BudgetOut(Shown):
    """One budget of a unit; `why` says what keeps projects from being paid from it."""

    unit_code: str
    unit_name: str
    indicator: IndicatorOut
    origin: Literal["synchronised", "entered"]
    synchronised_at: datetime | None
    valid: bool
    why: str


class Budgets(BaseModel):
    """The own unit's first."""

    items: list[BudgetOut]


class KeptOut(Shown):
    """A movement, less what others made of its indicator: the balances are what the document itself keeps after it.

    The amount is positive, the kind says which way. `number` is the document that moved it, empty where the budget itself
    changed (`source_label`).
    """

    at: datetime
    kind: str
    kind_label: str
    amount_fen: int
    number: str
    source_label: str
    frozen_fen: int
    used_fen: int


class MovementOut(KeptOut):
    """A movement with the balances of the whole after it."""

    total_fen: int
    available_fen: int


class Statement(BaseModel):
    """Movements of one indicator, oldest first."""

    items: list[MovementOut]


class MoneySection(BaseModel):
    """What a document moved on one indicator, oldest first; `own`: the account that those under it are paid from."""

    code: str
    name: str
    own: bool
    items: list[MovementOut | KeptOut]


class DocumentMoney(BaseModel):
    """All that a document moved."""

    items: list[MoneySection]


class BudgetImportQuery(Taken):
    """`preview`: only say what would change."""

    preview: bool = False


class BudgetImportOut(Shown):
    """How many lines did what, and by how much the totals grew (fen)."""

    added: int
    raised: int
    lowered: int
    renamed: int
    same: int
    change_fen: int
    said: str


class CatalogueQuery(Taken):
    """Part of a name or the beginning of a code."""

    q: str = Field("", max_length=50)


class ItemOut(Shown):
    """A catalogue item that may be chosen."""

    code: str
    name: str
    path: str
    mall: bool
    central: bool


class Items(BaseModel):
    """What was found."""

    items: list[ItemOut]
