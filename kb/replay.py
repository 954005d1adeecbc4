"""What an edit does to the answers, before it is published.

Two sets are asked of the knowledge before and after: the evaluation questions of the region, and the region's own phrasings,
each of an index that was built without it (in folds: leaving out one at a time would train thousands of indexes).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.entries import Library
from kb.evaluation import Question
from kb.features import Analyzer
from kb.index import Row, build, rows_of
from kb.parameters import load_parameters
from kb.retriever import Finding, Retriever, open_retriever
from kb.scoring import Scorer
from kb.text import key

FOLDS = 3


@dataclass(frozen=True)
class Outcome:
    """How a question ended: its kind, and the topic that came first (None for nothing found)."""

    kind: str
    topic: str | None


@dataclass(frozen=True)
class Turned:
    """A question whose outcome changed. `better` is None where it is worth as much as before."""

    question: str
    expected: tuple[str, ...]
    before: Outcome
    after: Outcome
    better: bool | None


@dataclass(frozen=True)
class Replay:
    """All that changed, of how many asked."""

    asked: int
    turned: tuple[Turned, ...]


def replay(
    before: Library, after: Library, region: str, questions: Sequence[Question], cache: Path
) -> Replay:
    """Ask everything of both; phrasings that only one of them has are not asked.

    `before` is the knowledge that is published, whose index lies in `cache`; nothing else is kept there.
    """
    own = [one for one in questions if one.region == region]
    turned: list[Turned] = []
    old, new = open_retriever(region, before, cache_dir=cache), _without(after, region, None, cache)
    for one in own:
        turned += _turned(one.q, one.expect, old.find(one.q), new.find(one.q))
    asked = len(own)
    phrasings = _common_phrasings(before, after, region)
    for fold in range(FOLDS):
        old, new = (_without(library, region, fold, cache) for library in (before, after))
        for text, topic in phrasings:
            if _fold(text) == fold:
                asked += 1
                turned += _turned(text, (topic,), old.find(text), new.find(text))
    return Replay(asked, tuple(turned))


def _turned(text: str, expected: tuple[str, ...], before: Finding, after: Finding) -> Iterator[Turned]:
    one, other = _outcome(before), _outcome(after)
    if one == other:
        return
    was, now = _worth(before, expected), _worth(after, expected)
    yield Turned(text, expected, one, other, None if was == now else now > was)


def _outcome(finding: Finding) -> Outcome:
    topic = finding.candidates[0].topic if finding.candidates else None
    return Outcome(finding.kind, topic if finding.kind != "unknown" else None)


def _worth(finding: Finding, expected: tuple[str, ...]) -> int:
    """A right answer 3, a question back that holds it 2, knowing nothing 1, a wrong answer 0.

    Where nothing is expected, knowing nothing is the right answer.
    """
    if not expected:
        return {"unknown": 3, "clarify": 1, "answer": 0}[finding.kind]
    chosen = finding.candidates[:1] if finding.kind == "answer" else finding.choices
    right = any(set(one.sources) & set(expected) or one.topic in expected for one in chosen)
    if finding.kind == "answer":
        return 3 if right else 0
    return 2 if right else 1


def _common_phrasings(before: Library, after: Library, region: str) -> list[tuple[str, str]]:
    def of(library: Library) -> dict[str, str]:
        return {
            text: entry.id for entry in library.of_region(region) for _, _, text in entry.phrasings.items()
        }

    later = of(after)
    return [(text, topic) for text, topic in of(before).items() if later.get(text) == topic]


def _without(library: Library, region: str, fold: int | None, cache: Path) -> Retriever:
    """A retriever that has not seen the phrasings of a fold; None: that has seen all."""
    analyzer = Analyzer(library.lexicon, library.synonyms, cache)
    entries = library.of_region(region)
    rows: list[Row] = [
        row for row in rows_of(entries, library) if row.origin != "phrasing" or _fold(row.text) != fold
    ]
    index = build(region, [entry.id for entry in entries], rows, analyzer)
    return Retriever(region, library, Scorer(index, analyzer, load_parameters(library.content)))


def _fold(text: str) -> int:
    """By the text itself: a phrasing added or removed does not move the others."""
    return hashlib.sha256(key(text).encode()).digest()[0] % FOLDS
