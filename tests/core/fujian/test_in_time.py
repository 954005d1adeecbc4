"""Members answer a joint project until its deadline; afterwards one answer is enough to collect."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.core.fujian.conftest import Fujian
from tests.support.steps import go_on

LINE = {
    "catalogue": "A02020400",
    "name": "多功能一体机",
    "quantity": 10,
    "unit": "台",
    "unit_price_fen": 300_000,
}


def day(fujian: Fujian, later: int = 0) -> str:
    """The date where the units are, so many days later."""
    return (fujian.clock().astimezone(ZoneInfo("Asia/Shanghai")) + timedelta(days=later)).date().isoformat()


def joint(answer_by: str) -> list[dict[str, Any]]:
    form = {
        "name": "教学一体机", "category": "goods", "lines": [LINE], "scheme": "统一招标，分别签约",
        "answer_by": answer_by, "members": [{"unit": "102001"}],
    }  # fmt: skip
    return [
        {"as": "handler", "enter": "joint_project/joint", "name": "joint", "form": form},
        {"as": "handler", "act": "submit", "on": "joint"},
        {"as": "reviewer", "act": "pass", "on": "joint"},
        {"find": "joint_answer", "under": "joint", "name": "member"},
        {"find": "joint_answer", "under": "joint", "name": "lead"},
    ]


ANSWERED: list[dict[str, Any]] = [
    {"as": "handler@member", "act": "respond", "on": "member"},
    {
        "as": "handler@member",
        "save": {"lines": [LINE], "funding": [{"indicator": 1, "amount_fen": 3_000_000}]},
        "on": "member",
    },
    {"as": "handler@member", "act": "submit", "on": "member"},
    {"as": "reviewer@member", "act": "pass", "on": "member", "expect": "answered"},
]
COLLECT = {"as": "handler", "act": "collect", "on": "joint"}


@pytest.mark.covers("fj-2.1.3", "fj-2.1.4")
def test_after_the_deadline_one_answer_is_enough_and_nobody_answers_any_more(fujian: Fujian) -> None:
    deadline = day(fujian, 3)
    player = fujian.play([*joint(deadline), *ANSWERED, {**COLLECT, "refused": "还有 1 家没有答复"}])
    fujian.clock.pass_by(days=5)
    go_on(player, [
        {"as": "handler", "act": "respond", "on": "lead", "refused": "已经过了"},
        {"as": "handler", "act": "decline", "on": "lead", "with": {"reason": "晚了"}, "refused": "已经过了"},
        {**COLLECT, "expect": "collected"},
    ])  # fmt: skip


@pytest.mark.covers("fj-2.1.4")
def test_after_the_deadline_without_any_answer_nothing_is_collected(fujian: Fujian) -> None:
    deadline = day(fujian)
    player = fujian.play([*joint(deadline)])
    fujian.clock.pass_by(days=2)
    go_on(player, [{**COLLECT, "refused": "还没有单位响应"}])
