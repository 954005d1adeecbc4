"""Joint, any-one and weighted approval as data: votes, outcomes, tasks, ways, and two last voters at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.adapters import processes
from core.domain.accounts import Role
from core.domain.errors import BlockedError, ConflictError, DataError, DomainError, ForbiddenError
from core.service import acts, documents, flow, planning, repairs, staff
from core.service.planning import RepairPlan
from tests.core.conftest import ruled
from tests.core.panel import (
    ALL,
    ANY,
    PERSONS,
    VOTERS,
    WEIGHTED,
    colleague,
    labels,
    live,
    offered,
    panel,
    take_back,
    todo,
    waiting,
)
from tests.core.world import World, new_key
from tests.support.process_data import change_plans

Rules = Callable[[str], World]


def vote(world: World, who: str, number: str, **arguments: str) -> str:
    """Agree, or (with a target) refuse; where the document is then."""
    action = "return" if arguments else "pass"
    world.act(who, number, action, **arguments)
    return world.document(number).node


def refuse(world: World, who: str, number: str) -> str:
    return vote(world, who, number, opinion="数量不对", target="unit_first")


def test_all_have_to_agree(with_rules: Rules) -> None:
    world = with_rules(ALL)
    number = world.plan(node="office_first")
    assert waiting(world, number) == list(VOTERS)
    assert vote(world, "office_second", number) == "office_first"
    assert waiting(world, number) == ["supervising", "office_first"]
    assert offered(world, "office_second", number) == []
    assert vote(world, "supervising", number) == "office_first"
    assert vote(world, "office_first", number) == "office_second"
    assert live(world, number) == []
    assert labels(world, number)[-3:] == ["审核通过（会签）", "审核通过（会签）", "审核通过"]
    world.sound()


def test_nobody_votes_twice(with_rules: Rules) -> None:
    world = with_rules(ALL)
    number = world.plan(node="office_first")
    vote(world, "office_first", number)
    with pytest.raises(ForbiddenError) as caught:
        vote(world, "office_first", number)
    assert world["supervising"].name in caught.value.message


def test_one_refusal_of_all_returns_at_once_and_the_votes_are_void(with_rules: Rules) -> None:
    world = with_rules(ALL)
    number = world.plan(node="office_first")
    vote(world, "supervising", number)
    assert refuse(world, "office_first", number) == "unit_first"
    assert waiting(world, number) == []
    world.bring(number, "office_first")
    assert waiting(world, number) == list(VOTERS), "all anew"
    world.sound()


def test_any_one_agrees_and_one_refusal_is_not_the_others_refusal(with_rules: Rules) -> None:
    world = with_rules(ANY)
    number = world.plan(node="office_first")
    assert refuse(world, "supervising", number) == "office_first"
    assert waiting(world, number) == ["office_first", "office_second"]
    assert vote(world, "office_second", number) == "office_second"
    number = world.plan(node="office_first")
    assert [refuse(world, name, number) for name in VOTERS] == ["office_first", "office_first", "unit_first"]


@pytest.mark.parametrize(
    ("agreeing", "refusing", "where"),
    [
        (["office_first"], [], "office_first"),  # 2 of 4, 60 % are wanted
        (["office_first", "supervising"], [], "office_second"),
        (["supervising", "office_second"], [], "office_first"),
        (["supervising"], ["office_second"], "office_first"),
        (["supervising"], ["office_first"], "unit_first"),  # 2 of 4 are left
        ([], ["supervising", "office_second"], "unit_first"),
    ],
)
def test_votes_weigh(with_rules: Rules, agreeing: list[str], refusing: list[str], where: str) -> None:
    world = with_rules(WEIGHTED)
    number = world.plan(node="office_first")
    for name in agreeing:
        vote(world, name, number)
    for name in refusing:
        refuse(world, name, number)
    assert world.document(number).node == where
    world.sound()


def test_each_person_of_a_role_has_a_vote_and_who_leaves_has_none(with_rules: Rules) -> None:
    world = with_rules(PERSONS)
    second = colleague(world, "office_first", Role.OFFICE_FIRST, "赵一鸣")
    number = world.plan(node="office_first")
    assert number in todo(world, second)
    for name in VOTERS:
        vote(world, name, number)
    assert world.document(number).node == "office_first"
    assert waiting(world, number) == []
    staff.suspend(world.system, world["admin"], second.login)
    assert waiting(world, number) == list(VOTERS), "nobody is left to wait for: whoever decided leads it on"
    assert vote(world, "supervising", number) == "office_second"
    world.sound()


def test_a_vote_is_taken_back_while_it_is_undecided(with_rules: Rules) -> None:
    world = with_rules(ALL)
    number = world.plan(node="office_first")
    vote(world, "office_first", number)
    with pytest.raises(ForbiddenError):
        take_back(world, "supervising", number, live(world, number)[0])
    take_back(world, "office_first", number, live(world, number)[0])
    assert waiting(world, number) == list(VOTERS)
    for name in VOTERS:
        vote(world, name, number)
    assert world.document(number).node == "office_second"


def test_the_flow_shows_who_is_waited_for(with_rules: Rules) -> None:
    world = with_rules(ALL)
    number = world.plan(node="office_first")
    vote(world, "office_first", number)
    here = next(n for n in flow.flow(world.system, world["handler"], number).nodes if n.state == "current")
    assert here.whose == "、".join(world[name].label for name in ("supervising", "office_second"))
    assert here.opinion == f"会签 1/3：{world['office_first'].name}同意"
    assert documents.get(world.system, world["handler"], number).summary.whose.count("、") == 1


def plan_to(world: World, number: str, goal: str = "completed") -> RepairPlan:
    found = planning.plan_to(world.system, world["handler"], number, goal)
    assert isinstance(found, RepairPlan)
    return found


def test_the_way_on_has_a_step_for_each_voter(with_rules: Rules) -> None:
    world = with_rules(ALL)
    number = world.plan(node="supervising")
    steps = plan_to(world, number).steps
    assert [step.who for step in steps[1:4]] == [world[name].label for name in VOTERS]
    assert [step.target for step in steps[1:4]] == ["office_first", "office_first", "office_second"]
    vote(world, "supervising", number)
    vote(world, "office_second", number)
    steps = plan_to(world, number).steps
    assert [step.who for step in steps[:2]] == [world[name].label for name in ("supervising", "office_first")]


def test_the_way_on_has_as_many_steps_as_votes_are_wanted(with_rules: Rules) -> None:
    world = with_rules(WEIGHTED)
    number = world.plan(node="office_first")
    assert [step.source for step in plan_to(world, number).steps].count("office_first") == 2
    vote(world, "office_first", number)
    assert [step.source for step in plan_to(world, number).steps].count("office_first") == 1


def test_a_running_repair_follows_votes_in_any_order(with_rules: Rules) -> None:
    world = with_rules(ALL)
    number = world.plan(node="office_first")
    shown = plan_to(world, number)
    begun = repairs.start(
        world.system, world["handler"], number, "completed", shown.fingerprint, key=new_key()
    )

    def state() -> tuple[str, int]:
        now = repairs.get(world.system, world["handler"], begun.id)
        return now.state, now.position

    for place, name in enumerate(("office_second", "supervising", "office_first"), 1):
        vote(world, name, number)
        assert state() == ("running", place)
    world.bring(number, "completed")
    assert state()[0] == "done"


def test_withdrawing_cancels_the_votes_and_old_ones_do_not_count(with_rules: Rules) -> None:
    world = with_rules(ALL)
    number = world.plan(node="office_first")
    stale = world.document(number).version
    vote(world, "office_second", number)
    vote(world, "supervising", number)
    world.act("handler", number, "withdraw")
    assert live(world, number) == []
    with pytest.raises(ConflictError):
        acts.perform(
            world.system, world["office_first"], number, "pass", version=stale, arguments={}, key=new_key()
        )
    world.bring(number, "office_first")
    assert waiting(world, number) == list(VOTERS)
    assert vote(world, "office_first", number) == "office_first"


def test_two_last_voters_at_once_move_the_document_once(each_world: World, data_copy: Path) -> None:
    world = ruled(each_world, data_copy, ALL)
    number = world.plan(node="office_first")
    vote(world, "supervising", number)
    version = world.document(number).version

    def last(name: str) -> str:
        try:
            acts.perform(
                world.system, world[name], number, "pass", version=version, arguments={}, key=new_key()
            )
        except DomainError as error:
            return error.code
        return "voted"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(last, ("office_first", "office_second")))
    assert outcomes == ["moved", "voted"]
    assert world.document(number).node == "office_first", "one vote is still wanted"
    (left,) = waiting(world, number)
    assert vote(world, left, number) == "office_second"
    sources = [entry.source for entry in documents.get(world.system, world["handler"], number).history]
    assert sources.count("office_first") == 3
    world.sound()


def test_a_vote_needs_what_the_act_needs(with_rules: Rules) -> None:
    more = """    - set_action:
        id: pass
        requires: [{must: "node != 'office_first' or amount_fen < 1000", say: 金额太大}]
