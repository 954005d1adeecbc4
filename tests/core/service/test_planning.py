"""Plans on real documents: whatever is found is carried out step by step, by the accounts that are named."""

from collections import deque

import pytest

from core.domain import graph
from core.domain.errors import BlockedError
from core.domain.planner import NoWay, flags_after
from core.domain.process import Guard, Process
from core.service import entering, planning
from core.service.planning import RepairPlan
from tests.core.world import NODES, World, filled_in, new_key

GOALS = ("editable", "void", "completed", "filed")
CASES = [(variant, node) for variant, nodes in NODES.items() for node in nodes]


def carry_out(world: World, plan: RepairPlan) -> None:
    """Each step by somebody whom the step names."""
    for step in plan.steps:
        document = world.document(step.number)
        assert document.node == step.source
        able = [
            account for account in world.people.values() if account.label in step.who or step.who == "系统"
        ]
        assert able, step.who
        actor = able[-1]
        if step.action == "sign":
            world.seal(step.number)
        else:
            given = filled_in(world.process(step.number), step.action, document.trail, step.target)
            assert {field.name for field in step.form if field.required} == given.keys()
            world.act(actor, step.number, step.action, **given)
        assert world.document(step.number).node == step.target


def reachable(
    process: Process, trail: tuple[str, ...], flags: frozenset[str], wanted: tuple[str, ...]
) -> bool:
    """Whether any way leads there, tried out breadth first without regard to cost (no open orders)."""
    queue, seen = deque([(trail, flags)]), {(trail, flags)}
    while queue:
        trail, flags = queue.popleft()
        if trail[-1] in wanted:
            return True
        for action in process.actions_from[trail[-1]]:
            if Guard.SIGNED in action.guards and "signed" not in flags:
                continue
            for target in graph.targets(process, action, trail):
                state = (graph.moved(action, trail, target), flags_after(action, flags))
                if state not in seen:
                    seen.add(state)
                    queue.append(state)
    return False


@pytest.mark.parametrize(
    ("who", "variant", "node"),
    [("handler", *case) for case in CASES] + [("reviewer", "mall", node) for node in NODES["mall"]],
)
def test_every_plan_found_can_be_carried_out(world: World, who: str, variant: str, node: str) -> None:
    for goal in GOALS:
        number = world.plan(variant, node)
        process = world.process(number)
        wanted = process.goals[goal]
        found = planning.plan_to(world.system, world[who], number, goal)
        document = world.document(number)
        if isinstance(found, NoWay):
            assert found.reasons
            closed = {item.goal: item for item in process.node(node).instead}
            if goal in closed:
                assert (found.reasons, found.instead) == ((closed[goal].reason,), closed[goal].use)
                other = planning.plan_to(world.system, world[who], number, closed[goal].use)
                assert isinstance(other, RepairPlan)
            else:
                assert not reachable(process, document.trail, document.flags, wanted)
            continue
        carry_out(world, found)
        assert world.document(number).node in wanted
        world.sound()


@pytest.mark.covers("nm-2")
@pytest.mark.parametrize(
    ("node", "steps"),
    [
        ("entry", []),
        ("unit_first", []),
        ("unit_second", ["return"]),
        ("supervising", ["withdraw", "return"]),
        ("office_first", ["withdraw", "return"]),
        ("office_second", ["withdraw", "return"]),
        ("procurement_first", ["return"]),
        ("procurement_second", ["return"]),
    ],
)
def test_the_way_to_editable_as_the_handler_sees_it(world: World, node: str, steps: list[str]) -> None:
    number = world.plan(node=node)
    found = planning.plan_to(world.system, world["handler"], number, "editable")
    assert isinstance(found, RepairPlan)
    assert [step.action for step in found.steps] == steps
    if steps:
        assert (found.steps[-1].target, found.steps[-1].form[0].name) == ("unit_first", "opinion")
    if len(steps) == 2:
        assert [step.mine for step in found.steps] == [True, False]
        assert found.steps[1].who == "王芳（采购单位负责人 02）"


