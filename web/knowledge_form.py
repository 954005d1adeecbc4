"""The form of an entry: texts with a line for each thing, read into an entry and shown from one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from kb.checks import MAX_SHORT, MAX_TITLE
from kb.entries import VOICES, Case, Entry, Neighbour, Phrasings
from web import numbers

_MOST_CASES = 20
_LISTS = ("fails", "links", "keywords")


@dataclass
class CaseFields:
    """One case as typed; `was` is its place among the cases of the entry that the form was filled from."""

    when: str = ""
    steps: str = ""
    was: str = ""


@dataclass
class Fields:
    """What stands in the form, and what is wrong with it by the name of the field."""

    title: str = ""
    short: str = ""
    cases: list[CaseFields] = field(default_factory=list)
    lists: dict[str, str] = field(default_factory=dict)
    neighbours: str = ""
    phrasings: dict[str, str] = field(default_factory=dict)
    since: str = ""
    effective_from: str = ""
    effective_until: str = ""
    note: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Filled:
    """A form without mistakes."""

    entry: Entry
    note: str
    effective_from: date | None
    effective_until: date | None


def shown(entry: Entry) -> Fields:
    """The form of an entry, with an empty case at the end."""
    cases = [CaseFields(one.when, "\n".join(one.steps), str(at)) for at, one in enumerate(entry.cases)]
    return Fields(
        title=entry.title,
        short=entry.short,
        cases=[*cases, CaseFields()],
        lists={name: "\n".join(getattr(entry, name)) for name in _LISTS},
        neighbours="\n".join(f"{one.topic}：{one.difference}" for one in entry.neighbours),
        phrasings={voice: "\n".join(getattr(entry.phrasings, voice)) for voice in VOICES},
        since=entry.since.isoformat(),
    )


def typed(form: MultiDict[str, str]) -> Fields:
    """The form as it was sent."""
    columns = [form.getlist(name) for name in ("when", "steps", "was")]
    cases = [CaseFields(*one) for one in zip(*columns, strict=False)][:_MOST_CASES]
    return Fields(
        title=_plain(form, "title"),
        short=_plain(form, "short"),
        since=_plain(form, "since"),
        effective_from=_plain(form, "effective_from"),
        effective_until=_plain(form, "effective_until"),
        note=_plain(form, "note"),
        cases=cases,
        lists={name: _plain(form, name) for name in _LISTS},
        neighbours=_plain(form, "neighbours"),
        phrasings={voice: _plain(form, f"phrasings-{voice}") for voice in VOICES},
    )


def read(fields: Fields, known: Entry) -> Filled | None:
    """The entry; None with the mistakes in `fields.errors`. What the form does not hold stays as `known` has it."""
    errors = fields.errors
    _limited(errors, "title", fields.title, MAX_TITLE, "标题")
    _limited(errors, "short", fields.short, MAX_SHORT, "简答")
    cases = _cases(fields, known)
    if not cases:
        errors["steps"] = "至少写一种情形和它的步骤，一行一步"
    neighbours = _neighbours(fields)
    days = {name: _day(errors, name, getattr(fields, name)) for name in ("effective_from", "effective_until")}
    since = _day(errors, "since", fields.since)
    if since is None:
        errors.setdefault("since", "请选依据的日期")
    first, last = days["effective_from"], days["effective_until"]
    if first and last and first > last:
        errors["effective_until"] = "失效日期不能早于生效日期"
    if errors:
        return None
    values: dict[str, Any] = {
        "title": fields.title,
        "short": fields.short,
        "cases": tuple(cases),
        "neighbours": tuple(neighbours),
        "phrasings": Phrasings(**{voice: _lines(text) for voice, text in fields.phrasings.items()}),
        "since": since,
        **{name: _lines(text) for name, text in fields.lists.items()},
    }
    return Filled(known.model_copy(update=values), fields.note, first, last)


def _plain(form: MultiDict[str, str], name: str) -> str:
    return form.get(name, "").replace("\r\n", "\n").strip()


def _lines(text: str) -> tuple[str, ...]:
    """A thing a line, none twice."""
    return tuple(dict.fromkeys(line for raw in text.splitlines() if (line := raw.strip())))


def _limited(errors: dict[str, str], name: str, text: str, most: int, label: str) -> None:
    if not text:
        errors[name] = f"请写{label}"
    elif len(text) > most:
        errors[name] = f"{label}有 {len(text)} 字，最多 {most} 字"


def _cases(fields: Fields, known: Entry) -> Sequence[Case]:
    found = []
    for one in fields.cases:
        steps = tuple(line for raw in one.steps.splitlines() if (line := raw.strip()))
        when = one.when.strip()
        if not steps and not when:
            continue
        if not steps or not when:
            fields.errors["steps"] = "每种情形都要写“什么时候”和步骤"
            continue
        at = numbers.read(one.was)
        # at which nodes a case holds belongs to the process, not to the text: it stays with the case
        state = known.cases[at].state if at is not None and 0 <= at < len(known.cases) else ()
        found.append(Case(when=when, state=state, steps=steps))
    return found


def _neighbours(fields: Fields) -> Iterable[Neighbour]:
    found = []
    for line in _lines(fields.neighbours):
        topic, mark, difference = line.replace(":", "：", 1).partition("：")
        if not mark or not topic.strip() or not difference.strip():
            fields.errors["neighbours"] = f"“{line[:30]}”要写成“编号：区别”"
        else:
            found.append(Neighbour(topic=topic.strip(), difference=difference.strip()))
    return found


def _day(errors: dict[str, str], name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        errors[name] = "日期要写成 2026-12-31 这样"
        return None
