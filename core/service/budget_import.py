"""Budgets as finance states them, from a file or pushed: each line says what an indicator's total is now.

Stating the same again changes nothing. Another total becomes a movement of the difference, never below what documents
have frozen and used; one line that cannot be taken keeps all of them out, and every such cell is named.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import Unit
from core.domain.catalogue import Catalogue
from core.domain.cells import Cell, Lookup, is_blank
from core.domain.fields import AMOUNT_LIMIT, Field, FieldType
from core.domain.money import yuan
from core.service import list_import
from core.service.list_import import BadCell, Report
from core.service.list_ports import Column, Spreadsheets, Template
from core.service.ports import BudgetChange, Indicator, Transaction
from core.service.system import System

COLUMNS = (
    Field("division", "区划编码", FieldType.TEXT, required=True, limit=6),
    Field("unit", "预算单位编码", FieldType.TEXT, required=True, limit=40),
    Field("year", "预算年度", FieldType.INTEGER, required=True),
    Field("code", "指标编码", FieldType.TEXT, required=True, limit=40),
    Field("name", "指标名称", FieldType.TEXT, required=True, limit=100),
    Field("total_fen", "指标总额（元）", FieldType.MONEY, required=True),
)
_LETTERS = {item.id: list_import.letter_of(index) for index, item in enumerate(COLUMNS)}
_LABELS = {item.id: item.label for item in COLUMNS}
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
Key = tuple[int, int, str]  # unit, year, code


@dataclass(frozen=True)
class BudgetLine:
    """One stated total in fen; `row` is its place in what stated it."""

    row: int
    division: str
    unit: str
    year: int
    code: str
    name: str
    total_fen: int


@dataclass(frozen=True)
class Origin:
    """Who stated totals, and with which file or message (a new `source` each time).

    `as_of`: a push, and when finance knew this; None: a file, which says how things are now.
    """

    by: str
    source: str
    as_of: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """How many lines did what, and by how much the totals grew (fen). `outdated`: a later statement came earlier."""

    added: int = 0
    raised: int = 0
    lowered: int = 0
    renamed: int = 0
    same: int = 0
    outdated: int = 0
    change_fen: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything is not as it was."""
        return bool(self.added or self.raised or self.lowered or self.renamed)

    @property
    def said(self) -> str:
        """For people."""
        parts = {
            "新增": self.added, "调增": self.raised, "调减": self.lowered, "改名": self.renamed, "没有变化": self.same,
            "已有更新的数、没有用": self.outdated,
        }  # fmt: skip
        counted = "，".join(f"{label} {count} 条" for label, count in parts.items() if count)
        return f"{counted}；总额{'增加' if self.change_fen >= 0 else '减少'} {yuan(abs(self.change_fen))} 元"


def template(sheets: Spreadsheets) -> bytes:
    """The empty spreadsheet."""
    notes = {
        "division": "六位数字", "year": "四位数字", "total_fen": "现在的总额，不是增减；元，最多两位小数",
    }  # fmt: skip
    columns = tuple(Column(f"{item.label}*", notes.get(item.id, "文字"), required=True) for item in COLUMNS)
    return sheets.write(Template("预算指标", columns))


def import_file(system: System, content: bytes, sheets: Spreadsheets, *, by: str) -> Outcome:
    """Take in a file; `by` stands in the audit.

    InvalidError: code `bad_list` names every bad cell, `bad_spreadsheet` what is wrong with the file.
    """
    lines, wrong = _read(sheets.read(content))
    source = f"file:{hashlib.sha256(content).hexdigest()[:16]}@{system.clock().isoformat()}"
    with system.database.write() as tx:
        return take_in(system, tx, lines, Origin(by, source), wrong)


def _read(grid: Sequence[Sequence[Cell]]) -> tuple[list[BudgetLine], list[BadCell]]:
    wrong = list_import.changed_heading(grid[0] if grid else (), COLUMNS)
    numbered = [(number, row) for number, row in enumerate(grid[1:], 2) if not all(map(is_blank, row))]
    if wrong or not numbered:
        return [], wrong or [BadCell(2, "", "", "表里没有内容，请从第 2 行开始填")]
    rows, wrong = list_import.parsed("", COLUMNS, numbered, Lookup(Catalogue(())))
    bad = {cell.row for cell in wrong}
    lines = []
    for (number, _), row in zip(numbered, rows, strict=True):
        wrong += (found := [] if number in bad else _bad_values(number, row))
        if number not in bad and not found:
            lines.append(BudgetLine(number, **row))
    return lines, wrong


def _bad_values(row: int, values: Mapping[str, object]) -> list[BadCell]:
    found = []
    for item in COLUMNS:
        value = values.get(item.id)
        if value is None:
            found.append(_cell(row, item.id, "没有填"))
        elif isinstance(value, str) and len(value) > item.limit:
            found.append(_cell(row, item.id, f"不能超过 {item.limit} 个字"))
        elif item.id == "division" and not (
            str(value).isascii() and str(value).isdigit() and len(str(value)) == item.limit
        ):
            found.append(_cell(row, item.id, "区划编码是六位数字"))
        elif item.id == "year" and not _FIRST_YEAR <= int(str(value)) <= _LAST_YEAR:
            found.append(_cell(row, item.id, f"年度在 {_FIRST_YEAR} 到 {_LAST_YEAR} 之间"))
        elif item.id == "total_fen" and not 0 <= int(str(value)) <= AMOUNT_LIMIT:
            found.append(_cell(row, item.id, f"总额在 0 到 {yuan(AMOUNT_LIMIT)} 元之间"))
    return found


