"""One way of cutting texts into features: a linear classifier over them and inverted lists of the rows."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

# Features of a question that are looked up in lists; by cross-validation more find nothing more.
_TELLING = 24
# Positions read for a question, its rarest features first: bounds the time where there are very many rows. The
# present regions never come near it.
_LOOKED_UP = 50_000
# What a feature counts for that occurs so many times; more than any question has change nothing.
_OFTEN = np.append(np.float32(0), 1 + np.log(np.arange(1, 4096, dtype=np.float32)))


class Vector(NamedTuple):
    """A question in a space: known features with tf-idf values (unit length), their share of all, their weight."""

    ids: NDArray[np.intp]
    values: Floats
    share: float
    weight: float  # sum of the idf of what tells rows apart: how much the question says at all


@dataclass(frozen=True)
class Space:
    """Features, classifier `weights` (feature × class), and from `starts` on in `lists` each feature's rows.

    `lists` is position × 2: the number of a row, and the feature's value there as the bits of a float32, so that
    both are fetched at once.
    """

    vocabulary: dict[str, int]
    idf: Floats
    weights: Floats
    bias: Floats
    starts: Ints
    lists: Ints

    @property
    def rows(self) -> Ints:
        """The rows in all lists."""
        return self.lists[:, 0]

    @property
    def values(self) -> Floats:
        """The values beside them."""
        return self.lists.view(np.float32)[:, 1]

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
        counts = Counter(map(self.vocabulary.get, found))
        unknown = counts.pop(None, 0)
        if not counts:
            return Vector(np.empty(0, np.intp), np.empty(0, np.float32), 0.0, 0.0)
        ids = np.fromiter(counts, np.intp, len(counts))
        values = self.idf.take(ids)
        weight = float(np.add.reduce(self.telling.take(ids)))
        if len(counts) + unknown < len(found):
            values *= _OFTEN.take(np.fromiter(counts.values(), np.intp, len(counts)), mode="clip")
        values /= math.sqrt(values.dot(values))
        return Vector(ids, values, len(counts) / (len(counts) + unknown), weight)

    def classify(self, vector: Vector) -> Floats:
        """The classifier's score of each class."""
        scores: Floats = vector.values.dot(self.weights.take(vector.ids, axis=0))
        scores += self.bias
        return scores

    def cosines(self, vector: Vector, count: int) -> NDArray[np.float64]:
        """Cosine of the question with each of `count` rows: a row that says much else besides is less like it."""
        if vector.weight == 0:
            return np.zeros(count)
        values, sizes, rows, found = self._looked_up(vector)
        weights = np.repeat(values, sizes)
        weights *= found
        return _sums(rows, weights, count)

    def similar(self, vector: Vector, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The cosines, and how much of the question each row holds, whatever else it says: a share of its weight.

        Features of very many rows have no list and no weight; a question of nothing else is held by every row.
        """
        if vector.weight == 0:
            return np.zeros(count), np.full(count, float(vector.share > 0))
        values, sizes, rows, found = self._looked_up(vector)
        weights = np.repeat(values, sizes)
        holds = _sums(rows, weights, count)
        holds *= vector.share / float(values.dot(sizes > 0))
        weights *= found
        return _sums(rows, weights, count), holds

    def _looked_up(self, vector: Vector) -> tuple[Floats, Ints, NDArray[np.intp], Floats]:
        """The most telling features' values and lengths of their lists; the lists one after another, rows and values."""
        ids, values = vector.ids, vector.values
        sizes = self.sizes.take(ids)
        if len(ids) > _TELLING:
            most = (values * (sizes > 0)).argpartition(-_TELLING)[-_TELLING:]
            ids, values, sizes = ids.take(most), values.take(most), sizes.take(most)
        if np.add.reduce(sizes) > _LOOKED_UP:
            rarest = np.argsort(sizes, kind="stable")
            most = rarest[: max(int(np.searchsorted(np.cumsum(sizes[rarest]), _LOOKED_UP)), 1)]
            ids, values, sizes = ids.take(most), values.take(most), sizes.take(most)
        starts, lists = self.starts.take(ids), self.lists
        # Lists copied as wholes: several times faster than to look up each of their positions.
        ends = (starts + sizes).tolist()
        runs = [lists[start:end] for start, end in zip(starts.tolist(), ends, strict=True)]
        found = np.concatenate(runs)
        return values, sizes, found[:, 0].astype(np.intp), found.view(np.float32)[:, 1]


def _sums(rows: NDArray[np.intp], weights: Floats, count: int) -> NDArray[np.float64]:
    sums: NDArray[np.float64] = np.bincount(rows, weights, count)  # type: ignore[assignment]
    return sums
