"""Lists from a spreadsheet into the table of any form (nm-12): every bad cell is named, and nothing is half imported."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.domain.accounts import Account
from core.domain.cells import Cell, CellError, Lookup, importable, is_blank, value_of
from core.domain.documents import Document
from core.domain.errors import InvalidError
from core.domain.forms import ROW_LIMIT, Field, FieldType
from core.service import entering, filling
from core.service.filling import Filling
from core.service.list_ports import Column, Spreadsheets, Template
from core.service.system import System

_MARK = "*"  # behind the heading of a column that has to be filled in
_SAID = 20  # bad cells named in the sentence; all of them are in the fields
Fill = Callable[[Mapping[str, Any] | None], Filling]  # None: the values as they are stored


@dataclass(frozen=True)
class BadCell:
    """One cell that keeps the list out. `row` is the sheet's own number, `column` its letter (empty: the whole row)."""

    row: int
    column: str
    label: str
    why: str
    path: str = ""  # in the form: `lines.0.quantity`

    @property
    def sentence(self) -> str:
        """`第 5 行 C 列（数量）：“三”不是整数`."""
        place = f" {self.column} 列（{self.label}）" if self.column else ""
        return f"第 {self.row} 行{place}：{self.why}"


@dataclass(frozen=True)
class Report:
    """What a file holds: rows as the form keeps them, or every cell that is wrong."""

    table: str
    rows: tuple[dict[str, Any], ...] = ()
    wrong: tuple[BadCell, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)  # of the whole form, with the rows in it
    sheet: str = ""  # which one was read
    left: tuple[str, ...] = ()  # others with something in them, which were not

    @property
    def lines(self) -> int:
        """How many lines the file holds."""
        return len(self.rows)


@dataclass(frozen=True)
class Book:
    """A file as read: the rows of one sheet, what that is called, and the others with something in them."""

    rows: Sequence[Sequence[Cell]]
    sheet: str
    left: tuple[str, ...]


def opened(content: bytes, sheets: Spreadsheets) -> Book:
    """InvalidError where it is no spreadsheet."""
    sheet, left = sheets.left(content)
    return Book(sheets.read(content), sheet, tuple(left))


def template(system: System, shown: Filling, table: str, sheets: Spreadsheets) -> tuple[str, bytes]:
    """File name and bytes of the empty template of a table, from the same field data as the form."""
    found = _table(shown, table)
    columns = tuple(_column(system, shown, found, item) for item in _columns(found))
    name = f"{shown.process.label}-{found.label}"
    return f"{name}.xlsx", sheets.write(Template(name, columns))


def check(
    system: System, fill: Fill, table: str, content: bytes, sheets: Spreadsheets, *, given: Mapping[str, Any] | None = None
) -> Report:  # fmt: skip
    """What the file would bring into `table` of the form that `fill` judges. Nothing is saved.

    `given` are the form's other values (default: as they are stored). InvalidError: no spreadsheet, no such table.
    """
    return held(system, fill, table, opened(content, sheets), given=given)


def held(
    system: System, fill: Fill, table: str, book: Book, *, given: Mapping[str, Any] | None = None
) -> Report:
    """As `check`, for a file that is held against several forms: it is read once."""
    shown = fill(given)
    report = _report(system, fill, shown, _table(shown, table), book.rows)
    return replace(report, sheet=book.sheet, left=book.left)


def _report(
    system: System, fill: Fill, shown: Filling, found: Field, grid: Sequence[Sequence[Cell]]
) -> Report:
    table = found.id
    columns = _columns(found)
    numbered, wrong = filled_rows(grid, columns)
    if wrong:
        return Report(table, wrong=tuple(wrong))
    lookup = Lookup(system.catalogue, _choices(shown, table))
    rows, wrong = parsed(table, columns, numbered, lookup)
    values = {**shown.values, table: rows}
    unread = {cell.path for cell in wrong}
    wrong += _judged(fill(values), found, columns, [number for number, _ in numbered], unread)
    return Report(
        table,
        tuple(rows),
        tuple(sorted(wrong, key=lambda cell: (cell.row, len(cell.column), cell.column))),
        values,
    )


def take(
    system: System,
    actor: Account,
    number: str,
    table: str,
    content: bytes,
    sheets: Spreadsheets,
    *,
    version: int,
    key: str,
) -> Document:
    """Put the file's rows in place of the table's rows and save; with one bad cell nothing is changed.

    InvalidError(code `bad_list`): `fields` has every bad cell by its place. Else errors as of `entering.save`.
    """
    report = check(
        system, lambda values: filling.existing(system, actor, number, values), table, content, sheets
    )
    refuse(report)
    return entering.save(system, actor, number, report.values, version=version, key=key)


def refuse(report: Report) -> None:
    """InvalidError that names every bad cell, if there is one."""
    if not report.wrong:
        return
    said = "；".join(cell.sentence for cell in report.wrong[:_SAID])
    more = f"；还有 {len(report.wrong) - _SAID} 处" if len(report.wrong) > _SAID else ""
    raise InvalidError(
        f"表格里有 {len(report.wrong)} 处不对，一行也没有导入：{said}{more}",
        code="bad_list",
        fields={f"{cell.column}{cell.row}": cell.sentence for cell in report.wrong},
    )


def _table(shown: Filling, table: str) -> Field:
    for item in shown.process.form.fields:
        if item.id == table and item.type is FieldType.TABLE and _columns(item):
            return item
    raise InvalidError(
        f"{shown.process.label}没有“{table[:30]}”这张表可以导入", fields={"table": "没有这张表"}
    )


def _columns(table: Field) -> tuple[Field, ...]:
    return tuple(item for item in table.fields if importable(item))


