"""Classification by sign: the claim's verdict on records that are made up."""

from __future__ import annotations

import numpy as np

from grokscape.predictions.papers.miller2023.gp_zero_one import zero_one_classification
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import record, verdict

STEPS = np.arange(0, 301, 10)


def signs(run, seed, *, delay=150.0, end=0.22):
    def course(half, last):
        return last + (0.69 - last) / (1 + np.exp((STEPS - half) / 8))

    return record(
        run,
        steps=STEPS,
        train__loss=course(40, 0.15),
        test__loss=course(40 + delay, end * jitter(seed, 0.05)),
        train__error=0.0,
        test__error=0.1,
    )


def as_published(arm, seed, run):
    if run.divergence_weight == 0:
        return signs(run, seed, end=0.55)
    return signs(run, seed, delay=0.0 if run.lengthscale > 0.1 else 150.0)


def test_zero_one_classification():
    claim = zero_one_classification
    assert verdict(claim, as_published).status is Status.PASS
    assert verdict(claim, lambda arm, seed, run: signs(run, seed, delay=0)).status is Status.FAIL
    assert verdict(claim, lambda arm, seed, run: signs(run, seed, end=0.6)).status is Status.FAIL
    assert verdict(claim, lambda arm, seed, run: signs(run, seed)).status is Status.INVALID
