"""Omnigrok: the norms from which and at which students generalise, on made-up accuracies and norms."""

from __future__ import annotations

import math

import numpy as np

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.liu2023.norm import one_norm, start_decides
from grokscape.predictions.papers.liu2023.setup import STUDENT
from grokscape.predictions.papers.liu2023.weight_decay import inverse_decay
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import course, jitter, verdict


def inward(run, *, end=11.0, start=8.75, fits=600.0, rate=3e-4, last=30_000):
    """A student whose norm decays to the one where it generalises; without decay it never does."""
    decay, begin = run.optimiser.weight_decay, start * run.initial_scale
    needed = math.inf if decay == 0 else max(math.log(begin / end), 0.03) / (rate * decay)
    last = min(last, run.steps)
    generalises = fits + needed

    def norm(steps):
        return np.maximum(begin * np.exp(-rate * decay * np.maximum(steps - fits, 0)), min(begin, end))

    return course(run, fits=fits, generalises=generalises if generalises < last else math.inf, norm=norm, last=last)


def students(**changes):
    return lambda arm, seed, label, run: inward(run, end=11.0 * jitter(seed), **changes)


def test_the_start_decides():
    assert verdict(start_decides, students()).status is Status.PASS

    def indifferent(arm, seed, label, run):
        return course(run, fits=600, generalises=2000 * jitter(seed), last=run.steps)

    assert verdict(start_decides, indifferent).status is Status.FAIL


def test_one_norm():
    assert verdict(one_norm, students()).status is Status.PASS

    def wherever(arm, seed, label, run):
        """Generalises a fixed time after fitting, at whatever norm it is then."""
        decay = run.optimiser.weight_decay

        def norm(steps):
            return 8.75 * run.initial_scale * np.exp(-3e-4 * decay * np.maximum(steps - 600, 0))

        return course(run, fits=600, generalises=2000 * jitter(seed), norm=norm)

    assert verdict(one_norm, wherever).status is Status.FAIL


def test_claims_that_share_a_student_share_its_run():
    shared = {
        claim.id: {run.identity for run in claim.runs(100, claim.arms("quick")[CLAIM]).values()}
        for claim in (start_decides, inverse_decay, one_norm)
    }
    assert len(set.union(*shared.values())) == 5
    assert STUDENT["n_train"] == 100
