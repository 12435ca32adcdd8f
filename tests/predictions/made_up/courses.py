"""Made-up courses of training, and what a claim makes of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.record import Record
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.testing import made_up_record, verdict_on
from grokscape.predictions.verdict import Verdict

#: Fine enough for laws to be fitted to when something happens.
STEPS = np.unique(np.round(10 ** np.linspace(0, 4.5, 1000)).astype(int))


def course(run: Experiment, *, fits: float, generalises: float, norm: object = 30.0, last: int = 30_000) -> Record:
    """Return a record in which accuracies step from 0 to 1 at the given times; `norm` is a number or one a step."""
    steps = np.append(0, STEPS[last >= STEPS])
    columns = {
        ("train", "accuracy"): np.where(steps >= fits, 1.0, 0.1),
        ("test", "accuracy"): np.where(steps >= generalises, 1.0, 0.02),
        ("", "weight_norm"): np.broadcast_to(norm(steps) if callable(norm) else norm, steps.shape),
    }
    return made_up_record(run, columns, steps=steps)


def verdict(claim: Prediction, behave: Callable[[str, int, str, Experiment], Record]) -> Verdict:
    """Judge a claim on records made by ``behave(arm, seed, label, experiment)``."""
    return verdict_on(claim, behave)


def jitter(seed: int, size: float = 0.02) -> float:
    """Return a factor near 1 that differs between seeds."""
    return float(np.exp(np.random.default_rng(seed).normal(0, size)))
