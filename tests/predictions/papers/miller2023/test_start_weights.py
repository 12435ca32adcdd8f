"""Miller et al. 2023: the grokking gap by the weights that linear regression starts with, on made-up records."""

from __future__ import annotations

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.miller2023.start_weights import gap_and_start_weight, gap_and_true_weight_alone
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import few, verdict
from tests.predictions.papers.miller2023.test_linear_regression import learnt


def swept(arm, seed, run, *, power=1.0, lost=1.0):
    """The gap and the complexity lost in it, as powers of what the true feature lacks of weight."""
    lacking = 1.05 - run.start[0]
    if arm != CLAIM:
        return learnt(run, fits=3, generalises=300 * jitter(round(97 * seed + 1000 * lacking), 0.3))
    return learnt(run, fits=3, generalises=30 + 600 * lacking**power * jitter(seed), complexity=lacking**lost)


def test_gaps_fall_with_the_start_weight():
    claim = few(gap_and_start_weight)
    assert verdict(claim, swept).status is Status.PASS
    assert verdict(claim, lambda *a: swept(*a, power=-1.0)).status is Status.FAIL
    assert verdict(claim, lambda _, s, run: swept(CLAIM, s, run)).status is Status.INVALID


def test_complexity_gap_must_fall_with_it():
    assert verdict(few(gap_and_true_weight_alone), swept).status is Status.PASS
    assert verdict(few(gap_and_true_weight_alone), lambda *a: swept(*a, lost=-1.0)).status is Status.FAIL


def test_the_two_sweeps_differ_in_the_spurious_weights():
    for claim, others in ((gap_and_start_weight, 0.0), (gap_and_true_weight_alone, 0.9)):
        at = Setting(claim.tiers["quick"].setting)
        starts = [run.start for run in claim.runs(0, at).values()]
        assert starts[-1] == (1.0, others, others, others)
        assert [start[0] for start in starts] == list(at.weights)


def test_a_data_set_that_never_generalises_has_a_censored_gap():
    at = Setting(gap_and_start_weight.tiers["quick"].setting)
    (label, run), *_ = gap_and_start_weight.runs(0, at).items()
    found = list(gap_and_start_weight.measure({label: learnt(run, fits=3, generalises=10**9)}, at))
    assert [m.censored for m in found if m.quantity == "grokking gap"] == [True]
