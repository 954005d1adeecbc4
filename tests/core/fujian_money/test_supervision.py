"""Warnings: each rule where it holds and where it does not, filters, who sees them, the course of a project."""

from pathlib import Path

import pytest

from core.adapters.processes import DATA
from core.adapters.warning_file import read_rules
from core.domain.errors import DataError, ForbiddenError, NotFoundError
from core.service import supervision
from core.service.supervision import Query
from tests.core.fujian_money.stage import Stage

pytestmark = pytest.mark.covers("fj-11.1.1")


def rules(stage: Stage, query: Query | None = None, who: str = "handler") -> list[str]:
    return [item.rule for item in supervision.raised(stage.system, stage.person(who), query)]


def test_a_contract_on_its_way(stage: Stage) -> None:
    stage.plan()
    stage.contract(filed=False)
    assert rules(stage) == []
    stage.acts("contract", "submit", "reviewer:pass")
    assert rules(stage) == ["contract_not_published"]
    stage.acts("contract", "publish")
    assert rules(stage) == ["contract_not_filed"]
    stage.acts("contract", "file")
    assert rules(stage) == []


def test_a_contract_whose_time_is_over(stage: Stage) -> None:
    stage.plan()
    stage.contract(ends_on="2026-11-19")
    assert rules(stage) == ["not_accepted", "not_paid"]
    stage.payment("all", 2_000_000)
    assert sorted(rules(stage)) == ["not_accepted", "paid_unaccepted"]
    stage.accept("accepted")
    assert rules(stage) == []


def test_the_last_day_is_not_over_yet(stage: Stage) -> None:
    stage.plan()
    stage.contract(ends_on="2026-11-20")
    assert rules(stage) == []


def test_payments_written_off_acceptance_failed_contract_ended(stage: Stage) -> None:
    stage.plan()
    stage.contract()
    stage.payment("half", 1_000_000)
    stage.write_off("half", 1)
    stage.accept("failed", "no")
    assert rules(stage) == ["acceptance_failed", "written_off"]
    stage.acts("contract", "fulfil")
    stage.take(who="handler", save={"fulfilment_note": "完成"}, on="contract")
    stage.acts("contract", "fulfilment_submit", "reviewer:fulfilment_pass")
    assert sorted(rules(stage)) == ["acceptance_failed", "fulfilled_unpaid", "written_off"]


@pytest.mark.parametrize(("fen", "found"), [(200_000, []), (200_001, ["supplement_large"])])
def test_a_supplement_above_a_tenth(stage: Stage, fen: int, found: list[str]) -> None:
    stage.plan()
    stage.contract()
    stage.enter(
        "supplement/supplement", "more", "contract", signed_on="2026-11-15", content="加买", text="补充.pdf",
        funding=[{"indicator": "account of project", "amount_fen": fen}],
    )  # fmt: skip
    stage.acts("more", "submit", "reviewer:pass")
    assert rules(stage) == found


def test_a_plan_without_reserve_and_a_contract_terminated(stage: Stage) -> None:
    stage.plan()
    stage.contract()
    stage.acts("contract", "terminate")
    save = {"termination_reason": "供应商停产", "termination_statement": "说明.pdf"}
    stage.take(who="handler", save=save, on="contract")
    stage.acts("contract", "termination_submit", "reviewer:termination_pass")
    found = supervision.raised(stage.system, stage.person("procurement_first"), Query(stage="after"))
    assert [(item.rule, item.said, item.project) for item in found] == [
        ("contract_terminated", "合同已经终止：供应商停产", stage.numbers["project"])
    ]


def test_filters_take_what_fits_them_all(stage: Stage) -> None:
    stage.plan()
    stage.contract(ends_on="2026-11-19")
    number = stage.numbers["contract"]
    assert rules(stage, Query(level="warning")) == ["not_accepted"]
    assert rules(stage, Query(rule="not_paid")) == ["not_paid"]
    assert rules(stage, Query(stage="after")) == []
    assert rules(stage, Query(words=number.lower(), level="notice")) == ["not_paid"]
    assert rules(stage, Query(words="没有这个")) == []
    assert rules(stage, Query(unit="101001"), "supervising") == ["not_accepted", "not_paid"]
    assert rules(stage, Query(unit="102001"), "supervising") == []


def test_only_who_looks_after_the_buyer_sees_them(stage: Stage) -> None:
    stage.plan()
    stage.contract(ends_on="2026-11-19")
    assert rules(stage, who="office_first") == ["not_accepted", "not_paid"]
    assert rules(stage, who="handler@member") == []
    with pytest.raises(ForbiddenError):
        rules(stage, who="supplier")


def test_the_course_shows_every_document_with_its_warnings(stage: Stage) -> None:
    stage.plan()
    stage.contract(ends_on="2026-11-19")
    stage.payment("half", 1_000_000)
    number = stage.numbers["payment" if "payment" in stage.numbers else "half"]
    for who in ("handler", "procurement_first", "supervising"):
        points = supervision.course(stage.system, stage.person(who), number)
        assert [(p.kind, p.depth) for p in points] == [
            ("project", 0), ("plan", 1), ("contract", 2), ("payment", 3),
        ]  # fmt: skip
        assert [r.rule for r in points[2].raised] == ["not_accepted", "not_paid"]
    with pytest.raises(NotFoundError):
        supervision.course(stage.system, stage.person("handler@member"), number)
    with pytest.raises(NotFoundError):
        supervision.course(stage.system, stage.person("agency"), number)


def test_rules_that_name_what_is_not_there_are_refused(tmp_path: Path) -> None:
    for name in ("processes", "regions"):
        (tmp_path / name).symlink_to(DATA / name)
    rule = "{id: %s, label: a, stage: before, level: notice, kind: %s, when: %s, say: %s, source: s, regions: [%s]}"
    lines = [
        rule % ("first", "contract", "nothing == 1", "'{amount_fen:元}'", "fujian"),
        rule % ("first", "contract", "amount_fen > 0", "'{nowhere}'", "fujian"),
        rule % ("third", "nobody", "amount_fen > 0", "x", "fujian"),
        rule % ("fourth", "contract", "amount_fen > 0", "x", "nowhere"),
    ]
    (tmp_path / "warnings.yaml").write_text("\n".join(f"- {line}" for line in lines), encoding="utf-8")
    with pytest.raises(DataError) as refused:
        read_rules(tmp_path)
    said = "\n".join(refused.value.problems)
    for part in ("“first”写了两遍", "没有 nothing", "没有 nowhere", "没有“nobody”", "nowhere没有“contract”"):
        assert part in said
