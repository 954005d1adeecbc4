"""Questions and answers in running text: word-processor files, plain text, Markdown. Text becomes drafts.

Forms that manuals and FAQ lists have: “问题3-1：…” with “答：…”; “问题：…” with “解答：…”; numbered chapters “2.1.1 …”; a title
over a line “操作步骤说明”; Markdown headings. Lines “第一步：”, “步骤二：”, “1.”, “（1）” are steps, the rest is the answer.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from defusedxml import DefusedXmlException, ElementTree

from core.domain.errors import DataError

MAX_UNPACKED = 100_000_000  # bytes of everything in a zip
MAX_PARTS = 5_000
MAX_TITLE_CHARS = 50  # a longer numbered line is a paragraph, not a chapter's title

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING_STYLE = re.compile(r"(?:heading|标题)\s*\d|[1-9]\Z", re.IGNORECASE)
_LEFT_BY_EXPORT = re.compile(r"\[(?:bookmark|image)(?::[^\]]*)?\]")
_NUMBER = r"\d+(?:[-.]\d+)*"
_QUESTION = re.compile(rf"(?:问题|问|Q)\s*(?P<number>{_NUMBER})?\s*[：:]\s*(?P<title>.+)", re.IGNORECASE)
_CHAPTER = re.compile(r"(?P<number>\d+(?:\.\d+)+)[.、]?\s*(?P<title>[^\d\s.].*)")
_PART = re.compile(r"第[一二三四五六七八九十百\d]+[章节篇]|附录|目\s*录")
_ANSWER = re.compile(r"(?:答案|解答|回答|答|A)\s*[：:]\s*", re.IGNORECASE)
_MANUAL = re.compile(r"操作(?:步骤)?说明\s*[:：]?")
_STEP = re.compile(
    r"(?:第[一二三四五六七八九十\d]+步|步骤[一二三四五六七八九十\d]*|[（(]\d+[)）]|\d{1,2}[.、)）](?!\d))\s*[：:、]?\s*(?P<text>.+)"
)
_HEADING = re.compile(r"#{1,6}\s+(?P<title>.*?)\s*(?:\{#?(?P<id>[\w.-]+)\})?\s*#*\Z")
_ITEM = re.compile(r"(?:[-*+]|\d+[.、)])\s*(?P<text>.+)")
_SECTION = re.compile(r"(?:\*\*)?(问法|相似问|相似问法|步骤)(?:\*\*)?\s*[:：]?\s*(?:\*\*)?\Z")


@dataclass
class Draft:
    """One topic as a file gives it; `line` is its row or heading, `number` what the file numbers it by (3-1, 2.1.1)."""

    line: int
    topic: str = ""
    title: str = ""
    answer: str = ""
    steps: list[str] = field(default_factory=list)
    phrasings: list[str] = field(default_factory=list)
    number: str = ""


def open_zip(file: Path, data: bytes, what: str) -> zipfile.ZipFile:
    """A zip that may be read: not too much in it, no macros. DataError says what is wrong with `what`."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise DataError([f"{file}:1: 不是有效的 {what} 文件"]) from error
    parts = archive.infolist()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise DataError([f"{file}:1: 解开后太大，最多 {MAX_UNPACKED // 1_000_000} MB"])
    if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
        raise DataError([f"{file}:1: 文件里有宏，请另存为不带宏的 {what} 再导入"])
    return archive


def docx_drafts(file: Path, data: bytes) -> list[Draft]:
    """Drafts of a DOCX by its headings, or by the forms of plain text where it has none."""
    with open_zip(file, data, "DOCX") as archive:
        try:
            # The size is bounded by open_zip; entities and external parts by defusedxml.
            root = ElementTree.fromstring(archive.read("word/document.xml"), forbid_dtd=True)
        except (KeyError, ElementTree.ParseError, DefusedXmlException, zipfile.BadZipFile) as error:
            raise DataError([f"{file}:1: 不是有效的 DOCX 文件"]) from error
    lines = [line for element in root.iter(f"{_W}body") for line in _lines(element)]
    if any(_HEADING.match(line) for line in lines):
        return list(markdown_drafts("\n".join(lines)))
    return list(text_drafts("\n".join(lines)))


