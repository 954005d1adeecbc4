"""Facts that conditions ask for seldom: looked up when they are asked for, while the transaction lasts."""

from typing import Any

from core.domain.accounts import Unit
from core.domain.calendar import day_of
from core.domain.documents import Document
from core.domain.ledger import IMPORTS
from core.domain.process import NodeType
from core.service.ports import Indicator, Transaction
from core.service.system import System


def fact(system: System, tx: Transaction, document: Document, owner: Unit, name: str, *about: Any) -> Any:
    """One of `core.domain.expressions.FACTS`; empty for what is not there."""
    if name == "last_import":
        at = tx.records.latest(document.region, IMPORTS)
        return day_of(at).isoformat() if at else ""
    if name == "landline":
        units = tx.accounts.units_by_code(document.region, str(about[0]))
        return units[0].landline if units else ""
    if name == "payable":
        return _payable(tx, document)
    if name == "taken_by":
        return "、".join(_came_first(system, tx, document, *about))
    if name == "beside":
        named = tx.documents.by_number(str(about[0]).strip().upper(), None)
        return named is not None and named.parent_id == document.parent_id is not None
    return _of_budget(tx, owner, name, *about)


def _of_budget(tx: Transaction, owner: Unit, name: str, *about: Any) -> Any:
    known = tx.ledger.indicator(about[0]) if isinstance(about[0], int) else None
    if name == "held_by":
        return "、".join(tx.ledger.holders(known.id)) if known and known.unit_id == owner.id else ""
    if known is None or known.unit_id != owner.id:
        return 0
    return known.available_fen if name == "left" else known.year


def paying(tx: Transaction, document: Document) -> Indicator | None:
    """The account of the nearest document above that has one (fj: the project pays for its plan's contracts)."""
    while document.parent_id is not None:
        document = tx.documents.by_id(document.parent_id)
        if found := tx.ledger.account_of(document.id):
            return found
    return None


def _payable(tx: Transaction, document: Document) -> int:
    """Fen that the document may take from the account above, with what it holds of it already."""
    above = paying(tx, document)
    if above is None:
        return 0
    held = tx.ledger.holds(document.id) if document.id else []
    return above.available_fen + sum(
        hold.frozen_fen + hold.used_fen for hold in held if hold.indicator_id == above.id
    )


def _came_first(system: System, tx: Transaction, document: Document, field: str, value: Any) -> list[str]:
    """Open documents of this kind beside it with the same value in a field: those sent on, of drafts the earlier ones."""
    found = []
    for other in tx.documents.descendants(document.parent_id) if document.parent_id else ():
        process = system.processes.version(other.process_version, tx)
        if (
            (other.kind, other.parent_id) == (document.kind, document.parent_id)
            and other.id != document.id
            and _key(other.form.get(field)) == _key(value)
            and process.node(other.node).type is not NodeType.END
            and (other.node != process.start or not document.id or other.id < document.id)
        ):
            found.append(other.number)
    return found


def _key(value: Any) -> Any:
    """Numbers of documents are told apart without regard to how they were typed."""
    return value.strip().upper() if isinstance(value, str) else value
