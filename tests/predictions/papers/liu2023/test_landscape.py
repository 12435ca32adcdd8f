"""Omnigrok: the L, the U and the shell that grows with data, on made-up landscapes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.liu2023.landscape import landscape, last_crossing, more_data_widen_the_shell
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter, verdict


def surface(run, seed, train, test):
    """A record of a landscape whose log10 losses are functions of (size, log10 scale)."""
    rows = []
    places = [(size, scale) for size in run.sizes for scale in run.scales]
    for place, (size, scale) in enumerate(places):
        x = math.log10(scale)
        factor = jitter(1000 * seed + place)
        values = {
            ("", "size"): size,
            ("", "scale"): scale,
            ("", "norm"): 10 * scale,
            ("", "converged"): 1.0,
            ("train", "loss"): factor * 10 ** train(size, x),
            ("test", "loss"): factor * 10 ** test(size, x),
            ("train", "accuracy"): float(train(size, x) < -3),
            ("test", "accuracy"): float(test(size, x) < -3),
            ("train", "best loss"): 10 ** train(size, x),
            ("test", "best loss"): 10 ** min(test(size, x), 0.0),
            ("train", "best accuracy"): 1.0,
            ("test", "best accuracy"): 1.0,
        }
        rows += [(place, split, quantity, float(value)) for (split, quantity), value in values.items()]
    return Record(
        run, pd.DataFrame(rows, columns=["step", "split", "quantity", "value"]), {"last_step": 0}, lambda s: {}
    )


def falls(size, x):
    return -6.0 + max(0.0, -4 * x)


def u(size, x, bottom=-0.25, edge=0.5):
    return -4.0 + 5 * abs(x - bottom) - edge * math.log10(size / 100)


def no_rule(size, x):
    return -1.0 + max(0.0, x)


def shaped(train=falls, test=u):
    def behave(arm, seed, label, run):
        return surface(run, seed, train, test if arm == CLAIM else no_rule)

    return behave


def test_an_l_and_a_u():
    assert verdict(landscape, shaped()).status is Status.PASS
    assert verdict(landscape, shaped(train=lambda size, x: falls(size, x) + 8 * max(0.0, x))).status is Status.FAIL
    assert verdict(landscape, shaped(test=lambda size, x: -4.0 + max(0.0, -5 * x))).status is Status.FAIL
    # With its bottom at ten times the usual norm it is a U elsewhere.
    assert verdict(landscape, shaped(test=lambda size, x: u(size, x, bottom=0.75))).status is Status.FAIL
    # A control that shows a U makes any verdict worthless.
    everywhere = verdict(landscape, lambda arm, seed, label, run: surface(run, seed, falls, u))
    assert everywhere.status is Status.INVALID


def test_a_shell_that_grows_with_data():
    assert verdict(more_data_widen_the_shell, shaped()).status is Status.PASS
    assert verdict(more_data_widen_the_shell, shaped(test=lambda size, x: u(size, x, edge=0.0))).status is Status.FAIL


@pytest.mark.parametrize(
    ("y", "level", "expected"),
    [
        ([3.0, 1.0, -1.0, 1.0, 3.0], 0.0, 2.5),
        ([3.0, 1.0, -1.0, -3.0, 5.0], 1.0, 3.5),
        ([-1.0, 2.0, -2.0, 2.0, 2.0], 0.0, 2.5),
        ([1.0, 2.0, 1.0, 2.0, 2.0], 0.0, 0.0),
        ([1.0, -2.0, -1.0, -2.0, -2.0], 0.0, 4.0),
    ],
)
def test_the_outer_edge_is_the_last_crossing(y, level, expected):
    assert last_crossing(np.arange(5.0), np.array(y), level) == pytest.approx(expected)


def test_the_best_seen_is_mapped_beside_the_end_and_decides_nothing():
    """A network that was right on the way and is wrong at the end counts as wrong."""
    at = more_data_widen_the_shell.arms("quick")[CLAIM]
    record = surface(more_data_widen_the_shell.runs(0, at)["landscape"], 0, falls, u)
    best = (record.trajectory["split"] == "test") & (record.trajectory["quantity"] == "best accuracy")

    def found():
        return {(m.quantity, m.at): m.value for m in more_data_widen_the_shell.measure({"landscape": record}, at)}

    before = found()
    assert before["best test accuracy, 50 examples", 10.0] == 1.0
    assert before["test accuracy, 50 examples", 10.0] == 0.0
    record.trajectory.loc[best, "value"] = 0.0
    after = found()
    assert after["best test accuracy, 50 examples", 10.0] == 0.0
    assert {key: value for key, value in after.items() if "best" not in key[0]} == {
        key: value for key, value in before.items() if "best" not in key[0]
    }
