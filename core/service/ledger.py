"""Indicators of one's own unit and their statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import Account
from core.domain.errors import NotFoundError
from core.domain.ledger import MOVEMENT_LABELS
from core.service import situations
from core.service.ports import Indicator, MovementRow
from core.service.system import System

SOURCE_LABELS = {"opening": "期初", "file": "预算导入", "finance": "财政推送"}


@dataclass(frozen=True)
class MovementView:
    """One line of a statement; the amount is positive fen, the kind says which way.

    `number` is the document that moved it, else `source_label` says what changed the budget. The balances are those
    after this line: of the indicator, or what the document keeps of it.
    """

    at: datetime
    kind: str
    kind_label: str
    amount_fen: int
    number: str
    source_label: str
    total_fen: int
    frozen_fen: int
    used_fen: int

    @property
    def available_fen(self) -> int:
        """What could still be frozen after this line."""
        return self.total_fen - self.frozen_fen - self.used_fen


@dataclass(frozen=True)
class Section:
    """What a document moved on one indicator (`own` false), or everything on the account of its own."""

    indicator: Indicator
    own: bool
    lines: tuple[MovementView, ...]


def indicators(system: System, actor: Account) -> list[Indicator]:
    """Indicators of the actor's unit with balances in fen."""
    with system.database.read() as tx:
        return tx.ledger.indicators(actor.unit.id)


def account(system: System, actor: Account, number: str) -> Indicator | None:
    """The account of its own that a document has, from which those under it are paid; NotFoundError for another unit's."""
    with system.database.read() as tx:
        return tx.ledger.account_of(situations.find(tx, actor, number).id)


def statement(system: System, actor: Account, indicator_id: int) -> list[MovementView]:
    """All movements of an indicator of the actor's unit, oldest first; NotFoundError for any other."""
    with system.database.read() as tx:
        known = tx.ledger.indicator(indicator_id)
        if known is None or known.unit_id != actor.unit.id:
            raise NotFoundError("没有找到这个指标")
        return _lines(tx.ledger.statement(indicator_id))


def of_document(system: System, viewer: Account, number: str) -> list[Section]:
    """Every movement of a document by what it was on, and the account of its own; NotFoundError as for the document."""
    with system.database.read() as tx:
        document = situations.find(tx, viewer, number)
        own = tx.ledger.account_of(document.id)
        rows = tx.ledger.moved_by(document.id)
        ids = dict.fromkeys(row.movement.indicator_id for row in rows)
        found = [
            Section(
                known,
                own=False,
                lines=tuple(_lines([r for r in rows if r.movement.indicator_id == known.id])),
            )
            for one in ids
            if (own is None or one != own.id) and (known := tx.ledger.indicator(one))
        ]
        if own is not None:
            found.append(Section(own, own=True, lines=tuple(_lines(tx.ledger.statement(own.id)))))
        return found


def _lines(rows: Sequence[MovementRow]) -> list[MovementView]:
    """With the balances after each."""
    total = frozen = used = 0
    lines = []
    for row in rows:
        move = row.movement
        total, frozen, used = total + move.total_change, frozen + move.frozen_change, used + move.used_change
        lines.append(
            MovementView(
                row.at, move.kind.value, MOVEMENT_LABELS[move.kind], move.amount_fen, row.number,
                SOURCE_LABELS.get(row.source.partition(":")[0], ""), total, frozen, used,
            )
        )  # fmt: skip
    return lines
