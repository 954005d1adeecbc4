"""Facts that conditions ask for seldom: looked up when they are asked for, while the transaction lasts."""

from typing import Any

from core.domain.accounts import Unit
from core.domain.calendar import day_of
from core.domain.ledger import IMPORTS
from core.service.ports import Transaction


def fact(tx: Transaction, region: str, owner: Unit, name: str, *about: Any) -> Any:
    """One of `core.domain.expressions.FACTS`; empty for what is not there."""
    if name == "last_import":
        at = tx.records.latest(region, IMPORTS)
        return day_of(at).isoformat() if at else ""
    if name == "landline":
        units = tx.accounts.units_by_code(region, str(about[0]))
        return units[0].landline if units else ""
    known = tx.ledger.indicator(about[0]) if isinstance(about[0], int) else None
    if name == "held_by":
        return "、".join(tx.ledger.holders(known.id)) if known and known.unit_id == owner.id else ""
    if known is None or known.unit_id != owner.id:
        return 0
    return known.available_fen if name == "left" else known.year
