"""From a cell of a spreadsheet to the value of a column, and why a cell cannot be read. Rules beyond that are the form's."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from core.domain.catalogue import Catalogue
from core.domain.errors import InvalidError
from core.domain.forms import Field, FieldType
from core.domain.money import parse_yuan

Cell = str | int | float | bool | date | None

_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\Z")
_YES = {"是", "√", "有", "1", "true", "yes", "y"}
_NO = {"否", "×", "无", "0", "false", "no", "n"}
_SHOWN = 30
_MOST = 10**13


@dataclass(frozen=True)
class Lookup:
    """What is written in a cell by its name: catalogue items, and choices by column as (value, label)."""

    catalogue: Catalogue
    choices: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


class CellError(ValueError):
    """The sentence says why a cell cannot be read."""


def is_blank(cell: Cell) -> bool:
    """Whether nothing is written in a cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def value_of(column: Field, cell: Cell, lookup: Lookup) -> Any:
    """The value that a cell means for `column` (None for a blank one); CellError says why there is none."""
    return None if is_blank(cell) else _READERS[column.type](column, cell, lookup)


def importable(column: Field) -> bool:
    """Whether a column can be filled in a spreadsheet: neither worked out alone, nor a file or a table."""
    return (column.entered or not column.computed) and column.type in _READERS


def _shown(cell: Cell) -> str:
    text = f"{cell:%Y-%m-%d}" if isinstance(cell, date) else _plain(cell)
    return f"“{text[:_SHOWN]}”"


def _plain(cell: Cell) -> str:
    """Text of a cell; a whole number is written without a decimal point."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return str(cell).strip()


def _decimal(cell: Cell) -> Decimal:
    """A number as it is shown: 0.1 + 0.2 of a sheet is 0.3."""
    if isinstance(cell, float):
        return Decimal(f"{cell:.10g}")
    return Decimal(_plain(cell).replace(",", "").replace("，", ""))


def _integer(_column: Field, cell: Cell, _lookup: Lookup) -> int:
    try:
        number = None if isinstance(cell, bool | date) else _decimal(cell)
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number) > _MOST or number != int(number):
        raise CellError(f"{_shown(cell)}不是整数")
    return int(number)


def _money(_column: Field, cell: Cell, _lookup: Lookup) -> int:
    if isinstance(cell, bool | date):
        raise CellError(f"{_shown(cell)}不是金额，请写成元，例如 12800.50")
    text = f"{_decimal(cell):f}" if isinstance(cell, float) else _plain(cell)
    try:
        return parse_yuan(text)
    except InvalidError as error:
        raise CellError(error.message) from None


def _date(_column: Field, cell: Cell, _lookup: Lookup) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    try:
        match = _DATE.match(_plain(cell))
        return date(*(int(part) for part in match.groups())).isoformat() if match else _no_date(cell)
    except ValueError:
        return _no_date(cell)


def _no_date(cell: Cell) -> str:
    raise CellError(f"{_shown(cell)}不是日期，请写成 2026-03-31 这样")


def _yes_no(_column: Field, cell: Cell, _lookup: Lookup) -> bool:
    if isinstance(cell, bool):
        return cell
    text = _plain(cell).lower()
    if text not in _YES | _NO:
        raise CellError(f"{_shown(cell)}看不懂，请填是或否")
    return text in _YES


def _choice(column: Field, cell: Cell, _lookup: Lookup) -> str:
    text = _plain(cell)
    for option in column.options:
        if text in {option.value, option.label}:
            return option.value
    raise CellError(
        f"没有{_shown(cell)}这个选项，只能选：{'、'.join(option.label for option in column.options)}"
    )


def _choices(column: Field, cell: Cell, lookup: Lookup) -> list[str]:
    parts = [part for part in re.split(r"[、,，;；\n]", _plain(cell)) if part.strip()]
    return [_choice(column, part, lookup) for part in parts]


def _catalogue(_column: Field, cell: Cell, lookup: Lookup) -> str:
    """A code, `code name` as the template offers it, or a name that only one item bears."""
    text = _plain(cell)
    code = text.split()[0]
    if code in lookup.catalogue.by_code:
        return code
    named = [item for item in lookup.catalogue.items if item.name == text]
    if len(named) == 1:
        return named[0].code
    if named:
        codes = "、".join(item.code for item in named)
        raise CellError(f"叫{_shown(cell)}的品目有几个（{codes}），请写品目编码")
    raise CellError(f"采购目录里没有{_shown(cell)}，请从模板的下拉里选到最底层品目")


def _looked_up(column: Field, cell: Cell, lookup: Lookup) -> str:
    """A unit's code or a document's number; what is not among the choices is left to the form to judge."""
    return _chosen(column, cell, lookup) or _plain(cell)


def _indicator(column: Field, cell: Cell, lookup: Lookup) -> int:
    found = _chosen(column, cell, lookup)
    if not found:
        raise CellError(f"没有{_shown(cell)}这个{column.label}，请从模板的下拉里选")
    return int(found)


def _chosen(column: Field, cell: Cell, lookup: Lookup) -> str:
    """The one choice that the cell names: as the template offers it, by name, or by the code behind the name."""
    text = _plain(cell)
    found = [
        value
        for value, label in lookup.choices.get(column.id, ())
        if text == label or f"（{text}）" in label or label.startswith((f"{text}（", f"{text}，"))
    ]
    if len(found) > 1:
        raise CellError(f"叫{_shown(cell)}的{column.label}有几个，请写编码")
    return found[0] if found else ""


_READERS: dict[FieldType, Callable[[Field, Cell, Lookup], Any]] = {
    FieldType.TEXT: lambda _column, cell, _lookup: _plain(cell),
    FieldType.LONG_TEXT: lambda _column, cell, _lookup: _plain(cell),
    FieldType.INTEGER: _integer,
    FieldType.MONEY: _money,
    FieldType.DATE: _date,
    FieldType.CHOICE: _choice,
    FieldType.CHOICES: _choices,
    FieldType.YES_NO: _yes_no,
    FieldType.CATALOGUE: _catalogue,
    FieldType.UNIT: _looked_up,
    FieldType.INDICATOR: _indicator,
    FieldType.DOCUMENT: _looked_up,
}
