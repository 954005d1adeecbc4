"""What begins when a document comes to a node: its time limit, and who gets it to read."""

from core.domain.accounts import Account
from core.domain.documents import Document
from core.domain.process import Process
from core.service import copies, limits
from core.service.ports import Transaction
from core.service.system import System


def arrive(system: System, tx: Transaction, document: Document, process: Process, actor: Account) -> None:
    """The document has just come to where it is, its tasks are set; `actor` brought it there."""
    if tx.documents.tasks([document.id]):
        limits.begin(system, tx, document, process)
    else:
        tx.terms.end(document.id)
    copies.give_at(tx, document, process, actor)
