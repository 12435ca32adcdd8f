"""Catches learners whose error, complexity or gap mean something else than another's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.errors import NotMeasured
from grokscape.landscape.experiment import COLUMNS
from grokscape.landscape.grokking import complexity, error, grokking_gap
from grokscape.landscape.learners import EffectiveFlow
from grokscape.landscape.records.record import Record
from tests.landscape.helpers import small_run

STEPS = range(0, 100, 10)


def record(experiment=None, **quantities) -> Record:
    """A record of quantities called split_name, one value a step."""
    rows = [
        (step, *(name.split("_", 1) if name.startswith("t") else ("", name)), float(value))
        for name, values in quantities.items()
        for step, value in zip(STEPS, np.broadcast_to(values, len(STEPS)), strict=True)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Record(experiment or EffectiveFlow(seed=0), table, {"last_step": 90}, lambda step: {})


def after(step: float) -> np.ndarray:
    return np.where(np.array(STEPS) >= step, 0.01, 0.5)


def test_error_is_what_is_recorded_or_what_accuracy_lacks() -> None:
    assert error(record(train_error=after(30)), "train").tolist() == after(30).tolist()
    assert error(record(train_accuracy=0.75), "train").tolist() == [0.25] * 10
    with pytest.raises(NotMeasured, match="no 'accuracy' on split 'test'"):
        error(record(train_error=0.1), "test")


def test_networks_are_charged_a_standard_normal_prior_for_their_weights() -> None:
    run = small_run()
    assert complexity(record(run, weight_norm=3.0)).tolist() == [4.5 / run.n_train] * 10
    assert complexity(record(complexity=-0.5)).tolist() == [-0.5] * 10
    with pytest.raises(NotMeasured, match="a record of EffectiveFlow has no 'complexity', only weight_norm"):
        complexity(record(weight_norm=3.0))


def test_the_gap_is_from_low_training_error_to_low_test_error() -> None:
    gap = grokking_gap(record(train_error=after(20), test_error=after(70)))
    assert (gap.fit.step, gap.generalise.step, gap.steps, gap.censored) == (20, 70, 50, False)
    assert grokking_gap(record(train_error=after(70), test_error=after(20))).steps == -50
    assert grokking_gap(record(train_error=after(20), test_error=after(70)), level=0.5).steps == 0
    never = grokking_gap(record(train_error=after(20), test_error=0.5))
    assert (never.steps, never.censored) == (70, True)
