"""XLSX in and out. Reading takes values only: no macros, no formulas, no links, nothing that unpacks without end."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from defusedxml import DefusedXmlException
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from core.domain.cells import Cell, is_blank
from core.domain.errors import InvalidError
from core.service.list_ports import MAX_LINES, Column, Template

MAX_BYTES = 10 * 1024 * 1024
_MAX_UNPACKED = 100_000_000
_MAX_PARTS = 2_000
_MAX_COLUMNS = 100
_MAX_CELL = 32_767  # characters, the format's own limit
_BLANK_TAIL = 10_000  # blank rows that a sheet may have behind its last line
_FIRST, _NOTES, _OPTIONS = "填报", "填表说明", "可选项"
_WIDTH = 20
_HEAD = PatternFill("solid", fgColor="E8EEF7")


class Xlsx:
    """Implements `core.service.list_ports.Spreadsheets`."""

    def read(self, content: bytes) -> list[tuple[Cell, ...]]:
        """Rows of the template's sheet (without one: of the first) without blank ones at the end."""
        _inspect(content)
        rows = [_filled(row) for row in _rows(content, values=False)]
        if any(_is_formula(cell) for row in rows for cell in row):
            rows = _calculated(rows, list(_rows(content, values=True)))
        while rows and all(is_blank(getattr(cell, "value", cell)) for cell in rows[-1]):
            rows.pop()
        if len(rows) > MAX_LINES + 1:
            raise _bad(f"最多 {MAX_LINES} 行，现有 {len(rows) - 1} 行，请分成几个文件")
        return [_cells(cells, row) for row, cells in enumerate(rows, 1)]

    def left(self, content: bytes) -> tuple[str, tuple[str, ...]]:
        """The sheet that `read` reads, and those with something in them that it leaves out, the template's own aside."""
        _inspect(content)
        with _opened(content, values=True) as book:
            read = _sheet(book)
            others = (
                one for one in book.worksheets if one is not read and one.title not in (_NOTES, _OPTIONS)
            )
            return read.title, tuple(one.title for one in others if _written(one))

    def write(self, template: Template) -> bytes:
        """Sheet 填报 to fill in, sheet 填表说明 that explains it, and what may be chosen on a hidden one."""
        book = Workbook()
        sheet: Any = book.active
        sheet.title = _FIRST
        options = book.create_sheet(_OPTIONS)
        options.sheet_state = "hidden"
        for index, column in enumerate(template.columns, 1):
            _head(sheet, index, column)
            _choices(sheet, options, index, column)
        sheet.freeze_panes = "A2"
        notes = book.create_sheet(_NOTES, 1)
        notes.append([template.title])
        notes.append(["列", "必填", "怎么填"])
        for column in template.columns:
            notes.append([column.heading.rstrip("*"), "是" if column.required else "否", column.note])
        notes.append([f"从“{_FIRST}”的第 2 行开始填，一行一条，最多 {MAX_LINES} 行；第 1 行不要改。"])
        notes.column_dimensions["C"].width = _WIDTH * 3
        stream = io.BytesIO()
        book.save(stream)
        return stream.getvalue()


def _bad(sentence: str) -> InvalidError:
    return InvalidError(sentence, code="bad_spreadsheet", fields={"file": sentence})


def _inspect(content: bytes) -> None:
    """Refuse what is no workbook, unpacks too big, or carries macros, before anything is unpacked."""
    if len(content) > MAX_BYTES:
        raise _bad(f"文件不能超过 {MAX_BYTES // 1024 // 1024} MB")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile:
        raise _bad("不是 XLSX 文件；旧的 XLS 请先另存为 XLSX") from None
    if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > _MAX_UNPACKED:
        raise _bad("文件解开后太大，请只留要导入的那一张表")
    if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
        raise _bad("文件里有宏，请另存为不带宏的 XLSX 再导入")


def _rows(content: bytes, *, values: bool) -> Iterator[tuple[Any, ...]]:
    """Cells of the sheet that is read; with `values` those that formulas had when the file was saved."""
    with _opened(content, values=values) as book:
        sheet = _sheet(book)
        most = MAX_LINES + _BLANK_TAIL
        for count, row in enumerate(islice(sheet.iter_rows(max_col=_MAX_COLUMNS), most + 1)):
            if count == most:
                raise _bad(f"最多 {MAX_LINES} 行，请删掉后面多余的行")
            yield row


