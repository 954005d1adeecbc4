"""Contracts signed in the trading platform or the mall enter and publish themselves, once."""

from typing import Any

import pytest

from core.domain.errors import BlockedError, InvalidError
from core.service import publications
from core.service.exchange_inbox import Receipt
from tests.core.fujian_money.stage import LINE, Stage
from tests.support.pushing import push

pytestmark = pytest.mark.covers("fj-5.1.1")
FORM: dict[str, Any] = {
    "name": "电脑合同", "signed_on": "2026-11-19", "supplier": "SP0001", "supplier_size": "small", "reserve": "none",
    "lines": [{**LINE, "quantity": 2, "unit_price_fen": 500_000, "fiscal_fen": 1_000_000}],
    "payments": [{"due_on": "2026-12-31", "amount_fen": 1_000_000}],
    "payees": [{"name": "北疆办公设备有限公司", "bank": "演示银行", "account": "6200000000000001"}],
}  # fmt: skip


def signed(stage: Stage, form: dict[str, Any], source: str = "trade", key: str = "signed-0001") -> Receipt:
    body = {"plan": stage.numbers["plan"], "form": form}
    return push(stage.system, f"{source}.contract.signed", body, key)


def contracts(stage: Stage) -> list[Any]:
    with stage.system.database.read() as tx:
        return [d for d in tx.documents.descendants(stage.document("plan").id) if d.kind == "contract"]


@pytest.mark.parametrize(("source", "origin"), [("trade", "trade"), ("mall", "supermarket")])
def test_it_is_entered_and_published_and_only_once(stage: Stage, source: str, origin: str) -> None:
    stage.plan()
    assert not signed(stage, FORM, source).repeated
    assert signed(stage, FORM, source).repeated
    (made,) = contracts(stage)
    assert (made.node, made.flags, made.form["signed_in"]) == ("published", {"automatic"}, origin)
    assert len(publications.of(stage.system, stage.person("handler"), made.number)) == 1
    with stage.system.database.read() as tx:
        told = [notice.text for notice in tx.records.notices(stage.person("handler").id)]
        assert tx.ledger.imbalances() == []
    assert any("已自动录入并发布，请备案" in text for text in told)
    stage.numbers["made"] = made.number
    stage.acts("made", "file")


def test_what_is_missing_is_left_to_the_handler(stage: Stage) -> None:
    stage.plan()
    said = signed(stage, {**FORM, "payees": []}).said
    (made,) = contracts(stage)
    assert made.node == "entry"
    assert "请至少添加一个收款方" in said
    stage.numbers["made"] = made.number
    stage.take(who="handler", save={"payees": FORM["payees"]}, on="made")
    stage.acts("made", "submit", "reviewer:pass")


def test_nothing_is_left_behind_where_the_money_does_not_suffice(stage: Stage) -> None:
    stage.plan(quantity=1)
    with pytest.raises(BlockedError, match="额度不够"):
        signed(stage, FORM)
    assert contracts(stage) == []
    with pytest.raises(InvalidError, match="bogus"):
        signed(stage, {**FORM, "bogus": 1}, key="signed-0002")


def test_a_plan_on_its_way_takes_no_contract(stage: Stage) -> None:
    stage.plan()
    stage.contract()
    stage.numbers["plan"] = stage.numbers["contract"]
    with pytest.raises(BlockedError, match="不能录合同"):
        signed(stage, FORM)
