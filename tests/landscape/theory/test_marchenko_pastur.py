"""Catches a law of another matrix, and consequences that do not follow from it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.theory import marchenko_pastur as mp

RATIOS = [0.1, 0.5, 0.9, 0.99, 1.01, 1.5, 4.0]


@pytest.mark.parametrize("ratio", RATIOS)
def test_moments(ratio: float) -> None:
    assert mp.mean(np.ones_like, ratio) == pytest.approx(1, abs=1e-11)
    assert mp.mean(lambda nu: nu, ratio) == pytest.approx(1, abs=1e-11)
    assert mp.mean(np.square, ratio) == pytest.approx(1 + ratio, abs=1e-11)
    assert mp.mean(lambda nu: nu**3, ratio) == pytest.approx(1 + 3 * ratio + ratio**2, abs=1e-10)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.9])
def test_inverse_moments(ratio: float) -> None:
    assert mp.mean(lambda nu: 1 / nu, ratio) == pytest.approx(1 / (1 - ratio), rel=1e-10)
    assert mp.mean(lambda nu: 1 / nu**2, ratio) == pytest.approx((1 - ratio) ** -3, rel=1e-10)


@pytest.mark.parametrize("ratio", [0.3, 2.0])
def test_quadrature_agrees_with_integrating_the_density(ratio: float) -> None:
    low, high = mp.edges(ratio)

    def density(nu: float) -> float:
        return math.sqrt((high - nu) * (nu - low)) / (2 * math.pi * ratio * nu)

    bulk, _ = quad(lambda nu: density(nu) * math.exp(-3 * nu), low, high, epsabs=1e-12)
    expected = bulk + max(0.0, 1 - 1 / ratio)
    assert mp.mean(lambda nu: np.exp(-3 * nu), ratio) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("ratio", [0.25, 4.0])
def test_eigenvalues_of_a_large_matrix_follow_it(ratio: float) -> None:
    rng, inputs = np.random.default_rng(0), 400
    examples = rng.standard_normal((round(inputs / ratio), inputs))
    spectrum = np.linalg.eigvalsh(examples.T @ examples / len(examples))
    for time in (0.1, 1.0):
        assert np.exp(-time * spectrum).mean() == pytest.approx(
            mp.mean(lambda nu, t=time: np.exp(-t * nu), ratio), abs=3e-3
        )


@pytest.mark.parametrize("ratio", RATIOS)
def test_training_loss_in_closed_form(ratio: float) -> None:
    times = np.concatenate([[0.0], np.logspace(-3, 3, 40)])
    integrated, _ = mp.losses(times, ratio)
    np.testing.assert_allclose(mp.training_loss(times, ratio), integrated, rtol=1e-8, atol=1e-13)


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_test_loss_falls_at_the_training_loss_and_stops_at_what_is_unseen(ratio: float) -> None:
    step = 1e-4
    _, test = mp.losses(np.array([1.0 - step, 1.0 + step, 1e4]), ratio)
    train, _ = mp.losses(np.array([1.0]), ratio)
    assert (test[1] - test[0]) / (2 * step) == pytest.approx(-4 * train[0], rel=1e-6)
    assert test[2] == pytest.approx(max(0.0, 1 - 1 / ratio), abs=1e-12)


def test_accuracy_is_a_share_of_chi_squared_errors() -> None:
    for outputs in (1, 5):
        loss = 3e-3
        share = chi2.cdf(outputs * 1e-3 / loss, outputs)
        assert mp.accuracy(loss, 1e-3, outputs) == pytest.approx(share)
        assert mp.loss_at(share, 1e-3, outputs) == pytest.approx(loss)
    assert mp.accuracy(2.5e-4, 1e-3) == pytest.approx(math.erf(math.sqrt(2)))


@pytest.mark.parametrize(("ratio", "outputs", "last"), [(0.5, 1, 3e3), (0.9, 20, 9e5)])
def test_gap_is_where_the_accuracies_reach_the_share(ratio: float, outputs: int, last: float) -> None:
    found = mp.gap(ratio, 1e-3, lr=0.01, outputs=outputs)
    steps = np.linspace(0, last, 800)
    reached = [
        np.interp(0.95, mp.accuracy(loss / outputs, 1e-3, outputs), steps)
        for loss in mp.losses(0.01 * steps / outputs, ratio)
    ]
    assert found == pytest.approx(reached[1] - reached[0], rel=1e-2)


def test_gap_tends_to_its_formula_as_the_threshold_vanishes() -> None:
    formula = mp.limiting_gap(0.5, lr=0.01)
    shares = [mp.gap(0.5, threshold, lr=0.01) / formula for threshold in (1e-3, 1e-6, 1e-12, 1e-100)]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(0.60, abs=0.01)
    assert 0.98 < shares[-1] < 1


def test_gaps_that_are_none_or_never() -> None:
    assert mp.gap(0.9, 1e-3, lr=0.01, outputs=2000) == 0
    assert mp.gap(1.1, 1e-3, lr=0.01) == math.inf
    assert 0 < mp.gap(1.01, 0.1, lr=0.01) < math.inf


def test_what_weight_decay_leaves() -> None:
    train, test = mp.decayed_losses(1e-6, 0.5)
    assert train == pytest.approx(1e-12 / (8 * 0.5), rel=1e-4)
    assert test == pytest.approx(1e-12 / (8 * 0.5**3), rel=1e-4)
    assert mp.decayed_losses(1e-9, 2.0)[1] == pytest.approx(0.5 * 0.5, rel=1e-6)


def test_what_has_no_law_or_limit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="positive"):
        mp.edges(0.0)
    with pytest.raises(InvalidInput, match="lambda is 1"):
        mp.mean(np.square, 1.0)
    with pytest.raises(InvalidInput, match="less than 1"):
        mp.limiting_gap(1.2, lr=0.01)
