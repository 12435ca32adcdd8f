"""Formulas of unevenness and spectra against closed forms, NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.progress.circuit_losses import key_frequencies
from grokscape.landscape.measures.progress.spectra import (
    fourier_basis,
    fourier_power,
    gini,
    hoyer,
    inverse_participation_ratio,
    participation,
    skewness,
)

SIZES = [1, 2, 3, 8, 23]


def one_hot(n: int) -> torch.Tensor:
    return torch.eye(n, dtype=torch.float64)[n // 2]


@pytest.mark.parametrize("n", [2, 5, 16])
def test_evenly_spread_weight_has_the_smallest_values(n: int) -> None:
    even = torch.full((n,), -0.7, dtype=torch.float64)
    assert float(gini(even)) == pytest.approx(0, abs=1e-12)
    assert float(hoyer(even)) == pytest.approx(0, abs=1e-12)
    assert float(inverse_participation_ratio(even.square())) == pytest.approx(1 / n)
    assert float(participation(even)) == pytest.approx(n)


@pytest.mark.parametrize("n", [2, 5, 16])
def test_all_weight_in_one_place_has_the_largest_values(n: int) -> None:
    alone = -3 * one_hot(n)
    assert float(gini(alone)) == pytest.approx(1 - 1 / n)
    assert float(hoyer(alone)) == pytest.approx(1)
    assert float(inverse_participation_ratio(alone.square())) == 1
    assert float(participation(alone)) == 1


def test_gini_is_half_the_relative_mean_difference() -> None:
    values = np.random.default_rng(0).exponential(size=(4, 19))
    expected = [np.abs(row[:, None] - row).mean() / (2 * row.mean()) for row in values]
    np.testing.assert_allclose(gini(torch.from_numpy(values)), expected)
    np.testing.assert_allclose(gini(torch.from_numpy(values.T), dim=0), expected)


def test_skewness_is_that_of_scipy() -> None:
    values = np.random.default_rng(0).exponential(size=(4, 19))
    np.testing.assert_allclose(skewness(torch.from_numpy(values)), stats.skew(values, axis=1))


def test_nothing_at_all_is_undefined() -> None:
    zero = torch.zeros(4, dtype=torch.float64)
    for measure in (gini, hoyer, inverse_participation_ratio, participation, skewness):
        assert torch.isnan(measure(zero)), measure.__name__


@pytest.mark.parametrize("n", SIZES)
def test_the_basis_is_orthonormal(n: int) -> None:
    basis = fourier_basis(n)
    torch.testing.assert_close(basis @ basis.T, torch.eye(n, dtype=torch.float64), atol=1e-12, rtol=0)


@pytest.mark.parametrize("n", SIZES)
def test_power_is_that_of_projections_on_the_basis_and_adds_up_to_the_square(n: int) -> None:
    values = torch.from_numpy(np.random.default_rng(n).standard_normal((3, n, 2)))
    power = fourier_power(values, dim=1)
    assert power.shape == (3, 2, n // 2 + 1)
    torch.testing.assert_close(power.sum(-1), values.square().sum(1))
    squares = torch.einsum("fx,axb->abf", fourier_basis(n), values).square()
    for k in range(n // 2 + 1):
        rows = [0] if k == 0 else [r for r in (2 * k - 1, 2 * k) if r < n]
        torch.testing.assert_close(power[..., k], squares[..., rows].sum(-1))


@pytest.mark.parametrize(("n", "k"), [(23, 1), (23, 11), (8, 3), (8, 4)])
def test_a_cosine_has_all_its_power_at_its_frequency(n: int, k: int) -> None:
    x = torch.arange(n, dtype=torch.float64)
    power = fourier_power(1.5 * torch.cos(2 * torch.pi * k * x / n + (0.0 if 2 * k == n else 0.4)))
    expected = torch.zeros(n // 2 + 1, dtype=torch.float64)
    expected[k] = 1.5**2 * n / (1 if 2 * k == n else 2)
    torch.testing.assert_close(power, expected, atol=1e-12, rtol=1e-12)
    assert float(inverse_participation_ratio(power)) == pytest.approx(1)


def test_float32_spectra_stay_in_float32_and_agree() -> None:
    values = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 23)))
    power = fourier_power(values.float())
    assert power.dtype == torch.float32
    torch.testing.assert_close(power.double(), fourier_power(values), atol=1e-5, rtol=1e-5)


def test_key_frequencies_are_those_above_a_share_of_the_largest() -> None:
    power = torch.tensor([[99.0, 10.0, 0.9, 1.2, 0.0], [0.0, 0.0, 0.0, 0.0, 5.0]])
    assert key_frequencies(power) == (1, 3, 4)
    assert key_frequencies(power, share=0.4) == (1, 4)


def test_refusals_say_what_is_wrong() -> None:
    with pytest.raises(InvalidInput, match="size is 0, expected the order of a group"):
        fourier_basis(0)
    with pytest.raises(InvalidInput, match=r"share is 1, expected a number in \[0, 1\)"):
        key_frequencies(torch.ones(3), share=1)
    with pytest.raises(InvalidInput, match="zero at all frequencies"):
        key_frequencies(torch.tensor([1.0, 0.0]))
