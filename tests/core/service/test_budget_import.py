"""Budgets from files and pushes: stated totals, twice is once, never below what is taken, every bad cell named."""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import Workbook, load_workbook

from core.adapters import tables
from core.adapters.spreadsheet import Xlsx
from core.domain.accounts import Account, Role
from core.domain.errors import DomainError, ForbiddenError, InvalidError
from core.service import budget_import, budget_lines, ledger
from core.service.budget_import import Origin, Outcome
from core.service.budget_lines import BudgetLine
from tests.support import small_world
from tests.support.small_world import CODE, DIVISION, PRICE_FEN, YEAR, World

HEADING = ["区划编码", "预算单位编码", "预算年度", "指标编码", "指标名称", "指标总额（元）"]
LINE = [DIVISION, "BUYER", YEAR, "N-1", "设备", "1000.00"]


@pytest.fixture
def world(small_url: str, tmp_path: Path) -> Iterator[World]:
    built = small_world.build(small_url, tmp_path, total_fen=3 * PRICE_FEN)
    yield built
    built.system.database.engine.dispose()


def sheet(*lines: list[Any], heading: list[str] = HEADING) -> bytes:
    book = Workbook()
    for line in (heading, *lines):
        book.active.append(line)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def take(world: World, *lines: list[Any]) -> Outcome:
    return budget_import.import_file(world.system, sheet(*lines), Xlsx(), by="tester")


def totals(world: World) -> dict[str, int]:
    with world.system.database.read() as tx:
        return {item.code: item.total_fen for item in tx.ledger.indicators(world.units["buyer"])}


def rows(world: World, table: sa.Table) -> list[Any]:
    with world.system.database.engine.connect() as connection:  # type: ignore[attr-defined]
        return sorted(map(tuple, connection.execute(sa.select(table))), key=repr)


def test_the_same_file_again_changes_nothing_and_another_total_becomes_a_movement(world: World) -> None:
    assert take(world, LINE) == Outcome(added=1, change_fen=100_000)
    before = [rows(world, table) for table in tables.metadata.sorted_tables]
    again = take(world, LINE)
    assert again == Outcome(same=1)
    assert again.said == "没有变化 1 条；总额增加 0.00 元"
    assert [rows(world, table) for table in tables.metadata.sorted_tables] == before
    outcome = take(
        world, [*LINE[:5], 1200], [*LINE[:3], CODE, "设备购置", "2500"], [*LINE[:3], "N-2", "家具", 0]
    )
    assert outcome == Outcome(added=1, raised=1, lowered=1, change_fen=20_000 - 50_000)
    assert totals(world) == {CODE: 250_000, "N-1": 120_000, "N-2": 0}
    assert take(world, [*LINE[:4], "设备和家具", 1200]) == Outcome(renamed=1)
    lines = ledger.statement(world.system, world.crew[Role.HANDLER], world.indicator_id)
    assert [(line.kind, line.amount_fen) for line in lines] == [("grant", 300_000), ("revoke", 50_000)]
    assert world.problems() == []


def test_no_total_goes_below_what_is_taken_and_one_bad_line_keeps_all_out(world: World) -> None:
    world.plan("a", "submit")
    world.plan("b", "submit")
    with pytest.raises(InvalidError) as caught:
        take(world, LINE, [*LINE[:3], CODE, "设备购置", "1999.99"])
    assert caught.value.fields == {
        "F3": "第 3 行 F 列（指标总额（元））：已经冻结和使用 2,000.00 元，总额不能低于它"
    }
    assert totals(world) == {CODE: 3 * PRICE_FEN}
    assert take(world, [*LINE[:3], CODE, "设备购置", 2000]) == Outcome(lowered=1, change_fen=-PRICE_FEN)
    with pytest.raises(DomainError, match="额度不够"):
        world.plan("c", "submit")
    assert world.problems() == []


def test_every_bad_cell_is_named_at_once(world: World) -> None:
    world.plan("a", "submit")
    with pytest.raises(InvalidError) as caught:
        take(
            world,
            ["15029", *LINE[1:]],
            [DIVISION, "NOBODY", *LINE[2:]],
            [*LINE[:2], 1999, *LINE[3:]],
            [*LINE[:2], "今年", *LINE[3:]],
            [*LINE[:3], None, *LINE[4:]],
            [*LINE[:3], "长" * 41, *LINE[4:]],
            [*LINE[:5], "-1"],
            [*LINE[:5], "1.001"],
            [*LINE[:5], "100000000000.01"],
            LINE,
            LINE,
            [*LINE[:3], CODE, "设备购置", 0],
            [*LINE, "多的"],
            [*LINE[:2], "今年", "另一个", None, 0],
        )
    assert sorted(caught.value.fields) == sorted(
        ["A2", "B3", "C4", "C5", "D6", "D7", "F8", "F9", "F10", "D12", "F13", "G14", "C15", "E15"]
    )
    assert "与第 11 行是同一个指标" in str(caught.value.fields["D12"])
    assert totals(world) == {CODE: 3 * PRICE_FEN}
    for content, code in (
        (b"no zip", "bad_spreadsheet"),
        (sheet(), "bad_list"),
        (sheet(LINE, heading=["x"]), "bad_list"),
    ):
        with pytest.raises(InvalidError) as refused:
            budget_import.import_file(world.system, content, Xlsx(), by="tester")
        assert refused.value.code == code


def test_the_template_is_what_can_be_taken_in(world: World) -> None:
    book = load_workbook(io.BytesIO(budget_lines.template(Xlsx())))
    book.worksheets[0].append(LINE)
    stream = io.BytesIO()
    book.save(stream)
    assert budget_import.import_file(world.system, stream.getvalue(), Xlsx(), by="tester") == Outcome(
        added=1, change_fen=100_000
    )


