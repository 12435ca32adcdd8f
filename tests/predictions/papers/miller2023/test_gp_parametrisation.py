"""What is said of the divergence term, on records that are made up, and the identity behind it, on real ones."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.predictions.papers.miller2023.gp_parametrisation import (
    no_parity_without_divergence,
    parity_whitened_without_divergence,
)
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.landscape.learners.trained import trained
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import record, verdict

STEPS = np.arange(81)


def inferred(run, seed, *, groks):
    return record(
        run,
        steps=STEPS,
        train__error=np.where(STEPS >= 2, 0.0, 0.4),
        test__error=np.where((STEPS >= 45) & groks, 0.0, 0.4 * jitter(seed)),
        train__loss=0.1,
        test__loss=0.6,
        all__complexity=0.1,
        all__kernel_gradient=0.01 * groks,
    )


def in_this_parametrisation(arm, seed, run):
    return inferred(run, seed, groks=run.divergence_weight > 0 or run.parametrisation == "whitened")


def by_the_term(arm, seed, run):
    return inferred(run, seed, groks=run.divergence_weight > 0)


def test_no_parity_without_divergence():
    claim = no_parity_without_divergence
    assert verdict(claim, in_this_parametrisation).status is Status.PASS
    assert verdict(claim, lambda arm, seed, run: inferred(run, seed, groks=True)).status is Status.FAIL
    # If the term itself were needed, the whitened control would show the effect too.
    assert verdict(claim, by_the_term).status is Status.INVALID


def test_parity_without_divergence_in_any_parametrisation():
    claim = parity_whitened_without_divergence
    assert verdict(claim, in_this_parametrisation).status is Status.FAIL
    assert verdict(claim, by_the_term).status is Status.PASS


def test_the_gradient_by_the_kernel_vanishes_in_one_parametrisation_alone():
    pytest.importorskip("gpytorch")
    claim = no_parity_without_divergence
    small = {"n_train": 30, "steps": 4}
    arms = {arm: Setting(dict(at) | small) for arm, at in claim.arms("quick").items()}
    largest = {}
    for arm, at in arms.items():
        records = {label: trained(run) for label, run in claim.runs(0, at).items()}
        found = {m.quantity: m.value for m in claim.measure(records, at)}
        largest[arm] = found["largest gradient by the kernel"]
    assert largest.pop("claim") == 0
    assert min(largest.values()) > 1e-6
