"""One way of cutting texts into features: a linear classifier over them and inverted lists of the rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

# Features of a question that are looked up in lists; by cross-validation more find nothing more.
_TELLING = 24
# Positions read for a question, its rarest features first: bounds the time where there are very many rows. The
# present regions never come near it.
_LOOKED_UP = 50_000


@dataclass(frozen=True)
class Vector:
    """A question in a space: known features with tf-idf values (unit length), their share of all, their weight."""

    ids: NDArray[np.intp]
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
        counts: dict[int, int] = {}
        unknown, number_of = 0, self.vocabulary.get
        for feature in found:
            at = number_of(feature)
            if at is None:
                unknown += 1
            else:
                counts[at] = counts.get(at, 0) + 1
        if not counts:
            return Vector(np.empty(0, np.intp), np.empty(0, np.float32), 0.0, 0.0)
        ids = np.fromiter(counts, np.intp, len(counts))
        values = self.idf.take(ids)
        weight = float(self.telling.take(ids).sum())
        if len(counts) + unknown < len(found):
            values *= 1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))
        values /= math.sqrt(values @ values)
        return Vector(ids, values, len(counts) / (len(counts) + unknown), weight)

    def classify(self, vector: Vector) -> Floats:
        """The classifier's score of each class."""
        return vector.values @ self.weights.take(vector.ids, axis=0) + self.bias

    def cosines(self, vector: Vector, count: int) -> NDArray[np.float64]:
        """Cosine of the question with each of `count` rows: a row that says much else besides is less like it."""
        if vector.weight == 0:
            return np.zeros(count)
        return self._sum(*self._runs(vector), count)

    def similar(self, vector: Vector, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The cosines, and how much of the question each row holds, whatever else it says: a share of its weight.

        Features of very many rows have no list and no weight; a question of nothing else is held by every row.
        """
        if vector.weight == 0:
            return np.zeros(count), np.full(count, float(vector.share > 0))
        runs, rows, values, sizes = self._runs(vector)
        known = np.float32(vector.share / float(values @ (sizes > 0)))
        holds = np.bincount(rows, weights=np.repeat(values * known, sizes), minlength=count)
        return self._sum(runs, rows, values, sizes, count), holds.astype(np.float64, copy=False)

    def _runs(self, vector: Vector) -> tuple[list[slice], NDArray[np.intp], Floats, Ints]:
        """Where the lists of the most telling features stand, their rows, the features' values and the lists' lengths."""
        ids, values = vector.ids, vector.values
        sizes = self.sizes.take(ids)
        if len(ids) > _TELLING:
            most = np.argpartition(values * (sizes > 0), -_TELLING)[-_TELLING:]
            ids, values, sizes = ids.take(most), values.take(most), sizes.take(most)
        if sizes.sum() > _LOOKED_UP:
            rarest = np.argsort(sizes, kind="stable")
            most = rarest[: max(int(np.searchsorted(np.cumsum(sizes[rarest]), _LOOKED_UP)), 1)]
            ids, values, sizes = ids.take(most), values.take(most), sizes.take(most)
        starts = self.starts.take(ids)
        # Lists copied as wholes: several times faster than to look up each of their positions.
        runs = list(map(slice, starts.tolist(), (starts + sizes).tolist()))
        return runs, np.concatenate([self.rows[run] for run in runs], dtype=np.intp), values, sizes

    def _sum(
        self, runs: list[slice], rows: NDArray[np.intp], values: Floats, sizes: Ints, count: int
    ) -> NDArray[np.float64]:
        weights = np.repeat(values, sizes)
        weights *= np.concatenate([self.values[run] for run in runs])
        return np.bincount(rows, weights=weights, minlength=count).astype(np.float64, copy=False)
