"""Semi-grokking: what counts as a plateau, and how the claims can come out."""

from __future__ import annotations

import pytest

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.varma2023.semi_grokking import on_plateau, plateaus_end, semi_grokking
from grokscape.predictions.verdict import Status
from tests.predictions.papers.varma2023.scratch import record, share, verdict


@pytest.mark.parametrize(
    ("test", "fits", "plateau"),
    [
        ({1000: 0.5}, 50, True),
        ({1000: 0.5, 6500: 0.54}, 50, True),
        ({1000: 0.5, 6000: 0.9, 6250: 0.5}, 50, True),  # a passing spike
        ({1000: 0.1}, 50, False),  # chance
        ({1000: 1.0}, 50, False),  # perfection
        ({1000: 0.4, 6500: 0.46}, 50, False),  # still on its way
        ({1000: 0.5}, 800, False),  # fitted late
        ({100: 0.5}, 50, False),  # generalised while it fitted
    ],
)
def test_plateau(test, fits, plateau):
    at = semi_grokking.arms("quick")[CLAIM]
    run = semi_grokking.runs(0, at)["larger"]
    assert on_plateau(record(run, test, fits=fits), at) is plateau


def settling(arm, seed, run, *, share_of_seeds=1.0):
    size = share(run)
    happens = run.seed < 100 + 16 * share_of_seeds
    if run.labels == "random" or size < 0.3:
        return record(run)
    return record(run, {1000: 1.0 if size > 0.6 else 0.5 if happens else 0.1})


def test_semi_grokking():
    assert verdict(semi_grokking, settling).status is Status.PASS
    assert verdict(semi_grokking, lambda *a: settling(*a, share_of_seeds=0)).status is Status.FAIL
    assert verdict(semi_grokking, lambda *a: settling(*a, share_of_seeds=0.3)).status is Status.INCONCLUSIVE
    everywhere = verdict(semi_grokking, lambda arm, s, run: record(run, {1000: 0.5}))
    assert everywhere.status is Status.INVALID


def ending(arm, seed, run, *, ended=1.0):
    if share(run) < 0.1 or arm != CLAIM:
        return record(run)
    return record(run, {3000: 0.5} | ({run.steps // 2: 1.0} if run.seed < 100 + 10 * ended else {}))


def test_plateaus_end():
    assert "quick" not in plateaus_end.tiers
    assert verdict(plateaus_end, ending, "standard").status is Status.PASS
    assert verdict(plateaus_end, lambda *a: ending(*a, ended=0), "standard").status is Status.FAIL
    without = verdict(plateaus_end, lambda arm, s, run: record(run), "standard")
    assert without.status is Status.INVALID
    assert "plateaus" in without.reason
