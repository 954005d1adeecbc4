"""The immutable index of one region: built from its entries, kept on disk, asked without scikit-learn.

Rows are phrasings, titles, short answers, keywords, cases and steps; each belongs to a class: a topic, or the
last class, which holds the negatives. A `Space` is one way of cutting texts into features, with a linear
classifier and inverted lists over the rows. The cache is npz without pickles, named by a hash of content and
code.
"""

import hashlib
import json
import math
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb import features, text
from kb.entries import Entry, Library
from kb.features import Analyzer, readings, sounds
from kb.text import clauses, normalise

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Cut = Callable[[str], list[str]]

_COST = 1.0  # by cross-validation, as the kinds of features are
_COMMON = 0.1  # share of the rows from which a feature no longer counts for likeness
_TELLING = (
    24  # features of a question that are looked up in lists; by cross-validation more find nothing more
)
_MIN_ROWS = 2  # a feature of a single row explains only that row
_CLAUSE_WEIGHT = 0.3  # of a clause of a phrasing in training; by cross-validation
_WEIGHTS = {"title": 2.0, "phrasing": 1.0, "keywords": 1.0, "short": 1.0, "case": 1.0, "negative": 1.0}


@dataclass(frozen=True)
class Row:
    """A text of the index: the class it speaks for, its weight in training, where it comes from."""

    topic: int
    text: str
    origin: str
    voice: str = ""


@dataclass(frozen=True)
class Vector:
    """A question in a space: known features with tf-idf values (unit length), their share of all, their weight."""

    ids: Ints
    values: Floats
    share: float
    weight: float  # sum of the idf of what tells rows apart: how much the question says at all


