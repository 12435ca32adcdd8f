"""Miller et al. 2023: linear regression's claims, on records that are made up and on two that are not."""

from __future__ import annotations

import numpy as np

from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.miller2023.linear_regression import (
    fit_before_complexity,
    linear_regression_groks,
    linear_regression_needs_penalty,
)
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.landscape.helpers import train_alone
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import few, record, verdict

STEPS = np.unique(np.concatenate([[0], np.logspace(0, 3.7, 75).round()])).astype(int)


def falls(when, *, high=1.0, low=0.0):
    return np.where(when <= STEPS, low, high)


def learnt(run, *, fits, generalises, high=0.4, low=0.1, complexity=1.0, simple=None):
    return record(
        run,
        steps=STEPS,
        train__error=falls(fits, high=0.5),
        test__error=falls(generalises, high=high, low=low),
        train__low_error=falls(fits, high=0.0, low=1.0),
        test__low_error=falls(generalises, high=0.0, low=0.6),
        all__complexity=falls(generalises if simple is None else simple, high=complexity),
        all__fit=falls(fits, high=100.0),
    )


def groks(arm, seed, run, *, fits=3, generalises=700, low=0.1):
    low = {"no penalty": 0.28, "random targets": 0.5}.get(arm, low)
    # The mean error is low only some records after half of the data sets are fitted.
    low = low * jitter(seed)
    return learnt(
        run, fits=fits, generalises=generalises * jitter(seed, 0.3), low=low, high=max(0.35 * jitter(seed), low)
    )


def test_linear_regression_groks():
    assert verdict(few(linear_regression_groks), groks).status is Status.PASS
    assert verdict(few(linear_regression_groks), lambda *a: groks(*a, generalises=4)).status is Status.FAIL
    assert verdict(few(linear_regression_groks), lambda *a: groks(*a, low=0.3)).status is Status.FAIL
    assert verdict(few(linear_regression_groks), lambda _, s, run: groks(CLAIM, s, run)).status is Status.INVALID


def limits(arm, seed, run, *, without=0.28):
    left = 0.5 if arm == "random targets" else (0.1 if run.penalty else without)
    left *= jitter(seed + 100 * run.penalty, 0.05)
    return record(
        run,
        steps=STEPS,
        test__error=left,
        test__error_in_the_limit=left,
        test__low_error_in_the_limit=1 - 2 * left,
    )


def test_linear_regression_needs_its_penalty():
    assert verdict(few(linear_regression_needs_penalty), limits).status is Status.PASS
    assert verdict(few(linear_regression_needs_penalty), lambda *a: limits(*a, without=0.11)).status is Status.FAIL


def ordered(arm, seed, run, *, late=65):
    return learnt(run, fits=1, generalises=late, simple=(1 if arm != CLAIM else late) * jitter(seed))


def test_fit_before_complexity():
    assert verdict(few(fit_before_complexity), ordered).status is Status.PASS
    assert verdict(few(fit_before_complexity), lambda *a: ordered(*a, late=2)).status is Status.FAIL
    assert verdict(few(fit_before_complexity), lambda _, s, run: ordered(CLAIM, s, run)).status is Status.INVALID


def test_measured_on_a_real_run():
    at = Setting(linear_regression_groks.tiers["quick"].setting)
    records = {}
    for label, run in linear_regression_groks.runs(0, at).items():
        outcome = train_alone(run)
        records[label] = Record(run, outcome.trajectory, outcome.info, lambda _: {})
    found = {(m.quantity, m.at): m.value for m in linear_regression_groks.measure(records, at)}
    assert found["from fitting to generalising", 1] > 50 * found["from fitting to generalising", 0]
    assert found["test error once the training error is low", None] > 2 * found["test error at the end", None]
    times = {m.at: m.value for m in fit_before_complexity.measure(records, at) if "from data fit" in m.quantity}
    assert times[1] > 20 * times[0]
