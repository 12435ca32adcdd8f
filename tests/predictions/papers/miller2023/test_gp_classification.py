"""Gaussian process classification: the claims' verdicts on records that are made up."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.predictions.papers.miller2023.gp_classification import (
    classification_complexity_falls,
    lengthscales,
    parity_laplace,
    parity_variational,
    spurious_dimensions,
)
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import record, verdict

STEPS = np.arange(101)


def falls(when, *, low=0.0, high=0.4):
    return np.where(when <= STEPS, low, high)


def classified(run, seed, *, generalises=40.0, fits=2.0, rises=0.03):
    """A classifier that fits and generalises at given steps, and whose complexity rises by so much every 20 steps."""
    chance = 0.45 * jitter(seed)
    lengths = {}
    for k in range(1, run.population.dimensions + 1):
        ends = 0.3 if (k <= 3) == np.isfinite(generalises) else 3.0
        lengths[f"all__lengthscale_{k}"] = np.geomspace(0.7, 0.7 * ends * jitter(seed, 0.05), 101)
    return record(
        run,
        steps=STEPS,
        train__error=falls(fits),
        test__error=falls(generalises, high=chance),
        train__loss=falls(fits, low=0.1, high=0.7),
        test__loss=falls(generalises, low=0.2, high=0.7),
        # Largest at step 80, if it rises at all.
        all__complexity=0.15 + rises * jitter(seed) * (80 - np.abs(STEPS - 80)) / 20,
        **lengths,
    )


def laplace(arm, seed, run, **behaviour):
    if run.labels == "shuffled":
        return classified(run, seed, generalises=np.inf, rises=-0.03)
    if run.population.spurious == 0:
        return classified(run, seed, fits=0, generalises=0, rises=0)
    return classified(run, seed, **behaviour)


def test_parity_laplace():
    assert verdict(parity_laplace, laplace).status is Status.PASS
    assert verdict(parity_laplace, lambda *a: laplace(*a, generalises=2)).status is Status.FAIL
    assert verdict(parity_laplace, lambda *a: laplace(*a, generalises=np.inf)).status is Status.FAIL


def test_lengthscales():
    assert verdict(lengthscales, laplace).status is Status.PASS
    assert verdict(lengthscales, lambda *a: laplace(*a, generalises=np.inf)).status is Status.FAIL


def test_lengthscales_take_the_dimension_that_does_it_least():
    at = Setting(lengthscales.tiers["quick"].setting)
    ((label, run),) = lengthscales.runs(0, at).items()
    made = {f"all__lengthscale_{k}": np.linspace(1, 0.2 if k <= 3 else 4.0, 101) for k in range(1, 21)}
    made["all__lengthscale_2"] = np.linspace(2, 1.8, 101)
    made["all__lengthscale_9"] = np.linspace(2, 3.0, 101)
    found = {m.quantity: m.value for m in lengthscales.measure({label: record(run, steps=STEPS, **made)}, at)}
    assert found["longest relevant length by its start"] == pytest.approx(0.9)
    assert found["shortest spurious length by its start"] == pytest.approx(1.5)


def variational(arm, seed, run, **behaviour):
    return classified(run, seed, **(behaviour if run.divergence_weight else {"generalises": np.inf}))


def test_parity_variational():
    assert verdict(parity_variational, variational).status is Status.PASS
    assert verdict(parity_variational, lambda *a: variational(*a, generalises=0)).status is Status.FAIL
    blind = verdict(parity_variational, lambda arm, seed, run: classified(run, seed))
    assert blind.status is Status.INVALID


def test_complexity_that_falls():
    claim = classification_complexity_falls
    rising = verdict(claim, variational)
    assert rising.status is Status.FAIL

    def falling(arm, seed, run):
        return classified(run, seed, rises=-0.03 if run.divergence_weight else 0.03)

    assert verdict(claim, falling).status is Status.PASS
    assert verdict(claim, lambda arm, seed, run: classified(run, seed, rises=-0.03)).status is Status.INVALID


def dosed(arm, seed, run, *, per_dimension=0.8):
    concealing = run.population.spurious if run.population.filler == "bits" else 0
    return classified(run, seed, generalises=per_dimension * concealing * jitter(seed))


def test_spurious_dimensions():
    assert verdict(spurious_dimensions, dosed).status is Status.PASS
    assert verdict(spurious_dimensions, lambda *a: dosed(*a, per_dimension=0)).status is Status.FAIL
    # Some never generalise within the budget: they are later than all that do.
    assert verdict(spurious_dimensions, lambda *a: dosed(*a, per_dimension=4)).status is Status.PASS


def test_without_spurious_dimensions_there_is_nothing_to_fill():
    claim = spurious_dimensions
    arms = [Setting(at) for at in claim.arms("quick").values()]
    assert arms[0].filler != arms[1].filler
    assert claim.runs(0, arms[0])["0"] == claim.runs(0, arms[1])["0"]
    assert claim.runs(0, arms[0])["12"] != claim.runs(0, arms[1])["12"]
