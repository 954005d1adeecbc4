"""Entries as a workbook and back, without loss: four sheets, one row for each thing that may occur several times.

Every cell is text and marked so: what begins like a formula is shown, never calculated.
"""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import ValidationError

from core.adapters.yaml_reader import Located, problems_of
from core.domain.errors import DataError
from kb.documents import open_zip
from kb.entries import VOICES, Entry

_ENTRIES, _STEPS, _PHRASINGS, _OTHERS = "条目", "步骤", "问法", "其他"
_HEADERS = {
    _ENTRIES: ("编号", "地区", "标题", "简答", "生效日", "业务", "目标", "操作"),
    _STEPS: ("编号", "情形序号", "情形", "状态", "步骤"),
    _PHRASINGS: ("编号", "语气", "问法"),
    _OTHERS: ("编号", "项", "值", "区别"),
}
_LISTS = ("fails", "links", "probes", "sources", "keywords")
MAX_CELL = 32_767  # characters, Excel's own limit

Rows = Iterator[tuple[str, ...]]


def export(entries: Iterable[Entry]) -> bytes:
    """An XLSX of the entries; DataError where a text cannot stand in a cell."""
    entries = list(entries)
    sheets = {
        _ENTRIES: list(_entry_rows(entries)),
        _STEPS: list(_step_rows(entries)),
        _PHRASINGS: list(_phrasing_rows(entries)),
        _OTHERS: list(_other_rows(entries)),
    }
    for text in (text for rows in sheets.values() for row in rows for text in row):
        if len(text) > MAX_CELL or ILLEGAL_CHARACTERS_RE.search(text):
            raise DataError([f"“{text[:20]}…”太长或含有控制字符，放不进表格"])
    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in (_HEADERS[name], *rows):
            sheet.append([_cell(sheet, text) for text in row])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _cell(sheet: Any, text: str) -> Cell:
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"  # openpyxl would take = for a formula
    cell.quotePrefix = True  # and a person who edits the cell would make it one
    return cell


def _entry_rows(entries: Iterable[Entry]) -> Rows:
    for one in entries:
        operation = one.operation
        what = (operation.kind, operation.goal or "", operation.action or "") if operation else ("", "", "")
        yield one.id, one.region, one.title, one.short, one.since.isoformat(), *what


def _step_rows(entries: Iterable[Entry]) -> Rows:
    for one in entries:
        for number, case in enumerate(one.cases, 1):
            for step in case.steps:
                yield one.id, str(number), case.when, "\n".join(case.state), step


def _phrasing_rows(entries: Iterable[Entry]) -> Rows:
    for one in entries:
        for voice, _, text in one.phrasings.items():
            yield one.id, voice, text


def _other_rows(entries: Iterable[Entry]) -> Rows:
    for one in entries:
        for near in one.neighbours:
            yield one.id, "not", near.topic, near.difference
        for name in _LISTS:
            for text in getattr(one, name):
                yield one.id, name, text, ""


def is_export(file: Path, data: bytes) -> bool:
    """Whether a workbook has the sheets that `export` writes."""
    return set(_sheets(file, data)) == set(_HEADERS)


def read(file: Path, data: bytes) -> list[Entry]:
    """The entries of an exported workbook; DataError names every wrong row as `file:row: sheet: …`."""
    sheets = _sheets(file, data)
    problems = [
        f"{file}:1: 工作表“{name}”的第一行应为：{'、'.join(header)}"
        for name, header in _HEADERS.items()
        if (sheets.get(name) or [()])[0] != header
    ]
    if problems:
        raise DataError(problems)
    bodies, rows = _bodies(file, sheets, problems)
    entries = []
    for topic, body in bodies.items():
        try:
            entries.append(Entry.model_validate(body | {"cases": list(body["cases"].values())}))
        except ValidationError as error:
            problems += problems_of(error, Located(file, None, {(): rows[topic]}))
    if problems:
        raise DataError(problems)
    return entries


def _bodies(
    file: Path, sheets: dict[str, list[tuple[str, ...]]], problems: list[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, int]]:
    """What all sheets say of each topic, and its row on the first."""
    bodies: dict[str, dict[str, Any]] = {}
    rows: dict[str, int] = {}
    for number, row in _numbered(sheets[_ENTRIES]):
        if row[0] in bodies:
            problems.append(f"{file}:{number}: {_ENTRIES}: 编号“{row[0]}”重复出现")
        bodies[row[0]], rows[row[0]] = _body(row), number
    for name, add in _ADD.items():
        for number, row in _numbered(sheets[name]):
            if row[0] not in bodies:
                problems.append(f"{file}:{number}: {name}: “{_ENTRIES}”里没有编号“{row[0]}”")
            elif sentence := add(bodies[row[0]], row):
                problems.append(f"{file}:{number}: {name}: {sentence}")
    return bodies, rows


def _sheets(file: Path, data: bytes) -> dict[str, list[tuple[str, ...]]]:
    open_zip(file, data, "XLSX").close()
    try:
        book = load_workbook(io.BytesIO(data), read_only=True)
    except (InvalidFileException, KeyError, ValueError, OSError) as error:
        raise DataError([f"{file}:1: 不是有效的 XLSX 文件"]) from error
    sheets = {}
    for sheet in book.worksheets:
        width = len(_HEADERS.get(sheet.title, ()))
        sheets[sheet.title] = [
            tuple("" if value is None else str(value) for value in (*row, *[None] * width)[:width])
            for row in sheet.iter_rows(values_only=True)
        ]
    book.close()
    return sheets


def _numbered(rows: list[tuple[str, ...]]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Rows below the header that are not empty, with their numbers as the program shows them."""
    return ((number, row) for number, row in enumerate(rows[1:], 2) if any(row))


def _body(row: tuple[str, ...]) -> dict[str, Any]:
    topic, region, title, short, since, kind, goal, action = row
    return {
        "id": topic,
        "region": region,
        "title": title,
        "short": short,
        "since": since[:10],  # a program may have made a time of it
        "operation": {"kind": kind, "goal": goal or None, "action": action or None} if kind else None,
        "cases": {},
        "not": [],
        "phrasings": {},
        **{name: [] for name in _LISTS},
    }


def _add_step(body: dict[str, Any], row: tuple[str, ...]) -> str:
    _, number, when, state, step = row
    case = body["cases"].setdefault(
        number, {"when": when, "state": state.split("\n") if state else [], "steps": []}
    )
    case["steps"].append(step)
    return "" if case["when"] == when else f"情形 {number} 的说法不一致"


def _add_phrasing(body: dict[str, Any], row: tuple[str, ...]) -> str:
    body["phrasings"].setdefault(row[1], []).append(row[2])
    return "" if row[1] in VOICES else f"语气“{row[1]}”应为 {'、'.join(VOICES)} 之一"


def _add_other(body: dict[str, Any], row: tuple[str, ...]) -> str:
    _, name, value, difference = row
    if name == "not":
        body["not"].append({"topic": value, "difference": difference})
    elif name in _LISTS:
        body[name].append(value)
    else:
        return f"项“{name}”应为 {'、'.join((*_LISTS, 'not'))} 之一"
    return ""


_ADD = {_STEPS: _add_step, _PHRASINGS: _add_phrasing, _OTHERS: _add_other}
