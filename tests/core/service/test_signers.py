"""Signers added and removed (加签、减签): they are waited for, and only who added one removes it, before it signs."""

from collections.abc import Callable

import pytest

from core.domain.accounts import Account, Role
from core.domain.approval import Kind
from core.domain.errors import BlockedError, ForbiddenError, InvalidError, NotFoundError
from tests.core.panel import ALL, VOTERS, answer, assign, colleague, labels, live, take_back, todo
from tests.core.world import World


def test_who_signs_before_is_waited_for(world: World) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.BEFORE, "office_second")
    with pytest.raises(BlockedError, match="减签"):
        world.act("office_first", number, "pass")
    answer(world, "office_second", number)
    world.act("office_first", number, "pass")
    assert world.document(number).node == "office_second"


def test_who_signs_after_leads_it_on(world: World) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.AFTER, "office_second")
    assert number not in todo(world, "office_second"), "its time has not come"
    with pytest.raises(NotFoundError):
        answer(world, "office_second", number)
    world.act("office_first", number, "pass")
    assert world.document(number).node == "office_first"
    assert number in todo(world, "office_second")
    assert number not in todo(world, "office_first")
    answer(world, "office_second", number)
    assert world.document(number).node == "office_second"
    assert labels(world, number)[-2:] == ["审核通过（等加签）", "审核通过（加签：同意）"]
    assert live(world, number) == []
    world.sound()


def test_who_signs_after_and_disagrees_sends_it_back_to_who_decided(world: World) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.AFTER, "office_second")
    world.act("office_first", number, "pass")
    answer(world, "office_second", number, agrees=False, note="不行")
    assert world.document(number).node == "office_first"
    assert number in todo(world, "office_first")
    world.act("office_first", number, "return", opinion="按加签意见改", target="unit_first")


def test_whoever_decides_waits_for_added_signers(world: World, second: Account) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.BEFORE, "office_second")
    with pytest.raises(BlockedError):
        world.act(second, number, "pass")


def test_a_signer_is_removed_by_who_added_it_before_it_signed(world: World) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.AFTER, "office_second")
    world.act("office_first", number, "pass")
    with pytest.raises(ForbiddenError):
        take_back(world, "supervising", number, live(world, number)[0])
    take_back(world, "office_first", number, live(world, number)[0])
    assert world.document(number).node == "office_second", "nobody is waited for any more"
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.BEFORE, "office_second")
    answer(world, "office_second", number)
    with pytest.raises(BlockedError, match="已经有人办过"):
        take_back(world, "office_first", number, live(world, number)[0])


def test_one_takes_ones_decision_back_until_the_signer_signed(world: World) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.AFTER, "office_second")
    world.act("office_first", number, "pass")
    take_back(world, "office_first", number, live(world, number)[-1])
    assert number in todo(world, "office_first")
    assert number not in todo(world, "office_second")


def test_nobody_signs_twice_nor_reviews_what_it_entered(world: World) -> None:
    number = world.plan(node="unit_second")
    with pytest.raises(InvalidError):  # the handler is the only colleague, and entered it
        assign(world, "reviewer", number, Kind.BEFORE, "handler")
    world.bring(number, "office_first")
    assign(world, "office_first", number, Kind.BEFORE, "office_second")
    with pytest.raises(InvalidError):
        assign(world, "office_first", number, Kind.AFTER, "office_second")
    with pytest.raises(InvalidError):
        assign(world, "office_first", number, Kind.BEFORE, "office_first")


def test_signers_added_to_a_joint_decision(with_rules: Callable[[str], World]) -> None:
    world = with_rules(ALL)
    extra = colleague(world, "supervising", Role.SUPERVISING, "韩雪")
    number = world.plan(node="office_first")
    assign(world, "supervising", number, Kind.AFTER, extra)
    for name in VOTERS:
        world.act(name, number, "pass")
    assert world.document(number).node == "office_first"
    answer(world, extra, number)
    assert world.document(number).node == "office_second"
    world.sound()
