"""What use cases give back: frozen, ready to be shown, with no rule left to apply."""

from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import Unit
from core.domain.documents import Document, Entry
from core.domain.process import Process
from core.service.ports import Certificate
from core.service.term_ports import Copy

FIELD_LABELS = {
    "opinion": "意见",
    "reason": "理由",
    "target": "退回到",
    "seal": "印章",
    "pin": "证书口令（PIN）",
}


@dataclass(frozen=True)
class FormField:
    """One thing to fill in for an act; `options` are (value, label)."""

    name: str
    label: str
    required: bool
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Offer:
    """An act that this account may take now."""

    action: str
    label: str
    form: tuple[FormField, ...]
    targets: tuple[tuple[str, str], ...]
    irreversible: bool
    menu: str
    warn: str = ""


@dataclass(frozen=True)
class Due:
    """Until when a document should be acted on where it is; times are UTC.

    `days` is the limit of the process (None: the platform's own idea of too long), `waited`, `left` and `over` count
    working days, `spent_s` seconds of working days since; `guessed`: it reaches into a year whose holidays are not
    announced. `words` says it in a few words.
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
    spent_s: int = 0


@dataclass(frozen=True)
class DocumentSummary:
    """One line of a list. `whose` says in words whose turn it is; times are UTC, money is fen."""

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
    id: int
    stage: str = ""  # prepare, review, work, finished (well), ended
    due: Due | None = None  # where somebody has to act
    copy: Copy | None = None  # in the list of what was copied to the account
    has_amount: bool = True  # else `amount_fen` is 0 and means nothing


@dataclass(frozen=True)
class HoldView:
    """What the document keeps of one indicator, in fen."""

    indicator_code: str
    name: str
    frozen_fen: int
    used_fen: int


@dataclass(frozen=True)
class DocumentView:
    """One document as its page shows it."""

    document: Document
    process: Process
    unit: Unit
    summary: DocumentSummary
    history: tuple[Entry, ...]
    offers: tuple[Offer, ...]
    linked: tuple[DocumentSummary, ...]
    form_errors: dict[str, str]
    doubts: dict[str, str]
    holds: tuple[HoldView, ...]
    certificate: Certificate | None

    @property
    def whose_turn(self) -> str:
        """In words; empty where it is nobody's."""
        return self.summary.whose


@dataclass(frozen=True)
class ActResult:
    """What an act brought. `said` tells it in one or two sentences; `repeated`: it had been done before."""

    document: DocumentSummary
    label: str
    said: str
    repeated: bool = False
