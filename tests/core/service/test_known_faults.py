"""The eight faults that approval engines are known for, each also where several people decide together.

1, 2 and 7 (return targets, withdrawing) are also in domain/test_graph.py, where every trail is tried.
"""

from collections.abc import Callable

import pytest

from core.domain.accounts import Role
from core.domain.approval import Kind
from core.domain.errors import BlockedError, ConflictError, InvalidError
from core.service import acts, documents, flow, planning
from core.service.planning import RepairPlan
from tests.core.panel import (
    ALL,
    ANY,
    STRAIGHT,
    VOTERS,
    answer,
    assign,
    colleague,
    labels,
    live,
    offered,
    take_back,
    todo,
    waiting,
)
from tests.core.world import World, new_key

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


# ── the same where several people decide together


def refuse(world: World, who: str, number: str, target: str = "unit_first") -> None:
    world.act(who, number, "return", opinion="请改", target=target)


def test_faults_1_and_2_a_vote_against_offers_only_what_was_passed(
    with_rules: Callable[[str], World],
) -> None:
    world = with_rules(ANY)
    number = world.plan(node="procurement_first")
    world.act("procurement_first", number, "return", opinion="请改", target="unit_first")
    world.bring(number, "office_first")
    assert offered_targets(world, "office_second", number) == ["supervising", "unit_second", "unit_first"]
    with pytest.raises(InvalidError):
        refuse(world, "office_second", number, target="office_second")
    assert live(world, number) == []


def test_fault_3_after_a_return_to_a_node_that_is_voted_on_all_vote_again(
    with_rules: Callable[[str], World],
) -> None:
    world = with_rules(ALL)
    number = world.plan(node="office_first")
    for name in VOTERS:
        world.act(name, number, "pass")
    world.act("office_second", number, "return", opinion="请再看", target="office_first")
    assert waiting(world, number) == list(VOTERS)
    for name in VOTERS[:2]:
        world.act(name, number, "pass")
    assert world.document(number).node == "office_first", "what was voted before counts no more"
    world.act(VOTERS[2], number, "pass")
    assert world.document(number).node == "office_second"


def test_fault_4_votes_do_not_touch_the_time_limit_and_coming_again_begins_a_new_one(
    with_rules: Callable[[str], World],
) -> None:
    world = with_rules(ALL)
    extra = colleague(world, "office_first", Role.OFFICE_FIRST, "赵一鸣")
    number = world.plan(node="office_first")

    def due() -> object:
        with world.system.database.read() as tx:
            document = tx.documents.by_number(number, None)
            assert document is not None
            return tx.terms.of([document.id])[document.id].due_at

    first = due()
    world.clock.pass_by(days=1)
    world.act("supervising", number, "pass")
    assign(world, "office_first", number, Kind.OPINION, extra)
    assert due() == first
    refuse(world, "office_first", number)
    world.clock.pass_by(days=9)
    world.bring(number, "office_first")
    assert due() > first  # type: ignore[operator]


def test_fault_5_one_refusal_leaves_the_others_their_task(with_rules: Callable[[str], World]) -> None:
    world = with_rules(ANY)
    number = world.plan(node="office_first")
    refuse(world, "supervising", number)
    assert waiting(world, number) == ["office_first", "office_second"]
    history = documents.get(world.system, world["handler"], number).history
    assert [(entry.account_id, entry.label) for entry in history if entry.source == "office_first"] == [
        (world["supervising"].id, "不同意（或签）")
    ]


def test_fault_6_straight_back_or_the_chain_again_is_the_authors_choice(
    with_rules: Callable[[str], World],
) -> None:
    world = with_rules(ALL + STRAIGHT)
    first = world.plan()
    assert "resubmit" not in offered(world, "handler", first), "nobody has returned it"
    numbers = [first, world.plan(), world.plan()]
    for number in numbers:
        world.bring(number, "office_first")
        world.act("supervising", number, "pass")
        refuse(world, "office_first", number)
        assert {"submit", "resubmit"} <= set(offered(world, "handler", number))
    straight, again, twice = numbers
    world.act("handler", straight, "resubmit")
    assert world.document(straight).trail[-3:] == ("unit_second", "supervising", "office_first")
    assert waiting(world, straight) == list(VOTERS)
    world.act("handler", again, "submit")
    assert world.document(again).node == "unit_second"
    world.act("handler", twice, "resubmit")
    refuse(world, "office_second", twice, target="unit_second")
    world.act("reviewer", twice, "return", opinion="再改", target="unit_first")
    world.act("handler", twice, "resubmit")
    assert world.document(twice).node == "unit_second", "straight back to who returned it last"
    shown = planning.plan_to(world.system, world["handler"], straight, "completed")
    assert isinstance(shown, RepairPlan)