def _lines(body: Any) -> Iterator[str]:
    """A line a paragraph, headings as in Markdown; a table's row is one line."""
    for element in body:
        if element.tag == f"{_W}p":
            text = _text(element).strip()
            style = element.find(f"{_W}pPr/{_W}pStyle")
            heading = style is not None and _HEADING_STYLE.match(style.get(f"{_W}val", ""))
            yield f"# {text}" if heading and text else text
        elif element.tag == f"{_W}tbl":
            for row in element.iter(f"{_W}tr"):
                yield "\t".join(_text(cell).strip() for cell in row.iter(f"{_W}tc"))
        elif element.tag == f"{_W}sdt":
            yield from _lines(element.find(f"{_W}sdtContent") or [])


def _text(element: Any) -> str:
    """What is read: deleted text of tracked changes and field codes stand in other elements."""
    parts = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n"}
    return "".join(
        (one.text or "") if one.tag == f"{_W}t" else parts.get(one.tag, "") for one in element.iter()
    )


def text_drafts(text: str) -> Iterator[Draft]:
    """Drafts of plain text by numbered or unnumbered questions, chapters, or titles over 操作步骤说明."""
    lines = [_LEFT_BY_EXPORT.sub("", raw).strip() for raw in text.splitlines()]
    titles = _manual_titles(lines)
    asked = any(_QUESTION.match(line) for line in lines)
    draft: Draft | None = None
    for number, line in enumerate(lines, 1):
        started = _start(line, number, asked=asked, titled=number in titles)
        if started or _PART.match(line):
            # A chapter without text is a heading of chapters; a question without an answer is for people to see.
            if draft and (asked or draft.answer or draft.steps):
                yield draft
            draft = started
        elif draft and line and not _MANUAL.fullmatch(line):
            _add(draft, line)
    if draft and (asked or draft.answer or draft.steps):
        yield draft


def _manual_titles(lines: list[str]) -> set[int]:
    """Numbers of the lines that stand right above 操作步骤说明."""
    titles, last = set(), 0
    for number, line in enumerate(lines, 1):
        if _MANUAL.fullmatch(line):
            titles.add(last)
        elif line:
            last = number
    return titles


def _start(line: str, number: int, *, asked: bool, titled: bool) -> Draft | None:
    """A draft that begins with this line. Where questions are asked, numbered lines are steps of their answers."""
    if found := _QUESTION.match(line):
        return Draft(number, title=found["title"], number=found["number"] or "")
    if titled:
        return Draft(number, title=line)
    chapter = None if asked else _CHAPTER.fullmatch(line)
    if chapter and len(line) <= MAX_TITLE_CHARS:
        return Draft(number, title=chapter["title"], number=chapter["number"])
    return None


def _add(draft: Draft, line: str) -> None:
    rest = _ANSWER.sub("", line, count=1) if _ANSWER.match(line) else line
    if step := _STEP.fullmatch(rest):
        draft.steps.append(step["text"])
    elif rest:
        draft.answer = f"{draft.answer}\n{rest}".strip()


def markdown_drafts(text: str) -> Iterator[Draft]:
    """Drafts of Markdown: a heading is the question, what stands under it the answer, 步骤 and 问法 are lists."""
    draft: Draft | None = None
    section = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if heading := _HEADING.match(line):
            if draft and (draft.answer or draft.steps or draft.phrasings):
                yield draft
            draft, section = _headed(number, heading), ""
        elif not line or draft is None:
            continue
        elif title := _SECTION.match(line):
            section = title[1]
        elif section and (item := _ITEM.match(line)):
            (draft.steps if section == "步骤" else draft.phrasings).append(item["text"].strip())
        else:
            draft.answer = f"{draft.answer}{line}"
    if draft and (draft.answer or draft.steps or draft.phrasings):
        yield draft


def _headed(line: int, heading: re.Match[str]) -> Draft:
    """“## 2.1.1 立项” is numbered, “## 问题3：…” asked, “## 立项 {fj-2}” named."""
    title = heading["title"]
    numbered = _QUESTION.match(title) or _CHAPTER.fullmatch(title)
    if numbered:
        return Draft(line, heading["id"] or "", numbered["title"], number=numbered["number"] or "")
    return Draft(line, heading["id"] or "", title)
