"""How the decision of a document's node stands, for people: who agreed, who is waited for, what this account may do."""

from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import Account
from core.domain.approval import Approval, Assignment, Each, Kind, Mode, Refusal, State
from core.service import people, situations, standings
from core.service.assigning import BACK, LABELS, candidates, possible, revocable
from core.service.ports import Transaction
from core.service.situations import Case
from core.service.system import System


@dataclass(frozen=True)
class Line:
    """Something handed over, asked or added. `state`: waiting, later (its time has not come), agreed, against, done, cancelled.

    `mine`: this account is asked now; `back` is how it may take the thing back, empty where it may not.
    """

    id: int
    kind: str
    label: str
    who: str
    by: str
    state: str
    note: str
    at: datetime
    mine: bool
    back: str


@dataclass(frozen=True)
class Voter:
    """One vote of the node. `state`: waiting, agreed, against; `back` as of a line, for one's own vote `id`."""

    who: str
    weight: int
    state: str
    id: int = 0
    back: str = ""


@dataclass(frozen=True)
class Gift:
    """What this account may do with its task here, and to whom: (account id, label)."""

    kind: str
    label: str
    to: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Decision:
    """All of it. `mode` is empty where the node is not voted on; `rule` says in words what decides."""

    number: str
    version: int
    mode: str
    rule: str
    voters: tuple[Voter, ...]
    lines: tuple[Line, ...]
    gifts: tuple[Gift, ...]
    mine: bool = False  # whether it is this account's turn

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.mode or self.voters or self.lines or self.gifts)


def decision(system: System, actor: Account, number: str) -> Decision:
    """Of a document that the account may see; NotFoundError for another one."""
    with system.database.read() as tx:
        case = situations.case(system, tx, situations.find(tx, actor, number))
        approval = case.standing.approval
        lines = tuple(_line(tx, case, actor, row) for row in case.standing.rows if row.kind is not Kind.VOTE)
        return Decision(
            case.document.number, case.document.version, standings.MODES[approval.mode] if approval else "",
            _rule(approval) if approval else "", _voters(tx, case, actor), lines, _gifts(tx, case, actor),
            any(seat.taken_by(standings.seat_of(actor)) for seat in case.standing.turns),
        )  # fmt: skip


def _rule(approval: Approval) -> str:
    who = "每人一票" if approval.each is Each.PERSON else "每个岗位一票"
    passes = {
        Mode.ALL: "全部同意才通过",
        Mode.ANY: "有一票同意就通过",
        Mode.WEIGHTED: f"同意的票占 {approval.share}% 才通过",
    }[approval.mode]
    against = "有一票不同意就退回" if approval.refusal is Refusal.RETURN else "不可能通过时才退回"
    return f"{who}，{passes}；{against}" if approval.refuse else f"{who}，{passes}"


def _voters(tx: Transaction, case: Case, actor: Account) -> tuple[Voter, ...]:
    """The ballots of a node that is voted on, and those who decided while a signer is waited for."""
    standing = case.standing
    back = {row.id for row in revocable(case, standings.seat_of(actor))}
    found = []
    for ballot in standing.ballots:
        vote = standing.vote(ballot.seat)
        if vote is None and standing.approval is None:
            continue
        who = people.names_of(tx, [vote.to if vote else standing.holder(ballot.seat)])
        state = "waiting" if vote is None else "agreed" if vote.agrees else "against"
        own = BACK[Kind.VOTE] if vote and vote.id in back else ""
        found.append(Voter(who, ballot.weight, state, vote.id if vote else 0, own))
    return tuple(found)


def _line(tx: Transaction, case: Case, actor: Account, row: Assignment) -> Line:
    me = standings.seat_of(actor)
    asked = row in case.standing.asked
    if row.open:
        state = "waiting" if asked else "later" if row in case.standing.live else "cancelled"
    elif row.state is State.CANCELLED or row.kind is Kind.HAND:
        state = row.state.value
    else:
        state = "agreed" if row.agrees else "against"
    back = BACK[row.kind] if row in revocable(case, me) else ""
    return Line(
        row.id, row.kind.value, LABELS[row.kind], people.names_of(tx, [row.to]), people.names_of(tx, [row.by]), state,
        row.note, row.at, asked and row.to.taken_by(me), back,
    )  # fmt: skip


def _gifts(tx: Transaction, case: Case, actor: Account) -> tuple[Gift, ...]:
    seats = case.standing.seats_of(standings.seat_of(actor))
    found = []
    for kind, label in LABELS.items():
        waits = kind in {Kind.HAND, Kind.OPINION} and any(case.standing.waits(seat) for seat in seats)
        if not seats or waits or not possible(case, kind):
            continue
        to = tuple((account.id, account.label) for account in candidates(tx, case, actor, kind))
        if to:
            found.append(Gift(kind.value, label, to))
    return tuple(found)
