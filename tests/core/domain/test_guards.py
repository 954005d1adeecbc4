import pytest

from core.domain.documents import Linked, Situation
from core.domain.guards import refusal, refusals
from core.domain.process import Action, Guard, Requirement

HOLDS = Situation(flags=frozenset({"signed"}), own_last=True)
BROKEN = {
    Guard.FORM_COMPLETE: (
        Situation(form_errors={"name": "请选择计划名称", "lines": "请填清单"}),
        "请选择计划名称；请填清单",
    ),
    Guard.SIGNED: (Situation(), "待备案"),
    Guard.OWN_LAST: (Situation(), "才能取回"),
}


OF_PEOPLE = {Guard.CERTIFICATE}  # asked of whoever acts; see service/test_acts


def test_every_guard_is_tried_here() -> None:
    assert {*BROKEN, *OF_PEOPLE} == set(Guard)


@pytest.mark.parametrize("guard", Guard)
def test_says_nothing_while_it_holds(guard: Guard) -> None:
    assert refusal(guard, HOLDS) is None


@pytest.mark.parametrize("guard", BROKEN)
def test_says_why_when_it_does_not(guard: Guard) -> None:
    situation, part = BROKEN[guard]
    assert part in str(refusal(guard, situation))


def action(*requires: Requirement) -> Action:
    return Action("x", "x", {"a": "b"}, guards=tuple(Guard), requires=requires)


def test_all_that_fail_are_said() -> None:
    orders = tuple(Linked(number, "mall_order", "order", "placed") for number in ("DD-1", "DD-2"))
    done = Linked("DD-3", "mall_order", "order", "done", ended=True)
    closed = Requirement("open('mall_order') == 0", "{above}下还有订单（{numbers('mall_order')}）")
    situation = Situation(
        form_errors={"name": "请选择计划名称"},
        children=(*orders, done),
        parent=Linked("JH-1", "plan", "mall", "filed"),
    )
    said = refusals(action(closed), situation)
    assert len(said) == 4
    assert said[-1] == "JH-1下还有订单（DD-1、DD-2）"
    assert refusals(action(closed), HOLDS) == []
