"""Liu et al. 2022: which sums must coincide for a toy to generalise, and what follows for its accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from grokscape.landscape import Experiment, Record, Stop, parallelograms
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Curve,
    Exceeds,
    Gate,
    Measurement,
    Setting,
    by_step,
    training_curve,
)
from grokscape.predictions.papers.liu2022 import claim
from grokscape.predictions.papers.liu2022.setup import FAST_DECODER, SIZES, described, tiers, toy, toys_by_size

# -- Which parallelograms ----------------------------------------------------------------------------------------------


def one_toy(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {"run": toy(seed, at, at.n_train)}


def parallelograms_at_the_end(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    record = records["run"]
    run = described(record)
    places = record.weights()["embedding"].astype(float)
    asked = parallelograms.gaps(places, parallelograms.asked(run.symbols, run.train_pairs))
    unequal = parallelograms.couples(run.symbols, equal=False)
    false = parallelograms.gaps(places, unequal[np.isin(unequal, run.train_pairs).all(1)])
    yield Measurement("false parallelograms", float((false < at.exact).sum()))
    yield Measurement("share of the parallelograms asked for that hold", float((asked < at.tolerance).mean()))
    yield Measurement("training loss at the end", record.series("loss", "train").iloc[-1])
    yield from by_step(record.series("quality"), "representation quality")


parallelograms_hold = claim(
    id="liu2022.parallelograms",
    claim="At zero training loss the embeddings form the parallelograms that the training set asks for, and no others.",
    where="section 3, propositions 1 and 2",
    runs=one_toy,
    measure=parallelograms_at_the_end,
    gates=(Gate(quantity="training loss at the end", below=1e-3),),
    criteria=(
        Criterion(
            quantity="false parallelograms",
            rule=Below(0.5),
            threshold_from="none, in most seeds: sums that are told apart cannot coincide",
            calibrated=Calibrated(0.0, 0.0, "0-9"),
        ),
        Criterion(
            quantity="share of the parallelograms asked for that hold",
            rule=Exceeds(0.9),
            threshold_from="all of them, less what little a decoder can make up for",
            calibrated=Calibrated(1.0, 0.0, "0-9"),
        ),
    ),
    controls=(
        Control("fast decoder", FAST_DECODER, "a decoder that is quick to tell all sums apart needs none to coincide"),
        Control("shuffled sums", {"labels": "shuffled"}, "no place of the symbols makes equal labels coincide"),
    ),
    curves=(
        training_curve("representation quality", y="share of parallelograms realised", title="Parallelograms form"),
    ),
    tiers=tiers(
        {
            "n_train": 45,
            "steps": 20_000,
            "stop": (Stop(quantity="loss", split="train", below=1e-4, records=3),),
            "exact": 1e-6,
            "tolerance": parallelograms.TOLERANCE,
        }
    ),
    notes="False parallelograms are counted at a mean squared distance of 1e-6 of the embedding's variance, those "
    "asked for at the paper's 0.01: a decoder can tell apart what is close. That those asked for hold supposes a "
    "decoder that maps no two places to one output, which nothing enforces; a fast decoder does not keep to it.",
)

# -- Predicted accuracy ------------------------------------------------------------------------------------------------


def predicted_and_measured_accuracy(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    predicted, measured, sizes = [], [], []
    for n in at.sizes:
        record = records[f"{n}"]
        number = len(parallelograms.pairs(at.symbols))
        known = record.final("predicted accuracy") * number - n
        predicted.append(known / (number - n))
        measured.append(record.final("accuracy", "test"))
        sizes.append(n / number)
    if at.mixed:
        predicted = predicted[::-1]
    for share, value, accuracy in zip(sizes, predicted, measured, strict=True):
        yield Measurement("predicted test accuracy", value, at=share)
        yield Measurement("test accuracy", accuracy, at=share)
    varied = min(np.ptp(predicted), np.ptp(measured)) > 0
    errors = np.abs(np.subtract(predicted, measured))
    plain = np.abs(np.subtract(sizes, measured))
    yield Measurement("correlation", float(np.corrcoef(predicted, measured)[0, 1]) if varied else 0.0)
    yield Measurement("mean absolute error", float(errors.mean()))
    yield Measurement("error over that of the share trained on", float(errors.mean() / plain.mean()))


predicted_accuracy = claim(
    id="liu2022.predicted_accuracy",
    claim="Test accuracy is the share of held-out pairs that a realised parallelogram links to a pair trained on.",
    where="section 3, figure 3 (left)",
    runs=toys_by_size,
    measure=predicted_and_measured_accuracy,
    criteria=(
        Criterion(
            quantity="correlation",
            rule=Exceeds(0.9, centre="mean"),
            threshold_from="a nearly straight line, as the paper's figure shows",
            calibrated=Calibrated(0.996, 0.008, "0-9"),
        ),
        Criterion(
            quantity="error over that of the share trained on",
            rule=Below(0.5, centre="mean"),
            threshold_from="half the error of a guess that knows the number of examples only",
            calibrated=Calibrated(0.07, 0.076, "0-9"),
        ),
    ),
    controls=(
        Control("predictions of other sizes", {"mixed": True}, "the embedding of another run says nothing of this one"),
    ),
    curves=(
        Curve(
            quantities=("predicted test accuracy", "test accuracy"),
            x="share of pairs trained on",
            y="share of held-out pairs right",
            title="Parallelograms predict which sums are right",
            figure="figure 3",
        ),
    ),
    tiers=tiers({"sizes": SIZES, "mixed": False}),
    notes="The paper counts all pairs, those trained on included, which are right in prediction and measurement alike; "
    "here only held-out pairs count.",
)
