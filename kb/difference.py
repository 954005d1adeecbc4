"""What two versions of an entry have and have not in common, for those who review."""

from collections.abc import Iterator
from dataclasses import dataclass

from kb.entries import VOICE_NAMES, Entry

_NAMES = {
    "title": "标题",
    "short": "简答",
    "cases": "步骤",
    "fails": "办不成时",
    "neighbours": "容易混的主题",
    "links": "链接",
    "operation": "操作",
    "probes": "检测项",
    "sources": "出处",
    "since": "生效日",
    "keywords": "关键词",
}


@dataclass(frozen=True)
class Change:
    """One part of an entry (`name` in Chinese) with the lines that went and came."""

    name: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


def difference(before: Entry, after: Entry) -> list[Change]:
    """Every part that differs; lines only moved to another place show as nothing removed or added."""
    old, new = dict(_parts(before)), dict(_parts(after))
    return [
        Change(
            name,
            tuple(line for line in old[name] if line not in new[name]),
            tuple(line for line in new[name] if line not in old[name]),
        )
        for name in old
        if old[name] != new[name]
    ]


def changed_parts(before: Entry | None, after: Entry) -> list[Change]:
    """As `difference`; everything is new where there was nothing."""
    if before is None:
        return [Change(name, (), tuple(lines)) for name, lines in _parts(after) if lines]
    return difference(before, after)


def _parts(entry: Entry) -> Iterator[tuple[str, list[str]]]:
    yield _NAMES["title"], [entry.title]
    yield _NAMES["short"], [entry.short]
    cases = []
    for case in entry.cases:
        state = f"（{'、'.join(case.state)}）" if case.state else ""
        cases += [f"{case.when}{state}", *(f"{case.when}：{step}" for step in case.steps)]
    yield _NAMES["cases"], cases
    yield _NAMES["neighbours"], [f"{near.topic}：{near.difference}" for near in entry.neighbours]
    operation = entry.operation
    yield (
        _NAMES["operation"],
        [" ".join(filter(None, (operation.kind, operation.goal, operation.action)))] if operation else [],
    )
    yield _NAMES["since"], [entry.since.isoformat()]
    for name in ("fails", "links", "probes", "sources", "keywords"):
        yield _NAMES[name], list(getattr(entry, name))
    voices: dict[str, list[str]] = {}
    for voice, _, text in entry.phrasings.items():
        voices.setdefault(voice, []).append(text)
    for voice in type(entry.phrasings).model_fields:
        yield f"问法（{VOICE_NAMES[voice]}）", voices.get(voice, [])
