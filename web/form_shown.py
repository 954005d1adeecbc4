"""A form to be read: every field in words, from the same field data as the page that changes it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.catalogue import Catalogue
from core.domain.forms import Field, FieldType, is_empty, rows
from core.domain.money import yuan

_NONE = "—"


@dataclass(frozen=True)
class Shown:
    """A field in words; `link` is (document or file, what it points to)."""

    path: str
    label: str
    text: str
    type: str
    unit: str = ""
    link: tuple[str, str] | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple["Shown", ...], ...] = ()
    totals: tuple[str, ...] = ()

    @property
    def number(self) -> bool:
        """Whether it stands at the right."""
        return self.type in {FieldType.MONEY, FieldType.INTEGER}


@dataclass(frozen=True)
class Words:
    """What codes mean: the catalogue, and names by path."""

    catalogue: Catalogue
    names: Mapping[str, str]

    def text(self, item: Field, value: Any, path: str) -> str:
        """A value as people read it."""
        if is_empty(value):
            return _NONE
        if path in self.names:
            return self.names[path]
        if item.type is FieldType.CATALOGUE and isinstance(value, str):
            known = self.catalogue.by_code.get(value)
            return f"{known.name}（{value}）" if known else str(value)
        return words_of(item, value)


def words_of(item: Field, value: Any) -> str:
    """A value for people: amounts in yuan, choices by their labels."""
    labels = {option.value: option.label for option in item.options}
    if item.type is FieldType.MONEY and isinstance(value, int):
        return yuan(value)
    if item.type is FieldType.YES_NO:
        return "是" if value is True else "否"
    if isinstance(value, list):
        return "、".join(labels.get(str(one), str(one)) for one in value)
    if isinstance(value, Mapping):
        return str(value.get("name") or "文件")
    text = labels.get(str(value), str(value))
    return f"{text} {item.unit}" if item.unit and item.type is FieldType.INTEGER else text


def shown(
    fields: tuple[Field, ...], values: Mapping[str, Any], words: Words, hidden: Collection[str] = ()
) -> list[Shown]:
    """All fields that the form asks for, in its order."""
    return [_one(item, values, words, hidden, item.id) for item in fields if item.id not in hidden]


def _one(item: Field, values: Mapping[str, Any], words: Words, hidden: Collection[str], path: str) -> Shown:
    if item.type is FieldType.TABLE:
        return _table(item, rows(values, item.id), words, hidden, path)
    value = values.get(item.id)
    text = words.text(item, value, path) if path not in hidden else _NONE
    return Shown(path, item.label, text, item.type.value, link=_link(item, value))


def _link(item: Field, value: Any) -> tuple[str, str] | None:
    if item.type is FieldType.DOCUMENT and isinstance(value, str) and value:
        return ("document", value)
    if item.type is FieldType.FILE and isinstance(value, Mapping) and value.get("sha256"):
        return ("file", str(value["sha256"]))
    return None


def _table(
    item: Field, found: list[Mapping[str, Any]], words: Words, hidden: Collection[str], path: str
) -> Shown:
    used = [
        column
        for column in item.fields
        if any(f"{path}.{index}.{column.id}" not in hidden for index in range(len(found)))
    ]
    lines = tuple(
        tuple(_one(column, row, words, hidden, f"{path}.{index}.{column.id}") for column in used)
        for index, row in enumerate(found)
    )
    totals = tuple(
        yuan(sum(row[column.id] for row in found if isinstance(row.get(column.id), int)))
        if column.type is FieldType.MONEY and "price" not in column.id
        else ""
        for column in used
    )
    text = f"{len(found)} 行"
    columns = tuple(
        f"{column.label}（元）" if column.type is FieldType.MONEY else column.label for column in used
    )
    return Shown(path, item.label, text, item.type.value, columns=columns, rows=lines, totals=totals)


@dataclass(frozen=True)
class Pair:
    """One field of two forms side by side."""

    label: str
    left: str
    right: str

    @property
    def differs(self) -> bool:
        """Whether it was changed."""
        return self.left != self.right


def pairs(left: list[Shown], right: list[Shown]) -> list[Pair]:
    """Two forms field by field; of tables only the rows that differ, and how many there are."""
    ours, theirs = ({one.path: one for one in side} for side in (left, right))
    found: list[Pair] = []
    for path in dict.fromkeys([*ours, *theirs]):
        a, b = ours.get(path), theirs.get(path)
        one = a or b
        if one is None:
            continue
        found.append(Pair(one.label, a.text if a else _NONE, b.text if b else _NONE))
        if one.type == FieldType.TABLE:
            found += _row_pairs(one.label, a.rows if a else (), b.rows if b else ())
    return found


def _row_pairs(
    label: str, left: tuple[tuple[Shown, ...], ...], right: tuple[tuple[Shown, ...], ...]
) -> list[Pair]:
    found = []
    for index in range(max(len(left), len(right))):
        a = {one.label: one.text for one in left[index]} if index < len(left) else {}
        b = {one.label: one.text for one in right[index]} if index < len(right) else {}
        found += [
            Pair(f"{label} 第 {index + 1} 行 {name}", a.get(name, _NONE), b.get(name, _NONE))
            for name in dict.fromkeys([*a, *b])
            if a.get(name, _NONE) != b.get(name, _NONE)
        ]
    return found
