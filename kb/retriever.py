"""What was meant: one question in, one `Finding` out – answer, clarify with choices, or unknown."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from kb.entries import Library
from kb.features import Analyzer, cache_folder
from kb.index import Row, open_index
from kb.loader import load_all
from kb.parameters import SIGNALS, load_parameters
from kb.scoring import Scorer, Scores, belonging
from kb.text import normalise, says

CONTENT = Path(__file__).parent / "content"
MAX_CANDIDATES = 5
MAX_CHOICES = 4
MIN_CHOICES = 2
_CHOICE_SHARE = 0.97  # choices are added until they hold this much of the topics' probability

Kind = Literal["answer", "clarify", "unknown"]


class Candidate(NamedTuple):
    """A topic that may be meant; `score` is its probability, 0 to 1."""

    topic: str
    sources: tuple[str, ...]
    score: float
    title: str


@dataclass(frozen=True)
class Explanation:
    """Why the first candidate is first: closest known text, signals, probability that nothing fits."""

    closest: str
    origin: str
    signals: Mapping[str, float]
    none: float
    heard: bool


@dataclass(frozen=True)
class Finding:
    """The decision. `sources` names the answered entry's inventory rows; empty unless `kind` is answer."""

    kind: Kind
    sources: tuple[str, ...]
    confidence: float
    candidates: tuple[Candidate, ...]
    choices: tuple[Candidate, ...]
    explanation: Explanation | None

    def to_json(self) -> dict[str, Any]:
        """The finding as the public contract writes it."""
        return {
            "kind": self.kind,
            "sources": list(self.sources),
            "confidence": round(self.confidence, 4),
            "candidates": [
                {"sources": list(one.sources), "score": round(one.score, 4), "title": one.title}
                for one in self.candidates
            ],
            "choices": [{"title": one.title, "sources": list(one.sources)} for one in self.choices],
        }


Told = tuple[Candidate, Row, list[tuple[str, float, float]]]
_NOTHING = Finding("unknown", (), 0.0, (), (), None)


class Retriever:
    """Finds topics of one region. Immutable and safe to share between threads."""

    def __init__(self, region: str, library: Library, scorer: Scorer) -> None:
        """Take what `open_retriever` put together."""
        self.region = region
        self._scorer = scorer
        entries = [library.entry(region, topic) for topic in scorer.index.topics]
        self._named = [(entry.id, entry.sources, entry.title) for entry in entries]

    def find(self, text: str, *, prior: Mapping[str, float] | None = None) -> Finding:
        """Decide what `text` asks. `prior` multiplies the odds of topics (1.0 changes nothing, 0 forbids)."""
        clean = normalise(text).clean
        return self._decide(self._scorer.score(clean, prior)) if says(clean) else _NOTHING

    def reasons(self, text: str) -> tuple[Finding, list[Told]]:
        """As `find`, with each candidate's closest row and what each signal said for it and counted."""
        clean = normalise(text).clean
        if not says(clean):
            return _NOTHING, []
        scores = self._scorer.score(clean)
        finding = self._decide(scores)
        parameters = self._scorer.parameters
        weights = (parameters.both if scores.heard else parameters.written).vector.tolist()
        told = []
        for at, one in zip(scores.order.tolist(), finding.candidates, strict=False):
            values = scores.evidence.signals[:, at].tolist()
            parts = [
                (name, value, value * weight)
                for name, value, weight in zip(SIGNALS, values, weights, strict=True)
            ]
            told.append((one, self._scorer.closest(scores.evidence, at), parts))
        return finding, told

    @property
    def answer_from(self) -> float:
        """Confidence from which a question is answered."""
        return self._scorer.decision.answer

    def _decide(self, scores: Scores) -> Finding:
        confidence = self._scorer.confidence(scores)
        kind = self._kind(confidence, belonging(scores))
        best = scores.order[:MAX_CANDIDATES]
        ranked = tuple(map(self._candidate, best.tolist(), scores.probabilities.take(best).tolist()))
        return Finding(
            kind=kind,
            sources=ranked[0].sources if kind == "answer" else (),
            confidence=confidence,
            candidates=ranked,
            choices=_choices(ranked) if kind == "clarify" else (),
            explanation=self._explain(scores),
        )

    def _kind(self, confidence: float, belongs: float) -> Kind:
        if confidence >= self._scorer.decision.answer:
            return "answer"
        return "clarify" if belongs > self._scorer.decision.clarify else "unknown"

    def _candidate(self, at: int, chance: float) -> Candidate:
        topic, sources, title = self._named[at]
        return Candidate(topic, sources, chance, title)

    def _explain(self, scores: Scores) -> Explanation:
        first = int(scores.order[0])
        row = self._scorer.closest(scores.evidence, first)
        return Explanation(
            closest=row.text,
            origin=row.origin,
            signals=dict(zip(SIGNALS, scores.evidence.signals[:, first].tolist(), strict=True)),
            none=float(scores.probabilities[-1]),
            heard=scores.heard,
        )


def open_library(content: Path | None = None) -> Library:
    """Read all entries (the project's own by default, and those once); DataError lists every mistake."""
    return load_all(content) if content else _own()


@cache
def _own() -> Library:
    return load_all(CONTENT)


def open_retriever(
    region: str, library: Library | None = None, *, cache_dir: Path | None = None
) -> Retriever:
    """A retriever for `region`; NotFoundError for a region without entries.

    The trained index is kept under `cache_dir` (default `kb` under CAIGOU_VAR): only the first start trains.
    """
    library = library or open_library()
    cache = cache_dir or cache_folder()
    parameters = load_parameters(library.content)
    analyzer = Analyzer(library.lexicon, library.synonyms, cache)
    index = open_index(region, library, analyzer, cache)
    return Retriever(region, library, Scorer(index, analyzer, parameters))


def _choices(ranked: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """As many as hold nearly all probability of the candidates, two to four."""
    total = sum(one.score for one in ranked) or 1.0
    held = 0.0
    chosen: list[Candidate] = []
    for one in ranked[:MAX_CHOICES]:
        if len(chosen) >= MIN_CHOICES and held / total >= _CHOICE_SHARE:
            break
        chosen.append(one)
        held += one.score
    return tuple(chosen)
