"""What scoring goes by: weights, calibration and limits of `thresholds.yaml`, and the facts that they weigh."""

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from core.adapters.yaml_reader import read_model
from core.domain.errors import DataError

THRESHOLDS = "thresholds.yaml"  # in the content folder, written by `python -m kb fit`
SIGNALS = ("classifier", "nearest", "words", "sound", "sound_nearest")


class Weights(BaseModel):
    """What each signal counts; `negative` is the lean of the class that no topic answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classifier: float = Field(ge=0)
    nearest: float = Field(ge=0)
    words: float = Field(default=0.0, ge=0)
    sound: float = Field(default=0.0, ge=0)
    sound_nearest: float = Field(default=0.0, ge=0)
    negative: float

    @cached_property
    def vector(self) -> NDArray[np.float64]:
        """The weights in the order of `SIGNALS`."""
        return np.array([getattr(self, name) for name in SIGNALS])


class Facts(NamedTuple):
    """What confidence follows from, about the first topic of a question."""

    odds: float  # log odds of the first topic against everything else
    margin: float  # log ratio to the second topic
    nearest: float  # cosine with its closest row
    share: float  # share of the question's features that the index knows
    slightness: float  # from 1 towards 0 with the weight of what was said: a single word seldom says enough
    held: float  # how much of the question the row holds that holds most of it
    agreement: float  # share of the first topic among the rows that hold nearly as much
    words: int = 1  # how many words were said, 2 for two or more; no part of the regression


REGRESSED = Facts._fields[:-1]


class Calibration(BaseModel):
    """Logistic regression from `Facts` to the probability that the first topic is right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intercept: float
    odds: float
    margin: float
    nearest: float
    share: float
    slightness: float
    held: float
    agreement: float

    @cached_property
    def weights(self) -> tuple[float, ...]:
        """The weights in the order of `Facts`."""
        return tuple(getattr(self, name) for name in REGRESSED)


class Decision(BaseModel):
    """From `answer` confidence on a question is answered; the rest is asked back if it belongs here by `clarify`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calibration: Calibration
    answer: float = Field(ge=0, le=1)
    clarify: float = Field(ge=0, le=1)


class Parameters(BaseModel):
    """`thresholds.yaml`.

    `sure` is the probability at which the written signals suffice, `window` the share of the most telling
    window of a long text that seems to be about nothing here. The weights are common to all regions, the
    decision is each region's own: topics lie closer together in one than in another. A region that was not
    there when they were fitted uses `pooled`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    written: Weights
    both: Weights
    sure: float = Field(ge=0, le=1)
    window: float = Field(ge=0, le=1)
    pooled: Decision
    regions: dict[str, Decision] = Field(default_factory=dict)

    def of(self, region: str) -> Decision:
        """What decides in `region`."""
        return self.regions.get(region, self.pooled)


def load_parameters(content: Path) -> Parameters:
    """Read `thresholds.yaml`; DataError where it is missing or wrong."""
    file = content / THRESHOLDS
    if not file.is_file():
        raise DataError([f"{file}:1: 缺少阈值文件，请运行 python -m kb fit 生成"])
    return read_model(file, Parameters)[0]
