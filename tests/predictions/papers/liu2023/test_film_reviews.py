"""Omnigrok: claims on film reviews pass under their effect and nowhere else, on made-up accuracies."""

from __future__ import annotations

import pytest

from grokscape.predictions.papers.liu2023.film_reviews import (
    reviews_do_not_grok,
    reviews_grok,
    reviews_grok_recurrent,
    reviews_inverse_decay,
)
from grokscape.predictions.verdict import Status
from tests.predictions.papers.liu2023 import real_data
from tests.predictions.papers.liu2023.real_data import as_claimed, verdict


@pytest.mark.parametrize("claim", [reviews_grok, reviews_grok_recurrent], ids=lambda claim: claim.id)
def test_grokking(claim):
    real_data.passes_where_grokking_is_late_and_large_alone(claim)


def test_no_grokking():
    real_data.passes_where_networks_generalise_as_they_fit_alone(reviews_do_not_grok)


def test_inverse_decay():
    real_data.fits_the_power_of_weight_decay_within_seeds(reviews_inverse_decay)


def test_an_lstm_that_loses_its_fit_at_the_very_end_is_judged_and_no_other_network_is():
    def slipping(run):
        table = as_claimed(run)
        last = (table.trajectory["split"] == "train") & (table.trajectory["step"] > 3000)
        table.trajectory.loc[last, "value"] = 0.8
        return table

    assert verdict(reviews_grok_recurrent, slipping).status is Status.PASS
    assert verdict(reviews_grok, slipping).status is Status.INVALID


def test_without_reviews_the_claim_says_how_to_get_them(tmp_path):
    real_data.is_not_run_where_its_data_are_absent("liu2023.reviews_grok", "FilmReviews", "standard", tmp_path)
