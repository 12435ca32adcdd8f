"""Every built-in claim: error rates of its rules, controls that differ, thresholds that are explained.

That each can pass, can fail, and flips with the sign of its effect is tested in ``papers``.
"""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.rules import Decision, operating
from tests.predictions.made_up.steps import CLAIMS


def contradicted(criterion):
    """Whether a thousand seeds like those of calibration would falsify it: then there is no power to ask for."""
    expected = criterion.calibrated
    many = criterion.rule.draw(np.random.default_rng(0), 1000, expected.effect, expected.spread)
    return criterion.rule.decide(many).outcome is Decision.FALSIFIED


@pytest.mark.parametrize("id", CLAIMS)
def test_error_rates_at_the_seeds_of_each_tier(id):
    """At most 5 % false PASSes and at least 80 % power for what calibration found, criterion by criterion."""
    claim = CLAIMS[id]
    for tier in claim.tiers.values():
        for criterion in claim.criteria:
            expected = criterion.calibrated
            rates = operating(
                criterion.rule, seeds=len(tier.seeds), effect=expected.effect, spread=expected.spread, trials=2000
            )
            assert rates.false_pass <= 0.05, criterion.quantity
            assert rates.power >= 0.8 or contradicted(criterion), criterion.quantity


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
