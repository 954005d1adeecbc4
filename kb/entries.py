"""Entries and the immutable library of them; `kb.loader` reads them from files, `kb.store` from the database."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.domain.errors import NotFoundError

VOICE_NAMES = {
    "short": "简短",
    "story": "长叙述",
    "error": "报错原文",
    "spoken": "口语",
    "dialect": "方言",
    "mixed": "夹英文或繁体",
    "role": "审核和负责人",
}
VOICES = tuple(VOICE_NAMES)


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
    """Everything the assistant may know; `content` is the folder of the thresholds."""

    content: Path
    entries: Mapping[tuple[str, str], Entry]
    negatives: Negatives
    synonyms: tuple[tuple[str, ...], ...]
    lexicon: tuple[str, ...]

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

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Regions that have entries."""
        return tuple(sorted({region for region, _ in self.entries}))

    @cached_property
    def digest(self) -> str:
        """Changes with all content but the thresholds."""
        return hashlib.sha256("".join(self.digest_of(region) for region in self.regions).encode()).hexdigest()

    def digest_of(self, region: str) -> str:
        """Changes with what a region's index is built from."""
        total = hashlib.sha256(self.negatives.model_dump_json().encode())
        total.update(repr((self.synonyms, self.lexicon)).encode())
        for entry in self.of_region(region):
            total.update(body(entry).encode())
        return total.hexdigest()

    def with_entries(self, entries: Iterable[Entry]) -> "Library":
        """The same shared files with other entries."""
        return replace(self, entries=mapped(entries))


def mapped(entries: Iterable[Entry]) -> Mapping[tuple[str, str], Entry]:
    """Entries by region and id, in that order."""
    ordered = sorted(entries, key=lambda entry: (entry.region, entry.id))
    return MappingProxyType({(entry.region, entry.id): entry for entry in ordered})


def body(entry: Entry) -> str:
    """An entry as JSON with its keys as files write them: the same text for the same content."""
    return entry.model_dump_json(by_alias=True)
