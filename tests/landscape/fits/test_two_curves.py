"""The crossing of memorising and generalising where it is known, its interval's coverage, and its censoring."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.fits.two_curves import crossing_size, norm_needed

SIZES = np.array([10, 20, 40, 80, 160])


def test_the_norm_needed_is_read_off_a_curve():
    norms = np.geomspace(1, 100, 9)
    assert norm_needed(norms, norms**-2.0, 0.003) == pytest.approx(0.003**-0.5, rel=1e-12)
    assert norm_needed(norms, np.exp(-norms / 5), 0.05) == pytest.approx(-5 * np.log(0.05), rel=0.01)
    assert norm_needed(norms, norms**-2.0, 2.0) == 0
    assert norm_needed(norms, norms**-2.0, 1e-9) == np.inf
    assert np.isnan(norm_needed(norms, np.full(9, np.nan), 0.1))
    some = np.where(np.arange(9) % 2, np.nan, norms**-2.0)
    assert norm_needed(norms, some, 0.003) == pytest.approx(0.003**-0.5, rel=1e-12)


def test_straight_lines_cross_where_they_do():
    memorising = np.sqrt(SIZES) * np.array([[1.0], [1.1]])
    found = crossing_size(SIZES, memorising, np.full((2, 5), 8.0))
    np.testing.assert_allclose(found.seed_lower, [64, 64 / 1.21], rtol=1e-12)
    np.testing.assert_allclose(found.seed_upper, found.seed_lower)
    assert found.estimate == pytest.approx(64 / 1.1)
    assert (found.method, found.side) == ("t", "within")


def draw(rng, seeds):
    """Noisy norms of circuits that cross at 64 examples; noise of the seed, and of every point."""
    shape = (seeds, len(SIZES))
    memorising = 0.5 * np.log(SIZES) + rng.normal(0, 0.06, (seeds, 1)) + rng.normal(0, 0.05, shape)
    generalising = np.log(8) + rng.normal(0, 0.06, (seeds, 1)) + rng.normal(0, 0.05, shape)
    return np.exp(memorising), np.exp(generalising)


@pytest.mark.parametrize(("seeds", "method"), [(3, "t"), (5, "t"), (6, "order"), (9, "order"), (12, "order")])
def test_the_interval_covers_the_planted_crossing_as_often_as_it_says(seeds, method):
    rng = np.random.default_rng(seeds)
    found = [crossing_size(SIZES, *draw(rng, seeds)) for _ in range(1500)]
    assert {one.method for one in found} == {method}
    coverage = np.mean([one.lower <= 64 <= one.upper for one in found])
    assert 0.92 <= coverage <= 0.98
    assert coverage == pytest.approx(found[0].coverage, abs=0.02)
    assert np.median([one.estimate for one in found]) == pytest.approx(64, rel=0.03)


def test_eight_seeds_give_an_interval_that_is_wider_than_asked_and_say_so():
    found = crossing_size(SIZES, *draw(np.random.default_rng(0), 8))
    assert found.coverage == pytest.approx(1 - 2 / 2**8)
    assert (found.lower, found.upper) == (found.seed_lower.min(), found.seed_lower.max())


def test_no_crossing_is_censored_and_never_extrapolated():
    flat = np.full((6, 5), 100.0)
    rising = np.sqrt(SIZES) * np.ones((6, 1))
    above = crossing_size(SIZES, rising, flat)
    assert above.side == "above"
    assert np.isnan(above.estimate)
    assert (above.lower, above.upper) == (160, np.inf)
    assert "above the largest size measured" in above.sentence()
    below = crossing_size(SIZES, rising, flat / 100)
    assert below.side == "below"
    assert (below.lower, below.upper) == (0, 10)
    assert below.censored.all()


def test_some_censored_seeds_widen_the_interval_and_leave_the_median():
    memorising = np.sqrt(SIZES) * np.ones((7, 1))
    generalising = np.array([8, 8.1, 8.2, 8.3, 100, 100, 0.1])[:, None] * np.ones(5)
    found = crossing_size(SIZES, memorising, generalising)
    assert found.estimate == pytest.approx(8.2**2)
    assert (found.lower, found.upper) == (0, np.inf)
    few = crossing_size(SIZES, memorising[2:5], generalising[2:5])
    assert few.method == "none"
    assert few.side == "within"
    assert (few.lower, few.upper) == (0, np.inf)
    assert "too few seeds" in few.sentence()


def test_a_norm_beyond_those_tried_bounds_the_crossing_by_its_neighbours():
    memorising = np.where(SIZES > 50, np.inf, np.sqrt(SIZES)) * np.ones((6, 1))
    found = crossing_size(SIZES, memorising, np.full((6, 5), 8.0))
    assert (found.lower, found.upper) == (40, 80)
    assert found.side == "within"
    assert np.isnan(found.estimate)
    assert "between two of the sizes" in found.sentence()


def test_noise_that_makes_norms_cross_several_times_leaves_the_middle_one():
    excess = np.array([[-1.0, 0.1, -0.1, 0.1, 1.0]])
    found = crossing_size(SIZES, np.exp(excess), np.ones((1, 5)))
    assert 20 < found.seed_lower[0] < 40
    assert found.seed_lower == found.seed_upper


def test_nothing_known_or_the_wrong_way_round_is_said_to_be_unknown():
    for memorising in (np.full(5, np.nan), 1 / np.sqrt(SIZES)):
        found = crossing_size(SIZES, memorising, np.full(5, 0.2))
        assert found.side == "unknown"
        assert "not determined" in found.sentence()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([3, 2], np.ones((1, 2)), np.ones((1, 2))), r"sizes are \[3.0, 2.0\], expected at least two ascending"),
        (([2, 3], np.ones((1, 3)), np.ones((1, 2))), r"shapes \(1, 3\) and \(1, 2\), expected \(seeds, 2\)"),
    ],
)
def test_numbers_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        crossing_size(*arguments)
    with pytest.raises(InvalidInput, match="confidence is 2"):
        crossing_size([1, 2], np.ones((1, 2)), np.ones((1, 2)), confidence=2)
