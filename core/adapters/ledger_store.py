"""The ledger in SQL: every balance changes by a guarded UPDATE, never by read-then-write."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from core.adapters.prepared import Prepared
from core.adapters.tables import Utc, document, hold, indicator, inserted_id, movement
from core.domain.errors import ConflictError
from core.domain.ledger import Hold, Movement, MovementKind, granted, replay
from core.service.ports import BudgetChange, Indicator, MovementRow


def _indicator(row: Any) -> Indicator:
    return Indicator(
        row.id, row.unit_id, row.code, row.name, row.year, row.total_fen, row.frozen_fen, row.used_fen,
        row.document_id, row.stated_at,
    )  # fmt: skip


_TOP_UP = text(
    "INSERT INTO indicator (unit_id, year, code, name, total_fen) VALUES (:unit_id, :year, :code, :name, :add_fen) "
    "ON CONFLICT (unit_id, year, code) DO UPDATE SET total_fen = indicator.total_fen + excluded.total_fen RETURNING id"
)


# Statements of every act are built once: building one costs more than running it.
_OF_UNIT = (
    select(indicator)
    .where(indicator.c.unit_id == bindparam("of_unit"), indicator.c.document_id.is_(None))
    .order_by(indicator.c.year, indicator.c.code)
)
_PAYERS = Prepared(
    select(indicator.c.id, document.c.kind)
    .select_from(indicator)
    .outerjoin(document, document.c.id == indicator.c.document_id)
    .where(indicator.c.unit_id == bindparam("of_unit"))
)
_OF_DOCUMENT = Prepared(select(indicator).where(indicator.c.document_id == bindparam("holder")))
_FROZEN = indicator.c.frozen_fen + bindparam("frozen_change", type_=BigInteger)
_TOTAL = indicator.c.total_fen + bindparam("total_change", type_=BigInteger)
_USED = indicator.c.used_fen + bindparam("used_change", type_=BigInteger)
_CHANGE_BALANCE = Prepared(
    update(indicator)
    .where(
        indicator.c.id == bindparam("sought"),
        _FROZEN >= 0,
        _USED >= 0,
        _TOTAL >= _FROZEN + _USED,
    )
    .values(frozen_fen=_FROZEN, used_fen=_USED, total_fen=_TOTAL)
)
_BY_ID = Prepared(select(indicator).where(indicator.c.id == bindparam("sought")))
_HOLDS = Prepared(select(hold).where(hold.c.document_id == bindparam("holder")))
_CHANGE_HOLD = Prepared(
    update(hold)
    .where(hold.c.document_id == bindparam("holder"), hold.c.indicator_id == bindparam("sought"))
    .values(
        frozen_fen=hold.c.frozen_fen + bindparam("frozen_change", type_=BigInteger),
        used_fen=hold.c.used_fen + bindparam("used_change", type_=BigInteger),
    )
)
_ADD_HOLD = Prepared(insert(hold))
# Nobody asks for the new id.
_ADD_MOVEMENT = Prepared(
    insert(movement).inline(), "indicator_id", "document_id", "seq", "kind", "amount_fen", "at"
)


_CHANGE_BUDGET = (
    update(indicator)
    .where(indicator.c.id == bindparam("sought"))
    .values(
        total_fen=indicator.c.total_fen + bindparam("change", type_=BigInteger),
        name=bindparam("new_name"),
        stated_at=func.coalesce(bindparam("new_stated_at", type_=Utc), indicator.c.stated_at),
    )
)


def _movement(row: Any) -> MovementRow:
    move = Movement(row.indicator_id, MovementKind(row.kind), row.amount_fen)
    return MovementRow(row.at, move, row.number or "", row.source or "")


class LedgerStore:
    """Implements `core.service.ports.Ledger`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def indicators(self, unit_id: int) -> list[Indicator]:
        """Indicators of a unit by year and code."""
        rows = self._connection.execute(_OF_UNIT, {"of_unit": unit_id})
        return [_indicator(row) for row in rows]

    def indicator(self, indicator_id: int) -> Indicator | None:
        """One indicator."""
        row = _BY_ID.first(self._connection, {"sought": indicator_id})
        return _indicator(row) if row else None

    def payers(self, unit_id: int) -> dict[int, str]:
        """Id of everything that may pay for the unit → kind of the document whose account it is, else empty."""
        return {row.id: row.kind or "" for row in _PAYERS.rows(self._connection, {"of_unit": unit_id})}

    def holders(self, indicator_id: int) -> list[str]:
        """Numbers of the documents that hold money of an indicator."""
        statement = (
            select(document.c.number)
            .join(hold, hold.c.document_id == document.c.id)
            .where(hold.c.indicator_id == indicator_id, hold.c.frozen_fen + hold.c.used_fen > 0)
            .order_by(document.c.id)
        )
        return list(self._connection.execute(statement).scalars())

    def account_of(self, document_id: int) -> Indicator | None:
        """The document's own account, from which the documents under it are paid."""
        row = _OF_DOCUMENT.first(self._connection, {"holder": document_id})
        return _indicator(row) if row else None

    def add_account(self, values: Mapping[str, Any]) -> Indicator:
        """A document's own account, with nothing on it yet."""
        made = inserted_id(self._connection.execute(insert(indicator).values(**values, total_fen=0)))
        return _indicator(_BY_ID.one(self._connection, {"sought": made}))

    def top_up(
        self, unit_id: int, year: int, code: str, name: str, add_fen: int, *, source: str, at: datetime
    ) -> Indicator:
        """Add to an indicator's total, making it where there is none; two at once both count."""
        values = {"unit_id": unit_id, "year": year, "code": code, "name": name, "add_fen": add_fen}
        found = self._connection.execute(_TOP_UP, values).scalar_one()
        self._budget_moved([(found, add_fen)], source, at)
        return _indicator(self._connection.execute(select(indicator).where(indicator.c.id == found)).one())

    def budgets(self, units: Collection[int], years: Collection[int], *, lock: bool) -> list[Indicator]:
        """Everything of these units and years that bears a code; `lock` it until the transaction ends, to change it."""
        there = indicator.c.unit_id.in_(sorted(units)) & indicator.c.year.in_(sorted(years))
        statement = select(indicator).where(there).order_by(indicator.c.id)
        if lock:
            statement = statement.with_for_update()
        return [_indicator(row) for row in self._connection.execute(statement)]

    def add_budgets(self, rows: Sequence[Mapping[str, Any]], source: str, at: datetime) -> list[int]:
        """New indicators of budgets, as many as there are; their ids. The total is the first movement."""
        if not rows:
            return []
        statement = insert(indicator).returning(indicator.c.id, sort_by_parameter_order=True)
        try:
            made = self._connection.execute(statement, list(rows)).scalars().all()
        except IntegrityError as error:
            raise ConflictError("另一份预算正在导入，请稍后再试", code="in_progress") from error
        totals = (row["total_fen"] for row in rows)
        self._budget_moved(
            [(one, total) for one, total in zip(made, totals, strict=True) if total], source, at
        )
        return list(made)

    def change_budgets(self, changes: Sequence[BudgetChange], source: str, at: datetime) -> None:
        """Other totals and names for indicators that `budgets` has locked; the database refuses less than is taken."""
        if not changes:
            return
        rows = [
            {
                "sought": one.indicator_id, "change": one.change_fen, "new_name": one.name,
                "new_stated_at": one.stated_at,
            }
            for one in changes
        ]  # fmt: skip
        self._connection.execute(_CHANGE_BUDGET, rows)
        self._budget_moved(
            [(one.indicator_id, one.change_fen) for one in changes if one.change_fen], source, at
        )

    def _budget_moved(self, changes: Sequence[tuple[int, int]], source: str, at: datetime) -> None:
        rows = [
            {
                "indicator_id": number, "source": source, "seq": 0, "at": at, "amount_fen": abs(change),
                "kind": (MovementKind.GRANT if change > 0 else MovementKind.REVOKE).value,
            }
            for number, change in changes
        ]  # fmt: skip
        if rows:
            self._connection.execute(insert(movement), rows)

    def holds(self, document_id: int) -> list[Hold]:
        """What a document keeps of each indicator."""
        rows = _HOLDS.rows(self._connection, {"holder": document_id})
        return [Hold(row.indicator_id, row.frozen_fen, row.used_fen) for row in rows]

    def apply(self, document_id: int, seq: int, move: Movement, at: datetime) -> bool:
        """Apply one movement; False, with nothing changed, when the indicator cannot bear it."""
        change = {"frozen_change": move.frozen_change, "used_change": move.used_change}
        guarded = {**change, "total_change": move.total_change, "sought": move.indicator_id}
        if _CHANGE_BALANCE.change(self._connection, guarded) != 1:
            return False
        if not move.total_change:
            self._keep(document_id, move)
        row = {
            "indicator_id": move.indicator_id, "document_id": document_id, "seq": seq, "kind": move.kind.value,
            "amount_fen": move.amount_fen, "at": at,
        }  # fmt: skip
        _ADD_MOVEMENT.change(self._connection, row)
        return True

    def _keep(self, document_id: int, move: Movement) -> None:
        change = {"frozen_change": move.frozen_change, "used_change": move.used_change}
        own = {**change, "holder": document_id, "sought": move.indicator_id}
        if _CHANGE_HOLD.change(self._connection, own) == 0:
            row = {
                "document_id": document_id, "indicator_id": move.indicator_id,
                "frozen_fen": move.frozen_change, "used_fen": move.used_change,
            }  # fmt: skip
            _ADD_HOLD.change(self._connection, row)

    def statement(self, indicator_id: int) -> list[MovementRow]:
        """Movements of an indicator, oldest first."""
        return self._moves(movement.c.indicator_id == indicator_id)

    def moved_by(self, document_id: int) -> list[MovementRow]:
        """Movements that a document has made, on whichever indicator, oldest first."""
        return self._moves(movement.c.document_id == document_id)

    def _moves(self, which: ColumnElement[bool]) -> list[MovementRow]:
        numbered = select(movement, document.c.number).outerjoin(
            document, document.c.id == movement.c.document_id
        )
        rows = self._connection.execute(numbered.where(which).order_by(movement.c.id))
        return [_movement(row) for row in rows]

    def imbalances(self) -> list[str]:
        """Every indicator, and every document's hold on one, that differs from its replayed movements."""
        pair = (movement.c.document_id, movement.c.indicator_id)
        summed = select(*pair, movement.c.kind, func.sum(movement.c.amount_fen).label("amount"))
        by_document: dict[int | None, list[Movement]] = {}
        for row in self._connection.execute(summed.group_by(*pair, movement.c.kind)):
            move = Movement(row.indicator_id, MovementKind(row.kind), int(row.amount))
            by_document.setdefault(row.document_id, []).append(move)
        every = [move for moves in by_document.values() for move in moves]
        replayed, totals = replay(every), granted(every)
        found = []
        for row in self._connection.execute(select(indicator)):
            if replayed.get(row.id, (0, 0)) != (row.frozen_fen, row.used_fen):
                found.append(f"指标 {row.code} 的余额与流水不一致")
            if totals.get(row.id, 0) != row.total_fen:
                found.append(f"{row.code} 的额度与流水不一致")
        by_document.pop(None, None)  # a budget's own movements are nobody's hold
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
