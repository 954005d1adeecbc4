"""How the people of one node decide together: who has a vote, whose turn it is, when it is decided.

Everything here is about one stay of a document at one node. What was handed over, asked, added or voted there are
`Assignment`s; once the document leaves the node none of them counts any more. A node without `Approval` is decided by
whoever of its people acts first, as long as nobody was asked or added.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from core.domain.accounts import Role


class Mode(StrEnum):
    """`all` have to agree (会签), `any` one is enough (或签), `weighted`: a share of the votes (票签)."""

    ALL = "all"
    ANY = "any"
    WEIGHTED = "weighted"


class Refusal(StrEnum):
    """What one refusal does: `return` decides at once; `count` is a vote against, decided when no majority is left."""

    RETURN = "return"
    COUNT = "count"


class Each(StrEnum):
    """Who has one vote: a `place` (whoever has the role in the unit) or each `person` there."""

    PLACE = "place"
    PERSON = "person"


class Outcome(StrEnum):
    """What the votes say."""

    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True)
class Approval:
    """How a node is decided. `agree` and `refuse` are ids of actions; `weights` go with the node's actors (empty: 1 each).

    `share` is the part of all votes in percent that passes (mode `weighted` only).
    """

    mode: Mode
    agree: str
    refuse: str = ""
    each: Each = Each.PLACE
    weights: tuple[int, ...] = ()
    share: int = 100
    refusal: Refusal = Refusal.RETURN

    def outcome(self, total: int, agreed: int, against: int) -> Outcome:
        """What votes of these weights say; votes not yet cast are `total - agreed - against`."""
        if against and self.refusal is Refusal.RETURN:
            return Outcome.FAILED
        needed = {Mode.ALL: 100 * total, Mode.ANY: 1, Mode.WEIGHTED: self.share * total}[self.mode]
        if 100 * agreed >= needed:
            return Outcome.PASSED
        return Outcome.FAILED if 100 * (total - against) < needed else Outcome.OPEN


class Seat(NamedTuple):
    """Whose turn something is: one account, or (`account_id` 0) whoever has the role in the unit."""

    unit_id: int
    role: Role
    account_id: int = 0

    def taken_by(self, person: "Seat") -> bool:
        """Whether this person may sit here."""
        if self.account_id:
            return self.account_id == person.account_id
        return (self.unit_id, self.role) == (person.unit_id, person.role)


@dataclass(frozen=True)
class Ballot:
    """A seat that decides at a node, and the weight of its vote."""

    seat: Seat
    weight: int = 1


class Kind(StrEnum):
    """What happened at a seat."""

    HAND = "hand"  # 转办: somebody else has the seat now
    OPINION = "opinion"  # 委派: somebody is asked and it comes back
    BEFORE = "before"  # 前加签: has to sign before the seat may
    AFTER = "after"  # 后加签: has to sign after it
    VOTE = "vote"  # the seat's own decision, while others are still waited for


class State(StrEnum):
    """An assignment is open until whoever has it acted, or who made it took it back."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Assignment:
    """One thing handed over, asked, added or voted. `seat` is whose task it is about, `by` made it, `to` has it.

    `agrees` is what `to` said (None: nothing yet); `action` is the act that a vote stands for. Times are UTC.
    """

    id: int
    document_id: int
    node: str
    kind: Kind
    seat: Seat
    by: Seat
    to: Seat
    state: State
    at: datetime
    agrees: bool | None = None
    action: str = ""
    note: str = ""

    @property
    def open(self) -> bool:
        """Whether somebody is still waited for."""
        return self.state is State.OPEN