def _choices(shown: Filling, table: str) -> dict[str, tuple[tuple[str, str], ...]]:
    return {
        name.removeprefix(f"{table}."): found
        for name, found in shown.choices.items()
        if name.startswith(f"{table}.")
    }


def letter_of(index: int) -> str:
    """Letter of a column, 0 → A, 26 → AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def filled_rows(
    grid: Sequence[Sequence[Cell]], columns: Sequence[Field]
) -> tuple[list[tuple[int, Sequence[Cell]]], list[BadCell]]:
    """Rows under the heading that hold anything, each with the sheet's number; else why there are none to be read."""
    if wrong := _changed_heading(grid[0] if grid else (), columns):
        return [], wrong
    numbered = [(number, row) for number, row in enumerate(grid[1:], 2) if not all(map(is_blank, row))]
    return numbered, [] if numbered else [BadCell(2, "", "", "表里没有内容，请从第 2 行开始填")]


def _changed_heading(heading: Sequence[Cell], columns: Sequence[Field]) -> list[BadCell]:
    """Where the first row is not the template's."""
    found = [str(cell).strip().removesuffix(_MARK) if not is_blank(cell) else "" for cell in heading]
    while found and not found[-1]:
        found.pop()
    wrong = []
    for index in range(max(len(found), len(columns))):
        wanted = columns[index].label if index < len(columns) else ""
        given = found[index] if index < len(found) else ""
        if given != wanted:
            should = f"模板里是“{wanted}”" if wanted else "模板里没有这一列"
            now = f"，现在是“{given[:30]}”" if given else "，现在是空的"
            why = f"模板被改过，{should}{now}；请重新下载模板再填"
            wrong.append(BadCell(1, letter_of(index), wanted or given[:30], why))
    return wrong


def parsed(
    table: str, columns: Sequence[Field], numbered: Sequence[tuple[int, Sequence[Cell]]], lookup: Lookup
) -> tuple[list[dict[str, Any]], list[BadCell]]:
    """Rows as the form keeps them, and every cell that holds no value of its column (`path` under `table`)."""
    rows: list[dict[str, Any]] = []
    wrong: list[BadCell] = []
    for number, cells in numbered:
        row: dict[str, Any] = {}
        for index, column in enumerate(columns):
            try:
                value = value_of(column, cells[index] if index < len(cells) else None, lookup)
            except CellError as error:
                path = f"{table}.{len(rows)}.{column.id}"
                wrong.append(BadCell(number, letter_of(index), column.label, str(error), path))
                continue
            if value is not None:
                row[column.id] = value
        wrong += [
            BadCell(number, letter_of(index), "", "模板里没有这一列，请删掉")
            for index in range(len(columns), len(cells))
            if not is_blank(cells[index])
        ]
        rows.append(row)
    return rows, wrong


def _judged(
    shown: Filling, table: Field, columns: Sequence[Field], numbers: Sequence[int], unread: set[str]
) -> list[BadCell]:
    """What the form itself finds wrong in the rows, by the sheet's rows and columns; what could not be read is said already."""
    letters = {column.id: (letter_of(index), column.label) for index, column in enumerate(columns)}
    found = []
    for path, sentence in shown.review.errors.items():
        parts = path.split(".")
        if parts[0] != table.id or path in unread:
            continue
        if len(parts) == 1:
            if len(numbers) > (table.limit or ROW_LIMIT):
                found.append(BadCell(numbers[-1], "", "", sentence, path))
            continue
        index = int(parts[1])
        if any(other.startswith(f"{table.id}.{index}.") for other in unread) and len(parts) == 2:  # noqa: PLR2004
            continue
        letter, label = letters.get(parts[2], ("", "")) if len(parts) > 2 else ("", "")  # noqa: PLR2004
        why = sentence.removeprefix(f"第 {index + 1} 行：")
        found.append(BadCell(numbers[index], letter, label, why, path))
    return found


def _column(system: System, shown: Filling, table: Field, item: Field) -> Column:
    notes = [_KIND.get(item.type, "文字")]
    if item.limit:
        notes.append(f"不超过 {item.limit} 字" if item.type in _TEXTS else "")
    notes.append(item.help)
    return Column(
        f"{item.label}{_MARK if item.required else ''}",
        "；".join(note for note in notes if note),
        item.required,
        _options(system, shown, table, item),
    )


_TEXTS = {FieldType.TEXT, FieldType.LONG_TEXT}
_KIND = {
    FieldType.INTEGER: "整数",
    FieldType.MONEY: "金额，单位元，最多两位小数",
    FieldType.DATE: "日期，例如 2026-03-31",
    FieldType.CHOICE: "从下拉里选一个",
    FieldType.CHOICES: "可以写几个，用顿号隔开",
    FieldType.YES_NO: "是或否",
    FieldType.CATALOGUE: "从下拉里选到最底层品目，也可以只写编码",
    FieldType.UNIT: "单位编码，或从下拉里选",
    FieldType.INDICATOR: "从下拉里选",
    FieldType.DOCUMENT: "单据编号",
}


def _options(system: System, shown: Filling, table: Field, item: Field) -> tuple[str, ...]:
    if item.type is FieldType.CATALOGUE:
        return tuple(f"{each.code} {each.name}" for each in system.catalogue.items if each.selectable)
    if item.type is FieldType.CHOICE:
        return tuple(option.label for option in item.options)
    if item.type is FieldType.YES_NO:
        return ("是", "否")
    if item.type is FieldType.INDICATOR:
        return tuple(label.split("，可用")[0] for _, label in shown.choices.get(f"{table.id}.{item.id}", ()))
    return tuple(label for _, label in shown.choices.get(f"{table.id}.{item.id}", ()))
