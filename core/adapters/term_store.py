"""Time limits and what was told because of them, in SQL."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, text, update

from core.adapters.prepared import Prepared
from core.adapters.tables import document
from core.adapters.term_tables import deadline, nudge
from core.service.term_ports import Nudge, Pending, Term

# Statements of every act are built once: building one costs more than running it.
_BEGIN = Prepared(
    text(
        "INSERT INTO deadline (document_id, visit, since, due_at, days, guessed, step, next_at, reminded) "
        "VALUES (:document_id, :visit, :since, :due_at, :days, :guessed, :step, :next_at, :reminded) "
        "ON CONFLICT (document_id) DO UPDATE SET visit = excluded.visit, since = excluded.since, due_at = excluded.due_at, "
        "days = excluded.days, guessed = excluded.guessed, step = excluded.step, next_at = excluded.next_at, "
        "reminded = excluded.reminded"
    ).bindparams(
        *(bindparam(name, type_=deadline.c[name].type) for name in ("since", "due_at", "guessed", "next_at"))
    )
)
_END = Prepared(delete(deadline).where(deadline.c.document_id == bindparam("sought")))
_OF_ONE = Prepared(select(deadline).where(deadline.c.document_id == bindparam("sought")))
_OF = select(deadline).where(deadline.c.document_id.in_(bindparam("sought", expanding=True)))
_NUDGE = text(
    "INSERT INTO nudge (document_id, visit, slot, account_id, who, node, text, at) "
    "VALUES (:document_id, :visit, :slot, :account_id, :who, :node, :text, :at) "
    "ON CONFLICT (document_id, visit, slot) DO NOTHING"
).bindparams(bindparam("at", type_=nudge.c.at.type))


class TermStore:
    """Implements `core.service.term_ports.Terms`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def begin(self, term: Term) -> None:
        """The limit that holds from now on, in the place of the one before."""
        _BEGIN.change(self._connection, vars(term))

    def end(self, document_id: int) -> None:
        """The document waits for nobody any more."""
        _END.change(self._connection, {"sought": document_id})

    def of(self, document_ids: Collection[int]) -> dict[int, Term]:
        """Limits of these documents by document id; those that wait for nobody have none."""
        if not document_ids:
            return {}
        if len(document_ids) == 1:
            rows = _OF_ONE.rows(self._connection, {"sought": next(iter(document_ids))})
        else:
            rows = list(self._connection.execute(_OF, {"sought": list(document_ids)}))
        return {row.document_id: _term(row) for row in rows}

    def escalating(self, now: datetime, limit: int) -> list[Pending]:
        """Escalations whose time has come, the longest overdue first."""
        statement = (
            select(document.c.number, deadline.c.visit, deadline.c.step)
            .join(document, document.c.id == deadline.c.document_id)
            .where(deadline.c.next_at <= now)
            .order_by(deadline.c.next_at, deadline.c.document_id)
            .limit(limit)
        )
        return [Pending(row.number, row.visit, row.step) for row in self._connection.execute(statement)]

    def advance(self, term: Term, step: int, next_at: datetime | None) -> None:
        """So many steps are done, of a document that is locked."""
        own = update(deadline).where(deadline.c.document_id == term.document_id)
        self._connection.execute(own.values(step=step, next_at=next_at))

    def guessed(self, limit: int) -> list[Term]:
        """Limits that reach into a year whose holidays were not announced then."""
        statement = select(deadline).where(deadline.c.guessed).order_by(deadline.c.document_id).limit(limit)
        return [_term(row) for row in self._connection.execute(statement)]

    def nudge(self, item: Nudge) -> bool:
        """Record that something is told; False when it has been in this slot of this visit."""
        return self._connection.execute(_NUDGE, vars(item)).rowcount == 1

    def nudges(self, document_id: int) -> list[Nudge]:
        """All that was told about a document, oldest first."""
        statement = select(nudge).where(nudge.c.document_id == document_id).order_by(nudge.c.id)
        return [_nudge(row) for row in self._connection.execute(statement)]

    def reminded(self, document_id: int) -> None:
        """One reminder by hand more."""
        own = update(deadline).where(deadline.c.document_id == document_id)
        self._connection.execute(own.values(reminded=deadline.c.reminded + 1))


def _term(row: Any) -> Term:
    return Term(
        row.document_id, row.visit, row.since, row.due_at, row.days, row.guessed, row.step, row.next_at, row.reminded,
    )  # fmt: skip


def _nudge(row: Any) -> Nudge:
    return Nudge(
        row.document_id, row.visit, row.slot, row.account_id, row.who, row.node, row.text, row.at,
    )  # fmt: skip
