"""Another reading of the toy's grokking phase (Liu et al. 2022): which sums happen to be held out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from scipy import stats

from grokscape.landscape import EmbeddingDecoder, Experiment, Record, parallelograms
from grokscape.predictions import (
    Calibrated,
    Control,
    Criterion,
    Curve,
    Exceeds,
    Measurement,
    Setting,
    calibration,
    judging,
    tiers,
)
from grokscape.predictions.papers.grokscape2026 import claim
from grokscape.predictions.papers.liu2022.setup import ACCURATE, COARSE, TESTED, described, toy


def one_start_on_many_splits(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """One initialisation on several splits."""
    return {f"{draw}": toy(seed, at, at.n_train, draw) for draw in range(at.splits)}


def outlying(run: EmbeddingDecoder) -> float:
    """How far from the middle sum all but a tenth of the held-out pairs with known sums lie, at most.

    Sums far from the middle have few pairs: p - 1 has the most.
    """
    total = parallelograms.sums(run.symbols)
    held = np.isin(np.arange(len(total)), run.train_pairs, invert=True) & np.isin(total, total[run.train_pairs])
    distances = np.sort(np.abs(total[held] - (run.symbols - 1)))
    return float(distances[math.ceil(ACCURATE * len(distances)) - 1])


def correlation_of_lag_and_sums(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    runs = [described(record) for record in records.values()]
    far = np.array([outlying(run) for run in runs])
    lags = []
    for record in records.values():
        fit = record.crossing("accuracy", "train", above=ACCURATE)
        generalise = record.crossing(TESTED, "test", above=ACCURATE)
        # What never generalises is later than what does, by however much.
        lags.append(math.inf if generalise.censored else generalise.step - fit.step)
    varied = len(set(far)) > 1 and len(set(lags)) > 1
    # The sums of the other splits, each in turn: chance pairs once would leave much to chance.
    turns = range(1, len(far)) if at.mixed else (0,)
    correlations = [stats.spearmanr(np.roll(far, turn), lags)[0] for turn in turns] if varied else [0.0]
    yield Measurement("rank correlation", float(np.mean(correlations)))
    yield Measurement("splits that generalise", float(np.isfinite(lags).sum()))
    for distance in sorted(set(far)):
        here = [lag for lag, at_distance in zip(lags, far, strict=True) if at_distance == distance]
        if math.isfinite(middle := float(np.median(here))):
            yield Measurement("lag", middle, at=float(distance))


held_out_sums = claim(
    id="grokscape2026.held_out_sums",
    claim="The further from the middle the sums of its held-out pairs lie, the later the toy of embeddings and decoder "
    "generalises, counted from when it fits.",
    where="this repository; found on calibration seeds of liu2022.decay_makes_grokking, and tested within seeds",
    theory="which examples are held out",
    runs=one_start_on_many_splits,
    measure=correlation_of_lag_and_sums,
    criteria=(
        Criterion(
            quantity="rank correlation",
            rule=Exceeds(0.1, centre="mean"),
            threshold_from="what is commonly called a small correlation",
            calibrated=Calibrated(0.36, 0.29, "0-9"),
        ),
    ),
    controls=(Control("sums of other splits", {"mixed": True}, "it is a run's own split that counts"),),
    curves=(
        Curve(
            quantities=("lag",),
            x="distance from the middle sum that nine in ten held-out pairs keep",
            y="steps from fitting to generalising",
            title="Lag is a matter of the split",
        ),
    ),
    tiers=tiers(
        {**COARSE, "decoder_lr": 4e-4, "decoder_decay": 2.0, "mixed": False},
        judging(16),
        quick={"splits": 12, "steps": 6000},
        standard={"splits": 40},
    ),
    disputes=("liu2022.decay_makes_grokking",),
    calibration_seeds=calibration(20),
    notes="If this holds, the toy's grokking phase is no property of its learning rate and weight decay alone: splits "
    "of one size, trained alike from one start, comprehend or grok by which pairs they hold out. A seed that never "
    "generalises counts as no correlation.",
)
