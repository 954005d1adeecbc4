"""Deciding together, without any database: what votes say, whose turn it is."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from core.domain.accounts import Role
from core.domain.approval import (
    Approval,
    Assignment,
    Ballot,
    Kind,
    Mode,
    Outcome,
    Refusal,
    Seat,
    Standing,
    State,
)

A, B, C = Seat(1, Role.OFFICE_FIRST), Seat(1, Role.OFFICE_SECOND), Seat(2, Role.PROCUREMENT_FIRST)
ANN, BEN, CAT, DAN = Seat(1, A.role, 11), Seat(1, B.role, 12), Seat(2, C.role, 13), Seat(1, Role.HANDLER, 14)
AT = datetime(2026, 1, 1, tzinfo=UTC)
ALL = Approval(Mode.ALL, "pass", "return")
ANY = Approval(Mode.ANY, "pass", "return")


def weighed(share: int) -> Approval:
    return Approval(Mode.WEIGHTED, "pass", "return", share=share, refusal=Refusal.COUNT)


def row(
    kind: Kind,
    seat: Seat,
    by: Seat,
    to: Seat,
    state: State = State.OPEN,
    *,
    agrees: bool | None = None,
    id_: int = 0,
) -> Assignment:
    return Assignment(id_, 7, "panel", kind, seat, by, to, state, AT, agrees)


def vote(seat: Seat, person: Seat, *, agrees: bool = True) -> Assignment:
    return row(Kind.VOTE, seat, person, person, State.DONE, agrees=agrees)


def standing(approval: Approval | None, *rows: Assignment, weights: tuple[int, ...] = (1, 1, 1)) -> Standing:
    ballots = tuple(Ballot(seat, weight) for seat, weight in zip((A, B, C), weights, strict=True))
    return Standing(ballots, approval, rows)


@pytest.mark.parametrize(
    ("approval", "total", "agreed", "against", "outcome"),
    [
        (ALL, 3, 2, 0, Outcome.OPEN),
        (ALL, 3, 3, 0, Outcome.PASSED),
        (ALL, 3, 2, 1, Outcome.FAILED),
        (replace(ALL, refusal=Refusal.COUNT), 3, 0, 1, Outcome.FAILED),
        (ANY, 3, 0, 0, Outcome.OPEN),
        (ANY, 3, 1, 0, Outcome.PASSED),
        (ANY, 3, 0, 1, Outcome.FAILED),
        (replace(ANY, refusal=Refusal.COUNT), 3, 0, 2, Outcome.OPEN),
        (replace(ANY, refusal=Refusal.COUNT), 3, 0, 3, Outcome.FAILED),
        (weighed(60), 5, 2, 0, Outcome.OPEN),
        (weighed(60), 5, 3, 0, Outcome.PASSED),
        (weighed(60), 5, 2, 2, Outcome.OPEN),
        (weighed(60), 5, 2, 3, Outcome.FAILED),
        (weighed(67), 3, 2, 0, Outcome.OPEN),
        (weighed(66), 3, 2, 0, Outcome.PASSED),
        (replace(weighed(60), refusal=Refusal.RETURN), 5, 4, 1, Outcome.FAILED),
    ],
)
def test_what_votes_say(approval: Approval, total: int, agreed: int, against: int, outcome: Outcome) -> None:
    assert approval.outcome(total, agreed, against) is outcome


@pytest.mark.parametrize("share", range(1, 101))
def test_once_decided_no_later_vote_decides_otherwise(share: int) -> None:
    approval = weighed(share)
    for agreed, against in product(range(6), range(6)):
        decided = approval.outcome(5, agreed, against)
        if agreed + against < 5 and decided is not Outcome.OPEN:
            assert approval.outcome(5, agreed + 1, against) is decided
            assert approval.outcome(5, agreed, against + 1) is decided


def test_all_have_it_until_they_voted() -> None:
    assert standing(ALL).turns == (A, B, C)
    assert standing(ALL, vote(B, BEN)).turns == (A, C)
    assert standing(ALL, vote(B, BEN)).seats_of(BEN) == ()
    assert standing(ALL, vote(B, BEN)).seats_of(ANN) == (A,)


def test_a_task_handed_over_is_one_persons_alone() -> None:
    other = Seat(1, A.role, 15)
    handed = standing(None, row(Kind.HAND, A, ANN, other, State.DONE))
    assert handed.turns == (other, B, C)
    assert (handed.seats_of(ANN), handed.seats_of(other)) == ((), (A,))
    back = standing(None, *handed.rows, row(Kind.HAND, A, other, ANN, State.DONE))
    assert back.turns == (ANN, B, C)


def test_an_opinion_comes_back_to_who_asked() -> None:
    asked = row(Kind.OPINION, A, ANN, DAN)
    assert standing(None, asked).turns == (B, C, DAN)
    assert standing(None, asked).waits(A) == (asked,)
    answered = replace(asked, state=State.DONE, agrees=True)
    assert standing(None, answered).turns == (ANN, B, C)


def test_who_signs_before_is_waited_for_and_who_signs_after_comes_later() -> None:
    before, after = row(Kind.BEFORE, A, ANN, DAN), row(Kind.AFTER, A, ANN, DAN)
    assert standing(None, before).turns == (B, C, DAN)
    assert standing(None, after).turns == (A, B, C)
    voted = standing(None, after, vote(A, ANN))
    assert (voted.outcome, voted.turns) == (Outcome.PASSED, (DAN,))
    assert voted.asked == (after,)
    assert voted.seats_of(BEN) == (), "decided: nobody else votes any more"
    by_other = standing(None, after, vote(B, BEN))
    assert by_other.turns == (DAN,), "whoever decided, an added signer is waited for"


def test_what_waits_for_somebody_who_left_counts_no_more() -> None:
    rows = (row(Kind.BEFORE, A, ANN, DAN), row(Kind.HAND, B, BEN, DAN, State.DONE))
    left = replace(standing(None, *rows), gone=frozenset({DAN.account_id}))
    assert left.turns == (A, B, C)
    stuck = Standing((Ballot(A),), ALL, (vote(A, ANN), row(Kind.AFTER, A, ANN, DAN)), frozenset({14}))
    assert stuck.stuck
    assert stuck.turns == (A,), "all agreed and nobody is left to sign: whoever decided leads it on"


@pytest.mark.parametrize(
    ("approval", "rows", "weights", "left", "needed"),
    [
        (None, (), (1, 1, 1), 3, 1),
        (ALL, (), (1, 1, 1), 3, 3),
        (ALL, (vote(A, ANN),), (1, 1, 1), 2, 2),
        (ANY, (), (1, 1, 1), 3, 1),
        (weighed(60), (), (1, 2, 7), 3, 1),
        (weighed(60), (vote(A, ANN),), (3, 3, 4), 2, 1),
        (weighed(60), (vote(A, ANN, agrees=False),), (3, 3, 4), 2, 2),
        (weighed(60), (vote(C, CAT, agrees=False),), (2, 2, 6), 2, 2),
    ],
)
def test_how_many_votes_are_still_needed(
    approval: Approval | None, rows: tuple[Assignment, ...], weights: tuple[int, ...], left: int, needed: int
) -> None:
    stand = standing(approval, *rows, weights=weights)
    assert (len(stand.left), stand.needed) == (left, needed)