def test_a_sheet_that_was_not_read_is_named(world: World) -> None:
    book = load_workbook(io.BytesIO(sheet(LINE)))
    book.create_sheet("二季度").append(LINE)
    book.save(stream := io.BytesIO())
    for bring in (budget_import.preview, budget_import.upload):
        assert (
            "“二季度”也有内容，没有读"
            in bring(world.system, administrator(world), stream.getvalue(), Xlsx()).said
        )


def administrator(world: World) -> Account:
    return replace(world.crew[Role.SUPPORT], role=Role.ADMIN)


def test_an_administrator_sees_what_a_file_would_change_and_brings_it_in(world: World) -> None:
    admin, content = administrator(world), sheet(LINE, [*LINE[:3], CODE, "设备购置", "2500"])
    expected = Outcome(added=1, lowered=1, change_fen=100_000 - 50_000)
    before = [rows(world, table) for table in tables.metadata.sorted_tables]
    assert budget_import.preview(world.system, admin, content, Xlsx()) == expected
    assert [rows(world, table) for table in tables.metadata.sorted_tables] == before
    assert budget_import.upload(world.system, admin, content, Xlsx()) == expected
    assert budget_import.preview(world.system, admin, content, Xlsx()) == Outcome(same=2)
    assert totals(world) == {CODE: 250_000, "N-1": 100_000}
    assert world.problems() == []


def test_a_preview_waits_for_nobody(world: World, small_url: str, tmp_path: Path) -> None:
    hurried = small_url if small_url.startswith("sqlite") else f"{small_url}?options=-clock_timeout%3D1s"
    other, content = small_world.reopen(hurried, tmp_path), sheet([*LINE[:3], CODE, "设备购置", "2500"])
    with world.system.database.write() as tx:
        tx.ledger.budgets({world.units["buyer"]}, {YEAR}, lock=True)  # an import is under way
        assert budget_import.preview(other.system, administrator(other), content, Xlsx()).lowered == 1
    other.system.database.engine.dispose()  # type: ignore[attr-defined]


def test_only_who_may_and_only_for_units_of_the_own_region(world: World) -> None:
    content = sheet(LINE)
    for bring in (budget_import.preview, budget_import.upload):
        with pytest.raises(ForbiddenError):
            bring(world.system, world.crew[Role.HANDLER], content, Xlsx())
        own = administrator(world)
        stranger = replace(own, unit=replace(own.unit, region="shanxi"))
        with pytest.raises(InvalidError) as caught:
            bring(world.system, stranger, content, Xlsx())
        assert list(caught.value.fields) == ["B2"]
    assert totals(world) == {CODE: 3 * PRICE_FEN}


def test_a_thousand_lines_tie_to_the_ledger(world: World) -> None:
    lines = [[*LINE[:3], f"T-{number}", f"项目 {number}", number] for number in range(1000)]
    assert take(world, *lines).change_fen == sum(range(1000)) * 100
    assert take(world, *lines).same == 1000
    raised = [[*line[:5], line[5] + 1] for line in lines]
    assert take(world, *raised) == Outcome(raised=1000, change_fen=100_000)
    assert sum(totals(world).values()) == 3 * PRICE_FEN + sum(range(1, 1001)) * 100
    assert world.problems() == []


def stated(world: World, total: int, hour: int, source: str) -> Outcome:
    line = BudgetLine(1, DIVISION, "BUYER", YEAR, CODE, "设备购置", total)
    with world.system.database.write() as tx:
        return budget_import.take_in(
            world.system, tx, [line], Origin("finance", source, datetime(2026, 3, 1, hour, tzinfo=UTC))
        )


def test_what_finance_knew_earlier_and_arrives_later_does_not_count(world: World) -> None:
    assert stated(world, 500_000, 10, "b") == Outcome(raised=1, change_fen=200_000)
    assert stated(world, 400_000, 9, "a") == Outcome(outdated=1)
    assert stated(world, 500_000, 12, "c") == Outcome(same=1)
    assert stated(world, 450_000, 11, "d") == Outcome(outdated=1)
    assert stated(world, 450_000, 13, "e") == Outcome(lowered=1, change_fen=-50_000)
    assert totals(world) == {CODE: 450_000}
    assert world.problems() == []


def test_imports_and_acts_at_once_never_leave_less_than_is_taken(world: World) -> None:
    """Totals go up and down under documents that freeze: whoever comes second sees what the first has done."""
    numbers = [world.enter(f"p{number}").number for number in range(8)]

    def code_of(work: Callable[[], object]) -> str:
        try:
            work()
        except DomainError as error:
            return error.code
        return "done"

    def submit(number: str) -> str:
        return code_of(lambda: world.act(number, "submit", role=Role.HANDLER, key=f"submit {number}"))

    def import_(yuan: int) -> str:
        return code_of(lambda: take(world, [*LINE[:3], CODE, "设备购置", yuan]))

    with ThreadPoolExecutor(8) as pool:
        imports = [pool.submit(import_, yuan) for yuan in (1000, 5000, 2000, 6000)]
        outcomes = Counter(pool.map(submit, numbers))
        assert {done.result(60) for done in imports} <= {"done", "bad_list"}
    assert outcomes.keys() <= {"done", "insufficient_funds"}
    admitted, indicator = outcomes["done"], world.indicator()
    assert indicator.frozen_fen == admitted * PRICE_FEN <= indicator.total_fen
    assert world.problems() == []
