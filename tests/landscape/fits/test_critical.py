"""The critical size of simulated seeds: bias, honest intervals, few runs, and data that no logistic would make."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.special import expit

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.fits.critical import RISE, critical_size, next_size, size_grid

GRID = size_grid(100, 1369, 1.05)
FIRST = [137, 274, 410, 548, 821]


class Seed:
    """A simulated seed: a logistic of known middle and width, with noise on every accuracy that is asked for."""

    def __init__(self, seed: int, *, width: float, noise: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.middle, self.scale, self.noise = self.rng.uniform(2.55, 2.85), width / RISE, noise

    def accuracy(self, size):
        clean = expit((np.log10(size) - self.middle) / self.scale)
        return np.clip(clean + self.noise * self.rng.standard_normal(np.shape(size)), 0, 1)


def adaptively(accuracy, first=FIRST, grid=GRID, **how):
    """Ask for sizes until `next_size` is content; return what was tried."""
    sizes, accuracies = list(first), [float(accuracy(size)) for size in first]
    while (size := next_size(sizes, accuracies, grid, **how)) is not None:
        assert size in grid
        assert size not in sizes
        sizes.append(size)
        accuracies.append(float(accuracy(size)))
    return sizes, accuracies


@pytest.mark.parametrize(("width", "noise"), [(0.02, 0.01), (0.2, 0.02), (0.35, 0.04), (0.6, 0.02)])
def test_bias_coverage_and_runs_over_200_simulated_seeds(width, noise):
    """The interval covers from 92 % up: more where it is held wide, because no size lies between two neighbours."""
    errors, covered, widths, runs = [], [], [], []
    for number in range(200):
        seed = Seed(number, width=width, noise=noise)
        sizes, accuracies = adaptively(seed.accuracy)
        found = critical_size(sizes, accuracies)
        errors.append(math.log10(found.estimate) - seed.middle)
        covered.append(found.lower <= 10**seed.middle <= found.upper)
        widths.append(found.width)
        runs.append(len(sizes))
    assert abs(np.mean(errors)) < 0.001 + 3 * np.std(errors) / math.sqrt(200)
    assert np.std(errors) < 0.01
    assert np.mean(covered) > 0.92
    assert abs(np.mean(widths) / width - 1) < 0.2
    assert max(runs) <= 9  # the grid has 55 sizes
    assert len(GRID) == 55


def test_the_full_grid_covers_too_where_several_sizes_lie_on_the_slope():
    covered = []
    for number in range(200):
        seed = Seed(number, width=0.35, noise=0.04)
        found = critical_size(GRID, seed.accuracy(np.array(GRID)))
        covered.append(found.lower <= 10**seed.middle <= found.upper)
    assert 0.92 < np.mean(covered) < 0.98


def test_a_curve_without_noise_is_found_whatever_level_and_chance():
    sizes = np.array(size_grid(50, 3200, 2**0.5))
    curve = 0.1 + 0.9 * expit((np.log10(sizes) - 2.5) / 0.1)
    found = critical_size(sizes, curve, level=0.8, chance=0.1)
    share = (0.8 - 0.1) / 0.9
    assert found.estimate == pytest.approx(10 ** (2.5 + 0.1 * math.log(share / (1 - share))), rel=1e-4)
    assert found.width == pytest.approx(0.1 * RISE, rel=1e-4)
    assert found.residual < 1e-6
    # Perfect residuals do not make it surer than the sizes it was tried at allow.
    assert math.log10(found.upper / found.lower) >= 0.49 * math.log10(2**0.5)


@pytest.mark.parametrize("jump", [0, 1, 2, 3])
def test_a_jump_is_the_geometric_mean_of_its_bracket(jump):
    found = critical_size(FIRST, [float(size > FIRST[jump]) for size in FIRST])
    low, high = FIRST[jump : jump + 2]
    assert found.bracketed
    assert found.estimate == pytest.approx(math.sqrt(low * high))
    assert (found.lower, found.upper) == pytest.approx((low, high))
    assert found.width == pytest.approx(math.log10(high / low))


def test_one_size_on_the_slope_is_interpolated_and_does_not_pretend_to_precision():
    found = critical_size([100, 200, 400], [0.0, 0.3, 1.0])
    assert 200 < found.estimate < 400
    assert found.lower <= 200
    assert found.upper >= 400


def test_bisection_of_a_jump_takes_the_logarithm_of_the_grid():
    sizes, accuracies = adaptively(lambda size: float(size > 333), first=[100, 1369], resolution=0.0)
    assert len(sizes) <= 2 + math.ceil(math.log2(len(GRID))) + 1
    neighbours = [pair for pair in itertools.pairwise(GRID) if pair[0] <= 333 < pair[1]]
    found = critical_size(sizes, accuracies)
    assert (found.lower, found.upper) == pytest.approx(neighbours[0])
    assert next_size(sizes, accuracies, GRID, resolution=0.0) is None


def test_without_a_bracket_it_is_censored_and_the_search_goes_outward():
    above = critical_size(FIRST, [0.8, 0.9, 1.0, 1.0, 1.0])
    assert (above.bracketed, above.lower, above.estimate, above.upper) == (False, 0, 137, 137)
    below = critical_size(FIRST, [0.0] * 5)
    assert (below.bracketed, below.lower, below.estimate, below.upper) == (False, 821, 821, math.inf)
    assert math.isnan(below.width)
    assert next_size(FIRST, [1.0] * 5, GRID) < 137
    assert next_size(FIRST, [0.0] * 5, GRID) > 821
    assert next_size(FIRST, [0.0] * 5, FIRST) is None
    sizes, accuracies = adaptively(lambda size: float(size > 1000))
    assert critical_size(sizes, accuracies).bracketed


def test_dips_and_noise_of_any_kind_come_to_an_end_with_finite_numbers():
    found = critical_size(FIRST, [0.0, 0.6, 0.2, 0.9, 1.0])
    assert found.bracketed
    assert 137 < found.estimate < 548
    for number in range(30):
        rng = np.random.default_rng(number)
        sizes, accuracies = adaptively(lambda _, rng=rng: rng.uniform(), resolution=0.0)
        assert np.isfinite(critical_size(sizes, accuracies).estimate)
    falling = critical_size(FIRST, [1.0, 0.9, 0.2, 0.1, 0.0])
    assert not falling.bracketed


def test_order_does_not_matter():
    accuracies = [0.0, 0.1, 0.55, 0.9, 1.0]
    assert critical_size(FIRST[::-1], accuracies[::-1]) == critical_size(FIRST, accuracies)


def test_grids_are_geometric_and_name_every_size_once():
    grid = size_grid(3, 1000, 1.2)
    assert (grid[0], grid[-1]) == (3, 1000)
    assert list(grid) == sorted(set(grid))
    assert max(b / a for a, b in itertools.pairwise(grid) if a > 50) < 1.22
    assert size_grid(7, 7, 2.0) == (7,)
    assert size_grid(100, 400, 2.0) == (100, 200, 400)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: critical_size([1, 1], [0, 1]),
        lambda: critical_size([1, 2], [0, 1.2]),
        lambda: critical_size([0, 2], [0, 1]),
        lambda: critical_size([], []),
        lambda: critical_size([1, 2], [0, math.nan]),
        lambda: critical_size([1, 2], [0, 1], level=0.1, chance=0.2),
        lambda: size_grid(10, 5, 2.0),
        lambda: size_grid(5, 10, 1.0),
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(InvalidInput):
        wrong()
