"""Catches an exponential or hyperbolic tangent that is off by more than rounding, or swallows what is no number."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from grokscape.landscape.fused.compiled import compiled
from grokscape.landscape.fused.functions import exponential, tangent


@compiled()
def exponentials(x, out):
    for i in range(x.size):
        out[i] = exponential(x[i])


@compiled()
def tangents(x, out):
    for i in range(x.size):
        out[i] = tangent(x[i])


def values(function, x):
    out = np.empty_like(x)
    function(x, out)
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("function", "exact", "ends"), [(exponentials, np.exp, 80.0), (tangents, np.tanh, 12.0)], ids=["exp", "tanh"]
)
def test_values_are_right_to_rounding(function, exact, ends, dtype) -> None:
    generator = np.random.default_rng(0)
    x = np.concatenate(
        [
            generator.uniform(-ends, ends, 20_000),
            generator.normal(size=2_000) * 10.0 ** generator.integers(-9, 0, 2_000),
        ]
    ).astype(dtype)
    wide = exact(x.astype(np.longdouble))
    apart = np.abs(values(function, x).astype(np.longdouble) - wide) / np.abs(wide)
    assert apart.max() < 3 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_limits(dtype) -> None:
    x = np.array([np.inf, -np.inf, np.nan, 1e5, -1e5, 0.0], dtype)
    found = values(exponentials, x)
    assert found[0] == found[3] == np.inf
    assert np.isnan(found[2])
    assert 0 <= found[1] == found[4] < 2 * np.finfo(dtype).tiny
    assert found[5] == 1
    found = values(tangents, x)
    assert np.abs(found[[0, 3]] - 1).max() < 3 * np.finfo(dtype).eps
    assert np.abs(found[[1, 4]] + 1).max() < 3 * np.finfo(dtype).eps
    assert np.isnan(found[2])
    assert found[5] == 0


def test_a_number_has_one_value_wherever_it_stands() -> None:
    """A vector's and a remainder's numbers are computed by different instructions."""
    for function in (exponentials, tangents):
        for dtype in (np.float32, np.float64):
            x = np.full(77, 0.7231, dtype)
            assert len(np.unique(values(function, x))) == 1
            assert np.array_equal(values(function, x[:3]), values(function, x)[:3])
