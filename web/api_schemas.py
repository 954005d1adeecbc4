"""Shapes of documents, plans, repairs and the rest of /api/v1."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from web.schemas import Shown, Station, Taken


class Summary(Shown):
    """One line of a list."""

    id: int
    number: str
    kind: str
    kind_label: str
    variant: str
    variant_label: str
    title: str
    node: str
    node_label: str
    amount_fen: int
    unit_name: str
    updated_at: datetime
    version: int
    whose: str


class Summaries(BaseModel):
    """A page of documents; ask again with `before` = `next` for older ones."""

    items: list[Summary]
    next: int | None = None


class ListQuery(Taken):
    """What to list."""

    q: str = Field("", max_length=100)
    kind: str | None = None
    node: str | None = None
    limit: int = Field(50, ge=1, le=200)
    before: int | None = None


class PlanLine(Taken):
    """One line of the purchase list; a draft may have gaps."""

    catalogue: str | None = None
    name: str | None = None
    quantity: int | None = Field(None, ge=0, le=10**9)
    unit: str | None = Field(None, max_length=10)
    unit_price_fen: int | None = Field(None, ge=0, le=10**13)
    requirement: str | None = None


class PlanFunding(Taken):
    """What an indicator pays."""

    indicator: int | None = None
    amount_fen: int | None = Field(None, ge=0, le=10**13)


class PlanForm(Taken):
    """The plan. Rules (names from the catalogue, sums that agree …) are named field by field when it is sent on."""

    name: str = Field("", max_length=100)
    lines: list[PlanLine] = Field([], max_length=500)
    funding: list[PlanFunding] = Field([], max_length=50)
    agency: str | None = None
    implementation: Literal["网上竞价", "电商直购"] | None = None
    need_by: date | Literal[""] = ""


class CreateIn(Taken):
    """A new document. `form` is a PlanForm for plans."""

    kind: Literal["plan", "mall_order"] = "plan"
    variant: str = Field(max_length=30)
    form: dict[str, Any]
    parent: str | None = None


class SaveIn(Taken):
    """A changed form, with the version that was seen."""

    form: dict[str, Any]
    version: int


class FieldOut(Shown):
    """One thing to fill in."""

    name: str
    label: str
    required: bool
    options: list[tuple[str, str]]


class OfferOut(Shown):
    """An act this account may take now."""

    action: str
    label: str
    form: list[FieldOut]
    targets: list[tuple[str, str]]
    irreversible: bool
    menu: str


class Offers(BaseModel):
    """All of them, with the version to send along."""

    number: str
    version: int
    items: list[OfferOut]


class EntryOut(Shown):
    """One line of the history."""

    seq: int
    at: datetime
    who: str
    action: str
    label: str
    source: str
    target: str
    opinion: str


class HoldOut(Shown):
    """What the document keeps of an indicator."""

    indicator_code: str
    name: str
    frozen_fen: int
    used_fen: int


class DocumentOut(BaseModel):
    """One document."""

    summary: Summary
    form: dict[str, Any]
    form_errors: dict[str, str]
    history: list[EntryOut]
    offers: list[OfferOut]
    linked: list[Summary]
    holds: list[HoldOut]
    signed_with: str | None
    flags: list[str]


class FlowOut(Shown):
    """The drawn flow as data; edges are [from, to, forward|return]."""

    number: str
    title: str
    nodes: list[Station]
    edges: list[tuple[str, str, str]]


class ActIn(Taken):
    """An act on the document as it was seen at `version`."""

    action: str = Field(max_length=40)
    version: int
    arguments: dict[str, str] = Field(default={}, max_length=10)


class ActOut(BaseModel):
    """What an act brought."""

    document: Summary
    label: str
    said: str
    repeated: bool


class StepOut(Shown):
    """One step of a way to a goal."""

    number: str
    action: str
    label: str
    who: str
    mine: bool
    form: list[FieldOut]
    source: str
    source_label: str
    target: str
    target_label: str
    menu: str
    public: bool


class WayOut(BaseModel):
    """The way to a goal (`possible`), or the reasons why there is none and the goal open instead."""

    number: str
    goal: str
    possible: bool
    steps: list[StepOut] = []
    fingerprint: str | None = None
    reasons: list[str] = []
    instead: str | None = None


class RepairIn(Taken):
    """Begin the way that was shown."""

    goal: str = Field(max_length=40)
    fingerprint: str = Field(max_length=64)


class AdvanceIn(Taken):
    """Take the current step."""

    version: int
    arguments: dict[str, str] = Field(default={}, max_length=10)


class RepairOut(Shown):
    """A repair and how far it has come."""

    id: int
    number: str
    goal: str
    state: str
    steps: list[StepOut]
    position: int
    asked_by: str
    waiting_for: str
    why_stopped: str


class TaskOut(Shown):
    """A step that waits for this account."""

    repair_id: int
    number: str
    goal: str
    asked_by: str
    step: StepOut
    version: int
    title: str


class Todo(BaseModel):
    """Whose turn it is: this account's."""

    documents: list[Summary]
    tasks: list[TaskOut]


class SealOut(Shown):
    """A seal in the unit's key, read without login."""

    label: str
    subject: str
    serial: str
    not_before: datetime
    not_after: datetime
    usable: bool
    why_not: str | None


class Seals(BaseModel):
    """All seals."""

    items: list[SealOut]


class SignIn(Taken):
    """Sign the filing certificate. The PIN is used once and kept nowhere."""

    version: int
    seal: str = Field(min_length=1, max_length=200)
    pin: str = Field(min_length=1, max_length=64, repr=False)
