"""What waits for somebody, counted and the most urgent first: the home page of every role."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from core.domain.accounts import ROLE_LABELS, Account
from core.service import lists
from core.service.page_ports import Query
from core.service.ports import Transaction
from core.service.system import System
from core.service.views import DocumentSummary

_SHOWN = 5  # documents of each list


@dataclass(frozen=True)
class Desk:
    """What somebody's home page shows: how many documents lists have (up to 1,000), the most urgent and newest of them.

    Of the folder `copied` only what was not read counts.
    """

    counts: Mapping[str, int]
    todo: tuple[DocumentSummary, ...]
    late: tuple[DocumentSummary, ...]
    copied: tuple[DocumentSummary, ...]
    others: tuple["StandIn", ...]


@dataclass(frozen=True)
class StandIn:
    """Somebody for whom the account may act today (`appointment`), and what waits there."""

    appointment: int
    name: str
    role: str
    until: date
    waiting: int
    late: int


def desk(system: System, actor: Account) -> Desk:
    """The account's home page."""
    with system.database.read() as tx:
        now = system.clock()
        asked = {
            name: Query(name, now=now, unread=name == "copied") for name in ("todo", "mine", "copied", "late")
        }
        counts = {name: tx.lists.count(actor, query) for name, query in asked.items()}
        shown = {
            name: lists.find_in(system, tx, actor, replace(asked[name], order=lists.order_of(name)), _SHOWN)
            if counts[name]
            else []
            for name in ("todo", "late", "copied")
        }
        others = _others(system, tx, actor)
    return Desk(counts, tuple(shown["todo"]), tuple(shown["late"]), tuple(shown["copied"]), others)


def others(system: System, actor: Account) -> tuple[StandIn, ...]:
    """Those for whom the account may act today; none while it does."""
    with system.database.read() as tx:
        return _others(system, tx, actor)


def _others(system: System, tx: Transaction, actor: Account) -> tuple[StandIn, ...]:
    if actor.acts_for:
        return ()
    found, now = [], system.clock()
    for one in tx.staff.standing_in_for(actor.id, system.today):
        at_work = actor.standing_in_for(one.principal)
        waiting, late = (
            tx.lists.count(at_work, Query("todo", now=now, overdue=late)) for late in (False, True)
        )
        role = ROLE_LABELS[one.principal.role]
        found.append(StandIn(one.id, one.principal.name, role, one.until, waiting, late))
    return tuple(found)
