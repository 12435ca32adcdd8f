"""What is compared: the shapes of learners that claims are checked on."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from grokscape.landscape.models import Dense, Perceptron, Transformer
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.landscape.tasks import BinaryOperation, ConcealedOperation, Digits, TeacherStudent
from grokscape.landscape.training.run import Run
from tests.benchmark.numbers import Numbers

#: Rows, inner dimension and columns of a layer's product, and whether a gradient is passed on to what it multiplies.
Product = tuple[int, int, int, bool]


@dataclass(frozen=True)
class Comparison:
    """Runs that are trained in every way that is compared.

    Attributes
    ----------
    name : str
        By which it is chosen on the command line.
    runs : tuple of Run
    steps : int
        Of a turn: enough to take a tenth of a second.
    warm : int
        Steps before the first turn counts.
    """

    name: str
    runs: tuple[Run, ...]
    steps: int = 50
    warm: int = 250

    @property
    def title(self) -> str:
        """What is trained, in words."""
        run = self.runs[0]
        many = "1 run" if len(self.runs) == 1 else f"{len(self.runs)} runs"
        return f"{run.model!r} on {run.task!r}, {run.n_train} examples, {run.loss}, {run.optimiser!r}, {many}"


def ensemble_of(count: int, **described: Any) -> tuple[Run, ...]:
    """Return runs that differ by their seeds."""
    return tuple(Run(steps=1, seed=seed, **described) for seed in range(count))


def perceptrons(p: int, examples: int, width: int, count: int = 10) -> tuple[Run, ...]:
    """Return perceptrons of the size and with the optimiser of most claims."""
    return ensemble_of(
        count,
        task=BinaryOperation(p=p),
        model=Perceptron(width=width),
        n_train=examples,
        optimiser=AdamW(lr=1e-2, weight_decay=1.0),
    )


def comparisons() -> tuple[Comparison, ...]:
    """Return all comparisons of trainings on a CPU."""
    student = ensemble_of(
        10,
        task=TeacherStudent(examples=600),
        model=Dense(widths=(100, 100), activation="tanh"),
        n_train=100,
        loss="mse",
        optimiser=AdamW(lr=3e-4, weight_decay=0.8, beta2=0.999),
        initial_scale=2.0,
    )
    digits = ensemble_of(
        10,
        task=Digits(examples=1000),
        model=Dense(widths=(100, 100)),
        n_train=150,
        optimiser=AdamW(lr=3e-3, weight_decay=0.1),
        initial_scale=6.0,
    )
    concealed = ensemble_of(
        10,
        task=ConcealedOperation(dimensions=100),
        model=Dense(widths=(100,)),
        n_train=600,
        optimiser=SGD(lr=0.2, momentum=0.9, weight_decay=0.01),
    )
    standard = ensemble_of(
        10,
        task=BinaryOperation(p=37),
        model=Transformer(width=64, hidden=256),
        n_train=680,
        optimiser=AdamW(lr=3e-3, weight_decay=1.0, eps=1e-4),
    )
    paper = ensemble_of(
        2, task=BinaryOperation(p=113), model=Transformer(), n_train=3830, optimiser=AdamW(lr=1e-3, weight_decay=1.0)
    )
    return (
        Comparison("perceptron-37-680-128", perceptrons(37, 680, 128)),
        Comparison("perceptron-37-137-128", perceptrons(37, 137, 128), steps=100, warm=300),
        Comparison("perceptron-23-264-64", perceptrons(23, 264, 64), steps=100, warm=300),
        Comparison("perceptron-37-1232-128", perceptrons(37, 1232, 128), steps=20),
        Comparison("dense-student-mse", student, steps=100, warm=300),
        Comparison("dense-digits", digits, steps=50),
        Comparison("dense-concealed-sgd", concealed, steps=50),
        Comparison("transformer-64-256", standard, steps=4, warm=220),
        Comparison("transformer-128-512", paper, steps=1, warm=4),
    )


def numbers(runs: Sequence[Run]) -> Numbers:
    """Return what runs train on, from their descriptions alone."""
    first = runs[0]
    dtype = getattr(torch, first.dtype)
    starts: dict[str, list[np.ndarray]] = {}
    data = []
    for run in runs:
        network = run.model.build(run.task).to(dtype)
        network.initialise(seed=run.seed, scale=run.initial_scale)
        for name, parameter in network.named_parameters():
            starts.setdefault(name, []).append(parameter.detach().numpy())
        train = run.task.split(run.n_train, seed=run.seed).train
        inputs, labels = run.task.inputs[train], run.task.labels_of(run.seed)[train]
        if not labels.is_floating_point():
            labels = torch.nn.functional.one_hot(labels, run.task.n_outputs)
        data.append((inputs.to(dtype) if inputs.is_floating_point() else inputs, labels.to(dtype)))
    return Numbers(
        model=first.model.to_data(),
        optimiser=first.optimiser.to_data(),
        loss=first.loss,
        parameters={name: np.stack(values) for name, values in starts.items()},
        inputs=torch.stack([inputs for inputs, _ in data]).numpy(),
        labels=torch.stack([labels for _, labels in data]).numpy(),
    )


def products(run: Run) -> list[Product]:
    """Return the matrix products of a forward pass that nothing spares; what is looked up is none."""
    examples, outputs = run.n_train, run.task.n_outputs
    match run.model:
        case Perceptron(width=width):
            return [(examples, width, outputs, True)]
        case Dense():
            sizes = run.model.sizes(run.task)
            return [(examples, a, b, layer > 0) for layer, (a, b) in enumerate(itertools.pairwise(sizes))]
        case Transformer(width=width, hidden=hidden):
            # Neighbouring matrices are multiplied first, which leaves three products for each example.
            inner = ((width, hidden), (width, outputs), (hidden, outputs))
            return [(examples, a, b, True) for a, b in inner]
    raise TypeError(f"no list of products for {run.model!r}")
