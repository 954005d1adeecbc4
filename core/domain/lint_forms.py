"""What must hold for a kind's form and for every expression in its process."""

import re
from collections.abc import Iterator

from core.domain import expressions
from core.domain.forms import PLACEHOLDER, Field, FieldType
from core.domain.process import SYMBOLS, Process

Mistake = tuple[tuple[str, ...], str]
_VALUE = re.compile(r"value\('([a-z0-9_]+)'")
_FUNDING_COLUMNS = {"indicator", "amount_fen"}


def problems(process: Process, values: frozenset[str]) -> Iterator[Mistake]:
    """All mistakes of fields, checks and expressions."""
    yield from _fields(process)
    for path, expression, fields in _expressions(process):
        for sentence in expressions.problems(expression, fields):
            yield path, sentence
        for name in sorted(set(_VALUE.findall(expression)) - values):
            yield path, f"条件“{expression}”用到的 value('{name}') 这个区域没有写"
    yield from _skipping(process)


def _fields(process: Process) -> Iterator[Mistake]:
    form = process.form
    tables = {item.id: item for item in form.fields if item.type is FieldType.TABLE}
    if form.title and form.title not in {item.id for item in form.fields}:
        yield ("form",), f"title 提到不存在的字段“{form.title}”"
    if form.funding and form.funding != "parent":
        table = tables.get(form.funding)
        if table is None or not {column.id for column in table.fields} >= _FUNDING_COLUMNS:
            yield (
                ("form",),
                f"funding 要写 parent，或带 indicator、amount_fen 两列的表（现为“{form.funding}”）",
            )
    for path, item in _walk(form.fields):
        if item.type in (FieldType.CHOICE, FieldType.CHOICES) and not item.options:
            yield ("fields", path), f"字段“{path}”没有可选项"
        if (item.type is FieldType.TABLE) != bool(item.fields):
            yield ("fields", path), f"字段“{path}”：只有表格有列，表格要有列"
    for check in form.checks:
        if check.each and check.each not in tables:
            yield ("checks", check.id), f"检查“{check.say}”的 each 不是表格"


def _walk(fields: tuple[Field, ...], above: str = "") -> Iterator[tuple[str, Field]]:
    for item in fields:
        yield f"{above}{item.id}", item
        yield from _walk(item.fields, f"{above}{item.id}.")


def _expressions(process: Process) -> Iterator[tuple[tuple[str, ...], str, tuple[Field, ...]]]:
    """(path, expression, the fields it may name)."""
    own = process.form.fields
    if process.form.amount:
        yield ("form",), process.form.amount, own
    for path, item in _walk(own):
        above = next((table.fields for table in own if path.startswith(f"{table.id}.")), ())
        for expression in filter(None, (item.when, item.required_when, item.computed, item.default)):
            yield ("fields", path), expression, (*own, *above)
    for check in process.form.checks:
        columns = next((table.fields for table in own if table.id == check.each), ())
        for expression in (check.must, *_said(check.say)):
            yield ("checks", check.id), expression, (*own, *columns)
    yield from _of_acts(process)


def _of_acts(process: Process) -> Iterator[tuple[tuple[str, ...], str, tuple[Field, ...]]]:
    own = process.form.fields
    for node in process.nodes.values():
        if node.when:
            yield ("nodes", node.id), node.when, own
    for action in process.actions.values():
        wanted = (part for item in action.requires for part in (item.must, *_said(item.say)))
        forms = (*action.parent_form.values(), *action.own_form.values())
        for expression in (*wanted, *forms, *(item.when for item in action.spawns)):
            if expression:
                yield ("actions", action.id), expression, own


def _said(sentence: str) -> list[str]:
    """Expressions whose values a sentence tells."""
    return [match[1] for match in PLACEHOLDER.finditer(sentence)]


def _skipping(process: Process) -> Iterator[Mistake]:
    """Whatever leads to a node that may be passed over has to lead on from it too."""
    for node in process.nodes.values():
        if not node.when:
            continue
        if node.id == process.start:
            yield ("nodes", node.id), "起点不能带 when"
        for action in process.actions.values():
            goes = {target for target in action.routes.values() if target not in SYMBOLS}
            if node.id in goes and node.id not in action.routes:
                yield ("actions", action.id), f"节点“{node.id}”可能跳过，动作“{action.id}”要写明从它再到哪里"
