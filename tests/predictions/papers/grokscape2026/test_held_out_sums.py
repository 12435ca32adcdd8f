"""The rival reading of the toy's grokking phase, on records that are made up."""

from __future__ import annotations

import math

import numpy as np

from grokscape.landscape.theory import parallelograms
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.grokscape2026.held_out_sums import held_out_sums, outlying
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.toys import record, rises, verdict


def lagging(arm, seed, run, *, slope=300.0, noise=20.0):
    lag = 2500 + slope * (outlying(run) - 4) + np.random.default_rng([seed, run.draw]).normal(0, noise)
    return record(run, train__accuracy=rises(100), test__accuracy_on_known_sums=rises(100 + max(lag, 0)))


def test_held_out_sums():
    assert verdict(held_out_sums, lagging).status is Status.PASS
    assert verdict(held_out_sums, lambda *a: lagging(*a, slope=-300.0)).status is Status.FAIL
    # Where no split ever generalises there is no correlation.
    never = lambda arm, s, run: record(run, train__accuracy=rises(100), test__accuracy_on_known_sums=0.3)  # noqa: E731
    assert verdict(held_out_sums, never).status is Status.FAIL


def test_outlying_counts_what_nine_in_ten_held_out_pairs_keep():
    (run, *_) = held_out_sums.runs(0, Setting(held_out_sums.tiers["quick"].setting)).values()
    total = parallelograms.sums(10)
    held = np.setdiff1d(np.arange(55), run.train_pairs)
    known = [abs(total[i] - 9) for i in held if total[i] in total[run.train_pairs]]
    assert sum(distance <= outlying(run) for distance in known) >= 0.9 * len(known)
    assert sum(distance < outlying(run) for distance in known) < 0.9 * len(known)


def test_splits_differ_and_all_else_does_not():
    at = Setting(held_out_sums.tiers["quick"].setting)
    runs = held_out_sums.runs(3, at)
    assert len({run.replace(draw=0).identity for run in runs.values()}) == 1
    assert len({tuple(run.train_pairs) for run in runs.values()}) == len(runs)


def test_a_split_that_never_generalises_is_latest():
    at = Setting(held_out_sums.tiers["quick"].setting)
    runs = dict(held_out_sums.runs(0, at))
    far = {label: outlying(run) for label, run in runs.items()}
    last = max(far.values())
    records = {
        label: lagging(CLAIM, 0, run, slope=math.inf if far[label] == last else 100.0, noise=0.0)
        for label, run in runs.items()
    }
    found = {m.quantity: m.value for m in held_out_sums.measure(records, at)}
    assert found["splits that generalise"] == sum(distance < last for distance in far.values())
    assert found["rank correlation"] > 0.8