def _sheet(book: Any) -> Any:
    """The template's sheet wherever it was moved to, else the first."""
    sheet = next((one for one in book.worksheets if one.title == _FIRST), book.worksheets[0])
    sheet.reset_dimensions()  # what a file says of its size is not trusted
    return sheet


def _written(sheet: Any) -> bool:
    """Whether anything stands in the lines that could be read of a sheet."""
    sheet.reset_dimensions()
    rows = islice(sheet.iter_rows(max_col=_MAX_COLUMNS, values_only=True), MAX_LINES)
    return any(not is_blank(cell) for row in rows for cell in row)


@contextmanager
def _opened(content: bytes, *, values: bool) -> Iterator[Any]:
    """The workbook; InvalidError in words for whatever goes wrong while it is read."""
    try:
        book = load_workbook(
            io.BytesIO(content), read_only=True, data_only=values, keep_links=False, keep_vba=False
        )
        try:
            yield book
        finally:
            book.close()
    except (
        InvalidFileException, DefusedXmlException, zipfile.BadZipFile, KeyError, IndexError, ValueError, OSError, EOFError,
        TypeError, AttributeError, SyntaxError,
    ):  # fmt: skip
        raise _bad("文件打不开，可能已经损坏；请用模板重新填一份") from None


def _is_formula(cell: Any) -> bool:
    return getattr(cell, "data_type", "") == "f"


class _NoValue:
    """A formula whose value was never worked out."""


_NO_VALUE = _NoValue()


def _calculated(formulas: list[tuple[Any, ...]], values: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Formulas replaced by what they had when the file was saved."""
    return [
        tuple(
            (_NO_VALUE if other.value is None else other) if _is_formula(cell) else cell
            for cell, other in zip(row, kept[: len(row)], strict=True)
        )
        for row, kept in zip(formulas, values, strict=True)
    ]


def _cells(cells: tuple[Any, ...], row: int) -> tuple[Cell, ...]:
    """A row without the blank cells at its end."""
    found = [_cell(cell, row, column) for column, cell in enumerate(cells, 1)]
    while found and is_blank(found[-1]):
        found.pop()
    return tuple(found)


def _filled(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Up to the last cell that holds anything: a sheet gives as many as it may have, and most are nothing."""
    last = len(row)
    while last and getattr(row[last - 1], "value", None) is None:
        last -= 1
    return row[:last]


def _place(row: int, column: int) -> str:
    return f"第 {row} 行 {get_column_letter(column)} 列"


def _cell(cell: Any, row: int, column: int) -> Cell:
    """The value of a cell as one of the few kinds that a form can take."""
    if isinstance(cell, _NoValue):
        raise _bad(f"{_place(row, column)}是没有算出结果的公式，请改成填写的值")
    value = getattr(cell, "value", None)
    if getattr(cell, "data_type", "") == "e":
        raise _bad(f"{_place(row, column)}是错误值 {str(value)[:10]}，请改成填写的值")
    if isinstance(value, str):
        if len(value) > _MAX_CELL or any(ord(each) < ord(" ") and each not in "\t\r\n" for each in value):
            raise _bad(f"{_place(row, column)}太长，或含有看不见的控制字符")
        return value
    if isinstance(value, bool | int | float | date | datetime) or value is None:
        return value
    return str(value) if isinstance(value, time | timedelta) else None


def _head(sheet: Any, index: int, column: Column) -> None:
    cell = sheet.cell(1, index, column.heading)
    cell.font, cell.fill, cell.alignment = Font(bold=True), _HEAD, Alignment(horizontal="center")
    cell.comment = Comment(column.note, "模板")
    letter = get_column_letter(index)
    sheet.column_dimensions[letter].width = _WIDTH
    if not column.options:
        sheet.column_dimensions[letter].number_format = "@"


def _choices(sheet: Any, options: Any, index: int, column: Column) -> None:
    if not column.options:
        return
    letter = get_column_letter(index)
    for row, option in enumerate(column.options, 1):
        options.cell(row, index, option).data_type = "s"  # never a formula, whatever it begins with
    rule = DataValidation(
        type="list", formula1=f"{_OPTIONS}!${letter}$1:${letter}${len(column.options)}", allow_blank=True,
        showErrorMessage=False,
    )  # fmt: skip
    rule.add(f"{letter}2:{letter}{MAX_LINES + 1}")
    sheet.add_data_validation(rule)
