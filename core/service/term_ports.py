"""What time limits, reminders and copies need of the outside, as Protocols. Times are aware UTC."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.domain.accounts import Account


@dataclass(frozen=True)
class Term:
    """How long a document may stay where it is.

    `visit` is its version when it came there, `days` the limit of the process data (None: the platform's own idea of
    too long), `guessed` says that it reaches into a year whose holidays were not announced. `step` escalations were
    done, `next_at` is when the next one comes. `reminded` counts reminders by hand.
    """

    document_id: int
    visit: int
    since: datetime
    due_at: datetime
    days: int | None
    guessed: bool
    step: int = 0
    next_at: datetime | None = None
    reminded: int = 0


@dataclass(frozen=True)
class Pending:
    """An escalation whose time has come."""

    number: str
    visit: int
    step: int


@dataclass(frozen=True)
class Nudge:
    """Something that was told about a document: `slot` names it among those of one visit, so that it is done once."""

    document_id: int
    visit: int
    slot: str
    account_id: int | None
    who: str
    node: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Copy:
    """A document given to an account to read. `reader` says who read it, where a deputy did."""

    id: int
    document_id: int
    account: Account
    who: str
    node: str
    note: str
    at: datetime
    read_at: datetime | None = None
    reader: str = ""


class Terms(Protocol):
    """Time limits of documents that wait for somebody, and what was told because of them."""

    def begin(self, term: Term) -> None: ...
    def end(self, document_id: int) -> None: ...
    def of(self, document_ids: Collection[int]) -> dict[int, Term]: ...
    def escalating(self, now: datetime, limit: int) -> list[Pending]: ...
    def advance(self, term: Term, step: int, next_at: datetime | None) -> None: ...
    def guessed(self, limit: int) -> list[Term]: ...
    def nudge(self, nudge: Nudge) -> bool: ...
    def nudges(self, document_id: int) -> list[Nudge]: ...
    def reminded(self, document_id: int) -> None: ...


class Copies(Protocol):
    """Documents given to accounts to read."""

    def give(
        self, document_id: int, account_ids: Collection[int], sender: tuple[int | None, str], node: str, note: str,
        at: datetime,
    ) -> None: ...  # fmt: skip
    def of(self, document_id: int) -> list[Copy]: ...
    def only_read(self, document_id: int, unit_id: int) -> bool: ...
    def mark_read(self, document_id: int, account_id: int, reader: str, at: datetime) -> bool: ...
    def notes(self, account_id: int, document_ids: Sequence[int]) -> dict[int, Copy]: ...
