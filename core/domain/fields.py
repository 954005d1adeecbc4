"""The fields of a form: what each type holds, what a value of it may be, and what to say when it is not."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from core.domain.catalogue import Catalogue

AMOUNT_LIMIT = 10**13  # fen; keeps sums far inside 64 bits
BUDGETS = ("", "budget", "carry_over")  # kinds whose accounts are budgets: of no document, or of these
_TEXT_LIMIT = 200
_LONG_TEXT_LIMIT = 4000


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


@dataclass(frozen=True)
class Format:
    """How a text has to be written as a whole (regular expression), and how that is said to people."""

    pattern: str
    say: str


FORMATS = {
    "phone": Format(
        r"(\+?86[- ]?)?1[3-9]\d{9}|(0\d{2,3}[- ]?)?\d{7,8}([-转]\d{1,6})?|[48]00-?\d{3}-?\d{4}|\d{5}",
        "要写手机号（11 位），或带区号的固定电话，例如 0351-0000000",
    ),
    "bank_account": Format(r"\d([ -]?\d){7,29}", "只写数字，8 到 30 位"),
}

CHOSEN_TYPES = {
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
    filled in. `role` is that of a unit, `kinds` and `nodes` say which documents may be named. `format`: one of `FORMATS`.
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
    format: str = ""
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
class Known:
    """What a form's values are looked up in. The functions answer None or a reason.

    `indicators`: id of what may pay → kind of the document whose account it is, empty for a budget's indicator.
    """

    catalogue: Catalogue
    indicators: Mapping[int, str] = field(default_factory=dict)
    unit: Callable[[str, str], str | None] = lambda _code, _role: None
    document: Callable[[str, Field], str | None] = lambda _number, _field: None
    file: Callable[[str], str | None] = lambda _sha256: None


def is_empty(value: object) -> bool:
    """Whether nothing was filled in; a zero and a no are something."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def typed(item: Field, value: object) -> bool:
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


def wrong(item: Field, value: object, known: Known) -> str | None:
    if not typed(item, value):
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
    if len(value) > limit:
        return f"{item.label} {len(value)} 字，不能超过 {limit} 字"
    wanted = FORMATS.get(item.format)
    return f"{item.label}{wanted.say}" if wanted and not re.fullmatch(wanted.pattern, value.strip()) else None


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
