"""What is kept and said around contracts: both versions of a change, the warning before fulfilment, what is open."""

from typing import Any

import pytest

from core.domain.planner import NoWay
from core.service import documents, planning
from tests.core.fujian_money.stage import Stage


def forms(stage: Stage) -> list[tuple[str, Any]]:
    with stage.system.database.read() as tx:
        return [(kept.label, kept.form["name"]) for kept in tx.documents.forms(stage.document("contract").id)]


@pytest.mark.covers("fj-5.1.3")
def test_a_change_keeps_the_contract_as_it_was_beside_the_new_one(stage: Stage) -> None:
    stage.plan()
    stage.contract()
    stage.acts("contract", "change")
    save = {"name": "改名后的合同", "change_reason": "名称不全", "change_statement": "说明.pdf"}
    stage.take(who="handler", save=save, on="contract")
    stage.acts("contract", "change_submit", "reviewer:change_pass")
    assert stage.document("contract").form["name"] == "改名后的合同"
    assert forms(stage) == [("合同变更", "电脑更新")]


@pytest.mark.covers("fj-5.1.7")
def test_before_fulfilment_it_is_said_what_will_not_be_possible_any_more(stage: Stage) -> None:
    stage.plan()
    stage.contract()
    process = documents.get(stage.system, stage.person("handler"), stage.numbers["contract"]).process
    assert "不能再付款、验收" in process.actions["fulfil"].warn
    stage.acts("contract", "fulfil")
    stage.take(who="handler", save={"fulfilment_note": "完成"}, on="contract")
    found = documents.get(stage.system, stage.person("handler"), stage.numbers["contract"])
    assert "已付 0.00 元" in found.doubts["fulfilment_note"]


@pytest.mark.covers("fj-5.1.3", "fj-5.1.6")
@pytest.mark.parametrize(("goal", "instead"), [("editable", "changed"), ("void", "cancelled")])
def test_of_a_filed_contract_the_open_way_is_offered(stage: Stage, goal: str, instead: str) -> None:
    stage.plan()
    stage.contract()
    actor, number = stage.person("handler"), stage.numbers["contract"]
    found = planning.plan_to(stage.system, actor, number, goal)
    assert isinstance(found, NoWay)
    assert found.instead == instead
    way = planning.plan_to(stage.system, actor, number, instead)
    assert not isinstance(way, NoWay)
    assert way.steps[0].mine


@pytest.mark.covers("fj-5.1.6")
def test_a_paid_contract_says_that_it_has_to_be_written_off_first(stage: Stage) -> None:
    stage.plan()
    stage.contract()
    stage.payment("half", 1_000_000)
    found = planning.plan_to(stage.system, stage.person("handler"), stage.numbers["contract"], "cancelled")
    assert isinstance(found, NoWay)
    assert found.reasons == ("合同已经付了 10,000.00 元，要先冲销才能撤销",)
