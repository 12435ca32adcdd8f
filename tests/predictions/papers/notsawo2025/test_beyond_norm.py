"""A norm that rises under weight decay: whose runs are used, and how the claim can come out."""

from __future__ import annotations

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.kumar2023.lazy_to_rich import grokking_with_rising_norm
from grokscape.predictions.papers.notsawo2025.beyond_norm import norm_rises_under_decay
from grokscape.predictions.papers.power2022.delayed_generalisation import delayed_generalisation
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import course, jitter, verdict


def rising(by=0.2):
    def behave(arm, seed, label, run):
        if arm != CLAIM:
            return course(run, fits=60, generalises=400, norm=lambda steps: 120 - steps / 10, last=1000)
        return course(
            run, fits=60, generalises=900, norm=lambda steps: 50 * jitter(seed) * (1 + by * steps / 1000), last=3000
        )

    return behave


def test_verdicts():
    assert verdict(norm_rises_under_decay, rising()).status is Status.PASS
    assert verdict(norm_rises_under_decay, rising(by=-0.2)).status is Status.FAIL


def test_runs_are_shared():
    arms = norm_rises_under_decay.arms("quick")
    claimed = norm_rises_under_decay.runs(0, arms[CLAIM])["run"]
    power = delayed_generalisation.runs(0, delayed_generalisation.arms("quick")[CLAIM])["run"]
    assert claimed == power.replace(n_train=power.task.n_train(0.6))
    kumar = grokking_with_rising_norm
    assert (
        norm_rises_under_decay.runs(0, arms["large start"])["run"]
        == kumar.runs(0, kumar.arms("quick")["weight decay"])["run"]
    )
