"""Voiding and the returns that have to come before it; the money is back exactly once."""

import pytest

from core.domain.errors import BlockedError, ForbiddenError, InvalidError
from core.service import acts
from tests.core.world import World, kinds, money, new_key

SUM = 200_000


@pytest.mark.covers("nm-4")
@pytest.mark.parametrize("node", ["completed", "filed"])
def test_voiding_releases_the_indicator_exactly_once(each_world: World, node: str) -> None:
    world = each_world
    before = money(world)
    number = world.plan("direct", node)
    with pytest.raises(InvalidError, match="请填写理由"):
        world.act("handler", number, "cancel")
    with pytest.raises(ForbiddenError):
        world.act("reviewer", number, "cancel", reason="录错了")
    world.act("handler", number, "cancel", reason="录错了")
    kept = (SUM, 0) if node == "completed" else (0, SUM)
    assert world.funds(number) == kept  # asked for is not yet done
    with pytest.raises(ForbiddenError):
        world.act("handler", number, "cancel_pass")
    key, version = new_key(), world.document(number).version
    for _ in range(2):
        done = acts.perform(
            world.system, world["reviewer"], number, "cancel_pass", version=version, arguments={}, key=key
        )
    assert done.repeated
    with pytest.raises(BlockedError):
        world.act("reviewer", number, "cancel_pass")
    assert world.funds(number) == (0, 0)
    assert money(world) == before
    back = "release" if node == "completed" else "reverse"
    assert kinds(world, number).count(back) == 1
    assert world.document(number).node == "void"  # it stays, with its history
    world.sound()


@pytest.mark.covers("nm-4")
@pytest.mark.parametrize("node", ["completed", "filed"])
@pytest.mark.parametrize(("who", "action"), [("reviewer", "cancel_reject"), ("handler", "cancel_recall")])
def test_a_voiding_refused_or_recalled_leaves_everything_as_it_was(
    world: World, node: str, who: str, action: str
) -> None:
    number = world.plan(node=node)
    before, trail = world.funds(number), world.document(number).trail
    moves = kinds(world, number)
    world.act("handler", number, "cancel", reason="想改")
    world.act(who, number, action, **({"opinion": "不必"} if action == "cancel_reject" else {}))
    assert world.document(number).trail == trail
    assert world.funds(number) == before
    assert kinds(world, number) == moves


@pytest.mark.covers("nm-3")
@pytest.mark.covers("nm-4-1")
@pytest.mark.parametrize("order", ["placed", "confirmed"])
def test_a_mall_plan_comes_back_only_when_no_order_is_open(world: World, order: str) -> None:
    plan = world.plan("mall", "dispatched")
    with pytest.raises(BlockedError):
        world.act("handler", plan, "cancel", reason="录错了")  # dispatched: not voided directly
    number = world.order(plan, order)
    before = world.everything()
    with pytest.raises(BlockedError, match=number):
        world.act("handler", plan, "mall_return")
    assert world.everything() == before
    if order == "placed":
        world.act("handler", number, "cancel", reason="不买了")
    else:
        with pytest.raises(BlockedError):
            world.act("handler", number, "cancel", reason="不买了")
        world.act("supplier", number, "release", opinion="同意")
    world.act("handler", plan, "mall_return")
    assert world.document(plan).node == "filed"
    assert world.funds(plan) == (0, SUM)
    world.act("handler", plan, "cancel", reason="录错了")
    world.act("reviewer", plan, "cancel_pass")
    assert world.funds(plan) == (0, 0)
    world.sound()


@pytest.mark.covers("nm-3")
def test_a_project_plan_comes_back_through_its_agency(world: World) -> None:
    number = world.plan("project", "dispatched")
    for who in ("handler", "reviewer"):
        with pytest.raises((ForbiddenError, BlockedError)):
            world.act(who, number, "agency_return", opinion="退回")
        with pytest.raises(BlockedError):
            world.act(who, number, "cancel", reason="录错了")
    world.act("agency", number, "agency_return", opinion="应采购人要求退回")
    assert world.document(number).node == "filed"
    world.act("handler", number, "cancel", reason="录错了")
    world.act("reviewer", number, "cancel_pass")
    assert world.document(number).node == "void"


@pytest.mark.covers("nm-3")
def test_a_plan_without_process_is_voided_directly(world: World) -> None:
    number = world.plan("direct", "filed")
    world.act("handler", number, "cancel", reason="录错了")
    world.act("reviewer", number, "cancel_pass")
    assert world.document(number).node == "void"
    assert world.funds(number) == (0, 0)
