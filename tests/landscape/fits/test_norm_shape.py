"""How often the shape rule is wrong under nulls, and right under the effects it is for."""

import numpy as np
import pytest

from grokscape.landscape.fits.norm_shape import classify, critical_norm
from grokscape.landscape.randomness import generator

SCALES = 10 ** np.linspace(-1, 1, 11)
X = np.log(SCALES)
TRIALS = 400


def share(kind: str, log_curve: np.ndarray, noise: float, seeds: int = 4, offset: float = 0.5, **options) -> float:
    """Return how often curves with noise at every point, and a level for every seed, are called `kind`."""
    draw = generator(0, f"shape {kind} {noise} {seeds}")
    hits = 0
    for _ in range(TRIALS):
        log_loss = log_curve[:, None] + noise * draw.standard_normal((len(SCALES), seeds))
        log_loss += offset * draw.standard_normal(seeds)
        hits += classify(SCALES, np.exp(log_loss), **options).kind == kind
    return hits / TRIALS


@pytest.mark.parametrize("seeds", [2, 4, 8])
@pytest.mark.parametrize("noise", [0.1, 0.5, 1.0, 2.0])
def test_flat_noise_is_seldom_called_u(noise, seeds):
    assert share("U", np.zeros(11), noise, seeds) <= 0.05


def test_the_choice_of_the_minimum_does_not_flatter_the_rise():
    """Under pure noise both log ratios have mean zero; with the seed's own curve in the choice it would be 0.3."""
    draw = generator(0, "rise")
    shapes = [classify(SCALES, np.exp(draw.standard_normal((11, 4)))) for _ in range(TRIALS)]
    rises = np.log([shape.ratios for shape in shapes]).mean(2)
    error = rises.std(0, ddof=1) / TRIALS**0.5
    assert (np.abs(rises.mean(0)) < 4 * error).all()
    assert (error < 0.05).all()


@pytest.mark.parametrize("noise", [0.1, 0.5, 1.0, 2.0])
def test_flat_noise_is_seldom_called_l(noise):
    assert share("L", np.zeros(11), noise) <= 0.05


@pytest.mark.parametrize("noise", [0.1, 0.5, 1.0])
def test_a_noisy_l_is_seldom_called_u(noise):
    assert share("U", np.maximum(-4 * (X - X[0]), -8), noise) <= 0.05


@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_a_noisy_fall_without_a_flat_part_is_seldom_called_u_or_l(noise):
    falling = -3 * X
    assert share("U", falling, noise) <= 0.05
    assert share("L", falling, noise) <= 0.05


@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_a_rise_just_below_the_threshold_is_seldom_called_u(noise):
    assert share("U", np.log(1.95) * (X / X[-1]) ** 2, noise) <= 0.05


@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_a_clear_u_is_called_u(noise):
    assert share("U", 1.2 * X**2, noise) >= 0.8  # rises 570-fold to either side


def test_a_clear_l_is_called_l():
    assert share("L", np.maximum(-4 * (X - X[0]), -8), 0.1) >= 0.8


def test_an_l_with_a_noisy_bottom_below_the_floor_is_called_l():
    assert share("L", np.maximum(-10 * (X - X[0]), -23), 1.0, zero_loss=1e-8) >= 0.8


def test_a_flat_curve_is_called_flat():
    assert share("flat", np.zeros(11), 0.1) >= 0.8


def test_failure_at_the_largest_norms_does_not_turn_an_l_into_a_u():
    losses = np.exp(np.maximum(-4 * (X - X[0]), -8))[:, None] * np.array([1.0, 1.1, 0.9, 1.05])
    failed = np.zeros_like(losses, dtype=bool)
    failed[-1] = True
    losses[failed] = 10.0
    assert classify(SCALES, losses).kind == "U"  # what would be said without knowing of the failure
    failed[-2, 0] = True
    shape = classify(SCALES, losses, ~failed)
    assert shape.kind == "L"
    assert shape.used.tolist() == [True] * 9 + [False] * 2
    assert "scale 6.31, 10 left out" in shape.reason


def test_losses_that_are_not_finite_count_as_not_converged():
    losses = np.exp(1.2 * X**2)[:, None] * np.ones(4)
    losses[0, 2], losses[-1, 0] = np.nan, np.inf
    shape = classify(SCALES, losses)
    assert shape.kind == "U"
    assert not shape.used[[0, -1]].any()


def test_everything_below_the_floor_is_equal():
    losses = np.full((11, 4), 1e-6)
    losses[5] = 1e-12
    assert classify(SCALES, losses).kind == "flat"
    assert classify(SCALES, losses, zero_loss=0.0).kind == "U"


def test_a_u_reports_its_minimum_its_rises_and_who_agrees():
    shape = classify(SCALES, np.exp(1.2 * (X - X[6]) ** 2)[:, None] * np.ones(4))
    assert shape.kind == "U"
    assert shape.argmin == shape.argmin_low == shape.argmin_high == pytest.approx(SCALES[6])
    assert shape.left == pytest.approx([np.exp(1.2 * (X[0] - X[6]) ** 2)] * 3)
    assert shape.right == pytest.approx([np.exp(1.2 * (X[10] - X[6]) ** 2)] * 3)
    assert shape.agreement == 1.0


def test_one_seed_or_two_scales_settle_nothing():
    for losses in (np.exp(X**2)[:, None], np.ones((11, 4))):
        few = np.zeros(losses.shape, dtype=bool)
        few[:2] = True
        shape = classify(SCALES, losses, None if losses.shape[1] == 1 else few)
        assert shape.kind == "neither"
        assert "too few" in shape.reason


def test_the_critical_norm_of_a_parabola_in_log_log_is_exact():
    centres = np.log(np.array([0.7, 0.8, 0.9, 1.0]))
    found = critical_norm(SCALES, np.exp(2 * (X[:, None] - centres) ** 2))
    assert found.seeds == pytest.approx(np.exp(centres))
    assert found.inside == 1.0
    assert found.estimate == pytest.approx(np.exp(centres.mean()))
    assert found.low < found.estimate < found.high


def test_the_critical_norm_is_exact_on_an_uneven_grid_and_in_each_seeds_own_norms():
    norms = np.array([[0.1, 0.3], [0.2, 0.5], [0.7, 1.0], [1.5, 4.0], [9.0, 5.0]])
    found = critical_norm(norms, np.exp((np.log(norms) - np.log(0.9)) ** 2))
    assert found.seeds == pytest.approx([0.9, 0.9])


def test_the_interval_of_the_critical_norm_holds_what_it_promises():
    draw, hits = generator(1, "coverage"), 0
    for _ in range(TRIALS):
        centres = 0.3 * draw.standard_normal(4)
        found = critical_norm(SCALES, np.exp(2 * (X[:, None] - centres) ** 2))
        hits += found.low <= 1.0 <= found.high
    assert 0.92 <= hits / TRIALS <= 0.98


def test_a_minimum_at_an_end_gives_no_critical_norm():
    losses = np.stack([np.exp(X), np.exp(X**2)], 1)
    found = critical_norm(SCALES, losses)
    assert np.isnan(found.seeds[0])
    assert found.inside == 0.5
    assert np.isnan(found.estimate)
