"""Miller et al. 2023 and 2024: networks on parity in strings of several lengths, and how sharply they learn it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from grokscape.landscape import (
    SGD,
    Dense,
    Experiment,
    Record,
    Run,
    SampledParity,
    Schedule,
    fit_transition,
    grokking_gap,
)
from grokscape.predictions import Control, Gate, Measurement, Setting, Tier, judging, stop_at

#: As many as decide whether s t* has a trend.
SEEDS = judging(15)
#: Accuracy of a guess, and of what has been learnt.
CHANCE, RIGHT = 0.5, 1.0
#: Slope of a logarithm that halves or doubles over the twenty bits from the shortest to the longest input.
HALF = math.log(2) / 20


def networks_by_length(seed: int, at: Setting) -> Mapping[str, Experiment]:
    shortest = min(at.lengths)
    return {
        f"{bits}": Run(
            task=SampledParity(bits=bits, silent=bits - shortest if at.silent else 0, examples=1750),
            model=Dense(widths=(at.width,)),
            optimiser=SGD(lr=at.lr, momentum=0.9, weight_decay=0.01),
            n_train=750,
            seed=seed,
            steps=at.steps,
            record=Schedule(per_decade=40, every=20),
            stop=stop_at(0.99, records=3),
        )
        for bits in at.lengths
    }


def compared(record: Record) -> Mapping[str, float]:
    """Return what the transition in testing is next to that in training; nothing if one of them is missing."""
    accuracies = [record.series("accuracy", split) for split in ("train", "test")]
    train, test = (fit_transition(a.index.to_numpy(), a.to_numpy(), CHANCE, RIGHT) for a in accuracies)
    gap = grokking_gap(record)
    if train.censored or test.censored or gap.censored:
        return {}
    return {
        "relative time": test.time / train.time,
        "relative sharpness": test.sharpness / train.sharpness,
        "absolute sharpness": test.steepest,
        "relative sharpness in relative time": test.stretch / train.stretch,
        "absolute sharpness in its own time": test.stretch,
        "gap": max(gap.steps, 1.0),
    }


def per_bit(values: Mapping[int, float]) -> float:
    """Return the least-squares slope of the logarithm of values by input length."""
    return float(np.polyfit(list(values), np.log(list(values.values())), 1)[0])


def gap_and_sharpness_by_length(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    seen = {int(label): compared(record) for label, record in records.items()}
    found = {bits: of_run for bits, of_run in seen.items() if of_run}
    yield Measurement("share of lengths at which it generalises", len(found) / len(records))
    if len(found) < 2:
        return
    slopes = {}
    for name in next(iter(found.values())):
        values = {bits: of_run[name] for bits, of_run in found.items()}
        slopes[name] = per_bit(values)
        yield Measurement(f"log {name}, per bit", slopes[name])
        for bits, value in values.items():
            yield Measurement(name, value, at=bits)
    for bits, of_run in found.items():
        yield Measurement("relative gap", of_run["relative time"] - 1, at=bits)
    for name, unit in (("relative sharpness", "relative time"), ("absolute sharpness", "its own time")):
        chosen = name if at.time == "steps" else f"{name} in {unit}"
        yield Measurement(f"log {name} in the time chosen, per bit", slopes[chosen])


QUICK = {
    "lengths": (25, 35, 45),
    "silent": False,
    "low": CHANCE,
    "time": "own",
    "width": 200,
    "lr": 0.1,
    "steps": 4000,
}
STANDARD = QUICK | {"lengths": tuple(range(25, 46, 2))}
#: The paper minimises by batches of 32 at learning rate 0.01, for 3000 epochs.
PAPER = QUICK | {"lengths": tuple(range(25, 46)), "width": 1000, "lr": 0.02, "steps": 20_000}
TIERS = {"quick": Tier(SEEDS, QUICK), "standard": Tier(judging(20), STANDARD), "paper": Tier(judging(20), PAPER)}
GENERALISES = Gate(quantity="share of lengths at which it generalises", above=0.99)
SILENT = Control(
    "silent bits", {"lengths": (25, 45), "silent": True}, "bits that are always 0 hide nothing, however many"
)
