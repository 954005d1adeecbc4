"""Entries as data: one YAML file a topic, read strictly, all mistakes reported at once.

`load_all` reads `<content>/<region>/<topic>.yaml` with the shared files beside the regions (negatives,
synonyms, lexicon) and returns an immutable `Library`.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from core.adapters.yaml_reader import Located, read_model
from core.domain.errors import DataError, NotFoundError
from kb.text import key

THRESHOLDS = "thresholds.yaml"  # written by `python -m kb fit` from the rest
VOICES = ("short", "story", "error", "spoken", "dialect", "mixed", "role")
MIN_PHRASINGS = 20
MAX_TITLE = 24
MAX_SHORT = 120
MAX_SENTENCES = 2

_M = TypeVar("_M", bound=BaseModel)
_SENTENCE = re.compile(r"[^。！？!?]+[。！？!?]*")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Case(_Frozen):
    """One case of an answer: when it holds, at which process nodes (`state`), and its steps."""

    when: str
    state: tuple[str, ...] = ()
    steps: tuple[str, ...] = Field(min_length=1)


class Neighbour(_Frozen):
    """A topic this one is mistaken for, and the difference."""

    topic: str
    difference: str


class Operation(_Frozen):
    """What the core can carry out for this topic: a kind with exactly one of `goal` and `action`."""

    kind: str
    goal: str | None = None
    action: str | None = None


class Phrasings(_Frozen):
    """How people ask, by voice."""

    short: tuple[str, ...] = ()
    story: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()
    dialect: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()
    role: tuple[str, ...] = ()

    def items(self) -> Iterator[tuple[str, int, str]]:
        """Every phrasing as (voice, position, text)."""
        for voice in VOICES:
            for position, text in enumerate(getattr(self, voice)):
                yield voice, position, text


class Entry(_Frozen):
    """One topic of one region, as its YAML file says it."""

    id: str
    region: str
    title: str
    short: str
    cases: tuple[Case, ...] = Field(min_length=1)
    fails: tuple[str, ...] = ()
    neighbours: tuple[Neighbour, ...] = Field(default=(), alias="not")
    links: tuple[str, ...] = ()
    operation: Operation | None = None
    probes: tuple[str, ...] = ()
    sources: tuple[str, ...] = Field(min_length=1)
    since: date
    keywords: tuple[str, ...] = ()
    phrasings: Phrasings


class Negatives(_Frozen):
    """Questions no entry answers: about the same trade (near), about anything (far), hostile or senseless."""

    near: tuple[str, ...] = ()
    far: tuple[str, ...] = ()
    adversarial: tuple[str, ...] = ()

    def items(self) -> Iterator[tuple[Literal["near", "far", "adversarial"], str]]:
        """Every negative with its group."""
        for text in self.near:
            yield "near", text
        for text in self.far:
            yield "far", text
        for text in self.adversarial:
            yield "adversarial", text


class Synonyms(_Frozen):
    """Groups of words that mean the same to an asker."""

    groups: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Library:
    """Everything under a content folder; `digest` changes with every byte of it but the thresholds."""

    content: Path
    entries: Mapping[tuple[str, str], Entry]
    negatives: Negatives
    synonyms: tuple[tuple[str, ...], ...]
    lexicon: tuple[str, ...]
    digest: str

    def entry(self, region: str, topic: str) -> Entry:
        """The entry of `topic` in `region`; NotFoundError where there is none."""
        try:
            return self.entries[region, topic]
        except KeyError:
            raise NotFoundError(f"知识库的“{region}”里没有“{topic}”这个主题。") from None

    def of_region(self, region: str) -> tuple[Entry, ...]:
        """The region's entries in order of their ids; NotFoundError for a region without entries."""
        found = tuple(entry for entry in self.entries.values() if entry.region == region)
        if not found:
            known = "、".join(self.regions) or "（无）"
            raise NotFoundError(f"知识库里没有地区“{region}”，已有：{known}。")
        return found

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions that have entries."""
        return tuple(sorted({region for region, _ in self.entries}))


def load_all(
    content: Path,
    *,
    nodes: Mapping[str, Collection[str]] | None = None,
    probes: Collection[str] | None = None,
) -> Library:
    """Read all content; raise one DataError listing every mistake as `file:line: 说明`.

    `nodes` (process kind → node ids) and `probes` (names) come from those who know them; without them the
    entries' `state` and `probes` are not judged.
    """
    problems: list[str] = []
    read = _read_entries(content, problems)
    files = [located for _, located in read]
    negatives, located = _read_optional(content / "negatives.yaml", Negatives, problems)
    synonyms, _ = _read_optional(content / "synonyms.yaml", Synonyms, problems)
    lexicon = _read_lexicon(content / "lexicon.txt", problems)
    for entry, where in read:
        problems += _own_problems(entry, where)
        problems += _outside_problems(entry, where, nodes, probes)
    problems += _id_problems(read)
    problems += _link_problems(read)
    problems += _phrasing_problems(read, negatives, located)
    if not files and not problems:
        problems.append(f"{content}:1: 没有找到任何知识条目（<地区>/<主题>.yaml）")
    if problems:
        raise DataError(problems)
    return Library(
        content=content,
        entries=MappingProxyType({(entry.region, entry.id): entry for entry, _ in read}),
        negatives=negatives,
        synonyms=synonyms.groups,
        lexicon=lexicon,
        digest=_digest(content),
    )


_Read = list[tuple[Entry, Located]]


def _read_entries(content: Path, problems: list[str]) -> _Read:
    read: _Read = []
    for file in sorted(content.glob("*/*.yaml")):
        try:
            read.append(read_model(file, Entry))
        except DataError as error:
            problems += error.problems
    return read


def _read_optional(file: Path, model: type[_M], problems: list[str]) -> tuple[_M, Located]:
    """An absent or broken file counts as an empty one; its mistakes are already noted."""
    nothing = model(), Located(file, None, {})
    if not file.is_file():
        return nothing
    try:
        return read_model(file, model)
    except DataError as error:
        problems += error.problems
        return nothing


def _read_lexicon(file: Path, problems: list[str]) -> tuple[str, ...]:
    """Words of the field, one a line, with an optional frequency; `#` starts a comment."""
    if not file.is_file():
        return ()
    words = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        parts = line.split("#", 1)[0].split()
        if not parts:
            continue
        if len(parts) > 1 and not parts[1].isdigit():
            problems.append(f"{file}:{number}: 词典一行应为“词 [词频]”，词里不能有空格")
            continue
        words.append(parts[0])
    return tuple(dict.fromkeys(words))


def _own_problems(entry: Entry, where: Located) -> list[str]:
    """What one entry can be told without looking at others."""
    problems = []
    if entry.id != where.file.stem:
        problems.append(where.problem(("id",), f"id“{entry.id}”与文件名“{where.file.stem}”不一致"))
    if entry.region != where.file.parent.name:
        sentence = f"region“{entry.region}”与文件夹“{where.file.parent.name}”不一致"
        problems.append(where.problem(("region",), sentence))
    if len(entry.title) > MAX_TITLE:
        problems.append(where.problem(("title",), f"title 有 {len(entry.title)} 字，最多 {MAX_TITLE} 字"))
    if len(entry.short) > MAX_SHORT:
        problems.append(where.problem(("short",), f"short 有 {len(entry.short)} 字，最多 {MAX_SHORT} 字"))
    sentences = len(_SENTENCE.findall(entry.short))
    if sentences > MAX_SENTENCES:
        problems.append(where.problem(("short",), f"short 有 {sentences} 句，最多 {MAX_SENTENCES} 句"))
    count = sum(1 for _ in entry.phrasings.items())
    if count < MIN_PHRASINGS:
        problems.append(where.problem(("phrasings",), f"只有 {count} 种问法，至少要 {MIN_PHRASINGS} 种"))
    operation = entry.operation
    if operation and (operation.goal is None) == (operation.action is None):
        problems.append(where.problem(("operation",), "operation 必须写 goal 或 action 其中一个，且只写一个"))
    return problems


def _outside_problems(
    entry: Entry,
    where: Located,
    nodes: Mapping[str, Collection[str]] | None,
    probes: Collection[str] | None,
) -> list[str]:
    """Names that others define: process nodes and probes."""
    problems = []
    if nodes is not None:
        # Kinds without a process (an account, a certificate) name their states after any kind's nodes.
        kind = entry.operation.kind if entry.operation else ""
        everything = {node for names in nodes.values() for node in names}
        known = set(nodes.get(kind, everything))
        for number, case in enumerate(entry.cases):
            problems += [
                where.problem(("cases", number, "state", at), f"流程里没有节点“{node}”")
                for at, node in enumerate(case.state)
                if node not in known
            ]
    if probes is not None:
        problems += [
            where.problem(("probes", at), f"没有名为“{probe}”的检测项")
            for at, probe in enumerate(entry.probes)
            if probe not in probes
        ]
    return problems


def _id_problems(read: _Read) -> list[str]:
    first: dict[str, Located] = {}
    problems = []
    for entry, where in read:
        other = first.setdefault(entry.id, where)
        if other is not where:
            sentence = f"id“{entry.id}”已在 {other.file}:{other.line(('id',))} 用过"
            problems.append(where.problem(("id",), sentence))
    return problems


def _link_problems(read: _Read) -> list[str]:
    """Links stay inside a region: a clerk there has no use for another region's menus."""
    known = {(entry.region, entry.id) for entry, _ in read}
    problems = []
    for entry, where in read:
        targets: list[tuple[tuple[str | int, ...], str]] = [
            (("links", at), link) for at, link in enumerate(entry.links)
        ]
        targets += [(("not", at, "topic"), near.topic) for at, near in enumerate(entry.neighbours)]
        for path, target in targets:
            if target == entry.id:
                problems.append(where.problem(path, f"“{target}”指向了自己"))
            elif (entry.region, target) not in known:
                problems.append(where.problem(path, f"链接“{target}”没有对应的条目"))
    return problems


