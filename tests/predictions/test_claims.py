"""Every built-in claim: error rates of its rules, controls that differ, thresholds that are explained.

That each can pass, can fail, and flips with the sign of its effect is tested in ``papers``.
"""

from __future__ import annotations

import pytest

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.rules import Decision, operating
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.steps import CLAIMS


@pytest.mark.parametrize("id", CLAIMS)
def test_error_rates_at_the_seeds_of_each_tier(id):
    """At most 5 % false PASSes and at least 80 % power for what calibration found, criterion by criterion.

    There is no power to ask for where calibration contradicts the claim.
    """
    claim = CLAIMS[id]
    for tier in claim.tiers.values():
        for criterion in claim.criteria:
            expected = criterion.calibrated
            rates = operating(
                criterion.rule, seeds=len(tier.seeds), effect=expected.effect, spread=expected.spread, trials=2000
            )
            assert rates.false_pass <= 0.05, criterion.quantity
            if criterion.foreseen is Decision.FALSIFIED:
                assert claim.anticipated is Status.FAIL
            else:
                assert rates.power >= 0.8, criterion.quantity


@pytest.mark.parametrize("id", CLAIMS)
def test_each_control_differs_from_the_claim(id):
    claim = CLAIMS[id]
    for tier in claim.tiers:
        arms = {name: dict(at) for name, at in claim.arms(tier).items()}
        assert all(arms[control.name] != arms[CLAIM] for control in claim.controls)


@pytest.mark.parametrize("id", CLAIMS)
def test_thresholds_say_where_they_come_from(id):
    for criterion in CLAIMS[id].criteria:
        assert len(criterion.threshold_from) > 10
        assert criterion.calibrated.seeds


def test_what_a_claim_disputes_is_another_claim():
    for claim in CLAIMS.values():
        assert set(claim.disputes) <= CLAIMS.keys() - {claim.id}, claim.id
