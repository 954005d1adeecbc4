"""Reports tie to the ledger, whatever was signed, paid, written off, ended."""

from datetime import date
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.errors import BlockedError, ForbiddenError, InvalidError, NotFoundError
from core.domain.reporting import category_of, grouped, within
from core.service import reports
from core.service.reports import Report
from tests.core.fujian_money.stage import Stage

_names = count()


def funds(stage: Stage, who: str = "handler", kind: str = "funds") -> Report:
    return reports.report(stage.system, stage.person(who), kind)


@pytest.mark.covers("fj-11.2.1")
def test_the_table_of_funds_counts_contracts_and_payments(stage: Stage) -> None:
    stage.plan()
    stage.contract("first", 4)
    stage.contract("second", 6, supplier_size="large")
    stage.contract("draft", 2, filed=False)
    stage.payment("half", 1_000_000, "first")
    stage.payment("rest", 500_000, "first", filed=False)
    stage.write_off("half", 200_000)
    found = funds(stage)
    assert found.label == "01-政府采购资金情况表"
    assert found.header[:3] == ("项目", "合同份数", "合同金额")
    goods = ("货物", 2, 50_000.0, 25_000.0, 25_000.0, 20_000.0, 8_000.0, 42_000.0)
    nothing = (0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert found.rows == (goods, ("工程", *nothing), ("服务", *nothing), ("合计", *goods[1:]))
    assert found.tie == "与账本核对一致"


@pytest.mark.covers("fj-11.2.2")
def test_the_table_of_contracts_has_a_line_for_each_and_a_total(stage: Stage) -> None:
    stage.plan()
    stage.contract("first", 4)
    stage.contract("second", 6, signed_on="2025-12-31")
    found = funds(stage, kind="contracts")
    assert [row[0] for row in found.rows] == [stage.numbers["first"], stage.numbers["second"], "合计"]
    assert found.rows[0][3:7] == ("北疆办公设备有限公司", "小型企业", "货物", "公开招标")
    assert found.rows[-1][9] == 50_000.0
    assert len(found.codes) == len(found.header) == len(found.rows[0])
    this_year = reports.report(
        stage.system, stage.person("handler"), "contracts", date(2026, 1, 1), date(2026, 12, 31)
    )
    assert [row[0] for row in this_year.rows] == [stage.numbers["first"], "合计"]


@pytest.mark.covers("fj-11.2.2")
def test_a_change_counts_from_when_it_is_passed(stage: Stage) -> None:
    stage.plan()
    stage.contract("first", 4)
    before = funds(stage, kind="contracts").rows
    stage.acts("first", "change")
    lines = [{**stage.document("first").form["lines"][0], "quantity": 2, "fiscal_fen": 500_000}]
    changed = {"lines": lines, "payments": [{"due_on": "2026-12-31", "amount_fen": 1_000_000}]}
    why = {"change_reason": "少买两台", "change_statement": stage.document("first").form["text"]}
    stage.take(who="handler", save=changed | why, on="first")
    stage.acts("first", "change_submit")
    found = funds(stage, kind="contracts")
    assert [row[9:] for row in found.rows] == [row[9:] for row in before]
    assert found.untied == ()
    stage.acts("first", "reviewer:change_pass")
    assert funds(stage, kind="contracts").rows[-1][9] == 10_000.0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["pay", "wait", "off", "more", "fulfil", "terminate"]), st.integers(1, 40)),
        max_size=7,
    )
)
def test_totals_tie_to_the_ledger_after_any_course(stage: Stage, course: list[tuple[str, int]]) -> None:
    tag = f"r{next(_names)}"
    with_plan = "plan" in stage.numbers
    if not with_plan:
        stage.plan(quantity=100)
    stage.contract(tag, 1)
    for at, (what, part) in enumerate(course):
        try:
            _do(stage, tag, what, part * 25_000, f"{tag}-{at}")
        except BlockedError:
            continue
    for kind in ("funds", "methods", "firms", "contracts"):
        assert funds(stage, kind=kind).untied == ()
    with stage.system.database.read() as tx:
        assert tx.ledger.imbalances() == []
        project = tx.ledger.account_of(stage.document("project").id)
    assert project is not None
    found = funds(stage)
    # what stands in the total is what the project's money is bound by: ended contracts by what was paid of them
    ended = [c for c in _contracts(stage) if c.node in ("fulfilled", "terminated")]
    bound = sum(c.amount_fen for c in _contracts(stage) if c not in ended)
    with stage.system.database.read() as tx:
        bound += sum(hold.used_fen for c in ended for hold in tx.ledger.holds(c.id))
        supplements = [
            d for d in tx.documents.descendants(stage.document("project").id) if d.kind == "supplement"
        ]
        bound += sum(hold.used_fen for d in supplements for hold in tx.ledger.holds(d.id))
    assert project.used_fen == bound
    assert found.rows[-1][6] == pytest.approx(
        sum(d.amount_fen for d in _payments(stage) if d.node == "filed") / 100
    )


