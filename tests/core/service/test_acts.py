"""The whole way of a plan through the real service, with the money looked at on every node."""

from itertools import pairwise

import pytest

from core.domain.errors import BlockedError, InvalidError
from core.service import documents, entering
from tests.core.world import NODES, REVIEWERS, World, kinds, money, new_key

SUM = 200_000


@pytest.mark.parametrize("variant", ["mall", "project", "direct"])
def test_from_entry_to_the_end_with_the_money_right_on_every_node(each_world: World, variant: str) -> None:
    world = each_world
    frozen, used = money(world)
    number = world.plan(variant)
    stations = []
    while world.document(number).node not in {"dispatched", "direct"}:
        node = world.document(number).node
        stations.append(node)
        free = node == "entry"
        spent = node == "filed"
        assert world.funds(number) == ((0, 0) if free else (0, SUM) if spent else (SUM, 0))
        assert money(world) == (
            frozen + (0 if free or spent else SUM),
            used + (SUM if spent else 0),
        )
        if variant == "direct" and spent:
            break
        world.go_on(number)
    end = [] if variant == "direct" else ["dispatched"]
    assert [*stations, *end] == [
        node for node in NODES[variant] if node not in {"unit_first", "cancel_review", "void"}
    ]
    assert kinds(world, number) == ["freeze", "use"]
    assert world.tasks(number) == set()  # it has ended well: nobody has to do anything
    world.sound()


def test_the_history_says_who_did_what_from_where_to_where(world: World) -> None:
    number = world.plan(node="completed")
    history = documents.get(world.system, world["handler"], number).history
    assert [entry.seq for entry in history] == list(range(1, 9))
    assert [(entry.label, entry.target) for entry in history[:3]] == [
        ("录入", "entry"), ("送审", "unit_second"), ("审核通过", "supervising"),
    ]  # fmt: skip
    for before, after in pairwise(history):
        assert after.source == before.target
    assert [entry.account_id for entry in history[2:]] == [world[who].id for who in REVIEWERS.values()]


@pytest.mark.covers("nm-2")
@pytest.mark.parametrize("node", REVIEWERS)
def test_every_review_can_return_to_every_station_passed_and_no_other(world: World, node: str) -> None:
    passed = ["unit_first", *list(REVIEWERS)[: list(REVIEWERS).index(node)]]
    for target in passed:
        number = world.plan(node=node)
        offer = next(
            item
            for item in documents.get(world.system, world[REVIEWERS[node]], number).offers
            if item.action == "return"
        )
        assert [name for name, _ in offer.targets] == passed[::-1]
        world.act(REVIEWERS[node], number, "return", opinion="金额有误", target=target)
        assert world.document(number).node == target
        assert world.funds(number) == ((0, 0) if target == "unit_first" else (SUM, 0))
        expected = "handler" if target == "unit_first" else REVIEWERS[target]
        assert world.tasks(number) == {(world[expected].unit.id, world[expected].role)}
    number = world.plan(node=node)
    before = world.everything()
    for target in ["entry", node, "completed", "filed", "void", "nowhere", *list(REVIEWERS)[len(passed) :]]:
        with pytest.raises(InvalidError) as caught:
            world.act(REVIEWERS[node], number, "return", opinion="金额有误", target=target)
        assert "target" in caught.value.fields
    with pytest.raises(InvalidError, match="请填写意见"):
        world.act(REVIEWERS[node], number, "return", target="unit_first", opinion="  ")
    assert world.everything() == before


@pytest.mark.covers("nm-2")
@pytest.mark.parametrize("who", ["handler", "reviewer"])
@pytest.mark.parametrize("node", ["supervising", "office_first", "office_second"])
def test_01_or_02_takes_it_back_then_it_is_returned_and_edited(world: World, who: str, node: str) -> None:
    number = world.plan(node=node)
    world.act(who, number, "withdraw")
    assert world.document(number).node == "unit_second"
    assert world.tasks(number) == {(world["reviewer"].unit.id, world["reviewer"].role)}
    world.act("reviewer", number, "return", opinion="数量录错")
    assert world.document(number).node == "unit_first"
    assert world.funds(number) == (0, 0)
    fewer = world.form(funding=[{"indicator": world.indicator().id, "amount_fen": SUM}], need_by="2026-12-30")
    entering.save(
        world.system, world["handler"], number, fewer, version=world.document(number).version, key=new_key()
    )
    world.act("handler", number, "submit")
    assert world.document(number).trail == ("entry", "unit_first", "unit_second")
    assert world.funds(number) == (SUM, 0)
    world.sound()


@pytest.mark.covers("nm-2")
@pytest.mark.parametrize("node", ["unit_second", "procurement_first", "procurement_second", "completed"])
def test_it_cannot_be_taken_back_from_elsewhere(world: World, node: str) -> None:
    number = world.plan(node=node)
    for who in ("handler", "reviewer"):
        with pytest.raises(BlockedError, match="不能撤销"):
            world.act(who, number, "withdraw")


def test_what_leaves_the_house_is_in_the_outbox_once(world: World) -> None:
    def topics(number: str) -> list[str]:
        rows = world.everything()["outbox"]
        return [row[2] for row in sorted(rows) if row[3]["number"] == number]

    mall, project, direct = (world.plan(variant, "filed") for variant in ("mall", "project", "direct"))
    assert (topics(mall), topics(project), topics(direct)) == (["mall.dispatch"], ["agency.dispatch"], [])
    world.go_on(mall)
    world.act("handler", mall, "mall_return")
    assert topics(mall) == ["mall.dispatch", "mall.withdraw"]
    world.act("handler", mall, "redispatch")
    assert topics(mall) == ["mall.dispatch", "mall.withdraw", "mall.dispatch"]


def test_more_than_the_indicator_has_is_refused_with_what_it_has(each_world: World) -> None:
    world = each_world
    left = world.indicator().available_fen
    price = left // 2 + 100
    line = {"catalogue": "A02021003", "name": "激光打印机", "quantity": 2, "unit_price_fen": price}
    funding = [{"indicator": world.indicator().id, "amount_fen": 2 * price}]
    number = world.plan(lines=[line], funding=funding)
    before = world.everything()
    with pytest.raises(BlockedError) as caught:
        world.act("handler", number, "submit")
    assert caught.value.code == "insufficient_funds"
    assert caught.value.fields["available_fen"] == left
    assert world.everything() == before


def test_of_two_indicators_neither_is_touched_when_one_falls_short(world: World) -> None:
    rich, poor = world.indicator(0), world.indicator(2)
    over = poor.available_fen + 1
    line = {"catalogue": "A02021003", "name": "激光打印机", "quantity": 1, "unit_price_fen": over + 500}
    funding = [{"indicator": rich.id, "amount_fen": 500}, {"indicator": poor.id, "amount_fen": over}]
    number = world.plan(lines=[line], funding=funding)
    before = world.everything()
    with pytest.raises(BlockedError) as caught:
        world.act("handler", number, "submit")
    assert caught.value.fields["indicator"] == poor.id
    assert world.everything() == before


def test_what_no_database_keeps_is_refused_as_an_opinion(each_world: World) -> None:
    world = each_world
    number = world.plan(node="unit_second")
    with pytest.raises(InvalidError) as caught:
        world.act("reviewer", number, "pass", opinion="看\x00看")
    assert set(caught.value.fields) == {"opinion"}
    assert world.document(number).node == "unit_second"
