"""Gaussian process regression on the published data: the claim's verdicts on records that are made up."""

from __future__ import annotations

import numpy as np

from grokscape.predictions.papers.miller2023.gp_published_end import regression_published_end
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import record, verdict

STEPS = np.arange(301)


def ending(arm, seed, run, *, away=1e-3):
    end = np.array([-0.3641, -0.8020]) + (0.5 if run.train_noise else away * jitter(seed))
    return record(run, steps=STEPS, all__log_lengthscale=end[0], all__log_outputscale=end[1])


def test_published_end():
    assert verdict(regression_published_end, ending).status is Status.PASS
    assert verdict(regression_published_end, lambda *a: ending(*a, away=0.02)).status is Status.FAIL
    blind = verdict(regression_published_end, lambda arm, seed, run: ending(arm, seed, run.replace(train_noise=False)))
    assert blind.status is Status.INVALID


def test_starts_of_the_published_end_lie_around_the_papers():
    at = Setting(regression_published_end.tiers["quick"].setting)
    runs = [run for seed in range(5) for run in regression_published_end.runs(seed, at).values()]
    assert len({run.identity for run in runs}) == 15
    assert max(abs(run.log_lengthscale - near) for run, near in zip(runs, 5 * [-6, -6, 0], strict=True)) <= 0.5
    assert [run.data for run in runs] == 15 * ["published"]
