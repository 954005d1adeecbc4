"""Finding and showing documents; entering and changing them is `core.service.entering`."""

from collections.abc import Iterator, Mapping, Sequence

from core.domain.accounts import Account
from core.domain.documents import Document
from core.domain.process import NodeType, Process
from core.service import limits, people, situations
from core.service.offers import offers
from core.service.ports import Transaction
from core.service.system import System
from core.service.views import ActResult, DocumentSummary, DocumentView, Due, HoldView

_BATCH = 200


def get(system: System, actor: Account, number: str) -> DocumentView:
    """One document with all its page shows; NotFoundError for another unit's."""
    with system.database.read() as tx:
        case = situations.case(system, tx, situations.find(tx, actor, number))
        document = case.document
        holds = tuple(
            HoldView(item.code, item.name, hold.frozen_fen, hold.used_fen)
            for hold in tx.ledger.holds(document.id)
            if (item := tx.ledger.indicator(hold.indicator_id))
        )
        summary = summarise(system, tx, [document])[0]
        return DocumentView(
            document=document, process=case.process, unit=case.owner, summary=summary,
            history=tuple(tx.documents.history(document.id)), offers=offers(case, actor),
            linked=tuple(summarise(system, tx, situations.below(tx, actor, case))), form_errors=case.form_errors,
            doubts=case.review.doubts,
            holds=holds, certificate=tx.records.certificate(document.id),
        )  # fmt: skip


def is_seen(system: System, actor: Account, number: str) -> bool:
    """Whether the actor may know that there is such a document."""
    with system.database.read() as tx:
        return tx.documents.by_number(number.strip().upper(), actor) is not None


def process_of(system: System, actor: Account, number: str) -> Process | None:
    """What a document runs on; None also for another unit's."""
    with system.database.read() as tx:
        found = tx.documents.by_number(number.strip().upper(), actor)
        return system.processes.version(found.process_version, tx) if found else None


def listing(
    system: System, actor: Account, *, kind: str | None = None, limit: int = 50
) -> list[DocumentSummary]:
    """Documents the actor may see, newest first; with filters and page by page: `core.service.lists`."""
    with system.database.read() as tx:
        return summarise(system, tx, tx.documents.newest(actor, kind=kind, limit=limit))


def todo(system: System, actor: Account, limit: int = 100) -> list[DocumentSummary]:
    """Documents where it is this account's turn."""
    with system.database.read() as tx:
        return summarise(system, tx, tx.documents.newest(actor, todo=True, limit=limit))


def standing_at(system: System, process: Process, nodes: Sequence[str]) -> Iterator[Document]:
    """Every document of this version at one of these nodes, oldest first; never all of them in memory at once."""
    last = 0
    while True:
        with system.database.read() as tx:
            found = tx.documents.on_version(process.version, nodes, after=last, limit=_BATCH)
        yield from found
        if len(found) < _BATCH:
            return
        last = found[-1].id


def summarise(system: System, tx: Transaction, found: Sequence[Document]) -> list[DocumentSummary]:
    """Lines of a list, with whose turn it is."""
    tasks = tx.documents.tasks([document.id for document in found])
    tx.accounts.gather({*(document.unit_id for document in found), *(seat.unit_id for _, seat in tasks)})
    whose: dict[int, list[str]] = {}
    for document_id, seat in tasks:
        whose.setdefault(document_id, []).append(people.desk_of(tx, seat))
    terms = tx.terms.of([document.id for document in found])
    return [
        _summary(
            system.processes.version(d.process_version, tx), d, tx.accounts.unit(d.unit_id).name,
            "、".join(whose.get(d.id, ())), limits.due(system, terms[d.id]) if d.id in terms else None,
        )
        for d in found
    ]  # fmt: skip


def done_before(system: System, tx: Transaction, document: Document, kept: Mapping[str, str]) -> ActResult:
    """What to answer where the act's key was used already; `kept` is what was remembered of it."""
    return ActResult(summarise(system, tx, [document])[0], kept["label"], kept["said"], repeated=True)


def _summary(
    process: Process, document: Document, unit_name: str, whose: str, due: Due | None
) -> DocumentSummary:
    return DocumentSummary(
        number=document.number, kind=document.kind, kind_label=process.label, variant=document.variant,
        variant_label=process.variant_label, title=document.title, node=document.node,
        node_label=process.node(document.node).label, amount_fen=document.amount_fen, unit_name=unit_name,
        updated_at=document.updated_at, version=document.version, whose=whose, id=document.id,
        stage=_stage(process, document.node), due=due, has_amount=bool(process.form.amount),
    )  # fmt: skip


def _stage(process: Process, node: str) -> str:
    """How far along a node is, whatever the kind."""
    if node in process.finish:
        return "finished"
    kind = process.node(node).type
    return "ended" if kind is NodeType.END else kind.value
