"""From a question to a probability for each topic: signals, their fixed weights, and calibrated confidence.

Every number comes from `thresholds.yaml`, which `python -m kb fit` writes from cross-validation; nothing here
is tuned by hand.
"""

import math
import operator
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.features import Analyzer, sounds
from kb.index import Index, Row
from kb.parameters import SIGNALS, Calibration, Facts, Parameters, Weights
from kb.text import compact, windows

# By cross-validation on phrasings, whole and cut to a word, of all regions:
_AS_FULL = 0.9  # of what the fullest row holds, another must hold to be counted beside it
_SAID_BEFORE = 0.7  # share of a question held by known texts from which it says nothing new
_SAME = 0.999  # cosine from which a question is a known text
_WEIGHTY = 5.0  # idf of a question that says half of what can be said; a rare word has 8, a common one 3
_LEAST = 1e-6  # a prior of 0 forbids in effect


class Evidence(NamedTuple):
    """Signals of one text, signal × class in the order of `SIGNALS`.

    `rows` is the cosine with each row. `held` is how much of the text the row holds that holds most of it, and
    `agreement` how the rows that hold nearly as much are shared out among the topics: a word that stands in the
    phrasings of many topics tells little, however well it fits one of them.
    """

    signals: NDArray[np.float64]
    rows: NDArray[np.float64]
    agreement: NDArray[np.float64]
    held: float
    share: float
    weight: float
    words: int


class Scores(NamedTuple):
    """One question scored: `probabilities` for topics and, last, for none; `evidence` of what decided."""

    probabilities: NDArray[np.float64]
    order: NDArray[np.intp]  # topics, best first
    facts: Facts
    evidence: Evidence
    heard: bool  # whether words and sound were needed


