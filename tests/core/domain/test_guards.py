import pytest

from core.domain.documents import Situation
from core.domain.guards import refusal, refusals
from core.domain.process import Guard

HOLDS = Situation(flags=frozenset({"signed"}))
BROKEN = {
    Guard.FORM_COMPLETE: (
        Situation(form_errors={"name": "请选择计划名称", "lines": "请填清单"}),
        "请选择计划名称；请填清单",
    ),
    Guard.SIGNED: (Situation(), "待备案"),
    Guard.NO_OPEN_ORDER: (Situation(open_orders=("DD-1", "DD-2")), "DD-1、DD-2"),
}


def test_every_guard_is_tried_here() -> None:
    assert set(BROKEN) == set(Guard)


@pytest.mark.parametrize("guard", Guard)
def test_says_nothing_while_it_holds(guard: Guard) -> None:
    assert refusal(guard, HOLDS) is None


@pytest.mark.parametrize("guard", Guard)
def test_says_why_when_it_does_not(guard: Guard) -> None:
    situation, part = BROKEN[guard]
    assert part in str(refusal(guard, situation))


def test_all_that_fail_are_said() -> None:
    situation = Situation(form_errors={"name": "请选择计划名称"}, open_orders=("DD-1",))
    assert len(refusals(tuple(Guard), situation)) == 3
    assert refusals(tuple(Guard), HOLDS) == []
