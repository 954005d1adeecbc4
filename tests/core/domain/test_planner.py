"""The planner on small processes, where the right answer can be seen; on the real ones see service/test_planning."""

from collections.abc import Mapping

import pytest

from core.adapters import processes
from core.domain import forms
from core.domain.accounts import Relation, Role
from core.domain.documents import Situation, Trail
from core.domain.planner import COLLEAGUE, OTHER, OWN, Given, NoWay, Plan, Subject, plan
from core.domain.process import Action, Actor, Cost, Guard, Node, NodeType, Process, Requirement

BOOK = processes.load()
NEAR: Mapping[Role, int] = {Role.HANDLER: OWN, Role.REVIEWER: COLLEAGUE}


def nearness(_index: int, actors: tuple[Actor, ...]) -> int:
    return min((NEAR.get(actor.role, OTHER) for actor in actors), default=OTHER)


def node(name: str, kind: NodeType = NodeType.WORK) -> Node:
    return Node(name, name, kind, "lane")


def action(
    name: str,
    source: str,
    target: str,
    role: Role = Role.HANDLER,
    *,
    guards: tuple[Guard, ...] = (),
    requires: tuple[Requirement, ...] = (),
    public: bool = False,
) -> Action:
    by = (Actor(role, Relation.UNIT),)
    cost = Cost.PUBLIC if public else Cost.PLAIN
    return Action(name, name, {source: target}, by, guards=guards, requires=requires, cost=cost)


def process(*actions: Action, goals: Mapping[str, tuple[str, ...]], ends: tuple[str, ...] = ()) -> Process:
    names = dict.fromkeys(name for item in actions for pair in item.routes.items() for name in pair)
    nodes = {name: node(name, NodeType.END if name in ends else NodeType.WORK) for name in names}
    acts = {item.id: item for item in actions}
    return Process("r", "k", "v", "单据", "变体", "1", "a", nodes, acts, dict(goals), ())


def subject(made: Process, at: str = "a", number: str = "N-1", **situation: object) -> Subject:
    return Subject(Given(number, made, Situation(**situation)), (at,))  # type: ignore[arg-type]


def hanging_on(above: str, number: str, made: Process, trail: Trail) -> Subject:
    filled = Situation(form=forms.names(made.form.fields, {}))
    return Subject(Given(number, made, filled, above), trail)


def way(found: Plan | NoWay) -> list[str]:
    assert isinstance(found, Plan), found
    return [step.action for step in found.steps]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ({"public": True}, [Role.AGENCY, Role.AGENCY]),  # any detour rather than what cannot be undone
        ({"role": Role.AGENCY}, [Role.REVIEWER, Role.REVIEWER]),  # rather two colleagues than another unit
        ({"role": Role.REVIEWER}, [Role.HANDLER] * 3),  # rather three own steps than one colleague
    ],
)
def test_cheapest_first(short: dict[str, object], long: list[Role]) -> None:
    detour = [
        action(
            f"d{index}",
            "a" if index == 0 else f"m{index}",
            f"m{index + 1}" if index + 1 < len(long) else "z",
            role,
        )
        for index, role in enumerate(long)
    ]
    made = process(action("direct", "a", "z", **short), *detour, goals={"z": ("z",)})  # type: ignore[arg-type]
    assert way(plan((subject(made),), "z", nearness)) == [item.id for item in detour]


def test_of_two_ways_alike_the_one_with_fewer_steps() -> None:
    made = process(
        action("x", "a", "b"), action("y", "b", "z"), action("direct", "a", "z"), goals={"z": ("z",)}
    )
    assert way(plan((subject(made),), "z", nearness)) == ["direct"]


def test_a_goal_that_holds_needs_nothing() -> None:
    made = process(action("x", "a", "b"), goals={"here": ("a", "b")})
    assert way(plan((subject(made),), "here", nearness)) == []


def test_a_goal_that_is_none() -> None:
    made = process(action("x", "a", "b"), goals={})
    found = plan((subject(made),), "fly", nearness)
    assert isinstance(found, NoWay)
    assert "fly" in found.reasons[0]


def test_no_way_at_all_says_where_it_lies() -> None:
    made = process(action("x", "a", "b"), goals={"start": ("a",)})
    found = plan((subject(made, "b"),), "start", nearness)
    assert isinstance(found, NoWay)
    assert "“b”" in found.reasons[0]


def test_the_smallest_set_of_reasons() -> None:
    """One way is barred twice, the other once: the one reason is said, not all three."""
    made = process(
        action("x", "a", "b", guards=(Guard.SIGNED,)),
        action("y", "b", "z", requires=(Requirement("open('k') == 0", "还有没了结的"),)),
        action("long", "a", "m"),
        action("barred", "m", "z", guards=(Guard.FORM_COMPLETE,)),
        goals={"z": ("z",)},
    )
    # An order that nobody can close.
    stuck = process(action("wait", "o", "o"), goals={})
    first = subject(made, form_errors={"name": "请选择计划名称"})
    found = plan((first, hanging_on("N-1", "DD-1", stuck, ("o",))), "z", nearness)
    assert isinstance(found, NoWay)
    assert found.reasons == ("表单还没填对：请选择计划名称",)


def test_an_order_is_closed_before_the_plan_is_taken_back() -> None:
    mall = BOOK.get("neimenggu", "plan", "mall")
    order = BOOK.get("neimenggu", "mall_order", "order")
    trail = ("entry", "unit_first", "unit_second", "completed", "filed", "dispatched")
    first = Subject(Given("JH-1", mall), trail, frozenset({"signed"}))
    hanging = hanging_on("JH-1", "DD-1", order, ("placed",))
    assert way(plan((first, hanging), "void", nearness)) == ["cancel", "mall_return", "cancel", "cancel_pass"]
    confirmed = hanging_on("JH-1", "DD-1", order, ("placed", "confirmed"))
    assert way(plan((first, confirmed), "void", nearness)) == [
        "release",
        "mall_return",
        "cancel",
        "cancel_pass",
    ]
    done = hanging_on("JH-1", "DD-1", order, ("placed", "confirmed", "done"))
    assert way(plan((first, done), "void", nearness)) == ["mall_return", "cancel", "cancel_pass"]


def test_thirty_open_orders_are_thirty_steps_more() -> None:
    """Tried in every order they would be 2³⁰ states, and this test would not end."""
    mall = BOOK.get("neimenggu", "plan", "mall")
    order = BOOK.get("neimenggu", "mall_order", "order")
    trail = ("entry", "unit_first", "unit_second", "completed", "filed", "dispatched")
    orders = tuple(
        hanging_on("JH-1", f"DD-{index}", order, ("placed",) if index % 2 else ("placed", "confirmed"))
        for index in range(30)
    )
    found = plan((Subject(Given("JH-1", mall), trail, frozenset({"signed"})), *orders), "void", nearness)
    assert isinstance(found, Plan)
    assert {step.number for step in found.steps} == {"JH-1", *(item.number for item in orders)}
    assert len(found.steps) == 33


def test_an_order_that_does_not_matter_is_left_alone() -> None:
    mall = BOOK.get("neimenggu", "plan", "mall")
    order = BOOK.get("neimenggu", "mall_order", "order")
    hanging = hanging_on("JH-1", "DD-1", order, ("placed",))
    found = plan((Subject(Given("JH-1", mall), ("entry",)), hanging), "void", nearness)
    assert way(found) == ["discard"]
