"""An act where several people decide: it is a vote until nobody is waited for any more, and then it moves the document."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from core.domain import graph
from core.domain.accounts import Account
from core.domain.approval import Assignment, Kind, Outcome, Refusal, Seat, Standing, State
from core.domain.documents import Document, Entry
from core.domain.errors import BlockedError
from core.service import moving, people, situations, standings
from core.service.moving import Act
from core.service.ports import Transaction
from core.service.situations import Case
from core.service.system import System


@dataclass(frozen=True)
class Step:
    """Something done at a node that does not move the document: how the record calls it, and what was said."""

    action: str
    label: str
    note: str = ""


def cast(system: System, tx: Transaction, act: Act) -> Document | None:
    """Keep the act as a vote; None where it decides, so that it has to be carried out.

    An act of somebody else than the node's people (withdrawing) and a refusal that decides at once are no votes.
    """
    case, standing = act.case, act.case.standing
    if act.action.by or not standing.special:
        return None
    agrees = case.process.agrees(act.action, case.document.node)
    if not agrees and not _counts_against(standing, act.action.id):
        return None
    me = standings.seat_of(act.actor)
    for seat in standing.seats_of(me):
        if not standing.vote(seat):
            vote = Assignment(
                0, case.document.id, case.document.node, Kind.VOTE, seat, me, me, State.DONE, act.at, agrees,
                act.action.id,
            )  # fmt: skip
            tx.assignments.add(vote)
    now = standings.of(tx, case.document, case.process, case.owner)
    if now.outcome is (Outcome.PASSED if agrees else Outcome.FAILED) and not (agrees and now.signers):
        return None
    if now.outcome is Outcome.FAILED:
        raise BlockedError("赞成的票已经不可能够了，只能退回")
    kind = standings.MODES[standing.approval.mode] if standing.approval else "等加签"
    label = f"{act.action.label}（{kind}）" if agrees else f"不同意（{kind}）"
    return stay(system, tx, case, act.actor, Step(act.action.id, label, moving.opinion(act)))


def _counts_against(standing: Standing, action: str) -> bool:
    """Whether the act is a vote against, and not a decision."""
    approval = standing.approval
    return bool(approval and action == approval.refuse and approval.refusal is Refusal.COUNT)


def stay(system: System, tx: Transaction, case: Case, actor: Account, step: Step) -> Document:
    """Record what was done here; the tasks follow from the assignments as they are now."""
    before, at = case.document, system.clock()
    after = replace(before, version=before.version + 1, updated_at=at)
    if not tx.documents.replace(before, after):
        raise moving.moved(system, tx, tx.documents.by_id(before.id))
    tx.documents.append(
        after.id,
        Entry(
            after.version, at, actor.id, actor.label, step.action, step.label, before.node, before.node, step.note
        ),
    )  # fmt: skip
    turns = standings.of(tx, after, case.process, case.owner).turns
    tx.documents.set_tasks(after.id, turns)
    tx.documents.add_parties(after.id, {seat.unit_id for seat in turns})
    _tell(tx, after, actor, step, case.standing.turns, turns, at)
    return after


def _tell(
    tx: Transaction,
    after: Document,
    actor: Account,
    step: Step,
    before: Iterable[Seat],
    now: Iterable[Seat],
    at: datetime,
) -> None:
    """Whose turn it has become hears so, and whose it is no more too."""
    before, now = set(before), set(now)
    earlier, later, new = _accounts(tx, before), _accounts(tx, now), _accounts(tx, now - before)
    quoted = f"，说明：{step.note}" if step.note else ""
    what = f"{after.number} {after.title}：{actor.label}办了“{step.label}”{quoted}"
    tx.records.notify(new - {actor.id}, after.number, f"{what}，轮到您办理", at)
    tx.records.notify(earlier - later - {actor.id}, after.number, f"{what}，不用您办了", at)


def _accounts(tx: Transaction, seats: Iterable[Seat]) -> set[int]:
    return {account.id for account in people.accounts_at(tx, seats)}


def settle(
    system: System, tx: Transaction, document: Document, actor: Account, step: Step
) -> tuple[Act, Document] | None:
    """Move the document on where nobody is waited for any more: with the act that the last vote stood for.

    None where somebody still is. BlockedError where the act's conditions do not hold now.
    """
    case = situations.case(system, tx, document)
    votes = [row for row in case.standing.live if row.kind is Kind.VOTE and row.agrees]
    if case.standing.outcome is not Outcome.PASSED or case.standing.signers or not votes:
        return None
    action = case.process.actions[votes[-1].action]
    situations.refuse_unmet(case, action, case.situation)
    target = graph.targets(case.process, action, document.trail, document.cut, case.skip)[0]
    label = f"{action.label}（{step.label}）"
    act = Act(case, action, actor, target, {"opinion": step.note}, system.clock(), label)
    return act, moving.carry_out(system, tx, act)


def said(tx: Transaction, case: Case, after: Document, label: str) -> str:
    """What came of a step that did not move the document."""
    turns = standings.of(tx, after, case.process, case.owner).turns
    node = case.process.node(after.node).label
    return f"{after.number} 已办“{label}”，还在“{node}”，接下来由{people.names_of(tx, turns)}办理。"
