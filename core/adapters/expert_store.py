"""The experts in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from core.adapters.expert_tables import expert, expert_draw, expert_seat
from core.adapters.table_types import inserted_id
from core.domain.drawing import Expert
from core.service.expert_ports import DrawRecord, ExpertRow, Seat, SeatState


def _row(row: Any) -> ExpertRow:
    known = Expert(row.code, row.unit_name, row.id_number, frozenset(row.categories), row.area)
    return ExpertRow(row.id, known, row.name, row.phone)


class ExpertStore:
    """Implements `core.service.expert_ports.Experts`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def add(self, region: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Enter experts into the directory."""
        self._connection.execute(insert(expert), [{**row, "region": region} for row in rows])

    def directory(self, region: str) -> list[ExpertRow]:
        """Everyone who may be drawn in a region."""
        statement = select(expert).where(expert.c.region == region, expert.c.active).order_by(expert.c.code)
        return [_row(row) for row in self._connection.execute(statement)]

    def record(self, document_id: int, seq: int, draw: DrawRecord) -> int:
        """Keep a draw; its id. `seq` is the version of the document that the act made."""
        values = {**vars(draw), "document_id": document_id, "seq": seq}
        return inserted_id(self._connection.execute(insert(expert_draw).values(values)))

    def draws(self, document_id: int) -> list[DrawRecord]:
        """Draws of a document, oldest first."""
        statement = (
            select(expert_draw).where(expert_draw.c.document_id == document_id).order_by(expert_draw.c.id)
        )
        return [
            DrawRecord(row.seed, row.pools, row.places, row.drawn, row.at)
            for row in self._connection.execute(statement)
        ]

    def seat(self, document_id: int, expert_id: int, group: int, draw_id: int) -> None:
        """Someone drawn takes a seat; whoever was released before may be drawn again."""
        self._connection.execute(delete(expert_seat).where(self._of(document_id, expert_id)))
        values = {"document_id": document_id, "expert_id": expert_id, "place": group, "draw_id": draw_id}
        self._connection.execute(insert(expert_seat).values(values))

    def set_state(self, document_id: int, expert_id: int, state: SeatState, at: datetime | None) -> None:
        """What became of a seat."""
        statement = update(expert_seat).where(self._of(document_id, expert_id))
        self._connection.execute(statement.values(state=state.value, answered_at=at))

    def seats(self, document_id: int) -> list[Seat]:
        """Everyone ever drawn, by group and code."""
        statement = (
            select(
                expert, expert_seat.c.place, expert_seat.c.state, expert_seat.c.answered_at, expert_draw.c.at
            )
            .join(expert_seat, expert_seat.c.expert_id == expert.c.id)
            .join(expert_draw, expert_draw.c.id == expert_seat.c.draw_id)
            .where(expert_seat.c.document_id == document_id)
            .order_by(expert_seat.c.place, expert.c.code)
        )
        return [
            Seat(_row(row), row.place, SeatState(row.state), row.at, row.answered_at)
            for row in self._connection.execute(statement)
        ]

    @staticmethod
    def _of(document_id: int, expert_id: int) -> Any:
        return (expert_seat.c.document_id == document_id) & (expert_seat.c.expert_id == expert_id)
