"""Forms as data: fields, their types and conditions, what is computed, and every mistake named at its field.

One mechanism judges what comes from pages, API, chat and spreadsheets. Values are plain JSON: money is integer fen,
dates are `YYYY-MM-DD`, a table is a list of rows, a file is `{"sha256", "name"}`, a document or unit is its number.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.domain.fields import (
    AMOUNT_LIMIT,
    BUDGETS,
    CHOSEN_TYPES,
    Field,
    FieldType,
    Known,
    Option,
    is_empty,
    typed,
    wrong,
)

__all__ = ["AMOUNT_LIMIT", "BUDGETS", "Field", "FieldType", "Known", "Option", "is_empty", "typed"]

ROW_LIMIT = 10_000

PLACEHOLDER = re.compile(r"\{([^{}]+?)(:元)?\}")


class Evaluate(Protocol):
    """Works out an expression in a document's situation; `own` names come before the situation's."""

    def __call__(self, expression: str, own: Mapping[str, Any] | None) -> Any: ...


@dataclass(frozen=True)
class Check:
    """What has to hold for a form, or for `each` row of a table; `doubtful` ones only advise (ah-3.5.1)."""

    id: str
    must: str
    say: str
    field: str = ""
    each: str = ""
    doubtful: bool = False
    source: str = ""


@dataclass(frozen=True)
class Form:
    """The form of one kind. `amount` is an expression in fen; `title` and `funding` name fields.

    `funding` is a table of `indicator` and `amount_fen`, or `parent`: all of the amount from the account above.
    """

    fields: tuple[Field, ...] = ()
    checks: tuple[Check, ...] = ()
    amount: str = ""
    title: str = ""
    funding: str = ""

    @property
    def asks_indicators(self) -> bool:
        """Whether any field names an indicator."""
        columns = (column for item in self.fields for column in (item, *item.fields))
        return any(column.type is FieldType.INDICATOR for column in columns)


@dataclass(frozen=True)
class Review:
    """Path (`lines.0.quantity`) → sentence: mistakes that keep a form from being sent on, and doubts that do not."""

    errors: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)


def names(fields: tuple[Field, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    """Every field with a value of its type, so that an expression never meets a hole or a wrong type."""
    result: dict[str, Any] = {}
    for item in fields:
        value = values.get(item.id)
        if item.type is FieldType.TABLE:
            result[item.id] = [names(item.fields, row) for row in rows(values, item.id)]
        else:
            result[item.id] = value if value is not None and typed(item, value) else item.empty
    return result


def rows(values: Mapping[str, Any], table: str) -> list[Mapping[str, Any]]:
    """Rows of a table; whatever is no row counts as an empty one."""
    given = values.get(table)
    return [row if isinstance(row, Mapping) else {} for row in given] if isinstance(given, list) else []


def complete(form: Form, values: Mapping[str, Any], evaluate: Evaluate) -> dict[str, Any]:
    """The values with what is computed and what was left to its default."""
    return _complete(form.fields, values, evaluate, {})


def _complete(
    fields: tuple[Field, ...], values: Mapping[str, Any], evaluate: Evaluate, outer: Mapping[str, Any]
) -> dict[str, Any]:
    result = dict(values)
    for item in fields:
        if item.type is FieldType.TABLE:
            around = {**outer, **names(fields, result)}
            if isinstance(result.get(item.id), list):
                result[item.id] = [
                    _complete(item.fields, row, evaluate, around) for row in rows(result, item.id)
                ]
        elif item.computed or (item.default and result.get(item.id) in (None, "")):
            worked_out = evaluate(item.computed or item.default, {**outer, **names(fields, result)})
            result[item.id] = worked_out if typed(item, worked_out) else None
    return result


def review(form: Form, values: Mapping[str, Any], known: Known, evaluate: Evaluate) -> Review:
    """Every mistake and doubt; `values` are complete."""
    own = names(form.fields, values)
    errors = dict(_field_errors(form.fields, values, known, evaluate, {}))
    errors |= dict.fromkeys(values.keys() - {item.id for item in form.fields}, "没有这一项，请去掉")
    doubts: dict[str, str] = {}
    for check in form.checks:
        found = doubts if check.doubtful else errors
        for path, sentence in _broken(check, own, evaluate, errors):
            found.setdefault(path, sentence)
    return Review(errors, doubts)


def _broken(
    check: Check, own: Mapping[str, Any], evaluate: Evaluate, errors: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Where a check does not hold; one on a field that is wrong already says nothing new."""
    if check.each:
        wrong_rows = {".".join(key.split(".")[:2]) for key in errors}
        for index, row in enumerate(own[check.each]):
            place = f"{check.each}.{index}"
            path = f"{place}.{check.field}" if check.field else place
            if place not in wrong_rows and not evaluate(check.must, {**own, **row}):
                yield path, f"第 {index + 1} 行：{fill(check.say, evaluate, {**own, **row})}"
    elif not any(key.split(".")[0] == check.field for key in errors) and not evaluate(check.must, own):
        yield check.field or "form", fill(check.say, evaluate, own)


