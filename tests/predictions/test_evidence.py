"""Picking samples out of evidence, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from predictions.evidence import Evidence, Observation


def test_a_sample_follows_the_order_of_seeds():
    evidence = Evidence((Observation("x", 2.0, seed=7), Observation("x", 1.0, seed=3), Observation("y", 9.0, seed=3)))
    assert evidence.sample("x").values.tolist() == [1.0, 2.0]


def test_levels_become_columns_or_are_picked():
    rows = tuple(Observation("x", 10 * s + at, at=at, censored=at == 2, seed=s) for s in (0, 1) for at in (2.0, 1.0))
    evidence = Evidence(rows)
    sample = evidence.sample("x")
    assert sample.levels.tolist() == [1.0, 2.0]
    assert sample.values.tolist() == [[1, 2], [11, 12]]
    assert np.array_equal(sample.censored, [[False, True]] * 2)
    assert evidence.sample("x", at=2.0).values.tolist() == [2, 12]


def test_arms_are_kept_apart():
    evidence = Evidence((Observation("x", 1.0), Observation("x", 5.0, arm="control")))
    assert evidence.sample("x", arm="control").values.tolist() == [5.0]
    with pytest.raises(KeyError, match="other"):
        evidence.sample("x", arm="other")


def test_seeds_measured_at_different_levels_are_refused():
    evidence = Evidence((Observation("x", 1.0, at=1.0, seed=0), Observation("x", 1.0, at=2.0, seed=1)))
    with pytest.raises(ValueError, match="same levels"):
        evidence.sample("x")


def test_rows_round_trip():
    evidence = Evidence((Observation("x", 1.0, at=0.5, censored=True, arm="a", seed=4),))
    assert Evidence.from_data(evidence.to_data()) == evidence
