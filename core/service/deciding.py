"""Who has to act where several do, for the planner: voters of a node, and those who were asked or added there."""

from collections.abc import Mapping
from dataclasses import replace

from core.domain.approval import Assignment, Kind, Mode, Outcome, Seat, Standing
from core.domain.documents import Document
from core.domain.planner import Hand, Subject
from core.domain.process import Action, Node, Process
from core.service import following, people, standings
from core.service.ports import Transaction
from core.service.situations import Case


def with_hands(tx: Transaction, case: Case, subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
    """The subjects of a search, knowing where several people have to act."""
    documents = [(case.document, case.process), *case.linked]
    found = []
    for subject, (document, process) in zip(subjects, documents, strict=True):
        hands = _hands(tx, document, process)
        found.append(replace(subject, given=replace(subject.given, hands=hands)) if hands else subject)
    return tuple(found)


def _hands(
    tx: Transaction, document: Document, process: Process
) -> Mapping[tuple[str, str], tuple[Hand, ...]]:
    owner = tx.accounts.unit(document.unit_id)
    found: dict[tuple[str, str], tuple[Hand, ...]] = {}
    for node in process.nodes.values():
        here = node.id == document.node
        if here:
            standing = standings.of(tx, document, process, owner)
        elif node.approval:
            standing = standings.fresh(tx, document, owner, node)
        else:
            continue
        if not standing.special:
            continue
        for action in process.actions_from[node.id]:
            if process.agrees(action, node.id) and (hands := _agreeing(tx, node, action, standing)):
                found[node.id, action.id] = hands
    return found


def _agreeing(tx: Transaction, node: Node, action: Action, standing: Standing) -> tuple[Hand, ...]:
    """Everybody who has to act before `action` leads on, in an order in which they can."""
    return (
        *(_asked(tx, node, row) for row in standing.asked if row.kind is not Kind.AFTER),
        *_voters(tx, node, action, standing),
        *(_asked(tx, node, row) for row in standing.signers if row.kind is Kind.AFTER),
    )


def _asked(tx: Transaction, node: Node, row: Assignment) -> Hand:
    label = "给出意见" if row.kind is Kind.OPINION else "加签"
    return _alone(tx, node, row.to, row.seat, following.ANSWER, label)


def _voters(tx: Transaction, node: Node, action: Action, standing: Standing) -> tuple[Hand, ...]:
    """Those whose votes are still needed: everybody in turn, or (where not all are) any of those who are left."""
    if standing.outcome is not Outcome.OPEN:
        return () if standing.signers else (Hand(action.id, action.label, node.actors),)
    left = standing.left
    if len(left) == 1 or (standing.approval and standing.approval.mode is Mode.ALL):
        return tuple(
            _alone(tx, node, standing.holder(ballot.seat), ballot.seat, action.id, action.label)
            for ballot in left
        )
    holders = [standing.holder(ballot.seat) for ballot in left]
    hand = Hand(action.id, action.label, node.actors, people.names_of(tx, holders))
    return (hand,) * standing.needed


def _alone(tx: Transaction, node: Node, holder: Seat, seat: Seat, action: str, label: str) -> Hand:
    """A step of one seat: of whoever sits there, or of one account alone."""
    actors = tuple(actor for actor in node.actors if actor.role is seat.role)
    who = people.names_of(tx, [holder])
    return Hand(action, label, actors, who, holder.account_id)