"""
    world = with_rules(panel("mode: all, agree: pass, refuse: return", more))
    number = world.plan(node="office_first")
    with pytest.raises(BlockedError, match="金额太大"):
        vote(world, "office_first", number)
    assert live(world, number) == []


@pytest.mark.parametrize(
    ("approval", "said"),
    [
        ("mode: all", "agree"),
        ("mode: most, agree: pass", "mode"),
        ("mode: all, agree: nothing", "nothing"),
        ("mode: all, agree: submit", "submit"),
        ("mode: all, agree: withdraw", "by"),
        ("mode: all, agree: pass, refuse: pass", "同一个"),
        ("mode: all, agree: pass, share: 50", "share"),
        ("mode: weighted, agree: pass", "share"),
        ("mode: weighted, agree: pass, share: 101", "share"),
        ("mode: weighted, agree: pass, share: 60, weights: [1, 2]", "weights"),
        ("mode: any, agree: pass, refusal: count", "refuse"),
        ("mode: all, agree: pass, voters: 3", "voters"),
    ],
)
def test_mistakes_in_the_data_are_named(data_copy: Path, approval: str, said: str) -> None:
    change_plans(data_copy, panel(approval))
    with pytest.raises(DataError) as caught:
        processes.load(data_copy)
    assert any("neimenggu.yaml:" in problem and said in problem for problem in caught.value.problems)


def test_a_node_whose_form_may_be_changed_is_not_voted_on(data_copy: Path) -> None:
    change_plans(data_copy, ALL.replace("        approval", "        editable: [name]\n        approval"))
    with pytest.raises(DataError, match="不能改表单"):
        processes.load(data_copy)
