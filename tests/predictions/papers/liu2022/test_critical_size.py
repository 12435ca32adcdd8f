"""Liu et al. 2022: lines, nullities and rates, on records that are made up."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.landscape.theory import parallelograms
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.liu2022.critical_size import beyond, inverse, necessary, rate, sufficient
from grokscape.predictions.papers.liu2022.setup import nullity
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.toys import STEPS, record, rises, verdict


def lines(arm, seed, run, *, least=40, cheats=False):
    """Training ends in a line from some size on, and never under a fast decoder."""
    line = run.n_train >= least and arm != "fast decoder"
    if cheats:
        line = nullity(run) > 2
    return record(run, all__quality=1.0 if line else 0.3)


def test_nullity_is_necessary():
    assert verdict(necessary, lines).status is Status.PASS
    assert verdict(necessary, lambda *a: lines(*a, cheats=True)).status is Status.FAIL
    assert verdict(necessary, lambda *a: lines(*a, least=60)).status is Status.FAIL
    assert verdict(necessary, lambda _, s, run: lines(CLAIM, s, run)).status is Status.INVALID


def test_nullity_is_sufficient():
    assert verdict(sufficient, lambda arm, s, run: lines(arm, s, run, least=20 + s % 2)).status is Status.PASS
    assert verdict(sufficient, lines).status is Status.FAIL
    # No line at all is a line at no less than all pairs.
    at = Setting(sufficient.tiers["quick"].setting)
    records = {label: lines(CLAIM, 0, run, least=60) for label, run in sufficient.runs(0, at).items()}
    found = {m.quantity: m.value for m in sufficient.measure(records, at)}
    assert found["least share of pairs that ends in a line"] == 1.0


def timed(arm, seed, run, *, power=1.0, noise=0.1, sign=1.0):
    """A line after a time proportional to a power of 1 / lambda_3."""
    slowness = 1 / max(parallelograms.grokking_rate(run.symbols, run.train_pairs), 1e-9)
    spread = np.exp(np.random.default_rng([seed, run.n_train, run.draw]).normal(0, noise))
    when = 30 * slowness ** (sign * power) * spread * (1 if sign > 0 else 400)
    # The record is as fine as need be: what is tested is not the schedule.
    steps = np.array([0, max(1, round(when)), round(when) + 1, round(when) + 2])
    if not STEPS[0] < when < STEPS[-1]:
        return record(run, all__quality=0.3)
    return record(run, steps=steps, all__quality=np.array([0.3, 1.0, 1.0, 1.0]))


def test_rate():
    assert verdict(rate, timed).status is Status.PASS
    assert verdict(rate, lambda *a: timed(*a, sign=-1.0)).status is Status.FAIL
    assert verdict(rate, lambda *a: timed(*a, power=0.0)).status is Status.FAIL


def test_inverse_rate():
    assert verdict(inverse, timed).status is Status.PASS
    assert verdict(inverse, lambda *a: timed(*a, power=0.5)).status is Status.FAIL


def test_rate_beyond_size():
    assert verdict(beyond, timed).status is Status.PASS
    assert verdict(beyond, lambda *a: timed(*a, power=0.0)).status is Status.FAIL


def test_lines_that_never_came_count_as_late_and_not_in_the_slope():
    at = Setting(rate.tiers["quick"].setting | {"sizes": (30, 40, 50), "sets": 1})
    runs = rate.runs(0, at)
    came = {"30/0": None, "40/0": 300, "50/0": 100}
    records = {
        label: record(run, all__quality=0.3 if came[label] is None else rises(came[label]))
        for label, run in runs.items()
    }
    found = {m.quantity: m.value for m in rate.measure(records, at)}
    assert found["rank correlation"] == pytest.approx(1.0)
    assert found["lines that came"] == 2.0
