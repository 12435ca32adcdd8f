"""Every built-in claim is held to the contract that is shipped.

That each can pass, can fail, and flips with the sign of its effect is tested in ``papers``.
"""

from __future__ import annotations

from grokscape.predictions.testing import parametrize_claims
from tests.predictions.made_up.steps import CLAIMS


@parametrize_claims(CLAIMS.values())
def test_every_claim_keeps_the_contract(claim, check):
    check(claim)


def test_what_a_claim_disputes_is_another_claim():
    for claim in CLAIMS.values():
        assert set(claim.disputes) <= CLAIMS.keys() - {claim.id}, claim.id