def fill(sentence: str, work_out: Callable[..., Any], own: Mapping[str, Any] | None = None) -> str:
    """`{expression}` in a sentence becomes its value, `{expression:元}` an amount of fen in yuan.

    Brackets that nothing came into, as a list of documents may have it, are left out.
    """

    def value(match: re.Match[str]) -> str:
        found: object = work_out(match[1], own=own)
        return f"{found / 100:,.2f} 元" if match[2] and isinstance(found, int) else str(found)

    return PLACEHOLDER.sub(value, sentence).replace("（）", "")


def _field_errors(
    fields: tuple[Field, ...],
    values: Mapping[str, Any],
    known: Known,
    evaluate: Evaluate,
    outer: Mapping[str, Any],
) -> Iterator[tuple[str, str]]:
    own = {**outer, **names(fields, values)}
    for item in fields:
        if (item.computed and not item.entered) or (item.when and not evaluate(item.when, own)):
            continue
        value = values.get(item.id)
        if is_empty(value):
            if item.required or (item.required_when and evaluate(item.required_when, own)):
                yield (
                    item.id,
                    item.hint or f"请{'选择' if item.type in CHOSEN_TYPES else '填写'}{item.label}",
                )
        elif item.type is FieldType.TABLE:
            yield from _table_errors(item, value, known, evaluate, own)
        elif sentence := wrong(item, value, known):
            yield item.id, sentence


def _table_errors(
    item: Field, value: object, known: Known, evaluate: Evaluate, own: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    if not isinstance(value, list):
        yield item.id, f"{item.label}应为一行一行的列表"
        return
    if len(value) > (item.limit or ROW_LIMIT):
        yield item.id, f"{item.label}最多 {item.limit or ROW_LIMIT} 行，现有 {len(value)} 行"
        return
    allowed = {column.id for column in item.fields}
    for index, row in enumerate(value):
        place = f"{item.id}.{index}"
        if not isinstance(row, Mapping):
            yield place, f"第 {index + 1} 行：应写成各列的名称和值"
            continue
        for key in sorted(str(key) for key in row.keys() - allowed):
            yield f"{place}.{key}", f"第 {index + 1} 行：没有“{key[:30]}”这一列"
        for path, sentence in _field_errors(item.fields, row, known, evaluate, own):
            yield f"{place}.{path}", f"第 {index + 1} 行：{sentence}"


def funding(form: Form, values: Mapping[str, Any]) -> dict[int, int]:
    """Indicator id → fen, as the funding table says; rows that make no sense count nothing."""
    result: dict[int, int] = {}
    for row in rows(values, form.funding):
        indicator, amount = row.get("indicator"), row.get("amount_fen")
        if isinstance(indicator, int) and isinstance(amount, int) and _positive(amount):
            result[indicator] = result.get(indicator, 0) + amount
    return result


def amount(form: Form, values: Mapping[str, Any], evaluate: Evaluate) -> int:
    """The document's amount in fen; a draft with a slip of the hand must still fit its column."""
    if not form.amount:
        return 0
    total = evaluate(form.amount, names(form.fields, values))
    return total if _positive(total) else 0


def _positive(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= AMOUNT_LIMIT