@dataclass(frozen=True)
class Space:
    """Features, classifier `weights` (feature × class), and in `starts`, `rows`, `values` each feature's rows."""

    vocabulary: dict[str, int]
    idf: Floats
    weights: Floats
    bias: Floats
    starts: Ints
    rows: Ints
    values: Floats

    @cached_property
    def sizes(self) -> Ints:
        """Length of each feature's list."""
        return np.diff(self.starts)

    @cached_property
    def telling(self) -> Floats:
        """The idf of features that have a list, zero of the others."""
        return np.where(self.sizes > 0, self.idf, np.float32(0))

    def vector(self, found: Sequence[str]) -> Vector:
        """Weigh the features of a question; `share` is how many of them are known."""
        known = [at for at in map(self.vocabulary.get, found) if at is not None]
        if not known:
            return Vector(np.empty(0, np.int32), np.empty(0, np.float32), 0.0, 0.0)
        counts: dict[int, int] = {}
        for at in known:
            counts[at] = counts.get(at, 0) + 1
        ids = np.fromiter(counts, np.int32, len(counts))
        values = self.idf[ids]
        weight = float(self.telling[ids].sum())
        if len(counts) < len(known):
            values *= 1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))
        values /= math.sqrt(values @ values)
        return Vector(ids, values, len(counts) / (len(counts) + len(found) - len(known)), weight)

    def classify(self, vector: Vector) -> Floats:
        """The classifier's score of each class."""
        return vector.values @ self.weights[vector.ids] + self.bias

    def similar(self, vector: Vector, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cosine of the question with each of `count` rows, and how much of the question each row holds.

        The cosine punishes long rows; the second is the share of the question's weight, whatever else the row says.
        Features of very many rows have no list and no weight; a question of nothing else is held by every row.
        """
        if vector.weight == 0:
            return np.zeros(count), np.full(count, float(vector.share > 0))
        ids, values = vector.ids, vector.values
        if len(ids) > _TELLING:
            most = np.argpartition(values * (self.sizes[ids] > 0), -_TELLING)[-_TELLING:]
            ids, values = ids[most], values[most]
        sizes = self.sizes[ids]
        # One flat list of positions for all the features' runs, without a Python loop.
        positions = np.repeat(self.starts[ids] + sizes - np.cumsum(sizes), sizes)
        positions += np.arange(len(positions))
        rows = self.rows.take(positions)
        weights = np.repeat(values, sizes)
        known = vector.share / float(values @ (sizes > 0))
        holds = known * np.bincount(rows, weights=weights, minlength=count)
        weights *= self.values.take(positions)
        cosines = np.bincount(rows, weights=weights, minlength=count)
        return cosines.astype(np.float64, copy=False), holds.astype(np.float64, copy=False)


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


@dataclass(frozen=True)
class Lessons:
    """What a classifier learns from: the rows' classes and weights, and clauses of them with theirs."""

    labels: Ints
    weights: Floats
    clauses: list[str]
    clause_labels: Ints


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
    return Index(
        region=region,
        topics=tuple(topics),
        rows=tuple(rows),
        firsts=_firsts(labels, len(topics) + 1),
        written=_train(analyzer.features, clean, lessons, len(topics) + 1),
        worded=_train(analyzer.words, clean, lessons, len(topics) + 1),
        spoken=_train(lambda part: sounds(part, table), clean, lessons, len(topics) + 1),
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
    return [part for part, _ in found], np.array([topic for _, topic in found], np.int32)


def _train(cut: Cut, clean: Sequence[str], lessons: Lessons, classes: int) -> Space:
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    labels = lessons.labels
    vectorizer = TfidfVectorizer(analyzer=cut, min_df=_MIN_ROWS, sublinear_tf=True, dtype=np.float32)
    matrix = vectorizer.fit_transform(clean)
    taught, weights = matrix, lessons.weights
    if lessons.clauses:
        taught = sparse.vstack([matrix, vectorizer.transform(lessons.clauses)])
        weights = np.append(weights, np.full(len(lessons.clauses), _CLAUSE_WEIGHT, np.float32))
    model = LinearSVC(C=_COST, random_state=0)
    model.fit(taught, np.append(labels, lessons.clause_labels), sample_weight=weights)
    columns = sparse.csc_matrix(matrix)
    # Words of every other phrasing tell rows apart hardly at all, and their lists are the longest.
    common = np.diff(columns.indptr) > _COMMON * len(labels)
    columns = sparse.csc_matrix(columns @ sparse.diags_array((~common).astype(np.float32)))
    columns.eliminate_zeros()
    # A class without rows (no negatives) and the single column of two classes both end as one column a class.
    coefficients = np.zeros((classes, matrix.shape[1]), np.float32)
    intercepts = np.full(classes, -1.0, np.float32)
    two = len(model.classes_) == 2  # noqa: PLR2004
    coefficients[model.classes_] = np.vstack([-model.coef_, model.coef_]) if two else model.coef_
    intercepts[model.classes_] = np.hstack([-model.intercept_, model.intercept_]) if two else model.intercept_
    return Space(
        vocabulary={str(feature): int(at) for feature, at in vectorizer.vocabulary_.items()},
        idf=vectorizer.idf_.astype(np.float32),
        weights=np.ascontiguousarray(coefficients.T),
        bias=intercepts,
        starts=columns.indptr.astype(np.int32),
        rows=columns.indices.astype(np.int32),
        values=columns.data.astype(np.float32),
    )


def _fingerprint(digest: str) -> str:
    """Changes with the content and with the code that reads it."""
    total = hashlib.sha256(digest.encode())
    for module in (__file__, features.__file__, text.__file__):
        total.update(Path(module).read_bytes())
    return total.hexdigest()[:16]


_SPACES = ("written", "worded", "spoken")
_ARRAYS = ("idf", "weights", "bias", "starts", "rows", "values")


def _save(file: Path, index: Index) -> None:
    """Write beside and rename, so that a reader never sees half a file; drop the region's older ones."""
    data: dict[str, Any] = {"firsts": index.firsts}
    for name in _SPACES:
        space: Space = getattr(index, name)
        words = sorted(space.vocabulary, key=space.vocabulary.__getitem__)
        data[f"{name}.vocabulary"] = _pack(words)
        data |= {f"{name}.{array}": getattr(space, array) for array in _ARRAYS}
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