def test_fault_7_withdrawing_while_a_vote_runs_cancels_it(with_rules: Callable[[str], World]) -> None:
    world = with_rules(ALL)
    extra = colleague(world, "office_first", Role.HANDLER, "赵一鸣")
    for who in ("handler", "reviewer"):
        number = world.plan(node="office_first")
        world.act("supervising", number, "pass")
        assign(world, "office_first", number, Kind.BEFORE, extra)
        world.act(who, number, "withdraw")
        assert world.document(number).node == "unit_second"
        assert waiting(world, number) == []
        assert live(world, number) == []
        assert world.tasks(number) == {(world["reviewer"].unit.id, Role.REVIEWER)}


def test_fault_8_an_instance_begun_before_there_were_votes_has_none(
    world: World, with_rules: Callable[[str], World]
) -> None:
    old = world.plan(node="office_first")
    voted = with_rules(ALL)
    new = voted.plan(node="office_first")
    voted.act("office_first", old, "pass")
    voted.act("office_first", new, "pass")
    assert (voted.document(old).node, voted.document(new).node) == ("office_second", "office_first")


def test_a_stale_vote_does_not_count(with_rules: Callable[[str], World]) -> None:
    world = with_rules(ALL)
    number = world.plan(node="office_first")
    seen = world.document(number).version
    world.act("supervising", number, "pass")
    refuse(world, "office_first", number)
    world.bring(number, "office_first")
    with pytest.raises(ConflictError):
        acts.perform(
            world.system, world["office_second"], number, "pass", version=seen, arguments={}, key=new_key()
        )
    assert waiting(world, number) == list(VOTERS)


def test_an_added_signer_of_an_earlier_stay_is_waited_for_no_more(world: World) -> None:
    number = world.plan(node="office_first")
    assign(world, "office_first", number, Kind.BEFORE, "office_second")
    refuse(world, "office_first", number)
    world.bring(number, "office_first")
    assert number not in todo(world, "office_second")
    world.act("office_first", number, "pass")
    assert world.document(number).node == "office_second"


# ── 取回


TAKE_BACK = """    - add_action:
        id: take_back
        label: 取回
        from: [supervising, office_first]
        to: $origin
        by: [{role: reviewer, of: unit}, {role: supervising, of: parent}]
        guards: [own_last]
"""


def test_ones_own_act_is_taken_back_while_nobody_has_acted_on(with_rules: Callable[[str], World]) -> None:
    world = with_rules(TAKE_BACK)
    number = world.plan(node="supervising")
    assert "take_back" in offered(world, "reviewer", number)
    assert "take_back" not in offered(world, "supervising", number)
    shown = planning.plan_to(world.system, world["reviewer"], number, "editable")
    assert isinstance(shown, RepairPlan)
    world.act("reviewer", number, "take_back")
    assert world.document(number).node == "unit_second"
    assert labels(world, number)[-1] == "取回"
    world.act("reviewer", number, "pass")
    world.act("supervising", number, "pass")
    with pytest.raises(BlockedError, match="才能取回"):
        world.act("reviewer", number, "take_back")
    assert "take_back" in offered(world, "supervising", number)
    assign(world, "office_first", number, Kind.OPINION, "office_second")
    assert "take_back" not in offered(world, "supervising", number), "somebody has done something since"
    answer(world, "office_second", number)
    with pytest.raises(BlockedError):
        world.act("supervising", number, "take_back")
    world.sound()


def test_a_vote_that_was_taken_back_is_cast_again(with_rules: Callable[[str], World]) -> None:
    world = with_rules(ALL)
    number = world.plan(node="office_first")
    world.act("office_first", number, "pass")
    take_back(world, "office_first", number, live(world, number)[0])
    assert labels(world, number)[-1] == "取回意见"
    world.act("office_first", number, "pass")
    assert waiting(world, number) == ["supervising", "office_second"]