def test_who_asks_decides_what_is_near(world: World) -> None:
    """The office would rather return it itself than have the unit take it back."""
    number = world.plan(node="office_first")
    found = planning.plan_to(world.system, world["office_first"], number, "editable")
    assert isinstance(found, RepairPlan)
    assert [(step.action, step.mine) for step in found.steps] == [("return", True)]


@pytest.mark.covers("nm-2")
@pytest.mark.parametrize("node", ["completed", "filed", "dispatched", "cancel_review", "void"])
def test_once_approved_it_is_voided_instead(world: World, node: str) -> None:
    number = world.plan("project", node)
    found = planning.plan_to(world.system, world["handler"], number, "editable")
    assert isinstance(found, NoWay)
    assert found.instead == "void"


@pytest.mark.covers("nm-3")
@pytest.mark.parametrize(
    ("variant", "node", "steps"),
    [
        ("project", "dispatched", ["agency_return", "cancel", "cancel_pass"]),
        ("mall", "dispatched", ["mall_return", "cancel", "cancel_pass"]),
        ("direct", "filed", ["cancel", "cancel_pass"]),
        ("mall", "completed", ["cancel", "cancel_pass"]),
        ("mall", "entry", ["discard"]),
        ("mall", "office_first", ["withdraw", "return", "discard"]),
    ],
)
def test_the_way_to_void_by_kind(world: World, variant: str, node: str, steps: list[str]) -> None:
    number = world.plan(variant, node)
    found = planning.plan_to(world.system, world["handler"], number, "void")
    assert isinstance(found, RepairPlan)
    assert [step.action for step in found.steps] == steps


@pytest.mark.covers("nm-4-1")
@pytest.mark.parametrize(("state", "first"), [("placed", "cancel"), ("confirmed", "release")])
def test_open_orders_are_closed_first_and_it_all_works(world: World, state: str, first: str) -> None:
    number = world.plan("mall", "dispatched")
    orders = [world.order(number, state), world.order(number, "done"), world.order(number, state)]
    found = planning.plan_to(world.system, world["handler"], number, "void")
    assert isinstance(found, RepairPlan)
    assert [(step.number, step.action) for step in found.steps] == [
        (orders[0], first), (orders[2], first), (number, "mall_return"), (number, "cancel"), (number, "cancel_pass"),
    ]  # fmt: skip
    carry_out(world, found)
    assert world.funds(number) == (0, 0)
    world.sound()


def test_mistakes_in_the_form_are_the_reasons(world: World) -> None:
    number = world.plan(implementation="")
    found = planning.plan_to(world.system, world["handler"], number, "filed")
    assert isinstance(found, NoWay)
    assert len(found.reasons) == 1
    assert "实施形式" in found.reasons[0]
    with pytest.raises(BlockedError):
        world.act("handler", number, "submit")


def test_signing_comes_before_filing(world: World) -> None:
    number = world.plan(node="completed")
    found = planning.plan_to(world.system, world["handler"], number, "filed")
    assert isinstance(found, RepairPlan)
    assert [(step.action, step.public) for step in found.steps] == [("sign", True), ("file", True)]


def test_the_fingerprint_changes_with_the_document_and_with_what_hangs_on_it(world: World) -> None:
    def fingerprint() -> str:
        found = planning.plan_to(world.system, world["handler"], number, "void")
        assert isinstance(found, RepairPlan)
        return found.fingerprint

    number = world.plan("mall", "dispatched")
    seen = [fingerprint(), fingerprint()]
    assert seen[0] == seen[1]
    order = world.order(number)
    seen.append(fingerprint())
    world.act("supplier", order, "confirm")
    seen.append(fingerprint())
    world.act("supplier", order, "release", opinion="同意")
    seen.append(fingerprint())
    world.act("handler", number, "mall_return")
    seen.append(fingerprint())
    assert len(set(seen)) == 5
    draft = world.plan()
    before = planning.plan_to(world.system, world["handler"], draft, "void")
    entering.save(world.system, world["handler"], draft, world.form(need_by="x"), version=1, key=new_key())
    after = planning.plan_to(world.system, world["handler"], draft, "void")
    assert isinstance(before, RepairPlan)
    assert isinstance(after, RepairPlan)
    assert before.fingerprint != after.fingerprint
