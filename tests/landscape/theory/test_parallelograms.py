"""Catches parallelograms that are miscounted, and a theory that follows from others than were asked for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.theory import parallelograms as pg


def spread_of(*chosen: tuple[int, int], symbols: int = 10) -> np.ndarray:
    """The places of pairs in the list of all pairs."""
    every = [tuple(pair) for pair in pg.pairs(symbols).tolist()]
    return np.array([every.index(pair) for pair in chosen], dtype=int)


@pytest.mark.parametrize("symbols", [3, 4, 7, 10])
def test_parallelograms_are_all_couples_of_equal_sum(symbols: int) -> None:
    every = list(itertools.combinations_with_replacement(range(symbols), 2))
    expected = {frozenset((a, b)) for a, b in itertools.combinations(every, 2) if sum(a) == sum(b)}
    found = {frozenset(every[i] for i in couple) for couple in pg.couples(symbols)}
    assert found == expected
    total = len(every) * (len(every) - 1) // 2
    assert len(pg.couples(symbols, equal=False)) == total - len(expected)


def test_ten_symbols_have_seventy() -> None:
    assert len(pg.couples(10)) == 70
    with pytest.raises(InvalidInput, match="symbols is 2"):
        pg.couples(2)


def test_a_row_holds_the_two_sums_against_each_other() -> None:
    chosen = spread_of((0, 4), (2, 2), symbols=5).reshape(1, 2)
    np.testing.assert_array_equal(pg.rows(5, chosen), [[1, 0, -2, 0, 1]])


def test_only_couples_inside_the_training_set_are_asked_for() -> None:
    train = spread_of((0, 3), (1, 2), (0, 4), (5, 5))
    np.testing.assert_array_equal(pg.asked(10, train), [spread_of((0, 3), (1, 2))])


def test_nullity_of_known_sets() -> None:
    everything = np.arange(55)
    assert pg.nullity(pg.rows(10, pg.asked(10, everything))) == 2  # a shift and a scale
    assert pg.nullity(pg.rows(10, pg.asked(10, everything[:0]))) == 10
    # 0 + 2 = 1 + 1 alone takes one dimension away.
    assert pg.nullity(pg.rows(10, pg.asked(10, spread_of((0, 2), (1, 1))))) == 9


def test_what_is_implied_is_what_every_solution_has() -> None:
    # E0 + E3 = E1 + E2 and E1 + E3 = 2 E2 give E0 + E2 = 2 E1; E0 + E4 = ... stays open.
    train = spread_of((0, 3), (1, 2), (1, 3), (2, 2), symbols=5)
    implied = pg.couples(5)[pg.implied(5, train)]
    expected = [spread_of(*couple, symbols=5) for couple in (((0, 2), (1, 1)), ((0, 3), (1, 2)), ((1, 3), (2, 2)))]
    assert {tuple(sorted(c)) for c in implied} == {tuple(sorted(c)) for c in expected}
    assert pg.implied(10, np.arange(55)).all()
    assert not pg.implied(10, np.arange(0)).any()


def test_quality_of_a_line_is_one_whatever_its_place_and_scale() -> None:
    line = np.stack([3 - 2.5 * np.arange(10.0), 7e3 * np.arange(10.0)])[..., None]
    np.testing.assert_array_equal(pg.quality(line), [1.0, 1.0])
    assert pg.quality(np.zeros((10, 1))) == 1.0  # of no spread: all symbols in one place
    assert pg.quality(np.random.default_rng(0).normal(size=(10, 1))) < 0.4


def test_gaps_are_those_of_the_standardised_embedding() -> None:
    places = np.random.default_rng(1).normal(2.0, 3.0, (6, 2))
    standard = (places - places.mean(0)) / places.std(0, ddof=1)
    pairs = pg.pairs(6)
    for gap, (first, second) in zip(pg.gaps(places, pg.couples(6)), pg.couples(6), strict=True):
        difference = standard[pairs[first]].sum(0) - standard[pairs[second]].sum(0)
        assert gap == pytest.approx(np.mean(difference**2), rel=1e-12)


def test_reach_follows_realised_parallelograms_to_trained_pairs_only() -> None:
    train = np.zeros((3, 55), bool)
    train[:, spread_of((0, 3))] = True
    couples = [tuple(couple) for couple in pg.couples(10).tolist()]
    realised = np.zeros((3, 70), bool)
    realised[1, couples.index(tuple(sorted(spread_of((0, 3), (1, 2)))))] = True  # links (1, 2)
    realised[2, couples.index(tuple(sorted(spread_of((0, 4), (1, 3)))))] = True  # links pairs not trained on
    np.testing.assert_allclose(pg.reach(10, train, realised) * 55, [1, 2, 1])


def test_grokking_rate_is_the_third_eigenvalue_of_the_hessian() -> None:
    """Against finite differences of the effective loss on a line, where the loss is 0."""
    rng = np.random.default_rng(2)
    train = rng.permutation(55)[:40]
    asked = pg.rows(10, pg.asked(10, train))
    line = (np.arange(10.0) - 4.5) / np.arange(10.0).std(ddof=1)

    def loss(places: np.ndarray) -> float:
        return float(np.square(asked @ places).mean() / np.square(places - places.mean()).sum())

    step, units = 1e-4, np.eye(10)
    hessian = [
        [
            sum(a * b * loss(line + step * (a * units[i] + b * units[j])) for a in (1, -1) for b in (1, -1))
            / (4 * step**2)
            for j in range(10)
        ]
        for i in range(10)
    ]
    assert pg.grokking_rate(10, train) == pytest.approx(np.linalg.eigvalsh(hessian)[2], rel=1e-5)
    assert pg.grokking_rate(10, train, 18.0) == pytest.approx(pg.grokking_rate(10, train) / 2)
    assert pg.grokking_rate(10, train[:8]) == 0.0


def test_critical_size_is_the_first_at_which_one_line_is_left() -> None:
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(28)
        nullities = [pg.nullity(pg.rows(7, pg.asked(7, order[:size]))) for size in range(29)]
        assert nullities == sorted(nullities, reverse=True)
        assert pg.critical_size(7, order) == next(size for size, left in enumerate(nullities) if left <= 2)
    # Sums that all differ ask for nothing.
    assert pg.critical_size(7, np.arange(28), labels=np.arange(28)) == 29


def test_critical_fraction_of_ten_symbols() -> None:
    """The authors' own ten thousand draws find half of all sets determined between 22 and 23 of 55 pairs."""
    sizes = pg.critical_sizes(10, 600, seed=3)
    assert np.median(sizes) in (22, 23)
    assert (sizes <= 19).mean() == pytest.approx(0.086, abs=0.035)
    assert (sizes <= 28).mean() == pytest.approx(0.949, abs=0.03)
