"""Posted fields to the values of a form, for every kind from its field data. Rules are the core's; here is only reading.

Fields are named by their path: `f.name`, `f.lines.0.quantity`; `f.lines.0._` says that there is a row, `f.lines._`
that the table's rows are kept as they are stored.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from core.domain.errors import InvalidError
from core.domain.forms import ROW_LIMIT, Field, FieldType, is_empty
from core.domain.money import parse_yuan, yuan

PREFIX = "f"
MAX_DIGITS = 9
KEPT = "_"


@dataclass
class Read:
    """Values as the core keeps them; at which path something cannot be read and why; what was typed there."""

    values: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)


Tree = dict[str, Any]  # name → texts, or a tree


def read(
    fields: Iterable[Field], posted: MultiDict[str, str], stored: Mapping[str, Any] | None = None,
    *, empty_rows: bool = False,
) -> Read:  # fmt: skip
    """Read what was posted; rows left wholly empty are no rows unless `empty_rows`."""
    result = Read()
    result.values = _group(tuple(fields), _tree(posted), "", result, stored or {}, empty_rows=empty_rows)
    return result


def _tree(posted: MultiDict[str, str]) -> Tree:
    tree: Tree = {}
    for name in posted:
        parts = name.split(".")
        if parts[0] != PREFIX or len(parts) > 5:  # noqa: PLR2004 - f, table, row, column, part of a file
            continue
        place = tree
        for part in parts[1:-1]:
            deeper = place.setdefault(part, {})
            place = deeper if isinstance(deeper, dict) else {}
        place.setdefault(parts[-1], posted.getlist(name))
    return tree


def _group(
    fields: tuple[Field, ...], tree: Tree, prefix: str, result: Read, stored: Mapping[str, Any], *, empty_rows: bool
) -> dict[str, Any]:  # fmt: skip
    values: dict[str, Any] = {}
    for item in fields:
        if item.computed and not item.entered:
            continue
        given = tree.get(item.id)
        path = prefix + item.id
        if item.type is FieldType.TABLE:
            values[item.id] = _table(item, given, path, result, stored.get(item.id), empty_rows=empty_rows)
        elif item.type is FieldType.CHOICES:
            values[item.id] = [text for text in given if text] if isinstance(given, list) else []
        elif item.type is FieldType.FILE:
            values[item.id] = _file(given)
        else:
            text = given[0].strip() if isinstance(given, list) and given else ""
            values[item.id] = _one(item, text, path, result)
    return values


def _table(
    item: Field, given: Any, path: str, result: Read, stored: Any, *, empty_rows: bool
) -> list[dict[str, Any]]:
    if not isinstance(given, dict):
        return []
    if KEPT in given:
        result.kept.add(item.id)
        return stored if isinstance(stored, list) else []
    numbers = sorted(
        int(key) for key in given if key.isascii() and key.isdecimal() and len(key) <= MAX_DIGITS
    )
    found: list[dict[str, Any]] = []
    for number in numbers[: ROW_LIMIT + 1]:
        tree = given.get(str(number), {})
        if not isinstance(tree, dict):
            continue
        inner = Read()
        prefix = f"{path}.{len(found)}."
        row = _group(item.fields, tree, prefix, inner, {}, empty_rows=empty_rows)
        if empty_rows or inner.wrong or any(not is_empty(value) for value in row.values()):
            found.append(row)
            result.wrong |= inner.wrong
            result.typed |= inner.typed
    return found


def _file(given: Any) -> dict[str, str] | None:
    if not isinstance(given, dict):
        return None
    parts = {name: texts[0] for name, texts in given.items() if isinstance(texts, list) and texts}
    return {"sha256": parts["sha256"], "name": parts.get("name", "")[:200]} if parts.get("sha256") else None


def _one(item: Field, text: str, path: str, result: Read) -> Any:
    if not text:
        return None  # a draft may have gaps; the core names them
    reader = _READERS.get(item.type)
    if reader is None:
        return text
    try:
        return reader(text)
    except (InvalidError, ValueError):
        result.wrong[path] = _SENTENCES[item.type]
        result.typed[path] = text
        return None


def _whole(text: str) -> int:
    plain = text.replace(",", "").replace("，", "")
    if not plain.removeprefix("-").isascii() or not plain.removeprefix("-").isdecimal():
        raise ValueError(text)
    if len(plain) > MAX_DIGITS + 1:
        raise ValueError(text)
    return int(plain)


def _fen(text: str) -> int:
    return -parse_yuan(text[1:]) if text.startswith("-") else parse_yuan(text)


_READERS: dict[FieldType, Callable[[str], Any]] = {
    FieldType.INTEGER: _whole,
    FieldType.MONEY: _fen,
    FieldType.INDICATOR: _whole,
    FieldType.YES_NO: {"yes": True, "no": False}.get,
    FieldType.CATALOGUE: lambda text: text.split(" ")[0],
    FieldType.UNIT: lambda text: text.split(" ")[0],
    FieldType.DOCUMENT: lambda text: text.split(" ")[0].upper(),
}
_SENTENCES = {
    FieldType.INTEGER: "请填整数，例如 12",
    FieldType.MONEY: "请写成元，最多两位小数，例如 12800.50",
    FieldType.INDICATOR: "请从列表里选择",
}


def text_of(item: Field, value: Any) -> str:
    """A stored value as its field shows it."""
    if value is None or isinstance(value, (list, dict)):
        return ""
    if item.type is FieldType.YES_NO:
        return {True: "yes", False: "no"}.get(value, "")
    if item.type is FieldType.MONEY and isinstance(value, int):
        return yuan(value)
    return str(value)
