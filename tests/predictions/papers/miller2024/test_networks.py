"""Catches claims about sharpness that pass without their trend, or that say more than stretched courses show."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import erf

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.record import Record
from grokscape.landscape.tasks import SampledParity
from grokscape.landscape.training.run import Run
from grokscape.predictions.papers.miller2023.parity import parity_gap_grows
from grokscape.predictions.papers.miller2024.networks import erf_fits, lengths, only_stretched, per_bit, sharpness_falls
from grokscape.predictions.prediction import Prediction, Setting
from grokscape.predictions.verdict import Status
from tests.landscape.helpers import train
from tests.predictions.made_up.courses import jitter, verdict
from tests.predictions.made_up.toys import table

TIME, OWN_SHARPNESS = 80.0, 2.5


def rising(steps: np.ndarray, time: float, sharpness: float) -> np.ndarray:
    return np.asarray(0.75 + 0.25 * erf(sharpness * (steps - time)))


def made_up(stretched: bool, shape: Callable[..., np.ndarray] = rising) -> Callable[..., Record]:
    """Transitions that come later by 10 % a bit, either in slow motion or just as suddenly as in training."""

    def behave(arm: str, seed: int, label: str, run: Experiment) -> Record:
        assert isinstance(run, Run)
        assert isinstance(run.task, SampledParity)
        bits = run.task.bits - run.task.silent
        steps = np.array(run.record.steps(run.steps))
        time = TIME * jitter(seed) * 1.8 * math.exp(0.1 * (bits - 25))
        sharpness = OWN_SHARPNESS / (time if stretched else TIME) * jitter(seed + 1000 * int(label))
        values = {
            "train__accuracy": rising(steps, TIME, OWN_SHARPNESS / TIME),
            "test__accuracy": shape(steps, time, sharpness),
        }
        return Record(run, table(steps, **values), {"last_step": run.steps}, lambda _: {})

    return behave


@pytest.mark.parametrize("claim", [erf_fits, sharpness_falls, only_stretched, parity_gap_grows], ids=lambda c: c.id)
def test_all_hold_where_later_transitions_are_stretched_and_nothing_else(claim: Prediction) -> None:
    """So falling sharpness does not say more than time dilation."""
    found = verdict(claim, made_up(stretched=True))
    assert found.status is Status.PASS, found.reason


def test_transitions_that_come_later_as_suddenly_as_ever_contradict_trend_and_rival() -> None:
    assert verdict(sharpness_falls, made_up(stretched=False)).status is Status.FAIL
    # Nor do they leave the rival a control: in steps they have no trend.
    assert verdict(only_stretched, made_up(stretched=False)).status is not Status.PASS


def test_two_stages_are_no_error_function() -> None:
    def stages(steps: np.ndarray, time: float, sharpness: float) -> np.ndarray:
        return (rising(steps, 0.4 * time, 5 * sharpness) + rising(steps, 1.6 * time, 5 * sharpness)) / 2

    assert verdict(erf_fits, made_up(stretched=True, shape=stages)).status is Status.FAIL


def test_a_network_that_does_not_generalise_leaves_nothing_to_judge() -> None:
    def never(steps: np.ndarray, time: float, sharpness: float) -> np.ndarray:
        return np.where(time > 500, 0.5, rising(steps, time, sharpness))

    found = verdict(sharpness_falls, made_up(stretched=True, shape=never))
    assert found.status is Status.INVALID


def test_slope_is_that_of_the_logarithm() -> None:
    assert per_bit({25: 2.0, 30: 4.0, 35: 8.0}) == pytest.approx(math.log(2) / 5)


def test_runs_differ_in_length_alone_and_silent_bits_add_nothing() -> None:
    at = sharpness_falls.arms("quick")
    runs = lengths(3, at["claim"])
    assert list(runs) == ["25", "35", "45"]
    assert len({run.replace(task=SampledParity()) for run in runs.values() if isinstance(run, Run)}) == 1
    for run in lengths(3, at["silent bits"]).values():
        assert isinstance(run, Run)
        assert isinstance(run.task, SampledParity)
        assert run.task.bits - run.task.silent == 25


def test_a_small_network_can_be_trained_and_measured() -> None:
    at = Setting(dict(sharpness_falls.arms("quick")["claim"]) | {"lengths": (6, 7, 8), "width": 30, "steps": 400})
    runs = lengths(0, at)
    records = {}
    for label, run in runs.items():
        outcome = train([run])[run.identity]
        records[label] = Record(run, outcome.trajectory, outcome.info, lambda _: {})
    found = {m.quantity: m.value for m in sharpness_falls.measure(records, at)}
    assert found["share of lengths at which it generalises"] == 1.0
    assert math.isfinite(found["log relative sharpness, per bit"])
