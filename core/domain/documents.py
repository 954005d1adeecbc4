"""A document on its way: where it stands, how it got there, and what is linked to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from core.domain.catalogue import Catalogue

Trail = tuple[str, ...]
_NO_CATALOGUE = Catalogue(())


@dataclass(frozen=True)
class Document:
    """State of one document. `version` grows by one with each act; `trail` is the live way from start to `node`.

    After a return the part of the trail behind the target is cut off, so a node of an earlier pass is never offered
    as a return target again. `amount_fen` is the total of the form. Times are UTC.
    """

    id: int
    number: str
    region: str
    kind: str
    variant: str
    process_version: str
    title: str
    unit_id: int
    author_id: int
    trail: Trail
    version: int
    form: Mapping[str, Any]
    amount_fen: int
    created_at: datetime
    updated_at: datetime
    flags: frozenset[str] = frozenset()
    cut: Trail = ()  # what the latest return cut off; ends with the node that returned the document
    parent_id: int | None = None
    agency_id: int | None = None
    supplier_id: int | None = None

    @property
    def node(self) -> str:
        """Where the document stands."""
        return self.trail[-1]


@dataclass(frozen=True)
class Entry:
    """One line of a document's history: who did what, when (UTC), with which opinion."""

    seq: int
    at: datetime
    account_id: int
    who: str
    action: str
    label: str
    source: str
    target: str
    opinion: str = ""


@dataclass(frozen=True)
class FormVersion:
    """A form as it was before a change (`label` says which act began it, `at` when, UTC); `seq` is the document's version."""

    seq: int
    form: Mapping[str, Any]
    amount_fen: int
    at: datetime
    label: str


@dataclass(frozen=True)
class Linked:
    """A document above or below another one, as far as conditions and the planner need it. `above`: number."""

    number: str
    kind: str
    variant: str
    node: str
    flags: frozenset[str] = frozenset()
    ended: bool = False
    amount_fen: int = 0
    form: Mapping[str, Any] = field(default_factory=dict)
    above: str = ""


@dataclass(frozen=True)
class Money:
    """Fen: what the document holds of the accounts that pay it, and what was taken from its own account."""

    frozen_fen: int = 0
    used_fen: int = 0
    account_fen: int = 0
    account_frozen_fen: int = 0
    account_used_fen: int = 0


def no_fact(name: str, *_about: Any) -> Any:
    """Facts of nothing: of the right type, and empty."""
    return 0 if name in {"left", "year_of", "payable"} else ""


def no_value(_name: str, *_keys: str) -> int:
    """A region without values."""
    return 0


@dataclass(frozen=True)
class Situation:
    """All that conditions look at. `form` has a value of its type for every field; `children` are all below, at any depth.

    `facts` looks up what is asked for seldom, by name, while the transaction lasts. `values` answers the region's dated
    values (thresholds …) as of `today`.
    """

    form_errors: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    form: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""
    node: str = ""
    amount_fen: int = 0
    division: str = ""
    unit_code: str = ""
    parent: Linked | None = None
    ancestors: tuple[Linked, ...] = ()
    children: tuple[Linked, ...] = ()
    money: Money = field(default_factory=Money)
    today: date = date(2000, 1, 1)
    values: Callable[..., Any] = no_value
    facts: Callable[..., Any] = no_fact
    known: Catalogue = _NO_CATALOGUE
    own_last: bool = False  # whoever looks brought the document here, and nobody has done anything since
