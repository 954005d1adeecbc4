"""Faults that approval engines are known for, as far as there is something here that could have them.

1, 2 and 7 (return targets, withdrawing) are also in domain/test_graph.py, where every trail is tried. 4 is about timers:
there are none.
"""

from collections.abc import Callable

import pytest

from core.domain.accounts import Role
from core.domain.errors import InvalidError
from core.service import documents, flow
from tests.core.world import World

JOINT = """    - set_node:
        id: office_first
        actors: [{role: office_first, of: office}, {role: office_second, of: office}]
"""
SHORTER = """    - drop_node: office_second
    - set_action:
        id: pass
        chain: [unit_second, supervising, office_first, procurement_first, procurement_second, completed]
    - set_action:
        id: return
        from: [unit_second, supervising, office_first, procurement_first, procurement_second]
        targets: [unit_first, unit_second, supervising, office_first, procurement_first]
    - set_action:
        id: withdraw
        from: [supervising, office_first]
"""


def offered_targets(world: World, who: str, number: str) -> list[str]:
    offers = documents.get(world.system, world[who], number).offers
    return [name for offer in offers if offer.action == "return" for name, _ in offer.targets]


def test_fault_1_a_node_of_an_earlier_pass_is_not_offered(world: World) -> None:
    number = world.plan(node="procurement_first")
    world.act("procurement_first", number, "return", opinion="请改", target="unit_first")
    world.bring(number, "supervising")
    assert offered_targets(world, "supervising", number) == ["unit_second", "unit_first"]
    with pytest.raises(InvalidError):
        world.act("supervising", number, "return", opinion="x", target="office_first")


def test_fault_2_a_node_never_visited_is_not_offered(world: World) -> None:
    number = world.plan(node="unit_second")
    assert offered_targets(world, "reviewer", number) == ["unit_first"]


def test_fault_3_after_a_return_to_a_joint_node_all_its_people_have_the_task(
    with_rules: Callable[[str], World],
) -> None:
    world = with_rules(JOINT)
    office = world["office_first"].unit.id
    both = {(office, Role.OFFICE_FIRST), (office, Role.OFFICE_SECOND)}
    number = world.plan(node="office_first")
    assert world.tasks(number) == both
    world.act("office_first", number, "pass")
    world.act("office_second", number, "pass")
    world.act("procurement_first", number, "return", opinion="请再看", target="office_first")
    assert world.tasks(number) == both
    world.act("office_second", number, "pass")


def test_fault_5_one_who_refuses_does_not_act_for_the_others(with_rules: Callable[[str], World]) -> None:
    world = with_rules(JOINT)
    number = world.plan(node="office_first")
    world.act("office_first", number, "return", opinion="不清楚", target="unit_first")
    history = documents.get(world.system, world["handler"], number).history
    assert [entry.account_id for entry in history if entry.source == "office_first"] == [
        world["office_first"].id
    ]
    assert world.tasks(number) == {(world["handler"].unit.id, Role.HANDLER)}


def test_fault_6_after_a_return_the_chain_runs_again_as_the_process_says(world: World) -> None:
    number = world.plan(node="office_first")
    world.act("office_first", number, "return", opinion="请改", target="unit_first")
    passed = []
    while world.document(number).node != "office_first":
        world.go_on(number)
        passed.append(world.document(number).node)
    assert passed == ["unit_second", "supervising", "office_first"]


def test_fault_7_who_takes_it_back_does_not_matter_for_where_it_goes(world: World) -> None:
    for who in ("handler", "reviewer"):
        number = world.plan(node="office_second")
        world.act(who, number, "withdraw")
        assert world.document(number).node == "unit_second"
        assert world.tasks(number) == {(world["reviewer"].unit.id, Role.REVIEWER)}


def test_fault_8_an_instance_keeps_the_version_it_began_with(
    world: World, with_rules: Callable[[str], World]
) -> None:
    old = world.plan(node="office_first")
    drawn = flow.flow(world.system, world["handler"], old)
    upgraded = with_rules(SHORTER)
    new = upgraded.plan(node="office_first")
    assert upgraded.document(new).process_version != upgraded.document(old).process_version
    assert flow.flow(upgraded.system, upgraded["handler"], old) == drawn
    assert "office_second" not in {
        node.id for node in flow.flow(upgraded.system, upgraded["handler"], new).nodes
    }
    upgraded.act("office_first", old, "pass")
    upgraded.act("office_first", new, "pass")
    assert upgraded.document(old).node == "office_second"
    assert upgraded.document(new).node == "procurement_first"
    upgraded.bring(old, "completed")
    upgraded.sound()
