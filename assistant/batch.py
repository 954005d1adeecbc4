"""Questions as JSON lines in, answers as JSON lines out, in order; a bad line is answered with an error."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from assistant.answering import judge
from assistant.knowledge import Knowledge
from assistant.plain import render_replies
from core.domain.errors import DomainError


def ask_all(knowledge: Knowledge, lines: Iterable[str]) -> Iterator[str]:
    """One JSON line for each line of `lines`, blank ones too, so that positions stay comparable."""
    for line in lines:
        yield json.dumps(_one(knowledge, line), ensure_ascii=False)


def _one(knowledge: Knowledge, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        return _error("bad_line", "这一行不是有效的 JSON")
    if (
        not isinstance(row, dict)
        or not isinstance(row.get("q"), str)
        or not isinstance(row.get("region"), str)
    ):
        return _error("bad_line", '这一行要是 {"region": 区域, "q": 问题}')
    try:
        return answer(knowledge, row["region"], row["q"])
    except DomainError as error:
        return _error(error.code, error.message)


def answer(knowledge: Knowledge, region: str, text: str) -> dict[str, Any]:
    """The public contract for one question; NotFoundError for an unknown region."""
    knowledge.check(region)
    judged = judge(knowledge, region, text)
    return {**judged.to_json(), "reply": render_replies(judged.replies)}


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
