"""Assignments in SQL. What two do at once is told apart by the version of the document, not here."""

from sqlalchemy import Connection, bindparam, insert, select, update

from core.adapters.assignment_tables import assignment
from core.adapters.identity_tables import account
from core.adapters.prepared import Prepared
from core.domain.accounts import Role
from core.domain.approval import Assignment, Kind, Seat, State

_BY, _TO = account.alias("by_account"), account.alias("to_account")
# Asked by every act, so built once.
_LIVE = Prepared(
    select(
        assignment,
        _BY.c.unit_id.label("by_unit"),
        _BY.c.role.label("by_role"),
        _TO.c.unit_id.label("to_unit"),
        _TO.c.role.label("to_role"),
    )
    .select_from(
        assignment.join(_BY, _BY.c.id == assignment.c.by_id).join(_TO, _TO.c.id == assignment.c.to_id)
    )
    .where(assignment.c.document_id == bindparam("sought"), assignment.c.live.is_(True))
    .order_by(assignment.c.id)
)


class AssignmentStore:
    """Implements `core.service.assignment_ports.Assignments`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def live(self, document_id: int) -> list[Assignment]:
        """What counts while the document stays where it is, oldest first."""
        return [
            Assignment(
                id=row.id, document_id=row.document_id, node=row.node, kind=Kind(row.kind),
                seat=Seat(row.seat_unit, Role(row.seat_role), row.seat_account),
                by=Seat(row.by_unit, Role(row.by_role), row.by_id),
                to=Seat(row.to_unit, Role(row.to_role), row.to_id),
                state=State(row.state), at=row.at, agrees=row.agrees, action=row.action, note=row.note,
            )
            for row in _LIVE.rows(self._connection, {"sought": document_id})
        ]  # fmt: skip

    def add(self, item: Assignment) -> None:
        """One more; its id is given here."""
        values = {
            "document_id": item.document_id, "node": item.node, "kind": item.kind.value,
            "seat_unit": item.seat.unit_id, "seat_role": item.seat.role.value, "seat_account": item.seat.account_id,
            "by_id": item.by.account_id, "to_id": item.to.account_id, "state": item.state.value,
            "agrees": item.agrees, "action": item.action, "note": item.note, "at": item.at,
        }  # fmt: skip
        self._connection.execute(insert(assignment).values(values))

    def set_state(self, assignment_id: int, state: State, *, agrees: bool | None = None) -> None:
        """It was answered (`done`) or taken back (`cancelled`)."""
        self._connection.execute(
            update(assignment)
            .where(assignment.c.id == assignment_id)
            .values(state=state.value, agrees=agrees)
        )

    def end_stay(self, document_id: int) -> None:
        """The document has left the node: nothing of this stay counts any more."""
        self._connection.execute(
            update(assignment)
            .where(assignment.c.document_id == document_id, assignment.c.live.is_(True))
            .values(live=False)
        )
