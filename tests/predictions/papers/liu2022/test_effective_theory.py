"""Liu et al. 2022: what is measured of a toy's records, and that each claim passes, fails and minds its controls."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.liu2022.effective_theory import parallelograms_hold, predicted_accuracy
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.toys import record, verdict

LINE = np.arange(10.0)[:, None]


def cloud(seed):
    return np.random.default_rng(seed).normal(size=(10, 1))


# -- Parallelograms ----------------------------------------------------------------------------------------------------


def placed(arm, seed, run, *, places=LINE, loss=1e-5):
    return record(run, places if arm == CLAIM else cloud(seed), train__loss=loss, all__quality=1.0)


def test_parallelograms():
    assert verdict(parallelograms_hold, placed).status is Status.PASS
    assert verdict(parallelograms_hold, lambda *a: placed(*a, places=cloud(1))).status is Status.FAIL
    assert verdict(parallelograms_hold, lambda *a: placed(*a, loss=0.1)).status is Status.INVALID
    assert verdict(parallelograms_hold, lambda arm, s, run: placed(CLAIM, s, run)).status is Status.INVALID


def test_symbols_in_one_place_form_false_parallelograms():
    # Two neighbours of a line in one place: the sums they take part in coincide where they should not.
    merged = LINE.copy()
    merged[5] = merged[4]
    found = verdict(parallelograms_hold, lambda *a: placed(*a, places=merged))
    assert found.status is Status.FAIL
    assert next(c for c in found.criteria if c.quantity == "false parallelograms").estimate > 0


# -- Predicted accuracy ------------------------------------------------------------------------------------------------


def predicting(arm, seed, run, *, error=0.0, constant=False):
    """Test accuracy rises with size from 0.1 to 1, and is as predicted, up to an error."""
    accuracy = 0.5 if constant else 0.1 + 0.9 * (run.n_train - 12) / 38
    wrong = error * np.random.default_rng([seed, run.n_train]).choice([-1, 1])
    number = 55
    predicted = (run.n_train + (accuracy + wrong) * (number - run.n_train)) / number
    return record(run, test__accuracy=accuracy, all__predicted_accuracy=predicted)


def test_predicted_accuracy():
    assert verdict(predicted_accuracy, lambda *a: predicting(*a, error=0.01)).status is Status.PASS
    assert verdict(predicted_accuracy, lambda *a: predicting(*a, error=0.6)).status is Status.FAIL
    assert verdict(predicted_accuracy, lambda *a: predicting(*a, constant=True)).status is Status.FAIL


def test_only_held_out_pairs_count():
    at = Setting(predicted_accuracy.tiers["quick"].setting)
    runs = predicted_accuracy.runs(0, at)
    records = {label: predicting(CLAIM, 0, run) for label, run in runs.items()}
    found = {(m.quantity, m.at): m.value for m in predicted_accuracy.measure(records, at)}
    assert found["mean absolute error", None] == pytest.approx(0.0, abs=1e-12)
    assert found["predicted test accuracy", 50 / 55] == pytest.approx(1.0)
    assert found["predicted test accuracy", 12 / 55] == pytest.approx(0.1)
