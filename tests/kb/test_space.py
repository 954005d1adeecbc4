"""A trained space: what it learns, what it finds alike, and what bounds it where there is very much."""

import numpy as np
import pytest

from kb import learning, space
from kb.learning import Lessons, train
from kb.space import Space

TEXTS = ("盖章 盖章 在哪", "盖章 怎么 盖", "付款 在哪", "付款 怎么 付", "红烧肉 怎么 做")
LABELS = (0, 0, 1, 1, 2)


def made(
    texts: tuple[str, ...] = TEXTS,
    labels: tuple[int, ...] = LABELS,
    clauses: tuple[tuple[str, int], ...] = (),
    *,
    listed: bool = True,
) -> Space:
    lessons = Lessons(
        np.array(labels, np.int32),
        np.ones(len(labels), np.float32),
        [text for text, _ in clauses],
        np.array([label for _, label in clauses], np.int32),
    )
    return train(str.split, texts, lessons, 3, listed=listed)


@pytest.fixture(autouse=True)
def _every_word_has_a_list(monkeypatch):
    """In five rows each word stands in more than a tenth of them."""
    monkeypatch.setattr(learning, "_COMMON", 0.9)


def test_the_classifier_tells_topics_apart():
    own = made()
    for text, label in zip(TEXTS[:4], LABELS[:4], strict=True):
        assert int(own.classify(own.vector(text.split())).argmax()) == label


def test_a_row_is_likest_to_itself():
    own = made()
    cosines, holds = own.similar(own.vector(["盖章", "怎么"]), len(TEXTS))
    assert int(cosines.argmax()) == 1
    assert holds[1] == pytest.approx(1.0)
    assert cosines.max() <= 1.0 + 1e-6


def test_clauses_are_learnt_from_but_are_no_rows():
    texts = ("盖章 在哪", "盖章 在哪", "付款 在哪", "付款 在哪", "公章 公章")
    plain = made(texts)
    taught = made(texts, clauses=(("公章 在哪", 0),) * 9)
    asked = ["公章", "在哪"]
    assert taught.classify(taught.vector(asked))[0] > plain.classify(plain.vector(asked))[0]
    assert taught.rows.max() == plain.rows.max() == 3  # 公章 stands in one row only and is no feature
    assert np.array_equal(taught.starts, plain.starts)


def test_a_space_that_only_classifies_keeps_no_lists():
    own = made(listed=False)
    assert len(own.rows) == len(own.values) == 0
    assert np.allclose(own.weights, made().weights)


def test_of_very_many_rows_an_even_part_is_learnt(monkeypatch):
    monkeypatch.setattr(learning, "LEARNT", 300)
    texts, labels = TEXTS * 200, LABELS * 200
    own = made(texts, labels)
    for text, label in zip(TEXTS[:4], LABELS[:4], strict=True):
        assert int(own.classify(own.vector(text.split())).argmax()) == label
    assert len(own.rows) == len(made(texts, labels).rows)


def test_the_rarest_features_are_looked_up_first_where_lists_are_long(monkeypatch):
    monkeypatch.setattr(space, "_LOOKED_UP", 3)
    own = made()
    cosines, _ = own.similar(own.vector(["盖章", "怎么"]), len(TEXTS))
    assert np.flatnonzero(cosines).tolist() == [0, 1]  # 盖章 stands in two rows, 怎么 in three


def test_what_is_not_known_is_like_nothing():
    own = made()
    vector = own.vector(["量子力学"])
    assert vector.share == 0
    assert own.similar(vector, len(TEXTS))[0].tolist() == [0.0] * len(TEXTS)
