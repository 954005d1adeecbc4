"""Questions and answers from files, compared with the knowledge, as drafts.

CSV and XLSX: one row a topic, columns by heading (see `_COLUMNS`); several phrasings or steps stand in one cell, apart by
line breaks or `|`. DOCX, Markdown and plain text: see `kb.documents`. A workbook that this project wrote is read whole by
`kb.workbook` instead.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import yaml

from core.domain.errors import DataError
from kb.checks import MIN_PHRASINGS
from kb.documents import Draft, docx_drafts, markdown_drafts, open_zip, text_drafts
from kb.entries import Entry, Library
from kb.retriever import Retriever
from kb.text import key

MAX_BYTES = 20_000_000
State = Literal["new", "changed", "same", "doubtful"]
STATES: dict[State, str] = {"new": "新增", "changed": "有改动", "same": "无变化", "doubtful": "存疑"}

_COLUMNS = {
    "topic": ("id", "主题", "编号", "topic"),
    "title": ("问题", "标题", "question", "title"),
    "answer": ("答案", "回答", "answer", "short"),
    "steps": ("步骤", "steps"),
    "phrasings": ("问法", "相似问", "相似问法", "phrasings"),
}
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*\Z")


@dataclass(frozen=True)
class Preview:
    """What importing a draft would mean, and why."""

    draft: Draft
    state: State
    reasons: tuple[str, ...]


def read_bytes(file: Path) -> bytes:
    """What the file holds; DataError where there is none or it may not be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError([f"{file}:1: 文件读不出来"]) from error


def read_file(file: Path) -> list[Draft]:
    """Read DOCX, XLSX, CSV, Markdown or plain text; DataError says what is wrong with the file."""
    return read_data(file, read_bytes(file))


def read_data(file: Path, data: bytes) -> list[Draft]:
    """As `read_file`, for what was read already; `file` says by its ending what it is."""
    if len(data) > MAX_BYTES:
        raise DataError([f"{file}:1: 文件超过 {MAX_BYTES // 1_000_000} MB"])
    suffix = file.suffix.lower()
    if suffix in {".md", ".markdown"}:
        drafts = list(markdown_drafts(_decode(file, data)))
    elif suffix == ".txt":
        drafts = list(text_drafts(_decode(file, data)))
    elif suffix == ".docx":
        drafts = docx_drafts(file, data)
    elif suffix == ".csv":
        drafts = list(_table(file, csv.reader(io.StringIO(_decode(file, data)))))
    elif suffix == ".xlsx":
        drafts = list(_table(file, _sheet(file, data)))
    else:
        raise DataError([f"{file}:1: 只能导入 .docx、.xlsx、.csv、.md、.txt 文件"])
    if not drafts:
        raise DataError([f"{file}:1: 文件里没有找到问题和答案"])
    return drafts


def preview(drafts: Iterable[Draft], region: str, library: Library, retriever: Retriever) -> list[Preview]:
    """Compare drafts with the region's entries: new, changed, same, or doubtful with the reasons."""
    owners = {
        key(text): entry.id
        for entry in library.of_region(region)
        for text in (entry.title, *(phrase for _, _, phrase in entry.phrasings.items()))
    }
    seen: dict[str, int] = {}
    found = []
    for draft in drafts:
        named = bool(draft.topic)
        draft.topic = draft.topic or _numbered(draft, region, library)
        entry = library.entries.get((region, draft.topic))
        doubts = _doubts(draft, owners, seen)
        if entry is not None and not named:
            doubts += _unlike(draft, entry, retriever)
        if entry is not None:
            state, reasons = _compare(draft, entry)
        else:
            state, reasons = "new", []
            doubts += _alike(draft, retriever)
        found.append(Preview(draft, "doubtful" if doubts else state, tuple(doubts + reasons)))
    return found


def write_drafts(previews: Iterable[Preview], region: str, folder: Path, today: date) -> list[Path]:
    """Write each draft that differs as `<folder>/<region>/<id>.yaml`; none overwrites another file."""
    target = folder / region
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for number, one in enumerate(previews, 1):
        if one.state == "same":
            continue
        draft = one.draft
        name = draft.topic if ID.match(draft.topic) else f"draft-{number}"
        file = target / f"{name}.yaml"
        body = {
            "id": name,
            "region": region,
            "title": draft.title,
            "short": draft.answer,
            "cases": [{"when": "一般情况", "steps": draft.steps or [draft.answer]}],
            "sources": [name],
            "since": today,
            "phrasings": {"short": draft.phrasings},
        }
        notes = "".join(f"# {STATES[one.state]}：{reason}\n" for reason in one.reasons)
        try:
            with file.open("x", encoding="utf-8") as stream:
                stream.write(notes + yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=110))
        except FileExistsError as error:
            raise DataError([f"{file}:1: 草稿已经存在，请先处理或移走它"]) from error
        written.append(file)
    return written


