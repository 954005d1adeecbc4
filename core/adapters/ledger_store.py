"""The ledger in SQL: every balance changes by a guarded UPDATE, never by read-then-write."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from core.adapters.tables import document, hold, indicator, inserted_id, movement
from core.domain.ledger import Hold, Movement, MovementKind, replay
from core.service.ports import Indicator, MovementRow


def _indicator(row: Any) -> Indicator:
    return Indicator(
        row.id, row.unit_id, row.code, row.name, row.year, row.total_fen, row.frozen_fen, row.used_fen
    )


_TOP_UP = text(
    "INSERT INTO indicator (unit_id, year, code, name, total_fen) VALUES (:unit_id, :year, :code, :name, :add_fen) "
    "ON CONFLICT (unit_id, year, code) DO UPDATE SET total_fen = indicator.total_fen + excluded.total_fen RETURNING id"
)


class LedgerStore:
    """Implements `core.service.ports.Ledger`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def indicators(self, unit_id: int) -> list[Indicator]:
        """Indicators of a unit by year and code."""
        statement = select(indicator).where(indicator.c.unit_id == unit_id)
        rows = self._connection.execute(statement.order_by(indicator.c.year, indicator.c.code))
        return [_indicator(row) for row in rows]

    def indicator(self, indicator_id: int) -> Indicator | None:
        """One indicator."""
        row = self._connection.execute(select(indicator).where(indicator.c.id == indicator_id)).first()
        return _indicator(row) if row else None

    def add_indicator(self, values: Mapping[str, Any]) -> int:
        """New indicator; its id."""
        return inserted_id(self._connection.execute(insert(indicator).values(**values)))

    def top_up(self, unit_id: int, year: int, code: str, name: str, add_fen: int) -> Indicator:
        """Add to an indicator's total, making it where there is none; two at once both count."""
        values = {"unit_id": unit_id, "year": year, "code": code, "name": name, "add_fen": add_fen}
        found = self._connection.execute(_TOP_UP, values).scalar_one()
        return _indicator(self._connection.execute(select(indicator).where(indicator.c.id == found)).one())

    def holds(self, document_id: int) -> list[Hold]:
        """What a document keeps of each indicator."""
        rows = self._connection.execute(select(hold).where(hold.c.document_id == document_id))
        return [Hold(row.indicator_id, row.frozen_fen, row.used_fen) for row in rows]

    def apply(self, document_id: int, seq: int, move: Movement, at: datetime) -> bool:
        """Apply one movement; False, with nothing changed, when the indicator cannot bear it."""
        balance = {
            "frozen_fen": indicator.c.frozen_fen + move.frozen_change,
            "used_fen": indicator.c.used_fen + move.used_change,
        }
        guarded = update(indicator).where(
            indicator.c.id == move.indicator_id,
            indicator.c.frozen_fen + move.frozen_change >= 0,
            indicator.c.used_fen + move.used_change >= 0,
            indicator.c.frozen_fen + indicator.c.used_fen + move.frozen_change + move.used_change
            <= indicator.c.total_fen,
        )
        if self._connection.execute(guarded.values(balance)).rowcount != 1:
            return False
        self._keep(document_id, move)
        self._connection.execute(
            insert(movement).values(
                indicator_id=move.indicator_id,
                document_id=document_id,
                seq=seq,
                kind=move.kind.value,
                amount_fen=move.amount_fen,
                at=at,
            )
        )
        return True

    def _keep(self, document_id: int, move: Movement) -> None:
        changed = self._connection.execute(
            update(hold)
            .where(hold.c.document_id == document_id, hold.c.indicator_id == move.indicator_id)
            .values(
                frozen_fen=hold.c.frozen_fen + move.frozen_change, used_fen=hold.c.used_fen + move.used_change
            )
        )
        if changed.rowcount == 0:
            self._connection.execute(
                insert(hold).values(
                    document_id=document_id,
                    indicator_id=move.indicator_id,
                    frozen_fen=move.frozen_change,
                    used_fen=move.used_change,
                )
            )

    def statement(self, indicator_id: int) -> list[MovementRow]:
        """Movements of an indicator, oldest first."""
        statement = (
            select(movement, document.c.number)
            .join(document, document.c.id == movement.c.document_id)
            .where(movement.c.indicator_id == indicator_id)
            .order_by(movement.c.id)
        )
        return [
            MovementRow(
                row.at, Movement(row.indicator_id, MovementKind(row.kind), row.amount_fen), row.number
            )
            for row in self._connection.execute(statement)
        ]

    def imbalances(self) -> list[str]:
        """Every indicator, and every document's hold on one, that differs from its replayed movements."""
        pair = (movement.c.document_id, movement.c.indicator_id)
        summed = select(*pair, movement.c.kind, func.sum(movement.c.amount_fen).label("amount"))
        by_document: dict[int, list[Movement]] = {}
        for row in self._connection.execute(summed.group_by(*pair, movement.c.kind)):
            move = Movement(row.indicator_id, MovementKind(row.kind), int(row.amount))
            by_document.setdefault(row.document_id, []).append(move)
        replayed = replay(move for moves in by_document.values() for move in moves)
        found = [
            f"指标 {row.code} 的余额与流水不一致"
            for row in self._connection.execute(select(indicator))
            if replayed.get(row.id, (0, 0)) != (row.frozen_fen, row.used_fen)
        ]
        held = {
            (row.document_id, row.indicator_id): (row.frozen_fen, row.used_fen)
            for row in self._connection.execute(select(hold))
        }
        due = {
            (document_id, indicator_id): amounts
            for document_id, moves in by_document.items()
            for indicator_id, amounts in replay(moves).items()
        }
        wrong = [key for key in held.keys() | due.keys() if held.get(key, (0, 0)) != due.get(key, (0, 0))]
        return found + [f"单据编号 {key[0]} 对指标编号 {key[1]} 的占用与流水不一致" for key in sorted(wrong)]
