"""Claims about networks trained from scratch: what they measure, what they share, and how they can come out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.varma2023.efficiency import memorisation_efficiency
from grokscape.predictions.papers.varma2023.from_scratch import (
    critical_size_exists,
    time_against_size,
    time_diverges,
    weight_decay_needed,
)
from grokscape.predictions.papers.varma2023.scratch_setup import from_scratch
from grokscape.predictions.papers.varma2023.semi_grokking import semi_grokking
from grokscape.predictions.verdict import Status
from tests.predictions.papers.varma2023.scratch import NEVER, record, share, verdict


def noise(run, scale=0.02):
    return np.random.default_rng((run.seed, run.n_train)).normal(0, scale)


# -- Runs --------------------------------------------------------------------------------------------------------------


def test_only_runs_that_generalise_for_certain_end_early():
    at = time_diverges.arms("quick")[CLAIM]
    assert [bool(from_scratch(0, at, f).stop) for f in (0.25, 0.6, 0.75, 0.9)] == [False, False, True, True]
    assert [from_scratch(0, at, f).steps for f in (0.6, 0.9)] == [at.scratch_steps, at.steps]


def test_claims_share_their_runs():
    def runs(claim, arm=CLAIM):
        return set(claim.runs(0, claim.arms("quick")[arm]).values())

    assert len(runs(critical_size_exists) & runs(time_diverges)) == 1
    assert runs(time_diverges) == runs(time_diverges, "fitting instead of generalising")
    assert len(runs(weight_decay_needed) & runs(time_diverges)) == 1
    assert runs(semi_grokking, "much data") <= runs(time_diverges)
    assert runs(semi_grokking, "random labels") <= runs(memorisation_efficiency)
    assert runs(critical_size_exists, "random labels") <= runs(memorisation_efficiency)


# -- The critical size -------------------------------------------------------------------------------------------------


def critical(arm, seed, run, *, at=0.4, above=1.0, below=0.0):
    return record(run, above if share(run) > at and run.labels == "true" else below)


def test_critical_size():
    assert verdict(critical_size_exists, critical).status is Status.PASS
    assert verdict(critical_size_exists, lambda *a: critical(*a, at=0.1)).status is Status.FAIL
    assert verdict(critical_size_exists, lambda *a: critical(*a, at=0.8)).status is Status.FAIL
    assert verdict(critical_size_exists, lambda *a: critical(*a, above=0.0, below=1.0)).status is Status.FAIL
    leaky = verdict(critical_size_exists, lambda arm, s, run: record(run, 1.0 if share(run) > 0.4 else 0.0))
    assert leaky.status is Status.INVALID
    assert "random labels" in leaky.reason


def test_critical_size_asks_for_networks_that_fit():
    unfit = verdict(
        critical_size_exists,
        lambda arm, s, run: record(run, critical(arm, s, run).final("accuracy", "test"), fits=NEVER),
    )
    assert unfit.status is Status.INVALID


# -- How long it takes -------------------------------------------------------------------------------------------------


def rising(log_time, *, fits=50):
    """A network whose time to generalise follows a law of the size."""

    def behave(arm, seed, run):
        return record(run, {math.exp(log_time(share(run)) + noise(run)): 1.0}, fits=fits)

    return behave


def towards(critical, scale=0.45):
    return lambda size: 4.6 + scale / (size - critical)


def test_time_diverges():
    assert verdict(time_diverges, rising(towards(0.3))).status is Status.PASS
    # A law that bends the other way, one that falls with the size, and one that hardly depends on it.
    assert verdict(time_diverges, rising(lambda size: 8.2 - 14 * (size - 0.45) ** 2)).status is Status.FAIL
    assert verdict(time_diverges, rising(lambda size: 5 + 3 * size)).status is Status.FAIL
    assert verdict(time_diverges, rising(lambda size: 6 - 0.5 * size)).status is Status.FAIL


def test_an_exponential_rise_is_not_faster_than_exponential():
    exponential = verdict(time_diverges, rising(lambda size: 8.2 - 6 * (size - 0.45)))
    assert exponential.status is not Status.PASS
    curvature = exponential.criteria[1]
    assert abs(curvature.estimate) < 3


def test_fitting_that_diverged_too_would_void_the_claim():
    def both(arm, seed, run):
        time = math.exp(towards(0.3)(share(run)))
        return record(run, {time: 1.0}, fits=time)

    void = verdict(time_diverges, both)
    assert void.status is Status.INVALID


def measured(times, budget=4000):
    at = time_diverges.arms("quick")[CLAIM]
    records = {f"{f:g}": record(from_scratch(0, at, f), {time: 1.0}) for f, time in times.items()}
    return list(time_against_size(records, at))


def one(found, quantity):
    return next(m for m in found if m.quantity == quantity)


def test_curvature_is_that_of_the_logarithm():
    # Steps at which records are taken, so that no rounding intervenes: log-spaced by factors of 10^(1/4).
    times = {0.5: 1778, 0.6: 562, 0.75: 178, 0.9: 100}
    coefficient = np.polyfit(list(times), np.log(list(times.values())), 2)[0]
    found = measured(times)
    assert one(found, "curvature of log time over size").value == pytest.approx(coefficient, rel=1e-3)
    assert one(found, "sizes at which the time was seen").value == 4


def test_sizes_whose_time_was_not_seen_stay_censored_and_bend_no_curve():
    seen = {0.5: 1778, 0.6: 562, 0.75: 178, 0.9: 100}
    found = measured({0.45: NEVER} | seen)
    assert one(found, "curvature of log time over size") == one(measured(seen), "curvature of log time over size")
    censored = [m.at for m in found if m.quantity == "steps to generalise" and m.censored]
    assert censored == [0.45]
    first, last = (m for m in found if m.quantity == "from the largest to the smallest size")
    assert (first.value, first.censored, last.value, last.censored) == (100, False, 4000, True)


def test_too_few_times_void_the_claim():
    late = verdict(time_diverges, rising(lambda size: 6.0 if size > 0.7 else 20.0))
    assert late.status is Status.INVALID
    assert "sizes at which the time was seen" in late.reason


# -- Weight decay ------------------------------------------------------------------------------------------------------


def decaying(arm, seed, run, *, power=0.9):
    decay = run.optimiser.weight_decay
    time = 700 * decay**-power * math.exp(noise(run, 0.1)) if decay > 0 else NEVER
    return record(run, {time: 1.0})


def test_weight_decay_needed():
    assert verdict(weight_decay_needed, decaying).status is Status.PASS
    indifferent = verdict(weight_decay_needed, lambda arm, s, run: record(run, {700 + s: 1.0}))
    assert indifferent.status is Status.FAIL
    assert verdict(weight_decay_needed, lambda *a: decaying(*a, power=3)).status is Status.INVALID


def test_the_network_without_decay_is_spared_the_steps_that_destroy_it():
    for tier in weight_decay_needed.tiers:
        for at in weight_decay_needed.arms(tier).values():
            runs = weight_decay_needed.runs(0, at)
            assert runs["other decay"].optimiser.eps >= 1e-4
            assert runs["decay"].optimiser == at.optimiser
            assert runs["other decay"].optimiser.weight_decay < at.optimiser.weight_decay
