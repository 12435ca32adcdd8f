"""Miller et al. 2023 and 2024: which networks are trained on parity, and what is measured of their transitions."""

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
from grokscape.predictions.papers.miller2023.parity_setup import networks_by_length, per_bit
from grokscape.predictions.terms import Setting
from tests.landscape.helpers import train
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import table

TIME, OWN_SHARPNESS = 80.0, 2.5


def rising(steps: np.ndarray, time: float, sharpness: float) -> np.ndarray:
    return np.asarray(0.75 + 0.25 * erf(sharpness * (steps - time)))


def made_up(stretched: bool, shape: Callable[..., np.ndarray] = rising, growth: float = 0.1) -> Callable[..., Record]:
    """Transitions that come later by 10 % a bit, either in slow motion or just as suddenly as in training."""

    def behave(arm: str, seed: int, label: str, run: Experiment) -> Record:
        assert isinstance(run, Run)
        assert isinstance(run.task, SampledParity)
        bits = run.task.bits - run.task.silent
        steps = np.array(run.record.steps(run.steps))
        time = TIME * jitter(seed) * 1.8 * math.exp(growth * (bits - 25))
        sharpness = OWN_SHARPNESS / (time if stretched else TIME) * jitter(seed + 1000 * int(label))
        values = {
            "train__accuracy": rising(steps, TIME, OWN_SHARPNESS / TIME),
            "test__accuracy": shape(steps, time, sharpness),
        }
        return Record(run, table(steps, **values), {"last_step": run.steps}, lambda _: {})

    return behave


def test_slope_is_that_of_the_logarithm() -> None:
    assert per_bit({25: 2.0, 30: 4.0, 35: 8.0}) == pytest.approx(math.log(2) / 5)


def test_runs_differ_in_length_alone_and_silent_bits_add_nothing() -> None:
    at = parity_gap_grows.arms("quick")
    runs = networks_by_length(3, at["claim"])
    assert list(runs) == ["25", "35", "45"]
    assert len({run.replace(task=SampledParity()) for run in runs.values() if isinstance(run, Run)}) == 1
    for run in networks_by_length(3, at["silent bits"]).values():
        assert isinstance(run, Run)
        assert isinstance(run.task, SampledParity)
        assert run.task.bits - run.task.silent == 25


def test_a_small_network_can_be_trained_and_measured() -> None:
    at = Setting(dict(parity_gap_grows.arms("quick")["claim"]) | {"lengths": (6, 7, 8), "width": 30, "steps": 400})
    runs = networks_by_length(0, at)
    records = {}
    for label, run in runs.items():
        outcome = train([run])[run.identity]
        records[label] = Record(run, outcome.trajectory, outcome.info, lambda _: {})
    found = {m.quantity: m.value for m in parity_gap_grows.measure(records, at)}
    assert found["share of lengths at which it generalises"] == 1.0
    assert math.isfinite(found["log relative sharpness, per bit"])