def _cell(row: int, column: str, why: str) -> BadCell:
    return BadCell(row, _LETTERS[column], _LABELS[column], why)


def units_of(tx: Transaction, lines: Sequence[BudgetLine]) -> dict[tuple[str, str], Unit]:
    """(division, code) → unit, of all lines at once."""
    found = tx.accounts.units_of({line.division for line in lines}) if lines else []
    return {(unit.division, unit.code): unit for unit in found}


def _unknown(lines: Sequence[BudgetLine], units: Mapping[tuple[str, str], Unit]) -> list[BadCell]:
    said = "没有这个单位，请核对区划编码和预算单位编码"
    return [_cell(line.row, "unit", said) for line in lines if (line.division, line.unit) not in units]


def take_in(
    system: System,
    tx: Transaction,
    lines: Sequence[BudgetLine],
    origin: Origin,
    unread: Sequence[BadCell] = (),
) -> Outcome:
    """Bring the totals to what the lines say, in the caller's transaction.

    InvalidError names every cell that cannot be taken, `unread` ones too; then nothing is changed.
    """
    units = units_of(tx, lines)
    good = [line for line in lines if (line.division, line.unit) in units]
    wanted = {(units[line.division, line.unit].id, line.year, line.code): line for line in reversed(good)}
    known = {
        (one.unit_id, one.year, one.code): one
        for one in tx.ledger.budgets({key[0] for key in wanted}, {key[1] for key in wanted})
    }
    wrong = [
        *unread,
        *_unknown(lines, units),
        *_repeated(good, units, wanted),
        *(cell for key, line in wanted.items() if (cell := _refused(line, known.get(key), origin.as_of))),
    ]
    list_import.refuse(Report("", wrong=tuple(sorted(wrong, key=lambda cell: (cell.row, cell.column)))))
    now = system.clock()
    fresh = [
        {
            "unit_id": key[0], "year": key[1], "code": key[2], "name": line.name, "total_fen": line.total_fen,
            "stated_at": origin.as_of,
        }
        for key, line in wanted.items() if key not in known
    ]  # fmt: skip
    changes = [
        BudgetChange(one.id, line.total_fen - one.total_fen, line.name, origin.as_of)
        for key, line in wanted.items()
        if (one := known.get(key))
        and not _outdated(one, origin.as_of)
        and (origin.as_of or _differs(one, line))
    ]
    tx.ledger.add_budgets(fresh, origin.source, now)
    tx.ledger.change_budgets(changes, origin.source, now)
    outcome = _counted(wanted, known, origin.as_of)
    regions = {key: units[line.division, line.unit].region for key, line in wanted.items()}
    if origin.as_of:
        current = {key: line for key, line in wanted.items() if not _outdated(known.get(key), origin.as_of)}
        _record_each(tx, current, regions, origin.by, now)
    elif outcome.changed:
        for region in sorted(set(regions.values())):
            tx.records.audit(region, now, origin.by, "budget.import", origin.source, {**vars(outcome)})
    return outcome


def _repeated(
    lines: Sequence[BudgetLine], units: Mapping[tuple[str, str], Unit], first: Mapping[Key, BudgetLine]
) -> list[BadCell]:
    found = []
    for line in lines:
        other = first[units[line.division, line.unit].id, line.year, line.code]
        if other.row != line.row:
            found.append(_cell(line.row, "code", f"与第 {other.row} 行是同一个指标"))
    return found


def _refused(line: BudgetLine, one: Indicator | None, as_of: datetime | None) -> BadCell | None:
    if one is None or _outdated(one, as_of):
        return None
    if one.document_id is not None:
        return _cell(line.row, "code", "这是单据自己的额度，不是预算指标")
    taken = one.frozen_fen + one.used_fen
    if line.total_fen < taken:
        return _cell(line.row, "total_fen", f"已经冻结和使用 {yuan(taken)} 元，总额不能低于它")
    return None


def _outdated(one: Indicator | None, as_of: datetime | None) -> bool:
    return bool(one and as_of and one.stated_at and as_of < one.stated_at)


def _differs(one: Indicator, line: BudgetLine) -> bool:
    return (one.total_fen, one.name) != (line.total_fen, line.name)


def _counted(
    wanted: Mapping[Key, BudgetLine], known: Mapping[Key, Indicator], as_of: datetime | None
) -> Outcome:
    counts: Counter[str] = Counter()
    change = 0
    for key, line in wanted.items():
        what, difference = _what(line, known.get(key), as_of)
        counts[what] += 1
        change += difference
    return Outcome(**counts, change_fen=change)


def _what(line: BudgetLine, one: Indicator | None, as_of: datetime | None) -> tuple[str, int]:
    """What a line does, as `Outcome` counts it, and its change in fen."""
    if one is None:
        return "added", line.total_fen
    if _outdated(one, as_of):
        return "outdated", 0
    change = line.total_fen - one.total_fen
    if change:
        return ("raised" if change > 0 else "lowered"), change
    return ("same" if one.name == line.name else "renamed"), 0


def _record_each(
    tx: Transaction, lines: Mapping[Key, BudgetLine], regions: Mapping[Key, str], by: str, at: datetime
) -> None:
    """Each total that finance stated, as budget queries look it up."""
    for key, line in lines.items():
        body = {
            "division": line.division, "unit": line.unit, "year": line.year, "code": line.code,
            "name": line.name, "total_fen": line.total_fen,
        }  # fmt: skip
        tx.records.audit(regions[key], at, by, "finance.budget", line.code, body)
