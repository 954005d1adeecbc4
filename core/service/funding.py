"""Moving a document's money: what it takes from indicators or from the account above, and its own account."""

from collections.abc import Iterable
from datetime import datetime

from core.domain import forms, ledger
from core.domain.documents import Document
from core.domain.errors import BlockedError
from core.domain.ledger import Hold, Movement, MovementKind
from core.domain.money import yuan
from core.domain.process import Funds, Node, Process
from core.service import facts
from core.service.ports import Indicator, Transaction

_NAME_LIMIT = 100
_TAKING = (Funds.FROZEN, Funds.USED, Funds.RAISED)


def settle(tx: Transaction, document: Document, process: Process, target: Node, at: datetime) -> None:
    """Movements that bring the document's money to where its node wants it; BlockedError where it does not suffice.

    The own account comes before what was taken for it is given back, and after what it needs was taken.
    """
    own = _own(tx, document, process)
    moves = _moves(tx, document, process, target, own, tx.ledger.holds(document.id))
    giving_back = not target.account
    if giving_back:
        _account(tx, document, target, own, at)
    for move in moves:
        if not tx.ledger.apply(document.id, document.version, move, at):
            raise _refused(tx, move)
    if not giving_back:
        _account(tx, document, target, own, at)


def held_at(
    tx: Transaction, document: Document, process: Process, target: Node, holds: Iterable[Hold]
) -> list[Hold]:
    """What `holds` would be once `document` is at `target`; nothing is moved. BlockedError as `settle`."""
    held = {hold.indicator_id: hold for hold in holds}
    moves = _moves(tx, document, process, target, _own(tx, document, process), held.values())
    for indicator, (frozen, used) in ledger.replay(moves).items():
        was = held.get(indicator, Hold(indicator))
        held[indicator] = Hold(indicator, was.frozen_fen + frozen, was.used_fen + used)
    return list(held.values())


def _own(tx: Transaction, document: Document, process: Process) -> Indicator | None:
    """The document's own account, where documents of its kind have one and it is there."""
    kept = any(node.account for node in process.nodes.values())
    return tx.ledger.account_of(document.id) if kept else None


def _moves(
    tx: Transaction,
    document: Document,
    process: Process,
    target: Node,
    own: Indicator | None,
    holds: Iterable[Hold],
) -> list[Movement]:
    sources = _sources(tx, document, process) if target.funds in _TAKING else {}
    return ledger.settle(holds, target.funds, sources, own.used_fen if own else 0)


def _sources(tx: Transaction, document: Document, process: Process) -> dict[int, int]:
    """Id of what pays → fen."""
    if process.form.funding != "parent":
        return forms.funding(process.form, document.form)
    above = facts.paying(tx, document)
    if above is None:
        raise BlockedError("上级单据还没有可用的额度，这张单据付不出钱", code="no_account")
    return {above.id: document.amount_fen} if document.amount_fen else {}


def _account(tx: Transaction, document: Document, target: Node, own: Indicator | None, at: datetime) -> None:
    """The document's own account: all of its amount while its node has one, else only what was taken already."""
    if own is None and not target.account:
        return
    if own is None:
        year = document.form.get("account_year")
        values = {
            "unit_id": document.unit_id, "code": document.number, "name": document.title[:_NAME_LIMIT],
            "year": year if isinstance(year, int) and year else document.created_at.year,
            "document_id": document.id,
        }  # fmt: skip
        own = tx.ledger.add_account(values)
    taken = own.frozen_fen + own.used_fen
    wanted = document.amount_fen if target.account else taken
    if (
        wanted < taken
        or (target.funds in (Funds.FREE, Funds.SPENT) and own.frozen_fen)
        or (target.funds is Funds.FREE and taken)
    ):
        raise BlockedError(
            f"{document.number} 下面的单据已经占用 {yuan(taken)} 元，先处理这些单据再办",
            code="account_in_use",
            fields={"reasons": [f"下面的单据已经占用 {yuan(taken)} 元"], "taken_fen": taken},
        )
    difference = wanted - own.total_fen
    if difference:
        kind = MovementKind.GRANT if difference > 0 else MovementKind.REVOKE
        if not tx.ledger.apply(document.id, document.version, Movement(own.id, kind, abs(difference)), at):
            raise _refused(tx, Movement(own.id, kind, abs(difference)))


def _refused(tx: Transaction, move: Movement) -> BlockedError:
    known = tx.ledger.indicator(move.indicator_id)
    name = f"{known.code} {known.name}" if known else str(move.indicator_id)
    left = known.available_fen if known else 0
    need = f"需要 {yuan(move.amount_fen)} 元，可用只有 {yuan(left)} 元"
    what = "额度" if known and known.document_id else "指标额度"
    return BlockedError(
        f"{'' if known and known.document_id else '指标 '}{name} 额度不够：{need}",
        code="insufficient_funds",
        fields={"reasons": [f"{what}不够：{need}"], "indicator": move.indicator_id, "available_fen": left},
    )
