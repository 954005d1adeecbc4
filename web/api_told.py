"""/api/v1: limits, reminders, copies to read, and what waits for the account."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from core.service import copies, home, reminders, told
from core.service.term_ports import Copy
from web import api_schemas as s
from web.api import body, idempotency_key, route
from web.parts import system
from web.schemas import Shown, Taken
from web.security import actor


class RemindedOut(Shown):
    """Who was reminded, and the day from which it can be done again."""

    number: str
    told: str
    again: date
    said: str


class CopyIn(Taken):
    """`to` is the account number of a person of the own unit, of those above it or below."""

    to: str = Field(max_length=40)
    note: str = Field("", max_length=copies.NOTE_LIMIT)


class CopiedOut(Shown):
    """A copy that was given."""

    number: str
    to: str
    said: str


class CopyOut(BaseModel):
    """Who got the document to read: from whom, when, and who has read it when."""

    to: str
    unit: str
    who: str
    note: str
    at: datetime
    read_at: datetime | None
    reader: str


class NudgeOut(Shown):
    """A reminder, or what followed from a limit that passed."""

    who: str
    node: str
    text: str
    at: datetime


class ToldOut(BaseModel):
    """All that was told. `reads`: the account may read the document and nothing else; `can_remind` names whom."""

    nudges: list[NudgeOut]
    copies: list[CopyOut]
    reads: bool
    can_remind: str
    why_not: str


class StandingOut(Shown):
    """Somebody for whom the account may act today."""

    appointment: int
    name: str
    role: str
    until: date
    waiting: int
    late: int


class HomeOut(BaseModel):
    """How many documents each list has (1,000 means that many or more; of copies: not read), the most urgent first."""

    counts: dict[str, int]
    todo: list[s.Summary]
    late: list[s.Summary]
    copied: list[s.Summary]
    others: list[StandingOut]


@route("POST", "/documents/<number>/reminders", gives=RemindedOut, status=201)
def remind_document(number: str) -> tuple[RemindedOut, int]:
    """Remind whose turn it is, once in a working day. Repeating an `Idempotency-Key` reminds nobody twice."""
    done = reminders.remind(system(), actor(), number, key=idempotency_key())
    return RemindedOut.model_validate(done), 201


@route("POST", "/documents/<number>/copies", takes=CopyIn, gives=CopiedOut, status=201)
def copy_document(number: str) -> tuple[CopiedOut, int]:
    """Give the document to somebody to read."""
    given = body()
    done = copies.send(system(), actor(), number, given.to, given.note, key=idempotency_key())
    return CopiedOut.model_validate(done), 201


@route("GET", "/documents/<number>/told", gives=ToldOut)
def get_told(number: str) -> ToldOut:
    """Reminders, limits that passed and copies of a document; an unread copy of the account is read by asking."""
    found = told.opened(system(), actor(), number)
    return ToldOut(
        nudges=[NudgeOut.model_validate(one) for one in found.nudges],
        copies=[_copy(one) for one in found.copies],
        reads=found.reads,
        can_remind=found.prospect.told,
        why_not=found.prospect.why_not,
    )


def _copy(one: Copy) -> CopyOut:
    return CopyOut(
        to=one.account.label, unit=one.account.unit.name, who=one.who, note=one.note, at=one.at,
        read_at=one.read_at, reader=one.reader,
    )  # fmt: skip


@route("GET", "/home", gives=HomeOut)
def get_home() -> HomeOut:
    """Counts of the account's lists with the most urgent documents, and those for whom it may act today."""
    shown = home.desk(system(), actor())
    return HomeOut(
        counts=dict(shown.counts),
        todo=[s.Summary.model_validate(one) for one in shown.todo],
        late=[s.Summary.model_validate(one) for one in shown.late],
        copied=[s.Summary.model_validate(one) for one in shown.copied],
        others=[StandingOut.model_validate(one) for one in shown.others],
    )
