"""Handing a task over, asking a colleague, adding a signer, answering, taking back.

None of them moves the document by itself; an answer that was the last one waited for does.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.domain.accounts import ROLE_LABELS, Account
from core.domain.approval import Assignment, Kind, Seat, State
from core.domain.documents import Document
from core.domain.errors import BlockedError, ForbiddenError, InvalidError, NotFoundError
from core.domain.process import NodeType
from core.service import entering, following, moving, once, people, situations, standings, voting
from core.service.documents import done_before, summarise
from core.service.ports import Transaction
from core.service.situations import Case
from core.service.system import System
from core.service.views import ActResult
from core.service.voting import Step

LABELS = {
    Kind.HAND: "转办",
    Kind.OPINION: "委派",
    Kind.BEFORE: "前加签",
    Kind.AFTER: "后加签",
}
BACK = {Kind.OPINION: "收回委派", Kind.BEFORE: "减签", Kind.AFTER: "减签", Kind.VOTE: "取回意见"}
_ACTS = {
    Kind.HAND: "hand_over",
    Kind.OPINION: "delegate",
    Kind.BEFORE: "add_signer",
    Kind.AFTER: "add_signer",
}
_BACK_ACTS = {
    Kind.OPINION: "recall_delegate",
    Kind.BEFORE: "remove_signer",
    Kind.AFTER: "remove_signer",
    Kind.VOTE: "recall_vote",
}
_NOTE_LIMIT = 500


@dataclass(frozen=True)
class Wish:
    """What is to be done: `note` is the reason, `version` the document's as it was seen, `key` makes it happen once."""

    version: int
    key: str
    note: str = ""


def assign(system: System, actor: Account, number: str, kind: Kind, to_id: int, wish: Wish) -> ActResult:
    """Hand the task over to account `to_id`, ask it, or add it as a signer.

    Errors: NotFoundError, ForbiddenError (not whose task it is), InvalidError (`to`, `note`), BlockedError (nothing of
    the kind is possible here), ConflictError (the document moved).
    """

    def change(tx: Transaction, case: Case) -> Step:
        seat = _own_seat(tx, case, actor, kind)
        to = _chosen(tx, case, actor, kind, to_id)
        if not wish.note:
            raise InvalidError(f"{LABELS[kind]}要写理由", fields={"note": "请填理由"})
        made = Assignment(
            0, case.document.id, case.document.node, kind, seat, standings.seat_of(actor), standings.seat_of(to),
            State.DONE if kind is Kind.HAND else State.OPEN, system.clock(), note=wish.note,
        )  # fmt: skip
        tx.assignments.add(made)
        return Step(_ACTS[kind], f"{LABELS[kind]}给{to.name}（{ROLE_LABELS[to.role]}）", wish.note)

    return _done(system, actor, number, wish, ("assign", number, kind.value, to_id), change)


def answer(
    system: System, actor: Account, number: str, assignment_id: int, wish: Wish, *, agrees: bool
) -> ActResult:
    """Say what one was asked for, as `wish.note`. The last signer waited for lets the document go on.

    A signer after the task's own decision who disagrees makes that decision void: it comes back.
    """

    def change(tx: Transaction, case: Case) -> Step:
        asked = [row for row in case.standing.asked if row.id == assignment_id]
        if not asked or not asked[0].to.taken_by(standings.seat_of(actor)):
            raise _no_such(case)
        row = asked[0]
        if not wish.note and not agrees:
            raise InvalidError("不同意要写意见", fields={"note": "请填意见"})
        tx.assignments.set_state(row.id, State.DONE, agrees=agrees)
        for vote in () if agrees else _undone(case, row):
            tx.assignments.set_state(vote.id, State.CANCELLED, agrees=vote.agrees)
        what = "委派意见" if row.kind is Kind.OPINION else "加签"
        return Step(following.ANSWER, f"{what}：{'同意' if agrees else '不同意'}", wish.note)

    return _done(system, actor, number, wish, ("answer", number, assignment_id, agrees), change)


def _undone(case: Case, row: Assignment) -> tuple[Assignment, ...]:
    """Votes that a signer's disagreement makes void: that of its own task, else all that let the document go on."""
    if row.kind is Kind.OPINION:
        return ()
    if vote := case.standing.vote(row.seat):
        return (vote,)
    return tuple(vote for vote in case.standing.live if vote.kind is Kind.VOTE and vote.agrees)


def take_back(system: System, actor: Account, number: str, assignment_id: int, wish: Wish) -> ActResult:
    """Take back what one asked, added or voted while nobody has acted on it: 收回委派, 减签, 取回."""

    def change(tx: Transaction, case: Case) -> Step:
        row = next((row for row in case.standing.rows if row.id == assignment_id), None)
        if row is None or row.kind is Kind.HAND:
            raise _no_such(case)
        if not row.by.taken_by(standings.seat_of(actor)):
            who = people.names_of(tx, [row.by])
            raise ForbiddenError(f"只有{who}自己能{BACK[row.kind]}", fields={"who": who})
        if row not in revocable(case, standings.seat_of(actor)):
            raise BlockedError(f"已经有人办过了，不能再{BACK[row.kind]}")
        tx.assignments.set_state(row.id, State.CANCELLED, agrees=row.agrees)
        to = "" if row.kind is Kind.VOTE else f"（{tx.accounts.account(row.to.account_id).name}）"
        return Step(_BACK_ACTS[row.kind], f"{BACK[row.kind]}{to}", wish.note)

    return _done(system, actor, number, wish, ("take_back", number, assignment_id), change)