def _phrasing_problems(read: _Read, negatives: Negatives, negatives_at: Located) -> list[str]:
    """The same words under two topics, twice under one, or both asked and refused."""
    problems = []
    seen: dict[tuple[str, str], str] = {}
    asked: dict[str, str] = {}
    for entry, where in read:
        for voice, position, text in entry.phrasings.items():
            path = ("phrasings", voice, position)
            same = key(text)
            if not same:
                problems.append(where.problem(path, "问法是空的"))
                continue
            place = f"{where.file}:{where.line(path)}"
            other = seen.setdefault((entry.region, same), place)
            asked.setdefault(same, place)
            if other != place:
                problems.append(f"{place}: 问法“{text}”已在 {other} 出现过")
    positions: dict[str, int] = {}
    for group, text in negatives.items():
        position = positions[group] = positions.get(group, -1) + 1
        if key(text) in asked:
            sentence = f"反例“{text}”同时是 {asked[key(text)]} 的问法"
            problems.append(negatives_at.problem((group, position), sentence))
    return problems


def _digest(content: Path) -> str:
    total = hashlib.sha256()
    files = [*content.glob("*.yaml"), *content.glob("*.txt"), *content.glob("*/*.yaml")]
    for file in sorted(file for file in files if file.name != THRESHOLDS):
        total.update(str(file.relative_to(content)).encode())
        total.update(b"\0")
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
