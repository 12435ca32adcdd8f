"""Catches claims about sharpness that pass without their trend, or that say more than stretched transitions show."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.predictions.papers.miller2024.networks import erf_fits, only_stretched, sharpness_falls
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import verdict
from tests.predictions.papers.miller2023.test_parity_setup import made_up, rising


@pytest.mark.parametrize("claim", [erf_fits, sharpness_falls, only_stretched], ids=lambda c: c.id)
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
