"""Choosing the document that a new one hangs on: 新增合同 → 选择计划, with the filter 只显示未备案合同 (nm-14-1)."""

from dataclasses import dataclass

from core.domain.accounts import Account
from core.domain.documents import Document
from core.service import entering, people
from core.service.page_ports import Query
from core.service.ports import Transaction
from core.service.system import System

_MOST = 200


@dataclass(frozen=True)
class Choice:
    """A document under which one may be entered. `left_fen`: what its account can still pay; None where it has none."""

    number: str
    title: str
    variant_label: str
    amount_fen: int
    left_fen: int | None


def choices(
    system: System, actor: Account, kind: str, variant: str, *, uncovered: bool = False, words: str = ""
) -> list[Choice]:
    """Documents under which this account may enter one of `kind` now, newest first.

    `uncovered` leaves out those whose account is used up: a plan stays until its contracts cover all of it, so that
    the second lot finds it too. NotFoundError: no such kind.
    """
    process = system.processes.current(actor.region, kind, variant)
    start = process.node(process.start)
    with system.database.read() as tx:
        found = {
            document.id: document
            for parent in process.parents
            for node in parent.nodes or ("",)
            for document in tx.lists.find(
                actor, Query(kind=parent.kind, node=node, words=words.strip()), limit=_MOST, before=None
            )
            if entering.may_stand_under(process, document)
        }
        able = [
            document
            for document in sorted(found.values(), key=lambda one: one.id, reverse=True)
            if people.may(actor, tx.accounts.unit(document.unit_id), document, start.actors)
        ]
        shown = [_choice(system, tx, document) for document in able]
    return [one for one in shown if not uncovered or one.left_fen is None or one.left_fen > 0]


def _choice(system: System, tx: Transaction, document: Document) -> Choice:
    account = tx.ledger.account_of(document.id)
    label = system.processes.version(document.process_version, tx).variant_label
    left = account.available_fen if account else None
    return Choice(document.number, document.title, label, document.amount_fen, left)
