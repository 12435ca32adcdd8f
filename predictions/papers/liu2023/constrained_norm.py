"""Omnigrok: held at the right norm, a transformer on modular addition does not grok."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from grokscape.landscape import AdamW, BinaryOperation, Experiment, Perceptron, Record, Run, Transformer
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Exceeds,
    Gate,
    Measurement,
    Setting,
    Tier,
    by_step,
    calibration,
    fit_and_generalise,
    judging,
    replicate,
    stop_at,
    training_curve,
)
from grokscape.predictions.papers.liu2023 import claim


def networks_free_and_constrained(seed: int, at: Setting) -> Mapping[str, Experiment]:
    shared = {
        "task": at.task,
        "model": at.model,
        "n_train": at.task.n_train(at.fraction),
        "labels": at.labels,
        "stop": stop_at(0.9, records=3),
        "seed": seed,
    }
    decaying = AdamW(lr=at.lr, weight_decay=1.0)
    # The constraint stands in for weight decay.
    plain = AdamW(lr=at.lr, weight_decay=0.0)
    return {
        "free": Run(optimiser=decaying, steps=at.free_steps, **shared),
        "constrained": Run(optimiser=plain, fixed_norm=at.norm * at.stretch, steps=at.steps, **shared)
        if at.norm is not None
        else Run(optimiser=decaying, steps=at.free_steps, **shared),
    }


def delays_free_and_constrained(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    delay = {}
    for name, record in records.items():
        fit, generalise = fit_and_generalise(record, fitted=0.95, generalised=0.9)
        # Where the budget ended before generalising, ratio and delay are larger still.
        delay[name] = generalise.step - fit.step
        ratio = math.log(generalise.step / max(fit.step, 1.0))
        yield Measurement(f"log of the time to generalise over the time to fit, {name}", ratio)
        for split in ("train", "test"):
            yield from by_step(record.series("accuracy", split), f"{split}, {name}")
    yield Measurement("share of the delay that is left under the constraint", delay["constrained"] / delay["free"])
    constrained = records["constrained"]
    yield Measurement("test accuracy at the end, constrained", constrained.series("accuracy", "test").iloc[-1])
    yield Measurement("training accuracy at the end, free", records["free"].series("accuracy", "train").iloc[-1])


QUICK: Mapping[str, Any] = {
    "task": BinaryOperation(operation="x+y", p=29),
    "model": Transformer(width=64, hidden=256),
    "fraction": 0.7,
    "labels": "true",
    "lr": 2e-3,
    "norm": 24.0,
    "stretch": 1.0,
    "steps": 500,
    "free_steps": 2000,
}
#: Networks and norms as published, 0.8 of the initial norm (quick: 0.83). Not calibrated here.
STANDARD: Mapping[str, Any] = {
    **QUICK,
    "task": BinaryOperation(operation="x+y", p=59),
    "model": Transformer(width=128, hidden=512),
    "fraction": 0.4,
    "lr": 1e-3,
    "norm": 32.6,
    "steps": 1200,
    "free_steps": 6000,
}
PAPER: Mapping[str, Any] = {
    **STANDARD,
    "task": BinaryOperation(operation="x+y", p=113),
    "fraction": 0.3,
    "norm": 33.6,
    "free_steps": 20_000,
}

constraint_removes_grokking = claim(
    id="liu2023.constraint_removes_grokking",
    claim="On modular addition a network that is trained freely fits early and generalises late; held at the right "
    "norm instead, it generalises as it fits.",
    where="section on algorithmic data: constrained optimisation",
    theory="weight norm",
    runs=networks_free_and_constrained,
    measure=delays_free_and_constrained,
    gates=(Gate(quantity="training accuracy at the end, free", above=0.99),),
    criteria=(
        Criterion(
            quantity="test accuracy at the end, constrained",
            rule=Exceeds(0.9),
            threshold_from="nine tenths of what can be reached, as for delayed generalisation",
            calibrated=Calibrated(0.965, 0.029, "0-9"),
        ),
        Criterion(
            quantity="log of the time to generalise over the time to fit, free",
            rule=Exceeds(math.log(2.5), centre="mean"),
            threshold_from="left alone, generalising takes more than 2.5 times as long as fitting: there is grokking",
            calibrated=Calibrated(1.99, 0.55, "0-9"),
        ),
        Criterion(
            quantity="log of the time to generalise over the time to fit, constrained",
            rule=Below(math.log(2.5), centre="mean"),
            threshold_from="held at the norm it takes less than that; the published runs take up to 2.2 times as long",
            calibrated=Calibrated(0.37, 0.22, "0-9"),
        ),
        Criterion(
            quantity="share of the delay that is left under the constraint",
            rule=Below(1 / 3, centre="mean"),
            threshold_from="the paper has the delay nearly gone; two thirds of it are most of it",
            calibrated=Calibrated(0.124, 0.086, "0-9"),
        ),
    ),
    controls=(
        Control("no constraint", {"norm": None}, "left alone, both runs are the one that groks"),
        Control(
            "a larger norm",
            {"stretch": 1.4},
            "above the right norm lie solutions that fit and do not generalise",
        ),
    ),
    curves=(
        training_curve("train, free", "test, free", y="accuracy", title="Trained freely"),
        training_curve("train, constrained", "test, constrained", y="accuracy", title="Held at the right norm"),
    ),
    tiers={
        name: Tier(judging(10), setting)
        for name, setting in (("quick", QUICK), ("standard", STANDARD), ("paper", PAPER))
    },
    calibration_seeds=calibration(10),
    notes="On transformers. The published runs have p = 113 and p = 59; this one is the cheapest in which free "
    "training was seen to grok clearly. The right norm is narrow: at 0.7 of the initial norm one calibration seed did "
    "not fit, and at the initial norm it generalised late. Times to fit are to 95 % of the training examples, times to "
    "generalise to 90 % of the others; where the budget ended first, ratio and delay are lower bounds, which count "
    "against the claim. Nor is the norm held the one that free training arrives at: that generalises at 28 to 31, from "
    "above. As published, weight decay differs too, 1 free and 0 constrained; under a constraint it would change next "
    "to nothing, for what it takes from the norm is given back at once.",
)

constraint_on_perceptrons = replicate(
    constraint_removes_grokking,
    "perceptron",
    "quadratic perceptrons",
    tiers={
        "quick": {
            "task": BinaryOperation(operation="x+y", p=23),
            "model": Perceptron(width=128, activation="quadratic"),
            "fraction": 0.5,
            "lr": 1e-2,
            "norm": 25.0,
            "steps": 2000,
        }
    },
    calibrated=(
        Calibrated(0.934, 0.02, "0-9"),
        Calibrated(3.2, 0.075, "0-9"),
        Calibrated(2.85, 0.2, "0-9"),
        Calibrated(0.48, 0.09, "0-9"),
    ),
    notes="Of norms from 18 to 40, on one calibration seed, this is the one at which the perceptron generalises "
    "soonest; it fits sooner still. To hold the norm halves the delay here and does not remove it: what is found on a "
    "sphere depends on the network, not on the radius alone.",
)
