"""Spreadsheets to be downloaded. No text ever becomes a formula, whatever it begins with."""

import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
_TEXT_LIMIT = 32_000  # a cell holds no more


def write(title: str, header: Sequence[str], lines: Iterable[Sequence[str | float]]) -> bytes:
    """One sheet; floats are amounts with two decimals, whole numbers count, everything else is text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    sheet.append([_bold(sheet, text) for text in header])
    for line in lines:
        sheet.append(
            [_number(sheet, one) if isinstance(one, int | float) else _text(sheet, one) for one in line]
        )
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _bold(sheet: WriteOnlyWorksheet, text: str) -> Cell:
    cell = _text(sheet, text)
    cell.font = Font(bold=True)
    return cell


def _number(sheet: WriteOnlyWorksheet, value: float) -> Cell:
    cell: Cell = WriteOnlyCell(sheet, value)
    cell.number_format = "#,##0.00" if isinstance(value, float) else "0"
    return cell


def _text(sheet: WriteOnlyWorksheet, value: object) -> Cell:
    text = ILLEGAL_CHARACTERS_RE.sub("", str(value))[:_TEXT_LIMIT]
    cell: Cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"  # a text that begins with = would be taken for a formula
    if text.startswith(_DANGEROUS):
        cell.quotePrefix = True  # and stays a text where it is edited
    return cell