def revocable(case: Case, me: Seat) -> tuple[Assignment, ...]:
    """What this person asked, added or voted and may still take back: a vote only until a signer after it has signed."""
    signed = {row.seat for row in case.standing.live if row.kind is Kind.AFTER and row.state is State.DONE}
    return tuple(
        row
        for row in case.standing.live
        if row.by.taken_by(me)
        and row.kind is not Kind.HAND
        and (row.open or (row.kind is Kind.VOTE and row.seat not in signed))
    )


def _done(
    system: System,
    actor: Account,
    number: str,
    wish: Wish,
    request: tuple[object, ...],
    change: Callable[[Transaction, Case], Step],
) -> ActResult:
    """All of it in one transaction: change, record, tasks, and the move where nobody is waited for any more."""
    if len(wish.note) > _NOTE_LIMIT:
        raise InvalidError(f"说明不能超过 {_NOTE_LIMIT} 字", fields={"note": "太长了"})
    entering.refuse_unwritable({"note": wish.note})
    request = (*request, wish.version, wish.note)
    with system.database.write() as tx:
        earlier = once.earlier(tx, actor, wish.key, request)
        document = situations.find(tx, actor, number, lock=True)
        if earlier is not None:
            return done_before(system, tx, document, earlier)
        if document.version != wish.version:
            raise moving.moved(system, tx, document)
        case = situations.case(system, tx, document)
        step = change(tx, case)
        after, told = _recorded(system, tx, case, actor, step)
        moving.audit(tx, actor, step.action, document, after, step.note, said=step.label)
        once.keep(tx, actor, wish.key, request, {"label": step.label, "said": told}, system)
        return ActResult(summarise(system, tx, [after])[0], step.label, told)


def _recorded(
    system: System, tx: Transaction, case: Case, actor: Account, step: Step
) -> tuple[Document, str]:
    moved = voting.settle(system, tx, case.document, actor, step)
    if moved is None:
        after = voting.stay(system, tx, case, actor, step)
        following.answered(system, tx, after, actor)
        return after, voting.said(tx, case, after, step.label)
    act, after = moved
    following.follow(system, tx, after, act.action.id, actor)
    label = case.process.node(after.node).label
    return after, f"{after.number} 已办“{step.label}”，都办完了，现在在“{label}”。"


def _no_such(case: Case) -> NotFoundError:
    return NotFoundError(
        f"{case.document.number} 没有这件事等您办，可能已经办过或被收回了", fields={"assignment": "没有找到"}
    )


def _own_seat(tx: Transaction, case: Case, actor: Account, kind: Kind) -> Seat:
    """The seat that is the actor's to give away; said why where there is none."""
    node = case.process.node(case.document.node)
    if kind is Kind.VOTE or not possible(case, kind):
        raise BlockedError(
            f"{case.document.number} 现在在“{node.label}”，这一步不能{LABELS.get(kind, '这样办')}"
        )
    seats = case.standing.seats_of(standings.seat_of(actor))
    if not seats:
        who = people.names_of(tx, case.standing.turns) or "系统"
        raise ForbiddenError(f"“{LABELS[kind]}”要由{who}办理，您的账号不能代办", fields={"who": who})
    if kind in {Kind.HAND, Kind.OPINION} and (waits := case.standing.waits(seats[0])):
        who = people.names_of(tx, [row.to for row in waits])
        raise BlockedError(f"还在等{who}的意见，先收回或减签，才能{LABELS[kind]}")
    return seats[0]


def possible(case: Case, kind: Kind) -> bool:
    """Whether the node lets a task be handed over or asked about (review, work), or signed by more (review)."""
    node = case.process.node(case.document.node)
    allowed = {NodeType.REVIEW} if kind in {Kind.BEFORE, Kind.AFTER} else {NodeType.REVIEW, NodeType.WORK}
    return node.type in allowed and node.id not in case.process.finish and bool(case.standing.ballots)


def _chosen(tx: Transaction, case: Case, actor: Account, kind: Kind, to_id: int) -> Account:
    found = next((one for one in candidates(tx, case, actor, kind) if one.id == to_id), None)
    if found is None:
        raise InvalidError(f"不能{LABELS[kind]}给这个账号，请从可选的人里选", fields={"to": "不在可选的人里"})
    return found


def candidates(tx: Transaction, case: Case, actor: Account, kind: Kind) -> list[Account]:
    """Who may be given the task (colleagues of the same role), asked or added (colleagues), and the node's helpers.

    Never whoever entered the document, where it is reviewed; nor anybody who has a task of their own here.
    """
    node = case.process.node(case.document.node)
    me = standings.seat_of(actor)
    colleagues = tx.accounts.of(me.unit_id, me.role if kind is Kind.HAND else None)
    helpers = people.accounts_at(tx, people.seats(case.owner, case.document, node.helpers))
    busy = [case.standing.holder(ballot.seat) for ballot in case.standing.ballots]
    busy += [row.to for row in case.standing.asked]
    found = []
    for account in dict.fromkeys([*colleagues, *helpers]):
        seat = standings.seat_of(account)
        own = account.id in {actor.id, me.account_id}
        author = node.type is NodeType.REVIEW and account.id == case.document.author_id
        taken = any(other.taken_by(seat) for other in busy if not other.taken_by(me))
        if not (own or author or taken):
            found.append(account)
    return found