def _contracts(stage: Stage) -> list:  # type: ignore[type-arg]
    return [d for d in _below(stage) if d.kind == "contract"]


def _payments(stage: Stage) -> list:  # type: ignore[type-arg]
    return [d for d in _below(stage) if d.kind == "payment"]


def _below(stage: Stage) -> list:  # type: ignore[type-arg]
    with stage.system.database.read() as tx:
        return tx.documents.descendants(stage.document("project").id)


def _do(stage: Stage, contract: str, what: str, fen: int, name: str) -> None:
    if what == "pay":
        stage.payment(name, fen, contract)
    elif what == "wait":
        stage.payment(name, fen, contract, filed=False)
    elif what == "off":
        paid = [key for key in stage.numbers if key.startswith(f"{contract}-") and key.count("-") == 1]
        kinds = [key for key in paid if stage.document(key).kind == "payment"]
        if kinds:
            stage.write_off(kinds[0], min(fen, stage.document(kinds[0]).amount_fen) or 1)
    elif what == "more":
        stage.enter(
            "supplement/supplement", name, contract, signed_on="2026-11-15", content="加买", text="补充.pdf",
            funding=[{"indicator": "account of project", "amount_fen": fen}],
        )  # fmt: skip
        stage.acts(name, "submit", "reviewer:pass")
    elif what == "fulfil":
        stage.acts(contract, "fulfil")
        stage.take(who="handler", save={"fulfilment_note": "完成"}, on=contract)
        stage.acts(contract, "fulfilment_submit", "reviewer:fulfilment_pass")
    else:
        stage.acts(contract, "terminate")
        reason = {"termination_reason": "停产", "termination_statement": "说明.pdf"}
        stage.take(who="handler", save=reason, on=contract)
        stage.acts(contract, "termination_submit", "reviewer:termination_pass")


@pytest.mark.covers("fj-11.2.1")
def test_supervisors_see_the_units_they_look_after_and_nobody_else_does(stage: Stage) -> None:
    stage.plan()
    stage.contract()
    assert funds(stage, "procurement_first").rows == funds(stage).rows
    assert funds(stage, "supervising").rows[-1][1] == 1
    assert funds(stage, "handler@member").rows[-1][1] == 0
    for who in ("agency", "supplier"):
        with pytest.raises(ForbiddenError):
            funds(stage, who)
    with pytest.raises(NotFoundError, match="01-政府采购资金情况表"):
        funds(stage, kind="nothing")
    with pytest.raises(InvalidError, match="不能晚于"):
        reports.report(stage.system, stage.person("handler"), "funds", date(2026, 12, 31), date(2026, 1, 1))


