"""Made-up records: what a training might have left behind, without training, for a claim to be tried on."""

from __future__ import annotations

import functools
import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from grokscape.landscape.errors import Unavailable
from grokscape.landscape.experiment import COLUMNS, Experiment, Weights
from grokscape.landscape.records.quantities import absent, declared, matches
from grokscape.landscape.records.record import Record
from grokscape.landscape.training.schedule import Schedule


@dataclass(frozen=True)
class Story:
    """When a made-up learner fits and when it generalises, as shares of the decades of its steps."""

    fits: float
    generalises: float


#: Generalises late, at once, or never.
STORIES = (Story(0.3, 0.7), Story(0.3, 0.32), Story(0.3, math.inf))


class MadeUpRecord(Record):
    """A record of what an experiment declares that it records, at the steps of its schedule.

    Parameters
    ----------
    experiment : Experiment
    story : Story

    Raises
    ------
    Unavailable
        If its class declares no `quantities`, or it has no schedule: then nobody can know what its records look like.
    """

    story: Story
    steps: np.ndarray

    def __init__(self, experiment: Experiment, story: Story = STORIES[0]) -> None:
        schedule = getattr(experiment, "record", None)
        last = getattr(experiment, "steps", getattr(experiment, "epochs", None))
        if not declared(type(experiment)) or not isinstance(schedule, Schedule) or not isinstance(last, int):
            raise Unavailable(f"nothing says what a record of {type(experiment).__name__} looks like")
        info = {"last_step": last, "stopped_by": "steps", "seconds": 1.0}
        fields = {"experiment": experiment, "info": info, "load_weights": _no_weights}
        for name, value in (fields | {"story": story, "steps": _steps(schedule, last)}).items():
            object.__setattr__(self, name, value)

    def series(self, quantity: str, split: str = "") -> pd.Series:
        """Return a made-up series, of any quantity that the class declares."""
        here = declared(type(self.experiment))
        if not (isinstance(quantity, str) and isinstance(split, str) and matches(here, quantity, split)):
            raise absent(self.experiment, quantity, split, [place for place in here if "*" not in place[1]])
        values = _values(quantity, split, self.steps, self.story, self.experiment)
        return pd.Series(values, index=pd.Index(self.steps, name="step"), name="value")

    @functools.cached_property
    def trajectory(self) -> pd.DataFrame:
        """The table of all quantities whose names are known whole."""
        places = [(split, name) for split, name in declared(type(self.experiment)) if "*" not in name]
        tables = [
            self.series(name, split).reset_index().assign(split=split, quantity=name)[list(COLUMNS)]
            for split, name in places
        ]
        return pd.concat(tables, ignore_index=True)


def _no_weights(step: int) -> Weights:
    raise Unavailable(f"made-up records have no weights of step {step}: whatever is made of them takes its time")


@functools.lru_cache(maxsize=64)
def _steps(schedule: Schedule, last: int) -> np.ndarray:
    return np.array(schedule.steps(last))


def _values(quantity: str, split: str, steps: np.ndarray, story: Story, experiment: Any) -> np.ndarray:
    """Return a smooth positive course; of accuracies, errors and losses one that tells the story."""
    decades = np.log1p(steps) / max(math.log1p(float(steps[-1])), 1e-9)
    when = story.fits if split in ("train", "") else story.generalises
    learnt = 1 / (1 + np.exp((when - decades).clip(-1, 1e3) * 40)) if when < math.inf else np.zeros(len(steps))
    own = zlib.crc32(f"{quantity} {split} {getattr(experiment, 'seed', 0)}".encode()) / 2**32
    wobble = 1 + 0.01 * np.sin(40 * decades + 6 * own)
    if "accuracy" in quantity:
        return np.minimum(1.0, 0.02 + 0.98 * learnt * wobble)
    if "error" in quantity:
        return 0.9 * (1 - learnt) * wobble
    if "loss" in quantity:
        return (4.0 * (1 - learnt) + 1e-3) * wobble
    if quantity.startswith(("weight_norm", "norm")):
        return (20 + 30 * decades - 15 * learnt) * wobble
    return (0.5 + own + 2 * learnt) * wobble
