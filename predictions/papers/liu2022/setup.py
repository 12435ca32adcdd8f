"""Liu et al. 2022: the toy that adds symbols, how it is trained here, and the phase that a training ends in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

from grokscape.landscape import DECODER, EMBEDDING, EmbeddingDecoder, Experiment, Record, Schedule, Stop, parallelograms
from grokscape.predictions import Setting, Tier, judging

SEEDS = judging(20, first=130)

# -- The toy -----------------------------------------------------------------------------------------------------------

#: Quick: layers of 64 in place of 200, and embeddings and decoder three times as fast, their ratio kept. A step of Adam
#: moves what a layer computes in proportion to its width, so that both decoders learn about equally fast.
NARROW: Mapping[str, Any] = {
    "symbols": 10,
    "widths": (64, 64),
    "embedding_lr": 3e-3,
    "decoder_lr": 3e-4,
    "decoder_decay": 0.0,
    "labels": "true",
    "stop": (),
    "steps": 4000,
    "record": Schedule(per_decade=40, every=50),
}
PAPER = {**NARROW, "widths": (200, 200), "embedding_lr": 1e-3, "decoder_lr": 1e-4, "steps": 10_000}
#: Numbers of training pairs, of 55.
SIZES = (12, 20, 25, 30, 34, 38, 42, 46, 50)
#: A level of the representation quality index above which the symbols lie on one line, as in the paper.
LINEAR = 0.95
FAST_DECODER = {"decoder_lr": 1e-2}


def tiers(settings: Mapping[str, Any], **paper: Any) -> dict[str, Tier]:
    """Return a claim's tiers: the narrow network, and the paper's with what else is set for it."""
    return {
        "quick": Tier(SEEDS, {**NARROW, **settings}),
        "standard": Tier(SEEDS, {**PAPER, **settings, **paper}),
    }


def toy(seed: int, at: Setting, n_train: int, draw: int = 0, **decoder: float) -> EmbeddingDecoder:
    """Return a run of the setting on so many pairs."""
    rates = {"lr": at.decoder_lr, "weight_decay": at.decoder_decay} | decoder
    return EmbeddingDecoder(
        symbols=at.symbols,
        widths=at.widths,
        n_train=n_train,
        seed=seed,
        draw=draw,
        labels=at.labels,
        embedding=EMBEDDING.replace(lr=at.embedding_lr),
        decoder=DECODER.replace(**rates),
        steps=at.steps,
        record=at.record,
        stop=at.stop,
    )


def toys_by_size(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """Toys on nested training sets of several sizes."""
    return {f"{n}": toy(seed, at, n) for n in at.sizes}


def described(record: Record) -> EmbeddingDecoder:
    """Return what was trained."""
    assert isinstance(record.experiment, EmbeddingDecoder)
    return record.experiment


def nullity(run: EmbeddingDecoder) -> int:
    """Return the dimensions that a training set leaves to the embedding; 2 if it fixes all but place and scale."""
    asked = parallelograms.asked(run.symbols, run.train_pairs)
    return parallelograms.nullity(parallelograms.rows(run.symbols, asked))


# -- Phases ------------------------------------------------------------------------------------------------------------

#: Fitting and generalising are 90 % accuracy, and generalising is late from a thousand steps on (the paper's table 1).
ACCURATE, LATE = 0.9, 1000
#: The share of held-out pairs that are right, of those whose sum some training pair has: no learner can know the rest.
TESTED = "accuracy on known sums"


class Phase(Enum):
    """What training comes to; the values place it on the map's scale from 0 to 1."""

    CONFUSION = 0.0
    MEMORISATION = 1 / 3
    GROKKING = 2 / 3
    COMPREHENSION = 1.0


def lag(record: Record) -> float | None:
    """Return the steps from fitting to generalising (negative if it came first), or None if it did not do both."""
    fit = record.crossing("accuracy", "train", above=ACCURATE)
    generalise = record.crossing(TESTED, "test", above=ACCURATE)
    return None if fit.censored or generalise.censored else generalise.step - fit.step


def phase(record: Record) -> Phase:
    """Return the phase of a run, by the paper's table 1."""
    if record.crossing("accuracy", "train", above=ACCURATE).censored:
        return Phase.CONFUSION
    delay = lag(record)
    if delay is None:
        return Phase.MEMORISATION
    return Phase.COMPREHENSION if delay < LATE else Phase.GROKKING


#: Once both accuracies are there for good, the phase is known.
DECIDED = (Stop(quantity="lower accuracy", split="", above=ACCURATE - 1e-9, records=5),)
COARSE: Mapping[str, Any] = {
    **NARROW,
    "n_train": 45,
    "steps": 10_000,
    "stop": DECIDED,
    "record": Schedule(per_decade=20, every=100),
    "rates": tuple(float(f"{rate:.2g}") for rate in np.logspace(-3.5, -1.5, 12)),
    "decays": tuple(float(w) for w in np.linspace(0.0, 6.6, 12).round(1)),
    "parts": 2,
}
#: Every seed at every place, slower decoders too, and three times as long.
FINE: Mapping[str, Any] = {
    **COARSE,
    "steps": 30_000,
    "rates": tuple(float(f"{rate:.2g}") for rate in np.logspace(-4.5, -1.5, 12)),
    "parts": 1,
}
#: The paper's own decoder, grid and duration.
WIDE: Mapping[str, Any] = {
    **FINE,
    **{name: PAPER[name] for name in ("widths", "embedding_lr", "decoder_lr")},
    "steps": 100_000,
    "rates": tuple(float(f"{rate:.2g}") for rate in np.logspace(-5, -2, 12)),
    "decays": tuple(float(w) for w in np.linspace(0.0, 11.0, 12)),
}
