"""Forms as data: fields, their types and conditions, what is computed, and every mistake named at its field.

One mechanism judges what comes from pages, API, chat and spreadsheets. Values are plain JSON: money is integer fen,
dates are `YYYY-MM-DD`, a table is a list of rows, a file is `{"sha256", "name"}`, a document or unit is its number.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from core.domain.catalogue import Catalogue

AMOUNT_LIMIT = 10**13  # fen; keeps sums far inside 64 bits
ROW_LIMIT = 10_000
BUDGETS = ("", "budget", "carry_over")  # kinds whose accounts are budgets: of no document, or of these
_TEXT_LIMIT = 200
_LONG_TEXT_LIMIT = 4000

PLACEHOLDER = re.compile(r"\{([^{}]+?)(:元)?\}")


class Evaluate(Protocol):
    """Works out an expression in a document's situation; `own` names come before the situation's."""

    def __call__(self, expression: str, own: Mapping[str, Any] | None) -> Any: ...


class FieldType(StrEnum):
    """What a field holds; see `docs/processes.md`."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    MONEY = "money"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes_no"
    CATALOGUE = "catalogue"
    UNIT = "unit"
    INDICATOR = "indicator"
    DOCUMENT = "document"
    FILE = "file"
    TABLE = "table"


_CHOSEN_TYPES = {
    FieldType.CHOICE, FieldType.CHOICES, FieldType.CATALOGUE, FieldType.UNIT, FieldType.INDICATOR, FieldType.DOCUMENT,
}  # fmt: skip


@dataclass(frozen=True)
class Option:
    """One choice."""

    value: str
    label: str


@dataclass(frozen=True)
class Field:
    """One thing to fill in. `when` and `required_when` are expressions; `limit` counts characters, fen or rows.

    `computed` is always worked out (where `entered`, from what was typed there), `default` only where nothing was
    filled in. `role` is that of a unit, `kinds` and `nodes` say which documents may be named.
    """

    id: str
    label: str
    type: FieldType = FieldType.TEXT
    required: bool = False
    required_when: str = ""
    when: str = ""
    limit: int = 0
    least: int = 1
    unit: str = ""
    help: str = ""
    hint: str = ""
    options: tuple[Option, ...] = ()
    computed: str = ""
    entered: bool = False
    default: str = ""
    role: str = ""
    kinds: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    fields: tuple["Field", ...] = ()

    @property
    def empty(self) -> Any:
        """What an expression sees where nothing was filled in."""
        if self.type is FieldType.TABLE or self.type is FieldType.CHOICES:
            return []
        if self.type in {FieldType.INTEGER, FieldType.MONEY}:
            return 0
        return self.type is not FieldType.YES_NO and ""


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
class Known:
    """What a form's values are looked up in. The functions answer None or a reason.

    `indicators`: id of what may pay → kind of the document whose account it is, empty for a budget's indicator.
    """

    catalogue: Catalogue
    indicators: Mapping[int, str] = field(default_factory=dict)
    unit: Callable[[str, str], str | None] = lambda _code, _role: None
    document: Callable[[str, Field], str | None] = lambda _number, _field: None
    file: Callable[[str], str | None] = lambda _sha256: None


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
            result[item.id] = value if value is not None and _typed(item, value) else item.empty
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
            result[item.id] = worked_out if _typed(item, worked_out) else None
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
        for index, row in enumerate(own[check.each]):
            place = f"{check.each}.{index}"
            path = f"{place}.{check.field}" if check.field else place
            if not any(f"{key}.".startswith(f"{place}.") for key in errors) and not evaluate(
                check.must, {**own, **row}
            ):
                yield path, f"第 {index + 1} 行：{fill(check.say, evaluate, {**own, **row})}"
    elif not any(key.split(".")[0] == check.field for key in errors) and not evaluate(check.must, own):
        yield check.field or "form", fill(check.say, evaluate, own)


def fill(sentence: str, work_out: Callable[..., Any], own: Mapping[str, Any] | None = None) -> str:
    """`{expression}` in a sentence becomes its value, `{expression:元}` an amount of fen in yuan."""

    def value(match: re.Match[str]) -> str:
        found: object = work_out(match[1], own=own)
        return f"{found / 100:,.2f} 元" if match[2] and isinstance(found, int) else str(found)

    return PLACEHOLDER.sub(value, sentence)


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
                    item.hint or f"请{'选择' if item.type in _CHOSEN_TYPES else '填写'}{item.label}",
                )
        elif item.type is FieldType.TABLE:
            yield from _table_errors(item, value, known, evaluate, own)
        elif sentence := _wrong(item, value, known):
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


