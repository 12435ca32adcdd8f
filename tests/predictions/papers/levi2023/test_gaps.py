"""Levi et al. 2023: how long linear students grok, on made-up records."""

from __future__ import annotations

import math

import numpy as np

from grokscape.landscape.theory import marchenko_pastur as mp
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.levi2023.gaps import gap_and_outputs, gap_grows_with_lambda, jump_is_an_artefact
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import few, record, verdict

STEPS = np.unique(np.concatenate([[0], np.logspace(0, 6, 150).round()])).astype(int)


def timed(run, gap, fit=200.0, **changes):
    return record(
        run,
        steps=STEPS,
        train__accuracy=np.where(fit <= STEPS, 1.0, 0.1),
        test__accuracy=np.where(fit + gap <= STEPS, 1.0, 0.1),
    )


def growing(arm, seed, run, *, power=1.0):
    if arm != CLAIM:
        return timed(run, 500 * jitter(97 * seed + run.inputs, 0.2))
    return timed(run, (1 - run.ratio) ** -power * 500 * jitter(seed))


def test_gap_grows_with_lambda():
    assert verdict(few(gap_grows_with_lambda), growing).status is Status.PASS
    assert verdict(few(gap_grows_with_lambda), lambda *a: growing(*a, power=-1.0)).status is Status.FAIL


def by_outputs(arm, seed, run, *, peak=20):
    distance = abs(math.log(run.outputs / (1 if run.lr > 0.01 or arm != CLAIM else peak)))
    return timed(run, 50_000 * math.exp(-0.5 * distance) * jitter(seed, 0.1))


def test_gap_and_outputs():
    assert verdict(few(gap_and_outputs), by_outputs).status is Status.PASS
    for peak in (1, 300):
        assert verdict(few(gap_and_outputs), lambda *a, peak=peak: by_outputs(*a, peak=peak)).status is Status.FAIL
    leaky = verdict(few(gap_and_outputs), lambda _, s, run: by_outputs(CLAIM, s, run.replace(lr=0.01)))
    assert leaky.status is Status.INVALID


def jumping(arm, seed, run, *, pace=1.0, moves=True):
    """A loss that falls at an even pace, or at another one where 10 % of examples are right."""
    turn = -math.log(mp.loss_at(0.1, run.threshold)) * 100
    if run.quickens != 1:
        pace = run.quickens
    log = -np.minimum(STEPS, turn) / 100 - pace * jitter(seed) * np.maximum(0, STEPS - turn) / 100
    loss = np.exp(np.maximum(log, -600))
    jump = STEPS > 1000 if not moves else mp.accuracy(loss, run.threshold) > 0.5
    return record(run, steps=STEPS, test__loss=loss, test__accuracy=jump)


def test_jump_is_an_artefact():
    assert verdict(few(jump_is_an_artefact), jumping).status is Status.PASS
    assert verdict(few(jump_is_an_artefact), lambda *a: jumping(*a, pace=2.0)).status is Status.FAIL
    assert verdict(few(jump_is_an_artefact), lambda *a: jumping(*a, pace=0.3)).status is Status.FAIL
    assert verdict(few(jump_is_an_artefact), lambda *a: jumping(*a, moves=False)).status is Status.FAIL
