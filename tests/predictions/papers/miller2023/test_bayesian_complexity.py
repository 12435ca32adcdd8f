"""Catches claims about a Bayesian network's complexity that pass without the effect they name, or fail with it."""

from __future__ import annotations

import pytest

from grokscape.predictions.papers.miller2023.bayesian_complexity import (
    common_complexity,
    falls_while_grokking,
    means_fall_while_grokking,
)
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import verdict
from tests.predictions.papers.miller2023.test_bayesian_network import made_up


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (means_fall_while_grokking, Status.PASS),
        (falls_while_grokking, Status.FAIL),
        (common_complexity, Status.FAIL),
    ],
    ids=lambda value: getattr(value, "id", ""),
)
def test_networks_as_calibration_has_them(claim: Prediction, status: Status) -> None:
    found = verdict(claim, made_up())
    assert found.status is status, found.reason


def test_most_of_a_complexity_that_falls_in_the_gap_goes_while_grokking() -> None:
    assert verdict(falls_while_grokking, made_up(half_life=250.0)).status is Status.PASS


def test_networks_that_generalise_at_one_complexity_leave_the_region_together() -> None:
    found = verdict(common_complexity, made_up(lambda scale: 200.0, mean_half_life=20.0))
    assert found.status is Status.PASS, found.reason