def is_empty(value: object) -> bool:
    """Whether nothing was filled in; a zero and a no are something."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _typed(item: Field, value: object) -> bool:
    """Whether the value is of the field's type, whatever it says."""
    if item.type in {FieldType.INTEGER, FieldType.MONEY}:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= AMOUNT_LIMIT
    if item.type is FieldType.INDICATOR:
        return isinstance(value, int) and not isinstance(value, bool)
    if item.type is FieldType.YES_NO:
        return isinstance(value, bool)
    if item.type is FieldType.CHOICES:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if item.type is FieldType.FILE:
        return isinstance(value, Mapping)
    return isinstance(value, str)


def _wrong(item: Field, value: object, known: Known) -> str | None:
    if not _typed(item, value):
        return _TYPE_SENTENCES.get(item.type, "{label}应为文字").format(label=item.label)
    judge = _JUDGES.get(item.type)
    return judge(item, value, known) if judge else None


_TYPE_SENTENCES = {
    FieldType.INTEGER: "{label}要填整数",
    FieldType.MONEY: "{label}要填金额，且不能过大",
    FieldType.INDICATOR: "请选择本单位的{label}",
    FieldType.YES_NO: "{label}要选是或否",
    FieldType.CHOICES: "{label}要从可选项里选",
    FieldType.FILE: "{label}要先上传文件",
}


def _number(item: Field, value: Any, _known: Known) -> str | None:
    shown = (lambda fen: f"{fen / 100:,.2f} 元") if item.type is FieldType.MONEY else str
    if value < item.least:
        return f"{item.label}要大于 0" if item.least == 1 else f"{item.label}不能小于 {shown(item.least)}"
    if item.limit and value > item.limit:
        return f"{item.label}不能超过 {shown(item.limit)}"
    return None


def _text(item: Field, value: Any, _known: Known) -> str | None:
    limit = item.limit or (_LONG_TEXT_LIMIT if item.type is FieldType.LONG_TEXT else _TEXT_LIMIT)
    return f"{item.label} {len(value)} 字，不能超过 {limit} 字" if len(value) > limit else None


def _date(item: Field, value: Any, _known: Known) -> str | None:
    try:
        date.fromisoformat(value)
    except ValueError:
        return f"{item.label}要写成日期，例如 2026-03-31"
    return None


def _choice(item: Field, value: Any, _known: Known) -> str | None:
    allowed = {option.value for option in item.options}
    given = set(value) if isinstance(value, list) else {value}
    if given <= allowed:
        return None
    return f"{item.label}只能选：{'、'.join(option.label for option in item.options)}"


def _payers(item: Field) -> tuple[str, ...]:
    """Kinds whose accounts the field may name; a budget's own indicator is called `indicator` in the data."""
    return tuple("" if kind == "indicator" else kind for kind in item.kinds)


def _catalogue(_item: Field, value: Any, known: Known) -> str | None:
    item = known.catalogue.by_code.get(value)
    if item is None:
        return "请选择采购品目"
    if item.departmental:
        return f"“{item.name}”下面没有品目，不能选，请换成具体品目"
    return None if item.selectable else f"“{item.name}”不是最底层品目，请选到不能再展开为止"


_JUDGES: dict[FieldType, Callable[[Field, Any, Known], str | None]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _text,
    FieldType.INTEGER: _number,
    FieldType.MONEY: _number,
    FieldType.DATE: _date,
    FieldType.CHOICE: _choice,
    FieldType.CHOICES: _choice,
    FieldType.CATALOGUE: _catalogue,
    FieldType.INDICATOR: lambda item, value, known: (
        None if known.indicators.get(value) in (_payers(item) or BUDGETS) else f"请选择本单位的{item.label}"
    ),
    FieldType.UNIT: lambda item, value, known: known.unit(value, item.role),
    FieldType.DOCUMENT: lambda item, value, known: known.document(value, item),
    FieldType.FILE: lambda _item, value, known: known.file(str(value.get("sha256") or "")),
}


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