def weigh(
    weights: Weights, signals: NDArray[np.float64], lean: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Weighted sum of the signals for each class, with `lean` added."""
    total: NDArray[np.float64] = weights.vector.dot(signals)
    total[-1] += weights.negative
    if lean is not None:
        total += lean
    return total


def judge(
    parameters: Parameters,
    whole: Evidence,
    parts: Sequence[Evidence] = (),
    *,
    heard: bool,
    lean: NDArray[np.float64] | None = None,
) -> Scores:
    """Probabilities of a text; where it seems to be about nothing here, weighed with its most telling part.

    A text that says its topic is best read whole. `lean` is added before normalising.
    """
    weights = parameters.both if heard else parameters.written
    total, told = weigh(weights, whole.signals, lean), whole
    if parts and astray(total):
        totals = [weigh(weights, part.signals, lean) for part in parts]
        best = int(np.argmax([one[:-1].max() - one[-1] for one in totals]))
        total = (1 - parameters.window) * total + parameters.window * totals[best]
        told = parts[best]
    order = total[:-1].argsort()[::-1]
    first = int(order[0])
    total -= max(total.item(first), total.item(-1))
    probabilities = np.exp(total, out=total)
    probabilities /= np.add.reduce(probabilities)
    odds, margin = _odds(probabilities, order)
    facts = Facts(
        odds,
        margin,
        nearest=max(whole.signals.item(1, first), told.signals.item(1, first)),
        share=max(whole.share, told.share),
        slightness=_WEIGHTY / (_WEIGHTY + told.weight),
        held=told.held,
        agreement=told.agreement.item(first),
        words=whole.words,
    )
    return Scores(probabilities, order, facts, told, heard)


def astray(chances: NDArray[np.float64]) -> bool:
    """Whether no topic is likelier than none: the question, if there is one, is buried in something else."""
    return int(chances.argmax()) == len(chances) - 1


def confide(calibration: Calibration, facts: Facts) -> float:
    """Probability, 0 to 1, that the first topic is right.

    Where known texts hold nearly all of a single word, it can be no surer than their share of the topic: 合同 alone
    may fit one topic best and still stand in five. 作废计划 says what is wanted, however many texts hold it too.
    """
    told = calibration.intercept + sum(map(operator.mul, calibration.weights, facts))
    confidence = 1 / (1 + math.exp(-told))
    vague = facts.words == 1 and facts.held >= _SAID_BEFORE and facts.nearest < _SAME
    return min(confidence, facts.agreement) if vague else confidence


def belonging(scores: Scores) -> float:
    """How far the question belongs here at all: what is known of it times the probability of any topic."""
    return scores.facts.share * (1 - float(scores.probabilities[-1]))


def _odds(probabilities: NDArray[np.float64], order: NDArray[np.intp]) -> tuple[float, float]:
    """Log odds of the first topic against everything, and its margin to the second."""
    floor = 1e-9
    first, second = (*probabilities.take(order[:2]).tolist(), 0.0)[:2]
    odds = math.log(max(first, floor) / max(1 - first, floor))
    return odds, math.log(max(first, floor) / max(second, floor))


class Scorer:
    """Reads texts against one index with fixed parameters."""

    def __init__(self, index: Index, analyzer: Analyzer, parameters: Parameters) -> None:
        """Keep what every question needs."""
        self.index = index
        self.parameters = parameters
        self.decision = parameters.of(index.region)
        self._analyzer = analyzer
        self._firsts = index.firsts.astype(np.intp)
        self._bounds: list[int] = index.firsts.tolist()
        self._topics = np.array([row.topic for row in index.rows if row.topic < len(index.topics)], np.intp)
        self._rows = len(index.rows) + 1  # one more that is always zero, for a class without rows

    def score(self, clean: str, prior: Mapping[str, float] | None = None) -> Scores:
        """Score a normalised text; `prior` multiplies a topic's odds (1.0 changes nothing)."""
        lean, text = self._lean(prior), compact(clean)
        whole = self.read(text)
        scores = judge(self.parameters, whole, heard=False, lean=lean)
        if sure(self.parameters, scores):  # most questions end here, without being cut
            return scores
        self.hear(text, whole)
        scores = judge(self.parameters, whole, heard=True, lean=lean)
        if not astray(scores.probabilities) or not (pieces := windows(clean)):
            return scores
        return judge(self.parameters, whole, self.weigh_all(*pieces), heard=True, lean=lean)

    def confidence(self, scores: Scores) -> float:
        """Calibrated probability that the first topic is right."""
        return confide(self.decision.calibration, scores.facts)

    def closest(self, evidence: Evidence, topic: int) -> Row:
        """The row of a topic that is most like the text."""
        start, end = self._bounds[topic : topic + 2]
        return self.index.rows[start + int(evidence.rows[start:end].argmax())]

    def read(self, text: str) -> Evidence:
        """The written signals of a compact text; the others are zero."""
        index = self.index
        vector = index.written.vector(self._analyzer.features(text))
        rows, holds = index.written.similar(vector, self._rows)
        held, agreement = self._agreement(holds)
        signals = np.zeros((len(SIGNALS), len(index.topics) + 1))
        signals[0] = index.written.classify(vector)
        signals[1] = self._best(rows)
        return Evidence(
            signals, rows, agreement, held, vector.share, vector.weight, self._analyzer.word_count(text)
        )

    def hear(self, text: str, evidence: Evidence) -> None:
        """Add the signals of words and of sound."""
        index = self.index
        evidence.signals[2] = index.worded.classify(index.worded.vector(self._analyzer.words(text)))
        vector = index.spoken.vector(sounds(text, index.readings))
        evidence.signals[3] = index.spoken.classify(vector)
        evidence.signals[4] = self._best(index.spoken.cosines(vector, self._rows))

    def weigh_all(self, *texts: str) -> list[Evidence]:
        """Every signal of each normalised text."""
        evidence = []
        for text in map(compact, texts):
            one = self.read(text)
            self.hear(text, one)
            evidence.append(one)
        return evidence

    def _best(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The closest row of each class."""
        best: NDArray[np.float64] = np.maximum.reduceat(rows, self._firsts)
        return best

    def _agreement(self, holds: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """How much of the text the fullest row holds, and each topic's share of the rows nearly as full."""
        holds = holds[: len(self._topics)]
        most = float(np.maximum.reduce(holds, initial=0.0))
        if most <= 0:
            return 0.0, np.zeros(len(self.index.topics))
        near = self._topics.take((holds >= _AS_FULL * most).nonzero()[0])
        return most, np.bincount(near, minlength=len(self.index.topics)) / len(near)

    def _lean(self, prior: Mapping[str, float] | None) -> NDArray[np.float64] | None:
        if not prior:
            return None
        factors = [max(prior.get(topic, 1.0), _LEAST) for topic in self.index.topics]
        lean: NDArray[np.float64] = np.log(np.array([*factors, 1.0]))
        return lean


def sure(parameters: Parameters, scores: Scores) -> bool:
    """Whether the written signals settle it. What looks like none of the topics may still sound like one."""
    return bool(scores.probabilities[scores.order[0]] >= parameters.sure)
