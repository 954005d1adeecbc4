"""What is true of a document now: its process, form mistakes, what hangs on it. Shared by the use cases."""

from dataclasses import dataclass

from core.domain import forms
from core.domain.accounts import Account, Unit
from core.domain.documents import Document, Situation
from core.domain.errors import NotFoundError
from core.domain.planner import Subject
from core.domain.process import NodeType, Process
from core.service.ports import Transaction
from core.service.system import System


@dataclass(frozen=True)
class Case:
    """A document with all that rules look at."""

    document: Document
    process: Process
    owner: Unit
    form_errors: dict[str, str]
    linked: tuple[tuple[Document, Process], ...]

    @property
    def open_orders(self) -> tuple[str, ...]:
        """Numbers of linked documents that have not ended."""
        return tuple(d.number for d, p in self.linked if p.node(d.node).type is not NodeType.END)

    @property
    def situation(self) -> Situation:
        """What guards see."""
        return Situation(self.form_errors, self.document.flags, self.open_orders)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What the planner searches over: the document first, then what hangs on it."""
        own = Subject(
            self.document.number, self.process, self.document.trail, self.document.flags,
            tuple(self.form_errors.items()),
        )  # fmt: skip
        return (own, *(Subject(d.number, p, d.trail, d.flags) for d, p in self.linked))


def find(
    _system: System, tx: Transaction, viewer: Account | None, number: str, *, lock: bool = False
) -> Document:
    """Document that the viewer may see; NotFoundError alike for none and for another unit's.

    `lock` it before judging whether it may be changed: what is true of it then stays true until the commit.
    """
    document = tx.documents.by_number(number.strip().upper(), viewer, lock=lock)
    if document is None:
        raise NotFoundError(
            f"没有找到编号为“{number.strip()[:40]}”的单据，请核对编号", fields={"number": "没有找到"}
        )
    return document


def case(system: System, tx: Transaction, document: Document) -> Case:
    """Everything about a document that rules look at."""
    process = system.processes.version(document.process_version, tx)
    owner = tx.accounts.unit(document.unit_id)
    linked = tuple(
        (child, system.processes.version(child.process_version, tx))
        for child in tx.documents.children(document.id)
    )
    return Case(document, process, owner, form_errors(system, tx, document), linked)


def form_errors(system: System, tx: Transaction, document: Document) -> dict[str, str]:
    """Mistakes in the document's form; kinds without rules of their own have none."""
    if document.kind != "plan":
        return {}
    own = {item.id for item in tx.ledger.indicators(document.unit_id)}
    return forms.plan_errors(document.form, document.variant, system.catalogue, own)
