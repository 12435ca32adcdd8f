"""Omnigrok on real data: what is measured of a training."""

from __future__ import annotations

import math

import pytest

from grokscape.predictions.papers.liu2023.images import digits_grok, digits_inverse_decay
from grokscape.predictions.papers.liu2023.real_data_setup import AT_END, AT_FIT, BEST_SO_FAR, DELAY, GAIN, SLOPE
from tests.predictions.papers.liu2023.real_data import STEPS, accuracies, measured


def test_the_delay_and_what_is_gained_in_it():
    found = measured(digits_grok, lambda run: accuracies(run, fit=STEPS[80], late=STEPS[130]))
    assert found[DELAY].value == pytest.approx(math.log(STEPS[130] / STEPS[80]))
    assert found[GAIN].value == pytest.approx(0.6)
    assert found[AT_END].value - found[AT_FIT].value == pytest.approx(0.6)
    assert found["highest test accuracy"].value == found[AT_END].value
    assert not found["steps to generalise"].censored


def test_a_network_that_never_generalises_has_a_censored_time_and_the_least_delay():
    found = measured(digits_grok, lambda run: accuracies(run, fit=STEPS[80], late=9999))
    assert found["steps to generalise"].censored
    assert found[DELAY].value == pytest.approx(math.log(4000 / STEPS[80]))
    assert found[GAIN].value == 0


def test_the_end_is_not_the_best():
    def falling(run):
        table = accuracies(run, fit=STEPS[80], late=STEPS[130])
        late = (table.trajectory["split"] == "test") & (table.trajectory["step"] > 3000)
        table.trajectory.loc[late, "value"] = 0.5
        return table

    found = measured(digits_grok, falling)
    assert found[AT_END].value == 0.5
    assert found["highest test accuracy"].value > 0.85
    # Drawn beside each other at the last step.
    assert (found["test accuracy"].value, found[BEST_SO_FAR].value) == (0.5, found["highest test accuracy"].value)
    assert found["test accuracy"].at == found[BEST_SO_FAR].at == STEPS[-1]


def test_two_unseen_times_have_no_slope():
    found = measured(digits_inverse_decay, lambda run: accuracies(run, fit=300, late=9999))
    assert found[SLOPE].value == 0
    assert found["share of weight decays at which the time was seen"].value == 0
