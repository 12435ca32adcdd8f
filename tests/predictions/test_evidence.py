"""Picking samples out of evidence, and what is refused."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

from grokscape.predictions.evidence import Evidence, Observation


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


def test_columns_give_back_what_was_put_in():
    put = (
        Observation("x", 1.0, at=0.5, censored=True, arm="a", seed=4),
        Observation("y", 2.0, seed=2**100),
        Observation("x", -3.0, at=0.0),
    )
    kept = Evidence(put).observations
    assert (len(kept), tuple(kept), kept[-1], kept[1:]) == (3, put, put[2], put[1:])
    assert kept == put
    assert kept != put[:2]
    with pytest.raises(IndexError):
        kept[3]
    assert not list(Evidence(()).observations)


def test_a_value_that_is_no_finite_number_is_none_in_a_row():
    evidence = Evidence(Observation("x", value) for value in (1.0, np.inf, np.nan))
    assert [o.value for o in evidence.observations][:2] == [1.0, np.inf]
    rows = evidence.to_data()
    assert [row["value"] for row in rows] == [1.0, None, None]
    assert rows == list(rows)
    assert rows[0] == {"quantity": "x", "value": 1.0, "at": None, "censored": False, "arm": "claim", "seed": 0}
    assert json.loads(json.dumps(list(Evidence.from_data(rows).to_data()))) == list(rows)


def test_an_observation_takes_few_bytes():
    tracemalloc.start()
    try:
        evidence = Evidence(
            Observation(f"quantity {step % 5}", step / 7, at=float(step), seed=seed)
            for seed in range(10)
            for step in range(2000)
        )
        rows = evidence.to_data()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / len(rows) < 100  # an object of its own takes 300, a dict with its numbers 400