@dataclass(frozen=True)
class Standing:
    """Where the decision of a document's node stands. `gone` are accounts that work here no more.

    `rows` are the live assignments, oldest first.
    """

    ballots: tuple[Ballot, ...]
    approval: Approval | None = None
    rows: tuple[Assignment, ...] = ()
    gone: frozenset[int] = frozenset()

    @property
    def special(self) -> bool:
        """Whether anything but the node's own data decides whose turn it is."""
        return bool(self.approval or self.rows)

    @cached_property
    def live(self) -> tuple[Assignment, ...]:
        """What still counts: nothing that waits for somebody who has left."""
        return tuple(
            row
            for row in self.rows
            if row.state is not State.CANCELLED and not (row.open and row.to.account_id in self.gone)
        )

    def vote(self, seat: Seat) -> Assignment | None:
        """What a seat decided."""
        return next((row for row in self.live if row.kind is Kind.VOTE and row.seat == seat), None)

    def holder(self, seat: Seat) -> Seat:
        """Who has a seat: whom it was handed to, or who asked for an opinion, since it comes back to them."""
        last = next(
            (
                row
                for row in reversed(self.live)
                if row.seat == seat and row.kind in {Kind.HAND, Kind.OPINION}
            ),
            None,
        )
        if last is None:
            return seat
        holder = last.to if last.kind is Kind.HAND else last.by
        return seat if holder.account_id in self.gone else holder

    def waits(self, seat: Seat) -> tuple[Assignment, ...]:
        """Whom the seat has to wait for before it may agree."""
        return tuple(
            row
            for row in self.live
            if row.open and row.seat == seat and row.kind in {Kind.OPINION, Kind.BEFORE}
        )

    @property
    def signers(self) -> tuple[Assignment, ...]:
        """Added signers who have not signed."""
        return tuple(row for row in self.live if row.open and row.kind in {Kind.BEFORE, Kind.AFTER})

    def seats_of(self, person: Seat) -> tuple[Seat, ...]:
        """Seats that this person holds and may decide for now."""
        undecided = self.outcome is Outcome.OPEN
        return tuple(
            ballot.seat
            for ballot in self.ballots
            if self.holder(ballot.seat).taken_by(person)
            and (self.stuck or (undecided and not self.vote(ballot.seat)))
        )

    @property
    def asked(self) -> tuple[Assignment, ...]:
        """Opinions and signatures that are waited for now; who signs after a seat waits until it has decided."""
        undecided = self.outcome is Outcome.OPEN
        return tuple(
            row
            for row in self.live
            if row.open
            and (
                row.kind is Kind.BEFORE
                or (row.kind is Kind.OPINION and undecided)
                or (row.kind is Kind.AFTER and (not undecided or self.vote(row.seat) is not None))
            )
        )

    @property
    def outcome(self) -> Outcome:
        """What the votes cast so far say. Without `approval` the first one decides."""
        total, agreed, against = self._counted
        if self.approval is None:
            return Outcome.PASSED if agreed else Outcome.OPEN
        return self.approval.outcome(total, agreed, against)

    @property
    def _counted(self) -> tuple[int, int, int]:
        """Weights of all votes, of those for it and of those against."""
        votes = [(ballot.weight, self.vote(ballot.seat)) for ballot in self.ballots]
        agreed = sum(weight for weight, vote in votes if vote and vote.agrees)
        against = sum(weight for weight, vote in votes if vote and vote.agrees is False)
        return sum(weight for weight, _ in votes), agreed, against

    @property
    def left(self) -> tuple[Ballot, ...]:
        """Ballots without a vote."""
        return tuple(ballot for ballot in self.ballots if not self.vote(ballot.seat))

    @property
    def needed(self) -> int:
        """How many of those left have to agree before it passes, the weightiest first."""
        if self.approval is None:
            return 1
        total, agreed, _ = self._counted
        for count, weight in enumerate(sorted((ballot.weight for ballot in self.left), reverse=True), 1):
            agreed += weight
            if self.approval.outcome(total, agreed, 0) is Outcome.PASSED:
                return count
        return len(self.left)

    @property
    def stuck(self) -> bool:
        """Whether it is decided and nobody is waited for although the document is still here: somebody has left."""
        return self.outcome is not Outcome.OPEN and not self.signers

    @property
    def turns(self) -> tuple[Seat, ...]:
        """Whose turn it is now: seats in the order of the data, then who was asked or added."""
        waiting = {row.seat for row in self.asked if row.kind is not Kind.AFTER}
        own = [
            self.holder(ballot.seat)
            for ballot in self.ballots
            if self.stuck
            or (self.outcome is Outcome.OPEN and ballot.seat not in waiting and not self.vote(ballot.seat))
        ]
        return tuple(dict.fromkeys([*own, *(row.to for row in self.asked)]))
