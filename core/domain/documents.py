"""A document on its way: where it stands, how it got there, and what is linked to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Trail = tuple[str, ...]


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
class Linked:
    """A document that hangs on another one (an order on its plan), as far as guards and the planner need it."""

    id: int
    number: str
    kind: str
    trail: Trail
    flags: frozenset[str]
    ended: bool


@dataclass(frozen=True)
class Situation:
    """All that guards look at: form mistakes, flags, linked documents still open."""

    form_errors: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    open_orders: tuple[str, ...] = ()