def write_entry(entry: Entry, folder: Path) -> Path:
    """Write a whole entry as `<folder>/<region>/<id>.yaml`; DataError where the file is there already."""
    if not ID.match(entry.id) or not ID.match(entry.region):
        raise DataError([f"{entry.region}/{entry.id}:1: 编号和地区只能用字母、数字、点和连字符"])
    file = folder / entry.region / f"{entry.id}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    data = json.loads(entry.model_dump_json(by_alias=True, exclude_defaults=True)) | {"since": entry.since}
    try:
        with file.open("x", encoding="utf-8") as stream:
            yaml.safe_dump(data, stream, allow_unicode=True, sort_keys=False, width=110)
    except FileExistsError as error:
        raise DataError([f"{file}:1: 文件已经存在，请先处理或移走它"]) from error
    return file


def _decode(file: Path, data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError([f"{file}:1: 文字编码认不出来，请存为 UTF-8"])


def _sheet(file: Path, data: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    open_zip(file, data, "XLSX").close()
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise DataError([f"{file}:1: 不是有效的 XLSX 文件"]) from error
    for row in book.worksheets[0].iter_rows(values_only=True):
        yield ["" if value is None else str(value) for value in row]
    book.close()


def _table(file: Path, rows: Iterable[list[str]]) -> Iterator[Draft]:
    lines = iter(rows)
    names = [cell.strip().lower() for cell in next(lines, [])]
    columns = {
        what: next((at for at, name in enumerate(names) if name in known), None)
        for what, known in _COLUMNS.items()
    }
    missing = [_COLUMNS[what][0] for what in ("title", "answer") if columns[what] is None]
    if missing:
        raise DataError([f"{file}:1: 第一行缺少列：{'、'.join(missing)}"])
    for number, row in enumerate(lines, 2):
        cells = {
            what: row[at].strip() if at is not None and at < len(row) else "" for what, at in columns.items()
        }
        if any(cells.values()):
            yield Draft(
                number,
                cells["topic"],
                cells["title"],
                cells["answer"],
                _several(cells["steps"]),
                _several(cells["phrasings"]),
            )


def _several(cell: str) -> list[str]:
    return [part for piece in re.split(r"[\n|｜]", cell) if (part := piece.strip())]


def _numbered(draft: Draft, region: str, library: Library) -> str:
    """The region's topic with the number that the file gives: 问题3-1 is nm-3-1 there, 2.1.1 fj-2.1.1."""
    topics = [entry.id for entry in library.of_region(region)]
    found = [topic for topic in topics if draft.number and topic.split("-", 1)[-1] == draft.number]
    return found[0] if len(found) == 1 else ""


def _doubts(draft: Draft, owners: dict[str, str], seen: dict[str, int]) -> list[str]:
    """What a person should look at before this becomes an entry."""
    doubts = []
    if not draft.title:
        doubts.append("没有问题")
    if not draft.answer and not draft.steps:
        doubts.append("没有答案")
    if draft.topic and not ID.match(draft.topic):
        doubts.append(f"主题编号“{draft.topic}”只能用字母、数字、点和连字符")
    for text in (draft.title, *draft.phrasings):
        same = key(text)
        owner = owners.get(same)
        if owner and owner != draft.topic:
            doubts.append(f"“{text}”已是 {owner} 的问法")
        if same and same in seen and seen[same] != draft.line:
            doubts.append(f"“{text}”在第 {seen[same]} 行出现过")
        seen.setdefault(same, draft.line)
    return doubts


def _alike(draft: Draft, retriever: Retriever) -> list[str]:
    finding = retriever.find(draft.title)
    if finding.kind != "answer":
        return []
    first = finding.candidates[0]
    return [f"与已有的 {first.topic}“{first.title}”很像（把握 {finding.confidence:.2f}）"]


def _unlike(draft: Draft, entry: Entry, retriever: Retriever) -> list[str]:
    """A file that counts its own questions from 1 must not overwrite what has that number here."""
    if entry.id in {one.topic for one in retriever.find(draft.title).candidates}:
        return []
    return [f"编号和已有的 {entry.id}“{entry.title}”一样，问的却不像它"]


def _compare(draft: Draft, entry: Entry) -> tuple[State, list[str]]:
    """The difference from the entry of the same id."""
    reasons = []
    if key(draft.title) != key(entry.title):
        reasons.append(f"标题原为“{entry.title}”")
    if draft.answer and key(draft.answer) != key(entry.short):
        reasons.append("答案与现有的不同")
    steps = {key(step) for case in entry.cases for step in case.steps}
    if any(key(step) not in steps for step in draft.steps):
        reasons.append("步骤与现有的不同")
    known = {key(phrase) for _, _, phrase in entry.phrasings.items()}
    fresh = [phrase for phrase in draft.phrasings if key(phrase) not in known]
    if fresh:
        reasons.append(f"多出 {len(fresh)} 种问法")
    return ("changed" if reasons else "same"), reasons


def shortfall(draft: Draft) -> int:
    """Phrasings still to be written before the draft may become an entry."""
    return max(0, MIN_PHRASINGS - len(draft.phrasings))
