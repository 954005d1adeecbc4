"""Shapes of documents, repairs and the rest of /api/v1."""

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from web.schemas import IndicatorOut, Shown, Station, Taken


class DueOut(Shown):
    """Until when a document should be acted on where it is; `days`, `waited`, `left` and `over` are working days.

    `days` is null where the process gives no limit; `guessed`: holidays of a year in between are not announced yet.
    """

    since: datetime
    at: datetime
    days: int | None
    late: bool
    waited: int
    left: int
    over: int
    guessed: bool
    reminded: int
    words: str
    spent_s: int


class CopyNoteOut(Shown):
    """From whom a document came to be read, and when it was."""

    who: str
    note: str
    at: datetime
    read_at: datetime | None


class Summary(Shown):
    """One line of a list. `due` where somebody has to act, `copy_note` in the folder `copied`."""

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
    has_amount: bool
    unit_name: str
    updated_at: datetime
    version: int
    whose: str
    stage: str
    due: DueOut | None = None
    copy_note: CopyNoteOut | None = Field(None, validation_alias="copy")


class Summaries(BaseModel):
    """A page of documents; ask again with `before` = `next` for older ones."""

    items: list[Summary]
    next: int | None = None


class ListQuery(Taken):
    """What to list."""

    q: str = Field("", max_length=100)
    folder: Literal["all", "todo", "done", "mine", "copied", "late"] = "all"
    overdue: bool = Field(default=False, description="只要超期的")
    unread: bool = Field(default=False, description="抄送我的里没看过的")
    kind: str | None = Field(None, max_length=30)
    node: str | None = Field(None, max_length=40)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    least_fen: int | None = Field(None, ge=0, le=10**15)
    most_fen: int | None = Field(None, ge=0, le=10**15)
    limit: int = Field(50, ge=1, le=200)
    before: int | None = Field(None, ge=1, le=2**63 - 1)


class CreateIn(Taken):
    """A new document. GET /kinds says which fields `form` has; its mistakes come back in `form_errors`."""

    kind: str = Field("plan", max_length=30)
    variant: str = Field(max_length=30)
    form: dict[str, Any]
    parent: str | None = Field(None, max_length=40)


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
    warn: str


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
    doubts: dict[str, str]
    history: list[EntryOut]
    offers: list[OfferOut]
    above: list[Summary] = Field(description="上级单据，最上面的在前")
    linked: list[Summary]
    holds: list[HoldOut]
    account: IndicatorOut | None = Field(None, description="单据自己的额度，下面的单据从这里付；没有就是空")
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
    outside: bool


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
    """Seal the document's paper. The PIN is used once and kept nowhere. `action`: the act that seals, where not `sign`."""

    version: int
    action: str = Field(default="sign", min_length=1, max_length=60)
    seal: str = Field(min_length=1, max_length=200)
    pin: str = Field(min_length=1, max_length=64, repr=False)
