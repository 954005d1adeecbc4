import pytest

from core.service import flow
from core.service.flow import Flow
from tests.core.world import REVIEWERS, World


def drawn(world: World, number: str, who: str = "handler") -> Flow:
    return flow.flow(world.system, world[who], number)


def states(found: Flow) -> dict[str, str]:
    return {node.id: node.state for node in found.nodes}


@pytest.mark.covers("nm-8")
def test_who_acted_when_with_what_opinion_and_whose_turn_it_is(each_world: World) -> None:
    world = each_world
    number = world.plan(node="unit_second")
    world.clock.pass_by(hours=1)
    world.act("reviewer", number, "pass", opinion="同意采购")
    found = drawn(world, number)
    by_id = {node.id: node for node in found.nodes}
    done, current, ahead = by_id["unit_second"], by_id["supervising"], by_id["office_first"]
    assert (done.state, done.who, done.when) == ("done", "王芳（采购单位负责人 02）", world.clock())
    assert "同意采购" in done.opinion
    assert (current.state, current.whose) == ("current", "孙宁（主管单位审核）")
    assert (ahead.state, ahead.whose, ahead.who) == ("ahead", "钱雨（业务科室初审）", "")
    assert [node.label for node in found.nodes][2] == "采购单位复审"
    assert "02 负责人" in by_id["unit_second"].help
    assert all(node.help for node in found.nodes)


@pytest.mark.covers("nm-8")
@pytest.mark.parametrize("node", REVIEWERS)
def test_exactly_one_station_is_the_current_one(world: World, node: str) -> None:
    number = world.plan(node=node)
    found = drawn(world, number)
    assert [name for name, state in states(found).items() if state == "current"] == [node]
    order = list(states(found))
    for name, state in states(found).items():
        if name != node:
            assert state == ("done" if order.index(name) < order.index(node) else "ahead")
    forward = [(a, b) for a, b, kind in found.edges if kind == "forward"]
    assert [a for a, _ in forward] == order[:-1]


def test_after_a_return_the_stations_to_be_passed_again_say_so(world: World) -> None:
    number = world.plan(node="office_first")
    world.act("office_first", number, "return", opinion="清单不清", target="unit_first")
    found = drawn(world, number)
    assert states(found)["unit_first"] == "current"
    assert [name for name, state in states(found).items() if state == "returned"] == [
        "unit_second", "supervising", "office_first",
    ]  # fmt: skip
    assert ("office_first", "unit_first", "return") in found.edges
    last = next(node for node in found.nodes if node.id == "office_first")
    assert "清单不清" in last.opinion


@pytest.mark.parametrize("node", ["cancel_review", "void"])
def test_a_side_way_is_drawn_where_it_was_taken(world: World, node: str) -> None:
    number = world.plan(node=node)
    found = drawn(world, number)
    assert states(found)[node] == "current"
    assert ("completed", "cancel_review", "forward") in found.edges
    assert "void" not in states(found) or node == "void"
    if node == "void":
        assert next(item for item in found.nodes if item.id == "void").whose == ""


def test_everybody_concerned_sees_the_same(world: World) -> None:
    number = world.plan(node="office_first")
    assert drawn(world, number, "supervising") == drawn(world, number)


def test_each_variant_has_its_own_end(world: World) -> None:
    assert list(states(drawn(world, world.plan("direct"))))[-1] == "filed"
    assert list(states(drawn(world, world.plan("mall"))))[-1] == "dispatched"
