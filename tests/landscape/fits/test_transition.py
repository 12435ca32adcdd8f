"""Catches fits that depend on how often accuracy was recorded, on the unit of time, or on how long training went on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import curve_fit
from scipy.special import erf

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.fits.transition import fit_transition

EVERY = np.arange(3001.0)
SPACED = np.unique(np.concatenate([[0], np.logspace(0, np.log10(3000), 120).round()]))


def curve(steps: np.ndarray, time: float, sharpness: float, low: float = 0.5, high: float = 1.0) -> np.ndarray:
    return np.asarray((low + high) / 2 + (high - low) / 2 * erf(sharpness * (steps - time)))


@pytest.mark.parametrize("steps", [EVERY, SPACED], ids=["every step", "log-spaced"])
@pytest.mark.parametrize(("time", "sharpness"), [(900.0, 0.004), (40.0, 0.06), (2500.0, 0.0015), (300.0, 0.05)])
@pytest.mark.parametrize("low", [0.0, 0.5])
def test_an_exact_curve_gives_its_parameters(steps, time, sharpness, low):
    found = fit_transition(steps, curve(steps, time, sharpness, low), low, 1.0)
    assert found.time == pytest.approx(time, rel=1e-6)
    assert found.sharpness == pytest.approx(sharpness, rel=1e-5)
    assert found.rmse < 1e-8
    assert not found.censored
    assert found.stretch == pytest.approx(time * sharpness, rel=1e-5)


def test_the_steepest_slope_is_that_of_the_curve():
    found = fit_transition(EVERY, curve(EVERY, 900.0, 0.004, 0.5), 0.5, 1.0)
    # A quarter of erf on three quarters: s / (2 sqrt(pi)).
    assert found.steepest == pytest.approx(0.004 / (2 * math.sqrt(math.pi)), rel=1e-6)
    assert found.steepest == pytest.approx(np.gradient(curve(EVERY, 900.0, 0.004), EVERY).max(), rel=1e-4)


def test_the_same_fit_as_by_scipy_where_records_are_evenly_spaced():
    noisy = curve(EVERY, 700.0, 0.003) + np.random.default_rng(0).normal(0, 0.03, len(EVERY))
    found = fit_transition(EVERY, noisy, 0.5, 1.0)
    (sharpness, time), _ = curve_fit(lambda t, s, m: curve(t, m, s), EVERY, noisy, p0=(0.002, 500.0))
    assert found.time == pytest.approx(time, rel=1e-3)
    assert found.sharpness == pytest.approx(sharpness, rel=3e-3)
    assert found.rmse == pytest.approx(0.03, rel=0.1)


def skewed(steps):
    return 1 - np.exp(-((steps / 400) ** 3))


def test_another_shape_leaves_a_residual_and_is_fitted_alike_however_recorded():
    one, other = (fit_transition(steps, skewed(steps), 0.0, 1.0) for steps in (EVERY, SPACED))
    assert one.rmse > 0.005
    assert other.time == pytest.approx(one.time, rel=2e-3)
    assert other.sharpness == pytest.approx(one.sharpness, rel=1e-2)
    assert other.rmse == pytest.approx(one.rmse, rel=0.1)
    half = 1.645 / one.sharpness
    area, _ = quad(
        lambda t: (skewed(t) - curve(t, one.time, one.sharpness, 0.0)) ** 2, one.time - half, one.time + half
    )
    assert one.rmse == pytest.approx(math.sqrt(area / (2 * half)), rel=0.05)


def test_the_residual_does_not_depend_on_how_long_training_goes_on():
    short, long = (fit_transition(EVERY[:last], skewed(EVERY[:last]), 0.0, 1.0) for last in (1000, 3000))
    assert long.rmse == pytest.approx(short.rmse, rel=1e-3)


def test_slow_motion_changes_the_sharpness_and_not_the_stretch():
    one = fit_transition(EVERY, skewed(EVERY), 0.0, 1.0)
    slow = fit_transition(7 * EVERY, skewed(EVERY), 0.0, 1.0)
    assert slow.time == pytest.approx(7 * one.time, rel=1e-6)
    assert slow.stretch == pytest.approx(one.stretch, rel=1e-5)


def test_a_jump_between_two_records_has_a_time_and_a_finite_sharpness():
    found = fit_transition(EVERY, np.where(EVERY >= 500, 1.0, 0.5), 0.5, 1.0)
    assert 499 <= found.time <= 500
    assert 0.5 < found.sharpness <= 10.0
    assert found.rmse < 0.05


def test_what_never_stays_above_the_middle_is_censored():
    found = fit_transition(EVERY, np.where((EVERY > 500) & (EVERY < 502), 1.0, 0.6), 0.5, 1.0)
    assert found.censored
    assert found.time == 3000
    assert math.isnan(found.sharpness)
    assert math.isnan(found.steepest)


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(InvalidInput, match="more than low"):
        fit_transition(EVERY, skewed(EVERY), 1.0, 0.5)
    with pytest.raises(InvalidInput, match="three or more"):
        fit_transition(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 0.0, 1.0)
    with pytest.raises(InvalidInput, match="ascending"):
        fit_transition(np.array([0.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0]), 0.0, 1.0)
