"""Omnigrok: film reviews, as bags of words and in order; grokking is faint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokscape.landscape import LSTM, Dense, FilmReviews, ReviewWords
from grokscape.predictions import Calibrated, judging, tiers
from grokscape.predictions.papers.liu2023 import claim
from grokscape.predictions.papers.liu2023.real_data_setup import (
    FITTED,
    FITTING_INSTEAD,
    ONCE_FITTED,
    SEEN,
    TIME,
    curves,
    delay_and_gain_from_fitting_to_generalising,
    gained_late,
    inverse_to_decay,
    large_scale,
    later_than_fitting,
    networks_by_decay,
    no_decay,
    nothing_gained_late,
    one_network,
    random_labels,
    right_in_the_end,
    right_on_fitting,
    scale_one,
    time_by_decay,
)

REVIEWS: Mapping[str, Any] = {
    "task": FilmReviews(),
    "model": Dense(widths=(64, 64)),
    "n_train": 750,
    "lr": 3e-3,
    "decay": 0.3,
    "scale": 8.0,
    "labels": "true",
    "steps": 1400,
    "level": 0.68,
}

NOTES = (
    "The paper's network reads words in their order with two layers of LSTM; this one has bags of words. The paper's "
    "arms differ in two things, for weight decay is 1 at scale 6 and none at scale 1; here scale alone differs. With "
    "the paper's values two calibration seeds showed the same contrast, fainter: 14 points gained late at scale 6, and "
    "at scale 1 a few points lost, with weight decay as without. Test accuracy is that on all 1000 other reviews at "
    "each step and at the end, where the paper's training curve shows random batches of 50, and its landscape the best "
    "epoch; the highest so far is drawn beside and decides nothing."
)

reviews_grok = claim(
    id="liu2023.reviews_grok",
    claim="On few film reviews, a network whose initial weights are eight times as large as usual fits first and "
    "generalises later.",
    where="figure 4, on bags of words",
    kind="extension",
    runs=one_network,
    measure=delay_and_gain_from_fitting_to_generalising,
    gates=(FITTED,),
    criteria=(
        gained_late(above=0.1, calibrated=Calibrated(0.19, 0.01, "0-2")),
        right_in_the_end(above=0.65, calibrated=Calibrated(0.72, 0.01, "0-2")),
        later_than_fitting(times=1.5, calibrated=Calibrated(2.7, 0.3, "0-2")),
    ),
    controls=(scale_one(400), no_decay(1400), random_labels(600)),
    curves=curves(),
    tiers=tiers(REVIEWS, judging(10), standard={}),
    notes=NOTES,
)

reviews_do_not_grok = claim(
    id="liu2023.reviews_do_not_grok",
    claim="On few film reviews, a network with the usual initial weights generalises as it fits.",
    where="figure 4, on bags of words",
    kind="extension",
    runs=one_network,
    measure=delay_and_gain_from_fitting_to_generalising,
    gates=(FITTED,),
    criteria=(
        nothing_gained_late(within=0.05, calibrated=Calibrated(-0.027, 0.01, "0-2")),
        right_on_fitting(above=0.65, calibrated=Calibrated(0.76, 0.01, "0-2")),
    ),
    controls=(large_scale(8.0, 1400), random_labels(400)),
    curves=curves(),
    tiers=tiers({**REVIEWS, "scale": 1.0, "steps": 400}, judging(10), standard={}),
    notes=NOTES,
)

#: Weight decay and scale as published.
RECURRENT: Mapping[str, Any] = {
    **REVIEWS,
    "task": ReviewWords(examples=1750),
    "model": LSTM(),
    "loss": "cross_entropy",
    "decay": 1.0,
    "scale": 6.0,
    "steps": 1200,
    "level": 0.6,
}

reviews_grok_recurrent = claim(
    id="liu2023.reviews_grok_recurrent",
    claim="On few film reviews, an LSTM whose initial weights are six times as large as usual fits first and "
    "generalises later, faintly.",
    where="figure 4",
    runs=one_network,
    measure=delay_and_gain_from_fitting_to_generalising,
    gates=(ONCE_FITTED,),
    criteria=(
        gained_late(above=0.05, calibrated=Calibrated(0.14, 0.02, "0-2")),
        right_in_the_end(above=0.6, calibrated=Calibrated(0.67, 0.01, "0-2")),
        later_than_fitting(times=1.5, calibrated=Calibrated(1.3, 0.38, "0-2")),
    ),
    controls=(scale_one(200), no_decay(1200), random_labels(400)),
    curves=curves("figure 4"),
    tiers=tiers(RECURRENT, judging(10), standard={}),
    notes="Two layers of LSTM, as in the paper, with embeddings of 16 and states of 16 (64 and 256 there), on the last "
    "32 words of a review that the vocabulary has (500 there), trained on the full batch under cross-entropy. Weight "
    "decay and scale are the paper's at scale 6; its arm at scale 1 has no weight decay, so that two things differ. "
    "Here scale alone does. As published, at scale 1 without weight decay, two calibration seeds showed the same: test "
    "accuracies of 0.59 and 0.64 on fitting, of 0.62 and 0.64 in the end. Test accuracy is that on all 1000 other "
    "reviews at each step and at the end, where the paper's training curve shows random batches of 50; the highest so "
    "far is drawn beside and decides nothing. Less has to be gained than on bags of words: the paper's curve rises "
    "faintly, and unsteadily. Training is unsteady here too: now and then a network loses what it had fitted, for some "
    "tens of steps. So the gate asks whether it ever fitted; a test accuracy that ends low for that reason counts "
    "against the claim.",
)

reviews_inverse_decay = claim(
    id="liu2023.reviews_inverse_decay",
    claim="From large initial weights, the time to generalise on film reviews is inverse to weight decay.",
    where="section 3.1 and appendix C, on bags of words",
    kind="extension",
    runs=networks_by_decay,
    measure=time_by_decay,
    gates=(SEEN,),
    criteria=(inverse_to_decay(-1.15, -0.7, calibrated=Calibrated(-1.0, 0.023, "0-2")),),
    controls=(FITTING_INSTEAD,),
    curves=(TIME,),
    tiers=tiers(
        {**REVIEWS, "decays": ((0.1, 3500), (0.2, 1900), (0.3, 1400)), "split": "test", "until": 0.68},
        judging(10),
        standard={},
    ),
    notes=f"{NOTES} The paper says so of teacher and student, transformers and MNIST, and not of reviews.",
)
