"""The path from one trained network to another, as an experiment whose outcome is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from grokscape.landscape.classification import correct
from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Session
from grokscape.landscape.measures.paths.bent import low_loss_path
from grokscape.landscape.measures.paths.straight import interpolate
from grokscape.landscape.objectives import OBJECTIVES
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.landscape.problem import Problem
from grokscape.landscape.training.run import Run


@dataclass(frozen=True, kw_only=True)
class SolutionPath(Experiment, kind="solution_path"):
    """The objective along a path between the last weights of two runs, on the training data of the first.

    The objective is what gradient descent with an L2 term descends, ``L + decay |theta|^2 / 2``. A point of the path
    takes the place of the step. It records "t" (0 at the first network, 1 at the last), "objective", "weight_norm",
    "complexity" (``|theta|^2 / (2 n)``, as of any network), and "error" and "loss" on "train" and "test"; and at the
    last point what the whole path is about, each as a share of the fall of the objective from the first network to the
    last (or of its rise): "rise", the most that it climbs along the path (see
    `grokscape.landscape.measures.paths.straight.Path`), and "barrier", the most that it stands above both ends.

    Parameters
    ----------
    first, last : Run
        Of one task and model, on classes; `first` is trained by `SGD` and gives the decay.
    bends : int
        0 for the straight line; otherwise so many pivots of a Bezier curve are trained for a low mean objective.
    steps : int
        Of that training.
    points : int
        Evenly spaced samples to begin with.
    seed : int
        Of that training.
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(("train", "test"), ("loss", "error")),
        "": ("t", "objective", "weight_norm", "complexity", "rise", "barrier"),
    }

    first: Run
    last: Run
    bends: int = 0
    steps: int = 200
    points: int = 31
    seed: int = 0

    def validate(self) -> None:
        if (self.first.task, self.first.model) != (self.last.task, self.last.model) or self.first == self.last:
            self.refuse("last", "another run of the same task and model as first")
        if self.first.task.tolerance is not None or not isinstance(self.first.optimiser, SGD):
            self.refuse("first", "a run on classes, trained by SGD")
        for name, least in (("bends", 0), ("steps", 1), ("points", 3), ("seed", 0)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")

    @property
    def parents(self) -> tuple[Experiment, ...]:
        return self.first, self.last

    @property
    def work(self) -> float:
        evaluations = 10 * self.points + (12 * self.steps if self.bends else 0)
        return self.first.model.multiplications(self.first.task) * self.first.task.size * evaluations

    def memory(self, batch_size: int) -> float:  # noqa: ARG002 - one after the other
        return 2 * self.first.memory(max(2, self.bends)) + 2000.0 * self.points

    def problem(self) -> Problem:
        """Return the first run's objective, and the same on its test examples, in float64."""
        run = self.first
        labels = run.task.labels_of(run.seed) if run.labels == "true" else run.task.random_labels(seed=run.seed)
        split = run.task.split(run.n_train, seed=run.seed)
        network = run.model.build(run.task).double()
        network.initialise(seed=run.seed)
        decay, per_example = run.optimiser.weight_decay, OBJECTIVES[run.loss]  # type: ignore[attr-defined]

        # The penalty travels beside the logits: losses see outputs alone.
        def penalised(parameters: dict[str, Tensor], inputs: Tensor) -> Tensor:
            logits = torch.func.functional_call(network, parameters, (inputs,))
            penalty = decay / 2 * sum(p.square().sum() for p in parameters.values())
            return torch.cat([logits, torch.as_tensor(penalty).expand(len(logits), 1)], -1)

        def loss(outputs: Tensor, targets: Tensor) -> Tensor:
            return per_example(outputs[..., :-1], targets) + outputs[..., -1]

        return Problem(
            penalised,
            loss,
            *((run.task.inputs[part].double(), labels[part]) for part in (split.train, split.test)),
            parameters=dict(network.named_parameters()),
            accuracy=lambda outputs, targets: correct(outputs[..., :-1], targets),
        )

    def walked(self, session: Session) -> Outcome:
        """Measure the path."""
        began = time.perf_counter()
        problem = self.problem()
        ends = [
            {name: torch.from_numpy(array) for name, array in session.final_weights(run).items()}
            for run in (self.first, self.last)
        ]
        if self.bends:
            path: Any = low_loss_path(
                problem,
                *ends,
                bends=self.bends,
                steps=self.steps,
                optimiser=AdamW(lr=0.01, weight_decay=0.0),
                points=self.points,
                seed=self.seed,
                progress=session.report,
            )
        else:
            path = interpolate(problem, *ends, points=self.points)
        squares = torch.from_numpy(path.params()).square().sum(1).numpy()
        penalty = self.first.optimiser.weight_decay / 2 * squares  # type: ignore[attr-defined]
        columns = {
            ("", "t"): path.t,
            ("", "objective"): path.train_loss,
            ("", "weight_norm"): np.sqrt(squares),
            ("", "complexity"): squares / (2 * self.first.n_train),
            ("train", "loss"): path.train_loss - penalty,
            ("test", "loss"): path.test_loss - penalty,
            ("train", "error"): 1 - path.train_accuracy,
            ("test", "error"): 1 - path.test_accuracy,
        }
        rows = [
            (point, split, quantity, float(value))
            for (split, quantity), values in columns.items()
            for point, value in enumerate(values)
        ]
        last, fall = len(path.t) - 1, abs(path.train_loss[0] - path.train_loss[-1])
        heights = {"rise": path.largest_rise, "barrier": path.plain_barrier}
        rows += [(last, "", name, float(height / fall)) for name, height in heights.items()]
        info = {"last_step": last, "seconds": time.perf_counter() - began, "ensemble": 1, "stopped_by": "steps"}
        return Outcome(pd.DataFrame(rows, columns=list(COLUMNS)), {}, info)

    @classmethod
    def train(cls, batch: Sequence[SolutionPath], session: Session) -> Iterator[tuple[SolutionPath, Outcome]]:
        for experiment in batch:
            yield experiment, experiment.walked(session)
