"""Several questions in one message: told apart only where each is surely about something else."""

import re

from assistant.knowledge import Knowledge
from assistant.understanding import hear, patterns
from kb import text as words

MOST = 3  # questions answered in one turn
_LEAST = 4  # characters of a question
_LONGEST = 400  # characters of a message that is looked through
_SURE = 0.9  # confidence from which a part is a question of its own
_JOINED = (
    r"另外|还有就是|还有一个问题|还有个问题|还想问|顺便问|顺便|再问一下|再问一个|再请问|其次|同时想问|以及"
)
_END = re.compile(rf"[。！？!?；;\n]+|[，,、\s]*(?:{_JOINED})[，,：:\s]*|(?:^|(?<=\s))\d[.、)）]\s*")
_COMMA = re.compile(r"[，,、]+|还有")


def questions(knowledge: Knowledge, region: str, text: str) -> tuple[str, ...]:
    """The questions of a message, in order, each surely about another topic; empty where it asks one thing."""
    if len(text) > _LONGEST:
        return ()
    for cut in (_END, _COMMA):
        found = _told_apart(knowledge, region, [part.strip() for part in cut.split(text)])
        if len(found) > 1:
            return found[:MOST]
    return ()


def _told_apart(knowledge: Knowledge, region: str, parts: list[str]) -> tuple[str, ...]:
    parts = [part for part in parts if len(words.key(part)) >= _LEAST]
    asking = [part for part in parts if _asks(part)]
    if len(asking) < 2 or len(asking) * 2 <= len(parts):  # noqa: PLR2004 - a story around a question is one question
        return ()
    by_topic: dict[str, str] = {}
    for part in asking[: MOST + 1]:
        finding = knowledge.find(region, hear(part).plain)
        if finding.kind != "answer" or finding.confidence < _SURE:
            return ()
        by_topic.setdefault(finding.candidates[0].topic, part)
    return tuple(by_topic.values())


def _asks(part: str) -> bool:
    return any(word in part for word in patterns().questions)
