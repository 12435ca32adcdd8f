"""Catches claims about Bayesian networks that pass without the effect they name, or fail with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.learners import BayesianNetwork
from grokscape.landscape.records.record import Record
from grokscape.predictions.papers.miller2023.bayesian_network import error_first, gap_grows, needs_complexity
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter, verdict
from tests.predictions.made_up.toys import table

#: Epochs from fitting to generalising, by start scale, as calibration has them.
GAPS = {0.1: 20.0, 0.3: 120.0, 0.5: 270.0, 1.0: 450.0}


def made_up(
    gap: Callable[[float], float] = GAPS.__getitem__,
    *,
    half_life: float = 640.0,
    mean_half_life: float = 110.0,
    needs_divergence: bool = True,
) -> Callable[..., Record]:
    """Networks that fit at epoch 50; half of their complexity and of its mean part go in the times given."""

    def behave(arm: str, seed: int, label: str, run: Experiment) -> Record:
        assert isinstance(run, BayesianNetwork)
        steps = np.array(run.record.steps(run.epochs))
        noise, strength = jitter(seed + round(1000 * run.start_scale)), run.kl_weight
        # Far too much divergence leaves nothing to fit with.
        fits = 50.0 * noise if strength < 10 else np.inf
        generalises = fits + gap(run.start_scale) * noise if strength > 0 or not needs_divergence else np.inf
        means = 3.3 * run.start_scale**2 * 0.5 ** (strength * steps / mean_half_life)
        deviations = 27.1 * np.maximum(1 - strength * steps / (2 * half_life), 0.01)
        train = np.clip(0.5 - 0.48 * steps / fits, 0.0, 0.5)
        all_seen = run.task.bits == run.task.relevant
        values = {
            "train__error": train,
            "test__error": train if all_seen else np.where(steps >= generalises, 0.0, 0.45),
            "all__complexity": means + deviations,
            "all__mean_part": means,
        }
        return Record(run, table(steps, **values), {"last_step": run.epochs}, lambda _: {})

    return behave


@pytest.mark.parametrize("claim", [gap_grows, needs_complexity, error_first], ids=lambda claim: claim.id)
def test_networks_as_calibration_has_them(claim: Prediction) -> None:
    found = verdict(claim, made_up())
    assert found.status is Status.PASS, found.reason


def test_a_gap_that_does_not_depend_on_the_start_does_not_grow() -> None:
    assert verdict(gap_grows, made_up(lambda scale: 200.0)).status is not Status.PASS
    assert verdict(gap_grows, made_up(lambda scale: 200.0 / scale**0.3)).status is Status.FAIL


def test_gaps_that_never_end_count_as_the_longest() -> None:
    assert verdict(gap_grows, made_up(lambda scale: GAPS[scale] if scale < 1 else np.inf)).status is Status.PASS


def test_grokking_without_divergence_contradicts_the_claim() -> None:
    found = verdict(needs_complexity, made_up(lambda scale: 100.0, needs_divergence=False))
    assert found.status is Status.FAIL


def test_complexity_that_goes_with_the_error_is_not_later() -> None:
    assert verdict(error_first, made_up(half_life=25.0, mean_half_life=20.0)).status is Status.FAIL
