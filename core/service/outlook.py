"""What acts would do to a document's money, for whoever has to say yes to them. Nothing is moved here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.domain.accounts import Account
from core.domain.ledger import Hold
from core.domain.process import Funds
from core.service import funding, moving, situations
from core.service.ports import Transaction
from core.service.system import System

_MOVED = frozenset(Funds) - {Funds.FREE, Funds.KEEP}


@dataclass(frozen=True)
class Outlook:
    """Fen that a document holds now and afterwards; `account` is the number of the document that pays, "" for budgets."""

    before: Hold
    after: Hold
    account: str = ""


def money(system: System, actor: Account, number: str, steps: Sequence[tuple[str, str]]) -> Outlook | None:
    """Before and after `steps` (action, target node) on one document; None for a kind that never holds money.

    Errors: NotFoundError for a document that is not the actor's to see; BlockedError where the money does not suffice.
    """
    with system.database.read() as tx:
        document = situations.find(tx, actor, number)
        process = system.processes.version(document.process_version, tx)
        if all(node.funds not in _MOVED for node in process.nodes.values()):
            return None
        before = after = list(tx.ledger.holds(document.id))
        for action, target in steps:
            document = moving.with_form_of(tx, document, process.actions[action])
            after = funding.held_at(tx, document, process, process.node(target), after)
        return Outlook(_total(before), _total(after), _payer(tx, [*before, *after]))


def _total(holds: Iterable[Hold]) -> Hold:
    held = list(holds)
    return Hold(0, sum(one.frozen_fen for one in held), sum(one.used_fen for one in held))


def _payer(tx: Transaction, holds: Iterable[Hold]) -> str:
    known = [tx.ledger.indicator(one.indicator_id) for one in holds]
    return next((one.code for one in known if one is not None and one.document_id is not None), "")
