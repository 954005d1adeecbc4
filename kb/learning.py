"""Trains a space. The only part of retrieval that needs scikit-learn, and only when an index is built."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.space import Floats, Ints, Space

Cut = Callable[[str], list[str]]

LEARNT = 30_000  # rows and clauses a classifier learns from at most; the largest region has half of that
_COST = 1.0  # by cross-validation, as the kinds of features are
_COMMON = 0.1  # share of the rows from which a feature no longer counts for likeness
_MIN_ROWS = 2  # a feature of a single row explains only that row
_CLAUSE_WEIGHT = 0.3  # of a clause of a phrasing in training; by cross-validation


@dataclass(frozen=True)
class Lessons:
    """What a classifier learns from: the rows' classes and weights, and clauses of them with theirs."""

    labels: Ints
    weights: Floats
    clauses: list[str]
    clause_labels: Ints


def train(cut: Cut, texts: Sequence[str], lessons: Lessons, classes: int, *, listed: bool = True) -> Space:
    """Learn a space from the rows' compact texts; without `listed` it only classifies.

    The classifier learns from at most LEARNT rows, drawn evenly: its figures hardly move from there on. A space
    that only classifies reads no others.
    """
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    labels = np.append(lessons.labels, lessons.clause_labels)
    weights = np.append(lessons.weights, np.full(len(lessons.clauses), _CLAUSE_WEIGHT, np.float32))
    some = _drawn(len(labels))
    rows, clauses = some[some < len(texts)], some[some >= len(texts)] - len(texts)
    if not listed:
        texts, rows = [texts[row] for row in rows], np.arange(len(rows))
    vectorizer = TfidfVectorizer(analyzer=cut, min_df=_MIN_ROWS, sublinear_tf=True, dtype=np.float32)
    matrix = vectorizer.fit_transform(texts)
    taught = matrix[rows]
    if len(clauses):
        spoken = vectorizer.transform([lessons.clauses[clause] for clause in clauses])
        taught = sparse.vstack([taught, spoken], format="csr")
    labels, weights = labels[some], weights[some]
    model = LinearSVC(C=_COST, dual=True, random_state=0).fit(taught, labels, sample_weight=weights)
    columns = _columns(matrix) if listed else sparse.csc_matrix(matrix.shape, dtype=np.float32)
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
        lists=np.column_stack(
            [columns.indices.astype(np.int32), columns.data.astype(np.float32).view(np.int32)]
        ),
    )


def _drawn(lessons: int) -> NDArray[np.intp]:
    """The lessons that are learnt from, in their order: all, or LEARNT of them."""
    if lessons <= LEARNT:
        return np.arange(lessons)
    return np.sort(np.random.default_rng(0).choice(lessons, LEARNT, replace=False))


def _columns(matrix: Any) -> Any:
    """The rows of each feature; of the commonest none, for they tell rows apart hardly at all."""
    from scipy import sparse

    columns = sparse.csc_matrix(matrix)
    common = np.diff(columns.indptr) > _COMMON * matrix.shape[0]
    columns = sparse.csc_matrix(columns @ sparse.diags_array((~common).astype(np.float32)))
    columns.eliminate_zeros()
    return columns
