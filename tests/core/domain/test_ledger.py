"""The ledger's rules against an auditor in plain Python that knows only what each state of the money means."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import BlockedError
from core.domain.ledger import MOVEMENT_LABELS, Hold, Movement, MovementKind, granted, replay, settle
from core.domain.process import Funds

AMOUNT = st.integers(min_value=0, max_value=10**13)
HOLDS = st.dictionaries(st.integers(1, 4), st.tuples(AMOUNT, st.just(0))).map(
    lambda found: {key: Hold(key, *value) for key, value in found.items()}
) | st.dictionaries(st.integers(1, 4), st.tuples(st.just(0), AMOUNT)).map(
    lambda found: {key: Hold(key, *value) for key, value in found.items()}
)
FUNDING = st.dictionaries(st.integers(1, 5), st.integers(1, 10**13))


def applied(holds: Mapping[int, Hold], moves: list[Movement]) -> dict[int, tuple[int, int]]:
    """Balances after each movement; none is ever negative on the way."""
    state = {key: (hold.frozen_fen, hold.used_fen) for key, hold in holds.items()}
    for move in moves:
        frozen, used = state.get(move.indicator_id, (0, 0))
        if move.kind is MovementKind.FREEZE:
            frozen += move.amount_fen
        elif move.kind is MovementKind.RELEASE:
            frozen -= move.amount_fen
        elif move.kind is MovementKind.USE:
            frozen, used = frozen - move.amount_fen, used + move.amount_fen
        else:
            used -= move.amount_fen
        assert frozen >= 0
        assert used >= 0
        state[move.indicator_id] = (frozen, used)
    return {key: value for key, value in state.items() if value != (0, 0)}


def wanted(holds: Mapping[int, Hold], funds: Funds, funding: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    if funds is Funds.FREE:
        return {}
    if funds is Funds.FROZEN:
        return {key: (amount, 0) for key, amount in funding.items()}
    if funds is Funds.USED:
        return {key: (0, amount) for key, amount in funding.items()}
    now = {key: (hold.frozen_fen, hold.used_fen) for key, hold in holds.items()}
    if funds is Funds.RAISED:
        used = {key: now.get(key, (0, 0))[1] for key in now.keys() | funding.keys()}
        now = {key: (max(funding.get(key, 0) - kept, 0), kept) for key, kept in used.items()}
    return {key: value for key, value in now.items() if value != (0, 0)}


@given(HOLDS, st.sampled_from([each for each in Funds if each is not Funds.SPENT]), FUNDING)
def test_the_money_ends_where_the_node_wants_it(
    holds: dict[int, Hold], funds: Funds, funding: dict[int, int]
) -> None:
    spent = any(hold.used_fen for hold in holds.values())
    if funds is Funds.FROZEN and spent:
        with pytest.raises(BlockedError) as caught:
            settle(holds.values(), funds, funding)
        assert caught.value.code == "funds_spent"
        return
    moves = settle(holds.values(), funds, funding)
    assert applied(holds, moves) == wanted(holds, funds, funding)


@given(HOLDS, AMOUNT)
def test_what_was_not_spent_goes_back(holds: dict[int, Hold], spent: int) -> None:
    used = sum(hold.used_fen for hold in holds.values())
    after = applied(holds, settle(holds.values(), Funds.SPENT, {}, spent))
    assert all(frozen == 0 for frozen, _ in after.values())
    assert sum(kept for _, kept in after.values()) == min(used, spent)


@given(HOLDS, st.sampled_from([Funds.FREE, Funds.USED, Funds.KEEP, Funds.RAISED]), FUNDING)
def test_twice_is_once(holds: dict[int, Hold], funds: Funds, funding: dict[int, int]) -> None:
    after = applied(holds, settle(holds.values(), funds, funding))
    again = [Hold(key, *value) for key, value in after.items()]
    assert settle(again, funds, funding) == []


@given(HOLDS, st.sampled_from(Funds), FUNDING)
def test_movements_are_positive_and_in_indicator_order(
    holds: dict[int, Hold], funds: Funds, funding: dict[int, int]
) -> None:
    if funds is Funds.FROZEN:
        holds = {key: Hold(key, hold.frozen_fen) for key, hold in holds.items()}
    moves = settle(holds.values(), funds, funding)
    assert all(move.amount_fen > 0 for move in moves)
    assert [move.indicator_id for move in moves] == sorted(move.indicator_id for move in moves)


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(MovementKind), st.integers(1, 10**13))))
def test_replay_adds_up_what_each_movement_does(rows: list[tuple[int, MovementKind, int]]) -> None:
    moves = [Movement(*row) for row in rows]
    for indicator, (frozen, used) in replay(moves).items():
        sums = {
            kind: sum(m.amount_fen for m in moves if (m.indicator_id, m.kind) == (indicator, kind))
            for kind in MovementKind
        }
        assert granted(moves).get(indicator, 0) == sums[MovementKind.GRANT] - sums[MovementKind.REVOKE]
        assert frozen == sums[MovementKind.FREEZE] - sums[MovementKind.RELEASE] - sums[MovementKind.USE]
        assert used == sums[MovementKind.USE] - sums[MovementKind.REVERSE]


def test_every_kind_has_a_word() -> None:
    assert set(MOVEMENT_LABELS) == set(MovementKind)
