"""The draw of experts, for any directory, groups and avoidances."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.drawing import Avoided, Expert, Group, draw, pool
from core.domain.errors import BlockedError

pytestmark = pytest.mark.covers("fj-10.1")

CATEGORIES, AREAS, UNITS = (
    ["信息技术", "建筑工程", "医疗设备"],
    ["省级", "闽浦市"],
    ["甲大学", "乙研究院", "丙公司"],
)
experts = st.builds(
    Expert,
    code=st.integers(0, 60).map(lambda n: f"E{n:03d}"),
    unit=st.sampled_from(UNITS),
    id_number=st.integers(0, 40).map(lambda n: f"35029919800101{n:03d}X"),
    categories=st.frozensets(st.sampled_from(CATEGORIES), min_size=1),
    area=st.sampled_from(AREAS),
)
directories = st.lists(experts, max_size=30, unique_by=lambda e: e.code)
groups = st.lists(
    st.builds(Group, st.sampled_from(CATEGORIES), st.sampled_from(AREAS), st.integers(1, 4)),
    min_size=1,
    max_size=4,
)
seeds = st.text("0123456789abcdef", min_size=8, max_size=32)
pools_of_letters = st.lists(st.frozensets(st.sampled_from("abcdef")), min_size=1, max_size=3)


@given(directories, groups, st.frozensets(st.sampled_from(UNITS), max_size=2), st.data(), seeds)
def test_whoever_is_drawn_fits_and_nobody_avoided_is(
    directory: list[Expert], wanted: list[Group], units: frozenset[str], data: st.DataObject, seed: str
) -> None:
    persons = data.draw(st.frozensets(st.sampled_from([e.id_number for e in directory]))) if directory else ()
    avoided = Avoided.of((f" {unit} " for unit in units), (number.lower() for number in persons))
    pools = [pool(directory, group, avoided) for group in wanted]
    try:
        drawn = draw(seed, pools, [group.count for group in wanted])
    except BlockedError:
        return  # when that may be is the next but one test's question
    known = {e.code: e for e in directory}
    everyone = [code for codes in drawn for code in codes]
    assert len(everyone) == len(set(everyone))
    for group, codes in zip(wanted, drawn, strict=True):
        assert len(codes) == group.count
        for code in codes:
            assert group.category in known[code].categories
            assert known[code].area == group.area
            assert known[code].unit not in units
            assert known[code].id_number not in persons


@given(pools_of_letters, seeds, st.data())
def test_the_same_seed_draws_the_same_whatever_order_the_pool_is_in(
    pools: list[frozenset[str]], seed: str, data: st.DataObject
) -> None:
    places = [data.draw(st.integers(0, len(pool))) for pool in pools]
    shuffled = [data.draw(st.permutations(sorted(pool))) for pool in pools]

    def outcome(given_pools: list[list[str]]) -> object:
        try:
            return draw(seed, given_pools, places)
        except BlockedError as error:
            return error.code, dict(error.fields)

    assert outcome([sorted(pool) for pool in pools]) == outcome(shuffled)


@given(pools_of_letters, seeds, st.data())
def test_places_are_filled_whenever_they_can_be(
    pools: list[frozenset[str]], seed: str, data: st.DataObject
) -> None:
    places = [data.draw(st.integers(0, 2)) for _ in pools]
    seats = [at for at, count in enumerate(places) for _ in range(count)]
    possible = any(
        all(code in pools[at] for at, code in zip(seats, order, strict=False))
        for order in permutations("abcdef", len(seats))
    )
    try:
        draw(seed, pools, places)
        filled = True
    except BlockedError:
        filled = False
    assert filled == possible


def test_another_seed_draws_others_and_everyone_has_a_chance() -> None:
    names = [f"E{n}" for n in range(10)]
    drawn = [draw(f"seed{n}", [names], [2])[0] for n in range(200)]
    assert {code for codes in drawn for code in codes} == set(names)
    assert len(set(drawn)) > 20


def test_a_short_group_is_named() -> None:
    with pytest.raises(BlockedError, match="第 2 组要抽 2 人") as refused:
        draw("s", [["a", "b"], ["a"]], [1, 2])
    assert refused.value.fields == {"groups.1.count": "可抽 1 人"}