@pytest.mark.covers("fj-6.2")
def test_what_has_been_paid_is_told(stage: Stage) -> None:
    stage.plan()
    stage.contract()
    stage.payment("half", 1_000_000)
    stage.payment("next", 300_000, filed=False)
    stage.write_off("half", 200_000)
    number = stage.numbers["contract"]
    found = reports.paid(stage.system, stage.person("handler"), number)
    assert found.said == (
        f"合同 {number} 共 20,000.00 元，已付 8,000.00 元（已扣掉冲销 2,000.00 元），还没付 12,000.00 元，"
        "另有 3,000.00 元在审核。"
    )
    assert [(node, fen) for _, node, fen in found.lines] == [("已备案", 800_000), ("采购单位复审", 300_000)]
    with pytest.raises(NotFoundError):
        reports.paid(stage.system, stage.person("handler@member"), number)
    with pytest.raises(BlockedError, match="不是合同"):
        reports.paid(stage.system, stage.person("handler"), stage.numbers["plan"])


@pytest.mark.covers("fj-8.4", "fj-8.5")
def test_the_notice_of_reserves_is_worked_out_from_the_periods_contracts(stage: Stage) -> None:
    stage.plan()
    stage.contract("whole", 2, reserve="whole", reserve_fen=1_000_000)
    stage.contract("joint", 2, reserve="joint", reserve_fen=400_000, supplier_size="medium")
    stage.contract("parts", 2, reserve="subcontract", reserve_fen=300_000, supplier_size="large")
    stage.enter(
        "subcontract/subcontract", "sub", "parts", subcontractor="小微公司", size="micro", share_fen=250_000,
        signed_on="2026-11-12", content="安装", text="分包.pdf",
    )  # fmt: skip
    stage.acts("sub", "submit", "reviewer:pass")
    stage.contract("open", 2)
    stage.contract("before", 2, reserve="whole", reserve_fen=1_000_000, signed_on="2025-12-31")
    stage.enter("notice/sme_report", "report", title="2026 年预留", body="见表", figures="computed")
    number, actor = stage.numbers["report"], stage.person("handler")
    with pytest.raises(BlockedError, match="先填统计开始日期"):
        reports.fill_reserved(stage.system, actor, number, version=1, key="fill-00001")
    stage.take(who="handler", save={"starts_on": "2026-01-01", "ends_on": "2026-11-20"}, on="report")
    version = stage.document("report").version
    filled = reports.fill_reserved(stage.system, actor, number, version=version, key="fill-00002")
    rows = [(row["contract"], row["small_fen"], row["micro_fen"]) for row in filled.form["rows"]]
    assert rows == [
        (stage.numbers["whole"], 1_000_000, 1_000_000),
        (stage.numbers["joint"], 400_000, 0),
        (stage.numbers["parts"], 250_000, 250_000),
    ]
    assert (filled.form["total_fen"], filled.form["micro_total_fen"]) == (1_650_000, 1_250_000)
    assert [row["reserve"] for row in filled.form["rows"]] == ["整体预留", "要求联合体", "要求合同分包"]
    # figures of one period are not sent under another
    stage.take(who="handler", save={"starts_on": "2026-06-01"}, on="report", errors=["queried_on"])
    stage.take(who="handler", act="submit", on="report", refused="请重新点查询")
    stage.take(who="handler", save={"starts_on": "2026-01-01"}, on="report", errors=[])
    stage.acts("report", "submit", "reviewer:pass", "publish")
    assert stage.document("report").node == "published"


def test_category_of_a_contract_is_that_of_its_largest_part() -> None:
    assert category_of({"A02010105": 5, "C2104": 7}) == "服务"
    assert category_of({"A02010105": 5, "B07": 5}) == "货物"
    assert category_of({}) == "其他"


def test_both_ends_of_a_period_belong_to_it() -> None:
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    days = ("2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01")
    assert [within(day, first, last) for day in days] == [False, True, True, False]
    assert within("2026-01-01", None, None)


def test_groups_named_beforehand_stand_first_even_when_empty() -> None:
    assert [name for name, _ in grouped([], lambda c: c.category, ("货物", "工程"))] == [
        "货物",
        "工程",
        "合计",
    ]
