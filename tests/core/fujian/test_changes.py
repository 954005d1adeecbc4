"""What a change keeps of the old, and that money is where the documents say after any funds changes."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.service import acts, documents, filling
from core.walks import Player
from tests.core.fujian.conftest import Fujian
from tests.support.steps import go_on

PROJECT: dict[str, Any] = {
    "name": "教学服务器", "category": "goods", "implementation": "general", "government": True,
    "lines": [{"catalogue": "A02010301", "name": "服务器", "quantity": 1, "unit_price_fen": 6_000_000}],
    "funding": [{"indicator": 1, "amount_fen": 6_000_000}],
}  # fmt: skip
PLAN = {
    "organisation": "central", "method": "open", "agency": "AG0001", "contact": "李明", "phone": "0591-1234567",
    "reserved_fen": 6_000_000,
}  # fmt: skip
FILED: list[dict[str, Any]] = [
    {"as": "handler", "enter": "project/project", "name": "project", "form": PROJECT},
    {"as": "handler", "repair": "filed", "on": "project"},
]
USED = [
    *FILED,
    {"as": "handler", "enter": "plan/general", "name": "plan", "under": "project", "form": PLAN},
    {"as": "handler", "repair": "filed", "on": "plan"},
]


def kept(fujian: Fujian, player: Player, name: str) -> list[dict[str, Any]]:
    with fujian.system.database.read() as tx:
        return [dict(item.form) for item in tx.documents.forms(player.document(name).id)]


@pytest.mark.covers("fj-2.2.3")
def test_a_changed_project_keeps_what_it_was_before(fujian: Fujian) -> None:
    player = fujian.play([
        *FILED,
        {"as": "handler", "act": "change", "on": "project"},
        {"as": "handler", "save": {"name": "教学服务器二期", "change_reason": "改名"}, "on": "project"},
        {"as": "handler", "act": "submit_change", "on": "project"},
        {"as": "reviewer", "act": "change_pass", "on": "project", "expect": "filed"},
    ])  # fmt: skip
    assert [form["name"] for form in kept(fujian, player, "project")] == ["教学服务器"]
    assert player.document("project").form["name"] == "教学服务器二期"


@pytest.mark.covers("fj-2.2.3")
def test_what_a_change_gives_up_is_nobody_elses_before_it_takes_effect(fujian: Fujian) -> None:
    """So a change can be dropped whatever others want meanwhile."""
    whole = {**PROJECT, "lines": [{**PROJECT["lines"][0], "unit_price_fen": 50_000_000}]}
    less = {"lines": PROJECT["lines"], "funding": PROJECT["funding"], "change_reason": "少买"}
    other = {**PROJECT, "name": "另一个项目"}
    player = fujian.play([
        {"as": "handler", "enter": "project/project", "name": "project",
         "form": {**whole, "funding": [{"indicator": 1, "amount_fen": 50_000_000}]}},
        {"as": "handler", "repair": "filed", "on": "project"},
        {"as": "handler", "act": "change", "on": "project"},
        {"as": "handler", "save": less, "on": "project"},
        {"as": "handler", "act": "submit_change", "on": "project", "expect_held_yuan": 500_000},
        {"as": "handler", "enter": "project/project", "name": "other", "form": other},
        {"as": "handler", "act": "submit", "on": "other", "refused": "额度不够"},
        {"as": "reviewer", "act": "change_return", "on": "project", "with": {"opinion": "不减了", "target": "change_entry"}},
        {"as": "handler", "act": "drop_change", "on": "project", "expect": "filed", "expect_account_yuan": 500_000},
        {"as": "handler", "act": "change", "on": "project"},
        {"as": "handler", "save": less, "on": "project"},
        {"as": "handler", "act": "submit_change", "on": "project"},
        {"as": "reviewer", "act": "change_pass", "on": "project", "expect_held_yuan": 60_000},
        {"as": "handler", "act": "submit", "on": "other", "expect": "unit_second"},
    ])  # fmt: skip
    with fujian.system.database.read() as tx:
        assert tx.ledger.imbalances() == []
    assert player.document("project").amount_fen == 6_000_000


@pytest.mark.covers("fj-4.4")
def test_a_change_of_method_keeps_the_old_one(fujian: Fujian) -> None:
    player = fujian.play([
        *USED,
        {"as": "agency", "act": "announce_early", "on": "plan", "with": {"reason": "急用"}},
        {"as": "agency", "act": "apply_method", "on": "plan", "with": {"reason": "不足三家"}},
        {"as": "handler", "act": "change_method", "on": "plan"},
        {"as": "handler", "save": {"method": "single", "method_reason": "只有一家"}, "on": "plan"},
        {"as": "handler", "act": "submit_method", "on": "plan"},
        {"as": "reviewer", "act": "method_pass", "on": "plan", "expect_form": {"method": "single"}},
    ])  # fmt: skip
    assert [form["method"] for form in kept(fujian, player, "plan")] == ["open"]


@pytest.mark.covers("fj-2.1.3")
def test_the_lead_unit_sees_who_answered_what(fujian: Fujian) -> None:
    line = {"catalogue": "A02020400", "name": "多功能一体机", "quantity": 1, "unit_price_fen": 300_000}
    form = {
        "name": "一体机", "category": "goods", "lines": [line], "scheme": "统一招标", "answer_by": "2099-12-31",
        "members": [{"unit": "102001"}],
    }  # fmt: skip
    player = fujian.play([
        {"as": "handler", "enter": "joint_project/joint", "name": "joint", "form": form},
        {"as": "handler", "repair": "filed", "on": "joint"},
        {"find": "joint_answer", "under": "joint", "name": "member"},
        {"as": "handler@member", "act": "decline", "on": "member", "with": {"reason": "不需要"}},
    ])  # fmt: skip
    lead = player.account("handler")
    view = documents.get(fujian.system, lead, player.numbers["joint"])
    assert {(item.unit_name, item.node_label) for item in view.linked} == {
        ("闽浦市图书馆", "不响应"),
        ("闽浦市示范中学", "待响应"),
    }
    answer = documents.get(fujian.system, lead, player.numbers["member"])
    assert answer.history[-1].opinion == "不需要"
    assert answer.offers == ()


SHARES = st.dictionaries(st.integers(1, 4), st.integers(1, 60_000_000), min_size=1)


@pytest.mark.covers("fj-2.2.4")
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(SHARES, min_size=1, max_size=3))
def test_after_any_funds_changes_the_indicators_hold_what_the_project_says(
    new_fujian: Any, changes: list[dict[int, int]]
) -> None:
    fujian: Fujian = new_fujian()
    player = fujian.play(USED)
    wanted = {1: 6_000_000}
    for shares in changes:
        total, before = sum(shares.values()), sum(wanted.values())
        variant = "replace" if total == before else "add" if total > before else "reclaim"
        rows = [{"indicator": which, "amount_fen": amount} for which, amount in shares.items()]
        form = {"reason": "调整", "funding": rows} | ({"office": "教科文处"} if variant == "add" else {})
        within = shares != wanted and all(amount <= 50_000_000 for amount in shares.values())
        steps: list[dict[str, Any]] = [
            {"as": "handler", "enter": f"funds_change/{variant}", "under": "project", "name": "funds", "form": form},
            {"as": "handler", "act": "submit", "on": "funds"} | ({} if shares != wanted else {"refused": "替换"}),
        ]  # fmt: skip
        if shares != wanted:
            refused = {} if within else {"refused": "额度不够"}
            steps.append({"as": "reviewer", "act": "pass", "on": "funds"} | refused)
        go_on(player, steps)
        if not within and shares != wanted:
            break  # the unpassed one stands in the way of a second
        wanted = shares if within else wanted
    with fujian.system.database.read() as tx:
        holds = tx.ledger.holds(player.document("project").id)
        own = tx.ledger.indicators(player.account("handler").unit.id)
        account = tx.ledger.account_of(player.document("project").id)
        assert tx.ledger.imbalances() == []
    used = {hold.indicator_id: hold.used_fen for hold in holds if hold.used_fen}
    assert used == {own[which - 1].id: amount for which, amount in wanted.items()}
    assert {item.id: item.used_fen for item in own if item.used_fen} == used
    assert account is not None
    assert account.total_fen == sum(wanted.values())


@pytest.mark.covers("fj-2.2.2")
def test_a_cancellation_that_is_only_begun_is_not_said_to_be_done(fujian: Fujian) -> None:
    player = fujian.play(FILED)
    handler, number = player.account("handler"), player.numbers["project"]
    version = player.document("project").version
    begun = acts.perform(fujian.system, handler, number, "cancel", version=version, arguments={}, key="begun")
    assert begun.said.startswith(f"{number} “撤销”已发起，现在在“填写撤销原因”")
    given = acts.perform(
        fujian.system, handler, number, "drop_cancel", version=version + 1, arguments={}, key="dropped"
    )
    assert given.said.startswith(f"{number} 已办“放弃撤销”，现在在“已办结”")


@pytest.mark.covers("fj-4.1.1")
def test_a_project_offers_the_one_plan_that_its_form_is_for(fujian: Fujian) -> None:
    player = fujian.play(FILED)
    offered = filling.under(fujian.system, fujian.person("handler"), player.numbers["project"])
    assert [entry.variant for entry in offered if entry.kind == "plan"] == ["general"]
