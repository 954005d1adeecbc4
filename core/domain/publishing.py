"""What a published document says to everyone: only the fields that are public, in words, as they were that day."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from core.domain import forms
from core.domain.forms import Field, FieldType
from core.domain.money import yuan

Named = Callable[[FieldType, str], str]  # (unit, catalogue or document, code) → its name


@dataclass(frozen=True)
class Table:
    """A table of a notice."""

    label: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Content:
    """Labels and texts, and tables."""

    lines: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]


def content(
    fields: Collection[Field], values: Mapping[str, Any], public: Collection[str], named: Named
) -> Content:
    """What of a form is public; fields that were left empty are left out."""
    lines: list[tuple[str, str]] = []
    tables: list[Table] = []
    for item in fields:
        if item.type is FieldType.TABLE:
            columns = [column for column in item.fields if f"{item.id}.{column.id}" in public]
            rows = forms.rows(values, item.id)
            if columns and rows:
                header = tuple(column.label for column in columns)
                body = tuple(tuple(shown(c, row.get(c.id), named) for c in columns) for row in rows)
                tables.append(Table(item.label, header, body))
        elif item.id in public and not forms.is_empty(values.get(item.id)):
            lines.append((item.label, shown(item, values[item.id], named)))
    return Content(tuple(lines), tuple(tables))


def shown(item: Field, value: Any, named: Named) -> str:
    """A value in words."""
    if forms.is_empty(value):
        return ""
    if item.type is FieldType.MONEY and isinstance(value, int):
        return f"{yuan(value)} 元"
    if item.type is FieldType.YES_NO:
        return "是" if value else "否"
    if item.type in (FieldType.CHOICE, FieldType.CHOICES):
        labels = {option.value: option.label for option in item.options}
        given = value if isinstance(value, list) else [value]
        return "、".join(labels.get(str(one), str(one)) for one in given)
    if item.type in (FieldType.UNIT, FieldType.CATALOGUE):
        return named(item.type, str(value))
    return str(value)
