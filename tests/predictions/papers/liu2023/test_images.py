"""Omnigrok: claims on images pass under their effect and nowhere else, on made-up accuracies."""

from __future__ import annotations

import pytest

from grokscape.predictions.papers.liu2023 import images
from tests.predictions.papers.liu2023 import real_data


@pytest.mark.parametrize("claim", [images.digits_grok, images.mnist_grok], ids=lambda claim: claim.id)
def test_grokking(claim):
    real_data.passes_where_grokking_is_late_and_large_alone(claim)


@pytest.mark.parametrize("claim", [images.digits_do_not_grok, images.mnist_does_not_grok], ids=lambda claim: claim.id)
def test_no_grokking(claim):
    real_data.passes_where_networks_generalise_as_they_fit_alone(claim)


@pytest.mark.parametrize("claim", [images.digits_inverse_decay, images.mnist_inverse_decay], ids=lambda claim: claim.id)
def test_inverse_decay(claim):
    real_data.fits_the_power_of_weight_decay_within_seeds(claim)


def test_without_mnist_the_claim_says_how_to_get_it(tmp_path):
    real_data.is_not_run_where_its_data_are_absent("liu2023.mnist_grok", "MnistSample", "quick", tmp_path)
