"""Budgets as a spreadsheet states them: one line for each indicator, and every cell that cannot be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.catalogue import Catalogue
from core.domain.cells import Cell, Lookup
from core.domain.fields import AMOUNT_LIMIT, Field, FieldType
from core.domain.money import yuan
from core.service import list_import
from core.service.list_import import BadCell
from core.service.list_ports import Column, Spreadsheets, Template

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
FIRST_YEAR, LAST_YEAR = 2000, 2100


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


def template(sheets: Spreadsheets) -> bytes:
    """The empty spreadsheet."""
    notes = {
        "division": "六位数字", "year": "四位数字", "total_fen": "现在的总额，不是增减；元，最多两位小数",
    }  # fmt: skip
    columns = tuple(Column(f"{item.label}*", notes.get(item.id, "文字"), required=True) for item in COLUMNS)
    return sheets.write(Template("预算指标", columns))


def read(grid: Sequence[Sequence[Cell]]) -> tuple[list[BudgetLine], list[BadCell]]:
    """The lines that can be read, and every cell that cannot."""
    numbered, wrong = list_import.filled_rows(grid, COLUMNS)
    if wrong:
        return [], wrong
    rows, wrong = list_import.parsed("", COLUMNS, numbered, Lookup(Catalogue(())))
    unread, bad = {(cell.row, cell.column) for cell in wrong}, {cell.row for cell in wrong}
    lines = []
    for (number, _), row in zip(numbered, rows, strict=True):
        found = [cell for cell in _bad_values(number, row) if (number, cell.column) not in unread]
        wrong += found
        if number not in bad and not found:
            lines.append(BudgetLine(number, **row))
    return lines, wrong


def _bad_values(row: int, values: Mapping[str, object]) -> list[BadCell]:
    found = []
    for item in COLUMNS:
        value = values.get(item.id)
        if value is None:
            found.append(bad_cell(row, item.id, "没有填"))
        elif isinstance(value, str) and len(value) > item.limit:
            found.append(bad_cell(row, item.id, f"不能超过 {item.limit} 个字"))
        elif item.id == "division" and not (
            str(value).isascii() and str(value).isdigit() and len(str(value)) == item.limit
        ):
            found.append(bad_cell(row, item.id, "区划编码是六位数字"))
        elif item.id == "year" and not FIRST_YEAR <= int(str(value)) <= LAST_YEAR:
            found.append(bad_cell(row, item.id, f"年度在 {FIRST_YEAR} 到 {LAST_YEAR} 之间"))
        elif item.id == "total_fen" and not 0 <= int(str(value)) <= AMOUNT_LIMIT:
            found.append(bad_cell(row, item.id, f"总额在 0 到 {yuan(AMOUNT_LIMIT)} 元之间"))
    return found


def bad_cell(row: int, column: str, why: str) -> BadCell:
    """What is wrong in a column, by its place in the sheet."""
    return BadCell(row, _LETTERS[column], _LABELS[column], why)
