"""The networks that three papers of Truong and others on weight norm and delay share, and their runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grokscape.landscape import AdamW, BinaryOperation, Perceptron, Record, Run, Schedule, Tempered
from grokscape.predictions import Control, Measurement, Setting, Tier, by_step, judging, stop_at
from grokscape.predictions import tiers as tiers_of

SEEDS = judging(10)

#: Homogeneous of degree 3: at c times the norm, the logits are c^3 times as large.
QUICK: Mapping[str, Any] = {
    "task": BinaryOperation(operation="x+y", p=23),
    "model": Perceptron(width=128, activation="quadratic"),
    "optimiser": AdamW(lr=1e-2, weight_decay=1.0),
    "fraction": 0.7,
    "labels": "true",
    "loss": "cross_entropy",
    "steps": 3000,
    "split": "test",
    "level": 0.9,
}
#: The papers' modulus, share of the data, optimiser and budget; ReLU in place of GELU. Not trained here.
PAPER: Mapping[str, Any] = {
    **QUICK,
    "task": BinaryOperation(operation="x+y", p=59),
    "model": Perceptron(width=256, embedding=128),
    "optimiser": AdamW(lr=1e-3, weight_decay=1.0, beta2=0.999),
    "fraction": 0.4,
    "steps": 160_000,
}

FITTING = Control(
    "fitting instead of generalising",
    {"split": "train", "level": 0.99},
    "the norm is said to act on what comes after memorising, not on memorising itself",
)

GENERALISED = stop_at(0.9, records=3)


def tiers(setting: Mapping[str, Any], *, paper: Mapping[str, Any] | None = None) -> dict[str, Tier]:
    """Return a claim's tiers: each tier's network with a setting, and what `paper` changes; None for no such tier."""
    full = None if paper is None else {**PAPER, **setting, **paper}
    return tiers_of({}, SEEDS, quick={**QUICK, **setting}, paper=full)


def held_at(seed: int, at: Setting, norm: float | None, *, temperature: float = 1.0) -> Run:
    """A run of the setting's network, held at a norm throughout (free for None), until it generalises.

    Weight decay stays on: where the norm is held, the projection undoes it.
    """
    model = at.model if temperature == 1 else Tempered(of=at.model, temperature=temperature)
    return Run(
        task=at.task,
        model=model,
        optimiser=at.optimiser,
        n_train=at.task.n_train(at.fraction),
        labels=at.labels,
        loss=at.loss,
        fixed_norm=norm,
        steps=at.steps,
        stop=GENERALISED,
        # Records 6 % apart: laws are fitted to these times.
        record=Schedule(per_decade=40, every=50),
        seed=seed,
    )


def accuracy_traces(records: Mapping[str, Record]) -> Iterable[Measurement]:
    """Test accuracy of every run, to be drawn under the run's label."""
    for label, record in records.items():
        yield from by_step(record.series("accuracy", "test"), label)
