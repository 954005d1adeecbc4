import numpy as np

from kb.fit import _answer_threshold


def threshold(right: list[float], wrong: list[float], beside: list[float]) -> float:
    """Of questions answered right, wrong, and without an answer, each with its confidence and of equal mass."""
    confidence = np.array([*right, *wrong, *beside])
    flags = np.arange(len(confidence))
    none = flags >= len(right) + len(wrong)
    return _answer_threshold(confidence, flags < len(right), none, np.ones(len(confidence)))


def test_few_answers_may_be_false():
    assert threshold([0.9] * 19, [0.4], []) == 0.0
    assert threshold([0.9] * 18, [0.4], []) > 0.4


def test_few_questions_without_an_answer_may_get_one():
    right = [0.9] * 1000
    assert threshold(right, [], [0.5, *[0.1] * 40]) < 0.5
    assert threshold(right, [], [0.5, 0.6, *[0.1] * 40]) > 0.5


def test_where_nothing_can_be_trusted_nothing_is_answered():
    assert threshold([], [1.0], [1.0]) == 1.0
