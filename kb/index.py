"""The immutable index of one region: built from its entries, kept on disk, asked without scikit-learn.

Rows are phrasings, titles, short answers, keywords, cases and steps; each belongs to a class: a topic, or the
last class, which holds the negatives. The cache is npz without pickles, named by a hash of content and
code.
"""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb import features, learning, space, text
from kb.entries import Entry, Library
from kb.features import Analyzer, readings, sounds
from kb.learning import Lessons, train
from kb.space import Ints, Space
from kb.text import clauses, compact, normalise

_WEIGHTS = {"title": 2.0, "phrasing": 1.0, "keywords": 1.0, "short": 1.0, "case": 1.0, "negative": 1.0}


@dataclass(frozen=True, slots=True)
class Row:
    """A text of the index: the class it speaks for, its weight in training, where it comes from."""

    topic: int
    text: str
    origin: str
    voice: str = ""


@dataclass(frozen=True)
class Index:
    """Everything needed to score a question for one region; `topics` are ids in class order."""

    region: str
    topics: tuple[str, ...]
    rows: tuple[Row, ...]
    firsts: Ints  # first row of each class; rows are sorted by class
    written: Space  # characters and synonym groups
    worded: Space  # words
    spoken: Space  # syllables
    readings: dict[str, str]


def rows_of(entries: Sequence[Entry], library: Library) -> list[Row]:
    """All rows of a region, sorted by class; the negatives are the last class."""
    found = []
    for topic, entry in enumerate(entries):
        found.append(Row(topic, entry.title, "title"))
        found.append(Row(topic, entry.short, "short"))
        if entry.keywords:
            found.append(Row(topic, " ".join(entry.keywords), "keywords"))
        for case in entry.cases:
            found.append(Row(topic, case.when, "case"))
            found.append(Row(topic, " ".join(case.steps), "case"))
        found += [Row(topic, phrase, "phrasing", voice) for voice, _, phrase in entry.phrasings.items()]
    found += [Row(len(entries), phrase, "negative", group) for group, phrase in library.negatives.items()]
    return found


def build(region: str, topics: Sequence[str], rows: Sequence[Row], analyzer: Analyzer) -> Index:
    """Train the spaces on `rows` (sorted by class)."""
    table = readings()
    clean = [normalise(row.text).clean for row in rows]
    labels = np.array([row.topic for row in rows], np.int32)
    weights = np.array([_WEIGHTS[row.origin] for row in rows], np.float32)
    lessons = Lessons(labels, weights, *_clauses(rows, clean))
    texts = [compact(text) for text in clean]
    return Index(
        region=region,
        topics=tuple(topics),
        rows=tuple(rows),
        firsts=_firsts(labels, len(topics) + 1),
        written=train(analyzer.features, texts, lessons, len(topics) + 1),
        worded=train(analyzer.words, texts, lessons, len(topics) + 1, listed=False),
        spoken=train(lambda part: sounds(part, table), texts, lessons, len(topics) + 1),
        readings=table,
    )


def open_index(region: str, library: Library, analyzer: Analyzer, cache: Path) -> Index:
    """The region's index from `cache`, or built and put there. A damaged cache file is built again."""
    entries = library.of_region(region)
    rows = rows_of(entries, library)
    topics = [entry.id for entry in entries]
    file = cache / f"{region}-{_fingerprint(library.digest_of(region))}.npz"
    try:
        return _load(file, region, topics, rows)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        index = build(region, topics, rows, analyzer)
    _save(file, index)
    return index


def _firsts(labels: Ints, classes: int) -> Ints:
    return np.searchsorted(labels, np.arange(classes)).astype(np.int32)


def _clauses(rows: Sequence[Row], clean: Sequence[str]) -> tuple[list[str], Ints]:
    """Clauses of the phrasings that have several, with their classes: learnt from, but no rows of their own.

    A story says its topic in every other clause; a question may be any one of them.
    """
    found = [
        (part, row.topic)
        for row, text in zip(rows, clean, strict=True)
        if row.origin == "phrasing"
        for part in clauses(text)
        if part != text
    ]
    return [compact(part) for part, _ in found], np.array([topic for _, topic in found], np.int32)


def _fingerprint(digest: str) -> str:
    """Changes with the content and with the code that reads it."""
    total = hashlib.sha256(digest.encode())
    for module in (__file__, features.__file__, learning.__file__, space.__file__, text.__file__):
        total.update(Path(module).read_bytes())
    return total.hexdigest()[:16]


_SPACES = ("written", "worded", "spoken")
_ARRAYS = ("idf", "weights", "bias", "starts", "lists")


def _save(file: Path, index: Index) -> None:
    """Write beside and rename, so that a reader never sees half a file; drop the region's older ones."""
    data: dict[str, Any] = {"firsts": index.firsts}
    for name in _SPACES:
        own: Space = getattr(index, name)
        words = sorted(own.vocabulary, key=own.vocabulary.__getitem__)
        data[f"{name}.vocabulary"] = _pack(words)
        data |= {f"{name}.{array}": getattr(own, array) for array in _ARRAYS}
    data["readings"] = _pack(index.readings)
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
        np.savez(part, **data)
    Path(part.name).replace(file)
    for old in file.parent.glob(f"{index.region}-*.npz"):
        if old != file:
            old.unlink(missing_ok=True)


def _load(file: Path, region: str, topics: Sequence[str], rows: Sequence[Row]) -> Index:
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as data:
        spaces = {}
        for name in _SPACES:
            words = _unpack(data[f"{name}.vocabulary"])
            arrays = {array: data[f"{name}.{array}"] for array in _ARRAYS}
            spaces[name] = Space(vocabulary={word: at for at, word in enumerate(words)}, **arrays)
        return Index(
            region=region,
            topics=tuple(topics),
            rows=tuple(rows),
            firsts=data["firsts"],
            readings=_unpack(data["readings"]),
            **spaces,
        )


def _pack(value: object) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(value, ensure_ascii=False).encode(), np.uint8)


def _unpack(array: NDArray[np.uint8]) -> Any:
    return json.loads(array.tobytes())
