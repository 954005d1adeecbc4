"""Fit `thresholds.yaml` by cross-validation on the entries' phrasings and the negatives.

Each fold is scored by an index that never saw it, so the numbers speak of phrasings that nobody wrote down.
Some are asked again buried among held-out chatter, as in long stories, or cut to a word. No evaluation set takes part.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.entries import Library
from kb.features import Analyzer
from kb.fit_report import Outcome, figures
from kb.index import Row, build, rows_of
from kb.parameters import REGRESSED, SIGNALS, Calibration, Decision, Facts, Parameters, Weights
from kb.scoring import Evidence, Scorer, Scores, belonging, confide, judge, sure
from kb.text import compact, normalise, windows

FOLDS = 5
NEGATIVE_SHARE = 0.2  # of the questions that reach an assistant, assumed to have no answer here
BURIED_SHARE = 0.1  # of them, assumed to be hidden in chatter
CUT_SHARE = 0.1  # of them, assumed to be a single word
FALSE_SHARE = 0.05  # of the answers given may be false
BESIDE_SHARE = 0.04  # of the questions without an answer may be answered
REFUSED_SHARE = 0.85  # of the questions without an answer shall be refused outright
_EACH = 5  # every fifth question is also buried
_WINDOWS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6)
_SURES = (0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 1.0)
_SURE_COSTS = 0.001  # of the questions may be lost for not listening to their sound
_STEPS = 201
_ENOUGH = 300  # questions from which a region is decided on its own
_WRITTEN = (0, 1)
_NO_ROWS = np.empty(0)

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_NEUTRAL = Parameters(
    written=Weights(classifier=1, nearest=0, negative=0),
    both=Weights(classifier=1, nearest=0, negative=0),
    sure=1,
    window=0,
    pooled=Decision(
        calibration=Calibration(intercept=0, **dict.fromkeys(REGRESSED, 0.0)), answer=0.5, clarify=0.25
    ),
)


@dataclass(frozen=True)
class Held:
    """A held-out question: its class, the class of none, and its evidence (without the rows, which are many)."""

    topic: int
    none: int
    whole: Evidence
    parts: tuple[Evidence, ...]
    how: str  # whole, buried in chatter, or cut to one word


@dataclass(frozen=True)
class Fitted:
    """New parameters and what they reach on held-out questions, by region and for all."""

    parameters: Parameters
    figures: dict[str, dict[str, float]]


def fit(library: Library, cache: Path) -> Fitted:
    """Cross-validate every region: weights on all questions together, decisions for each region on its own.

    A region with too few questions (one being written) is decided as all are.
    """
    analyzer = Analyzer(library.lexicon, library.synonyms, cache)
    by_region = {region: _hold_out(region, library, analyzer) for region in library.regions}
    held = [one for region in by_region.values() for one in region]
    mass = _mass(held)
    both = tuple(range(len(SIGNALS)))
    parameters = _NEUTRAL.model_copy(
        update={"written": _weigh(held, mass, _WRITTEN), "both": _weigh(held, mass, both)}
    )
    parameters = _best_window(parameters, held, mass)
    parameters = _least_sure(parameters, held, mass)
    decisions, outcomes = {}, {}
    pooled = _decide(parameters, held)
    for region, own in by_region.items():
        enough = sum(one.how == "whole" for one in own) >= _ENOUGH
        decisions[region] = _decide(parameters, own) if enough else pooled
        outcomes[region] = _outcomes(parameters, decisions[region], own)
    outcomes["all"] = [outcome for region in by_region for outcome in outcomes[region]]
    return Fitted(
        parameters.model_copy(update={"pooled": pooled, "regions": decisions}),
        {region: figures(outcome) for region, outcome in outcomes.items()},
    )


def _hold_out(region: str, library: Library, analyzer: Analyzer) -> list[Held]:
    entries = library.of_region(region)
    topics = [entry.id for entry in entries]
    rows = rows_of(entries, library)
    asked = [at for at, row in enumerate(rows) if row.origin in {"phrasing", "negative"}]
    # Fixed seed: the same content gives the same file.
    random = np.random.default_rng(0)
    folds = dict(zip(asked, random.permutation(len(asked)) % FOLDS, strict=True))
    held = []
    for fold in range(FOLDS):
        kept = [row for at, row in enumerate(rows) if folds.get(at) != fold]
        away = [rows[at] for at in asked if folds[at] == fold]
        scorer = Scorer(build(region, topics, kept, analyzer), analyzer, _NEUTRAL)
        held += [_ask(scorer, row, word, "cut") for row in away if (word := _word(row, analyzer, random))]
        chatter = [row.text for row in away if row.origin == "negative" and row.voice == "far"]
        held += [_ask(scorer, row, row.text, "whole") for row in away]
        if chatter:
            held += [
                _ask(scorer, row, "，".join([one, row.text, *others]), "buried")
                for row in away[::_EACH]
                for one, *others in [random.choice(chatter, 3)]
            ]
    return held


def _word(row: Row, analyzer: Analyzer, random: np.random.Generator) -> str:
    """One of the words of a question, or nothing."""
    text = compact(normalise(row.text).clean)
    words = [word for word in analyzer.words(text) if len(word) > 1 and word.isalpha()]
    return str(random.choice(words)) if words and row.origin == "phrasing" else ""


def _ask(scorer: Scorer, row: Row, text: str, how: str) -> Held:
    clean = normalise(text).clean
    evidence = (one._replace(rows=_NO_ROWS) for one in scorer.weigh_all(clean, *windows(clean)))
    whole, *parts = evidence
    return Held(row.topic, len(scorer.index.topics), whole, tuple(parts), how)


def _none(held: Sequence[Held]) -> Flags:
    return np.array([one.topic == one.none for one in held])


def _mass(held: Sequence[Held]) -> Array:
    """Weight of each question by the assumed shares, one on average."""
    shares = {"whole": 1 - BURIED_SHARE - CUT_SHARE, "buried": BURIED_SHARE, "cut": CUT_SHARE}
    groups = Counter((one.how, one.topic == one.none) for one in held)
    mass = np.array(
        [
            shares[one.how]
            * (NEGATIVE_SHARE if one.topic == one.none else 1 - NEGATIVE_SHARE)
            / groups[one.how, one.topic == one.none]
            for one in held
        ]
    )
    result: Array = mass * len(held) / mass.sum()
    return result


def _weigh(held: Sequence[Held], mass: Array, chosen: tuple[int, ...]) -> Weights:
    """Weights that make the right class of each whole text likeliest (conditional logit, none below zero)."""
    from scipy.optimize import minimize

    groups = _grouped(held, mass)

    def loss(weights: Array) -> tuple[float, Array]:
        total, slope = 1e-4 * float(weights @ weights), 2e-4 * weights
        for signals, topics, part in groups:
            scores = np.einsum("k,nkc->nc", weights[:-1], signals[:, chosen])
            scores[:, -1] += weights[-1]
            scores -= scores.max(axis=1, keepdims=True)
            chance = np.exp(scores)
            chance /= chance.sum(axis=1, keepdims=True)
            at = np.arange(len(topics))
            total -= float(part @ np.log(chance[at, topics] + 1e-300)) / mass.sum()
            chance[at, topics] -= 1
            chance *= part[:, None] / mass.sum()
            slope[:-1] += np.einsum("nc,nkc->k", chance, signals[:, chosen])
            slope[-1] += chance[:, -1].sum()
        return total, slope

    start = np.append(np.ones(len(chosen)), 0.0)
    bounds = [(0, None)] * len(chosen) + [(None, None)]
    best = minimize(loss, start, jac=True, bounds=bounds).x
    named = {SIGNALS[signal]: float(best[at]) for at, signal in enumerate(chosen)}
    return Weights(**named, negative=float(best[-1]))


def _grouped(held: Sequence[Held], mass: Array) -> list[tuple[Array, NDArray[np.intp], Array]]:
    """Questions not buried, those of regions with the same number of topics side by side in one array."""
    groups = []
    for none in sorted({one.none for one in held}):
        at = [number for number, one in enumerate(held) if one.none == none and one.how == "whole"]
        signals = np.stack([held[number].whole.signals for number in at])
        groups.append((signals, np.array([held[number].topic for number in at]), mass[at]))
    return groups


def _cascade(parameters: Parameters, one: Held) -> Scores:
    """What `Scorer.score` does, on evidence already gathered."""
    scores = judge(parameters, one.whole, heard=False)
    if sure(parameters, scores):
        return scores
    return judge(parameters, one.whole, one.parts, heard=True)


def _right(scores: Sequence[Scores], held: Sequence[Held]) -> Flags:
    """Whether the first topic is the right one."""
    return np.array([int(score.order[0]) == one.topic for score, one in zip(scores, held, strict=True)])


def _settled(parameters: Parameters, held: Sequence[Held], mass: Array) -> float:
    """Share of the questions whose likeliest class, none included, is right."""
    hits = [int(np.argmax(_cascade(parameters, one).probabilities)) == one.topic for one in held]
    return float(mass @ np.array(hits) / mass.sum())


def _best_window(parameters: Parameters, held: Sequence[Held], mass: Array) -> Parameters:
    tried = [parameters.model_copy(update={"window": value}) for value in _WINDOWS]
    return max(tried, key=lambda one: _settled(one, held, mass))


def _least_sure(parameters: Parameters, held: Sequence[Held], mass: Array) -> Parameters:
    tried = [parameters.model_copy(update={"sure": value}) for value in _SURES]
    settled = [_settled(one, held, mass) for one in tried]
    return next(one for one, share in zip(tried, settled, strict=True) if share >= settled[-1] - _SURE_COSTS)


def _calibrate(facts: Sequence[Facts], right: Flags, mass: Array) -> Calibration:
    from sklearn.linear_model import LogisticRegression

    told = [one[: len(REGRESSED)] for one in facts]
    model = LogisticRegression(C=10.0, max_iter=1000).fit(told, right, sample_weight=mass)
    weights = dict(zip(REGRESSED, model.coef_[0].tolist(), strict=True))
    return Calibration(intercept=float(model.intercept_[0]), **weights)


def _decide(parameters: Parameters, held: Sequence[Held]) -> Decision:
    """Calibrate on these questions and set both thresholds."""
    mass = _mass(held)
    scores = [_cascade(parameters, one) for one in held]
    right, none = _right(scores, held), _none(held)
    calibration = _calibrate([one.facts for one in scores], right, mass)
    confidence = np.array([confide(calibration, one.facts) for one in scores])
    belongs = np.array([belonging(one) for one in scores])
    return Decision(
        calibration=calibration,
        answer=_answer_threshold(confidence, right, none, mass),
        clarify=float(np.quantile(belongs[none], REFUSED_SHARE)) if none.any() else 0.5,
    )


def _outcomes(parameters: Parameters, decision: Decision, held: Sequence[Held]) -> list[Outcome]:
    scores = [_cascade(parameters, one) for one in held]
    return [
        Outcome(
            how=one.how,
            none=one.topic == one.none,
            right=int(score.order[0]) == one.topic,
            given=confide(decision.calibration, score.facts) >= decision.answer,
            belongs=belonging(score) > decision.clarify,
            heard=score.heard,
        )
        for score, one in zip(scores, held, strict=True)
    ]


def _answer_threshold(confidence: Array, right: Flags, none: Flags, mass: Array) -> float:
    """The lowest from which few of the answers given are false and few questions without an answer get one."""
    for threshold in np.linspace(0, 1, _STEPS):
        given = confidence >= threshold
        false = (mass * ~right)[given].sum() <= FALSE_SHARE * mass[given].sum()
        if false and mass[given & none].sum() <= BESIDE_SHARE * mass[none].sum():
            return float(threshold)
    return 1.0
