"""Where an act may lead, on processes as they are; and the faults that such engines are known for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters import processes
from core.domain import graph
from core.domain.process import Process

BOOK = processes.load()
MALL = BOOK.get("neimenggu", "plan", "mall")
REVIEWS = (
    "unit_second",
    "supervising",
    "office_first",
    "office_second",
    "procurement_first",
    "procurement_second",
)
ALL = list(BOOK.processes.values())


def walk(process: Process, *steps: tuple[str, str] | str) -> tuple[str, ...]:
    """Trail after these acts; an act with a choice comes as (act, target)."""
    trail: tuple[str, ...] = (process.start,)
    for step in steps:
        name, target = step if isinstance(step, tuple) else (step, "")
        action = process.actions[name]
        lawful = graph.targets(process, action, trail)
        assert lawful
        trail = graph.moved(action, trail, target or lawful[0])
    return trail


def returns(trail: tuple[str, ...]) -> tuple[str, ...]:
    return graph.return_targets(MALL, MALL.actions["return"], trail)


def test_fault_1_a_second_pass_forgets_the_nodes_of_the_first() -> None:
    """After a return from far along, only what was passed since is offered."""
    far = walk(MALL, "submit", "pass", "pass", "pass")
    assert returns(far) == ("office_first", "supervising", "unit_second", "unit_first")
    again = walk(MALL, "submit", "pass", "pass", "pass", ("return", "unit_first"), "submit", "pass")
    assert again[-1] == "supervising"
    assert returns(again) == ("unit_second", "unit_first")


def test_fault_2_nodes_never_visited_are_not_offered() -> None:
    for passes in range(len(REVIEWS)):
        trail = walk(MALL, "submit", *["pass"] * passes)
        assert set(returns(trail)) <= set(trail[:-1])
        assert returns(trail) == tuple(reversed(trail[1:-1]))


def test_fault_7_withdrawing_leads_to_the_units_review_wherever_it_lay() -> None:
    for passes in (1, 2, 3):
        trail = walk(MALL, "submit", *["pass"] * passes, "withdraw")
        assert trail == ("entry", "unit_first", "unit_second")
    for passes in (0, 4, 5, 6):
        trail = walk(MALL, "submit", *["pass"] * passes)
        assert graph.targets(MALL, MALL.actions["withdraw"], trail) == ()


@pytest.mark.parametrize("start", ["completed", "filed"])
def test_a_refused_cancellation_leads_back_to_where_it_came_from(start: str) -> None:
    steps = ["submit", *["pass"] * 6, *(["file"] if start == "filed" else [])]
    before = walk(MALL, *steps)
    assert before[-1] == start
    for act in ("cancel_reject", "cancel_recall"):
        assert walk(MALL, *steps, "cancel", act) == before


@pytest.mark.parametrize("process", ALL, ids=lambda p: f"{p.kind}-{p.variant}")
@given(data=st.data())
def test_trails_stay_lawful_on_any_walk(process: Process, data: st.DataObject) -> None:
    trail: tuple[str, ...] = (process.start,)
    for _ in range(data.draw(st.integers(0, 25))):
        moves = [
            (action, target)
            for action in process.actions_from[trail[-1]]
            for target in graph.targets(process, action, trail)
        ]
        if not moves:
            assert process.node(trail[-1]).type.value == "end"
            return
        action, target = data.draw(st.sampled_from(moves))
        after = graph.moved(action, trail, target)
        assert after[0] == process.start
        assert after[-1] == target
        assert len(set(after)) == len(after)
        assert set(after) <= set(process.nodes)
        if action.chosen:
            assert target in trail[:-1]
            assert after == trail[: trail.index(target) + 1]
        trail = after
