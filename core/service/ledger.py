"""Indicators of one's own unit and their statements."""

from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import Account
from core.domain.errors import NotFoundError
from core.domain.ledger import MOVEMENT_LABELS
from core.service import situations
from core.service.ports import Indicator
from core.service.system import System


@dataclass(frozen=True)
class MovementView:
    """One line of a statement; the amount is positive fen, the kind says which way."""

    at: datetime
    kind: str
    kind_label: str
    amount_fen: int
    number: str


def indicators(system: System, actor: Account) -> list[Indicator]:
    """Indicators of the actor's unit with balances in fen."""
    with system.database.read() as tx:
        return tx.ledger.indicators(actor.unit.id)


def account(system: System, actor: Account, number: str) -> Indicator | None:
    """The account of its own that a document has, from which those under it are paid; NotFoundError for another unit's."""
    with system.database.read() as tx:
        return tx.ledger.account_of(situations.find(system, tx, actor, number).id)


def statement(system: System, actor: Account, indicator_id: int) -> list[MovementView]:
    """All movements of an indicator of the actor's unit, oldest first; NotFoundError for any other."""
    with system.database.read() as tx:
        known = tx.ledger.indicator(indicator_id)
        if known is None or known.unit_id != actor.unit.id:
            raise NotFoundError("没有找到这个指标")
        return [
            MovementView(
                row.at,
                row.movement.kind.value,
                MOVEMENT_LABELS[row.movement.kind],
                row.movement.amount_fen,
                row.number,
            )
            for row in tx.ledger.statement(indicator_id)
        ]
