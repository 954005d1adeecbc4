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
        if sizes.sum() > _LOOKED_UP:
            rarest = np.argsort(sizes, kind="stable")
            most = rarest[: max(int(np.searchsorted(np.cumsum(sizes[rarest]), _LOOKED_UP)), 1)]
            ids, values, sizes = ids[most], values[most], sizes[most]
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
