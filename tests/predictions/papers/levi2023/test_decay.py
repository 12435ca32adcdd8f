"""Levi et al. 2023: what weight decay leaves, on made-up losses."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.landscape.theory import marchenko_pastur as mp
from grokscape.predictions.papers.levi2023.decay import decay_floor, decay_floor_in_print
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import few, record, verdict

STEPS = np.unique(np.concatenate([[0], np.logspace(0, 5, 40).round()])).astype(int)


def left(arm, seed, run, *, factor=1.0):
    train, test = mp.decayed_losses(run.weight_decay, run.ratio)
    scatter = factor * jitter(seed, 0.05)
    return record(run, steps=STEPS, train__loss=train * scatter, test__loss=test * scatter)


@pytest.mark.parametrize(("claim", "factor"), [(decay_floor, 1.0), (decay_floor_in_print, 2.0)])
def test_what_weight_decay_leaves(claim, factor):
    assert verdict(few(claim), lambda *a: left(*a, factor=factor)).status is Status.PASS
    for other in (0.5, 2.0):
        assert verdict(few(claim), lambda *a, other=other: left(*a, factor=factor * other)).status is Status.FAIL
