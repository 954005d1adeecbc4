"""How a form looks while it is filled in: which fields are asked for now, which must not stay empty, which stay."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.forms import Evaluate, Field, FieldType, Form, names, rows
from core.domain.process import Process

_BROKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


@dataclass(frozen=True)
class FormState:
    """Paths (`lines.0.quantity`) of fields that are not asked for now, and of those that must be filled in."""

    hidden: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()


def state(form: Form, values: Mapping[str, Any], evaluate: Evaluate) -> FormState:
    """The state for complete `values`."""
    hidden: set[str] = set()
    required: set[str] = set()
    for path, item, own in _walk(form.fields, values, "", {}):
        if item.when and not evaluate(item.when, own):
            hidden.add(path)
        elif item.required or (item.required_when and evaluate(item.required_when, own)):
            required.add(path)
    return FormState(frozenset(hidden), frozenset(required))


def _walk(
    fields: tuple[Field, ...], values: Mapping[str, Any], prefix: str, outer: Mapping[str, Any]
) -> Iterator[tuple[str, Field, Mapping[str, Any]]]:
    """Every field with its path and the names its conditions see."""
    own = {**outer, **names(fields, values)}
    for item in fields:
        path = f"{prefix}{item.id}"
        yield path, item, own
        if item.type is FieldType.TABLE:
            for index, row in enumerate(rows(values, item.id)):
                yield from _walk(item.fields, row, f"{path}.{index}.", own)


def files(fields: tuple[Field, ...], values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Path → file (`sha256`, `name`) of every file that a form names."""
    found = {}
    for path, item, _ in _walk(fields, values, "", {}):
        if item.type is FieldType.FILE:
            value = _at(values, path)
            if isinstance(value, Mapping) and isinstance(value.get("sha256"), str):
                found[path] = value
    return found


def _at(values: Any, path: str) -> Any:
    for part in path.split("."):
        known = isinstance(values, Mapping)
        values = values[int(part)] if isinstance(values, list) else values.get(part) if known else None
    return values


def locked(process: Process, node: str) -> frozenset[str]:
    """Fields that a node does not let be changed."""
    free = process.node(node).fields
    return frozenset(item.id for item in process.form.fields if free and item.id not in free)


def kept(process: Process, node: str, before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with what the node does not let be changed as it was `before`."""
    stays = locked(process, node)
    return {
        **{name: value for name, value in given.items() if name not in stays},
        **{name: value for name, value in before.items() if name in stays},
    }


LARGEST = 2**63 - 1
DEEPEST = 6  # a form holds tables of rows of files; nothing lies deeper


def unwritable(value: Any, path: str = "", depth: int = 0) -> str | None:
    """Path of what no database keeps (control or half characters, numbers beyond 64 bits, endless nesting), else None."""
    if isinstance(value, str):
        return path or "form" if _BROKEN.search(value) else None
    if isinstance(value, int | float) and not abs(value) <= LARGEST:  # neither is what is no number
        return path or "form"
    if not isinstance(value, (Mapping, list)):
        return None
    if depth > DEEPEST:
        return path
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, inner in pairs:
        below = f"{path}.{key}".strip(".")
        found = unwritable(str(key), below) or unwritable(inner, below, depth + 1)
        if found:
            return found
    return None
