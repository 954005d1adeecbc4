"""Where the decision of a concrete document's node stands: its ballots, and what was handed over, asked or voted."""

from core.domain.accounts import Account, Relation, Unit
from core.domain.approval import Assignment, Ballot, Each, Kind, Mode, Seat, Standing
from core.domain.documents import Document
from core.domain.process import Actor, Node, NodeType, Process
from core.service import people
from core.service.ports import Transaction
from core.service.system import System

MODES = {Mode.ALL: "会签", Mode.ANY: "或签", Mode.WEIGHTED: "票签"}
_ASKS = {NodeType.REVIEW, NodeType.WORK}  # elsewhere nothing is handed over, asked or voted


def of(tx: Transaction, document: Document, process: Process, owner: Unit) -> Standing:
    """As it is now."""
    node = process.node(document.node)
    rows = tuple(tx.assignments.live(document.id)) if document.id and node.type in _ASKS else ()
    return Standing(_ballots(tx, document, owner, node), node.approval, rows, _gone(tx, rows))


def fresh(tx: Transaction, document: Document, owner: Unit, node: Node) -> Standing:
    """As it is when the document has just come to `node`."""
    return Standing(_ballots(tx, document, owner, node), node.approval)


def first_turns(tx: Transaction, document: Document, process: Process, owner: Unit) -> tuple[Seat, ...]:
    """Whose turn it is when the document has just come where it is.

    Nobody's where the process has ended well, though more could be done.
    """
    if document.node in process.finish:
        return ()
    return fresh(tx, document, owner, process.node(document.node)).turns


def _ballots(tx: Transaction, document: Document, owner: Unit, node: Node) -> tuple[Ballot, ...]:
    """Seats that decide at a node. Of roles with several people each has one where the data says so."""
    approval = node.approval
    weights = approval.weights if approval and approval.weights else (1,) * len(node.actors)
    each = approval is not None and approval.each is Each.PERSON
    found: dict[Seat, int] = {}
    for actor, weight in zip(node.actors, weights, strict=True):
        place = _place(owner, document, actor)
        if place is None:
            continue
        persons = tx.accounts.of(place.unit_id, place.role) if each else []
        for seat in [seat_of(account) for account in persons] or [place]:
            found[seat] = weight
    return tuple(Ballot(seat, weight) for seat, weight in found.items())


def _place(owner: Unit, document: Document, actor: Actor) -> Seat | None:
    unit_id = None if actor.of is Relation.SYSTEM else people.unit_of(owner, document, actor.of)
    return None if unit_id is None else Seat(unit_id, actor.role)


def seat_of(account: Account) -> Seat:
    """The person as a seat; a deputy at work is whom it works for."""
    return Seat(account.unit.id, account.role, account.desk_id)


def summary(tx: Transaction, standing: Standing) -> str:
    """`会签 1/3：王芳同意`: how the votes of a node stand; empty where it is not voted on."""
    if standing.approval is None:
        return ""
    votes = [row for row in standing.live if row.kind is Kind.VOTE]
    said = "，".join(
        f"{tx.accounts.account(row.to.account_id).name}{'同意' if row.agrees else '不同意'}" for row in votes
    )
    counted = f"{MODES[standing.approval.mode]} {len(votes)}/{len(standing.ballots)}"
    return f"{counted}：{said}" if said else counted


def _gone(tx: Transaction, rows: tuple[Assignment, ...]) -> frozenset[int]:
    """Accounts named in assignments that are suspended now."""
    named = {seat for row in rows for seat in (row.by, row.to)}
    return frozenset(
        seat.account_id
        for seat in named
        if seat.account_id not in {account.id for account in tx.accounts.of(seat.unit_id)}
    )


def refresh(system: System, tx: Transaction, account_id: int) -> None:
    """Somebody has left: what only they could do falls back to whose task it was about."""
    for document_id in tx.documents.waiting_for(account_id):
        document = tx.documents.by_id(document_id)
        process = system.processes.version(document.process_version, tx)
        owner = tx.accounts.unit(document.unit_id)
        tx.documents.set_tasks(document_id, of(tx, document, process, owner).turns)
