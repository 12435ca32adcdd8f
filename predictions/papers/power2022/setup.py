"""The usual network on modular addition, trained from scratch."""

from __future__ import annotations

from collections.abc import Mapping

from grokscape.landscape import AdamW, BinaryOperation, Experiment, Perceptron, Run
from grokscape.predictions import Setting

QUICK = {
    "task": BinaryOperation(operation="x+y", p=37),
    "model": Perceptron(width=128),
    "optimiser": AdamW(lr=1e-2, weight_decay=1.0),
    "fraction": 0.5,
    "steps": 3000,
    "labels": "true",
}


def train_from_scratch(seed: int, at: Setting) -> Mapping[str, Experiment]:
    run = Run(
        task=at.task,
        model=at.model,
        optimiser=at.optimiser,
        n_train=at.task.n_train(at.fraction),
        labels=at.labels,
        steps=at.steps,
        seed=seed,
    )
    return {"run": run}
