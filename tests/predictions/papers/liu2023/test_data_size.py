"""Omnigrok: more data shorten the delay, on made-up accuracies."""

from __future__ import annotations

import math

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.liu2023.data_size import data_size_degroks
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import course, jitter, verdict


def test_more_data_shorten_the_delay():
    def behave(arm, seed, label, run):
        size = run.n_train
        when = 2e5 / size * jitter(seed) if arm == CLAIM and size > 60 else math.inf
        return course(run, fits=100 + size, generalises=when, last=2500)

    assert verdict(data_size_degroks, behave).status is Status.PASS

    def indifferent(arm, seed, label, run):
        return course(run, fits=100, generalises=1000 * jitter(seed) if arm == CLAIM else math.inf, last=2500)

    assert verdict(data_size_degroks, indifferent).status is Status.FAIL
