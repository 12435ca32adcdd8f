"""The reduced loss landscape of a fresh network, as a training whose outcome is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from grokscape.landscape.classification import correct
from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Session
from grokscape.landscape.measures.norm_profile.profile import norm_profile
from grokscape.landscape.models import Model
from grokscape.landscape.objectives import OBJECTIVES
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.problem import Problem
from grokscape.landscape.tasks import Task


@dataclass(frozen=True, kw_only=True)
class ReducedLandscape(Experiment, kind="reduced_landscape"):
    """Train and test loss over weight norm and data size, minimised over directions; see `norm_profile`.

    One network is trained at every norm and size, all from the same initial direction. The place of a norm and a size,
    ``size index * number of scales + scale index``, takes the place of the step in the trajectory, which holds for the
    splits "train" and "test": "loss" and "accuracy" where the minimisation ended, "best loss" and "best accuracy" (the
    best of all records, which for test data is chosen by looking at them); and without split: "norm", "scale", "size",
    and "converged" (1 or 0).

    Parameters
    ----------
    task, model
    sizes : tuple of int
        Numbers of training examples; the smaller sets are parts of the larger.
    scales : tuple of float
        Increasing multiples of the initial norm.
    seed : int
        Decides initialisation, split, random labels, and the teacher of a task that has one.
    steps : int
    lr : float
        Of Adam.
    labels : {"true", "random"}
    loss : {"cross_entropy", "mse"}
    tangential : bool
        Minimise along the sphere; False is the published recipe (see `minimise_at_norm`).
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(("train", "test"), ("loss", "accuracy", "best loss", "best accuracy")),
        "": ("norm", "scale", "size", "converged"),
    }

    task: Task
    model: Model
    sizes: tuple[int, ...]
    scales: tuple[float, ...]
    seed: int
    steps: int
    lr: float = 1e-3
    labels: Literal["true", "random"] = "true"
    loss: Literal["cross_entropy", "mse"] = "mse"
    tangential: bool = True

    def validate(self) -> None:
        if not self.sizes or min(self.sizes) < 1 or list(self.sizes) != sorted(set(self.sizes)):
            self.refuse("sizes", "increasing numbers of training examples")
        if max(self.sizes) > self.task.size:
            self.refuse("sizes", f"at most {self.task.size}, the inputs that {self.task!r} has")
        if not self.scales or min(self.scales) <= 0 or list(self.scales) != sorted(set(self.scales)):
            self.refuse("scales", "increasing positive multiples of the initial norm")
        self.refuse_extremes("scales", "lr", least=1e-18)
        for name, least in (("steps", 1), ("seed", 0)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")
        if self.lr <= 0:
            self.refuse("lr", "a positive number")
        if self.task.tolerance is not None and self.loss != "mse":
            self.refuse("loss", "'mse'", f"the labels of {self.task!r} are values, not classes")

    @property
    def work(self) -> float:
        return 3 * self.model.multiplications(self.task) * sum(self.sizes) * len(self.scales) * self.steps

    def memory(self, batch_size: int) -> float:  # noqa: ARG002 - one after the other
        # At the least: the parameters, gradients and moments of every network, and the data.
        with torch.device("meta"):
            parameters = sum(tensor.numel() for tensor in self.model.build(self.task).parameters())
        data = self.task.size * (math.prod(self.task.input_shape) + 1)
        return 8.0 * (4 * len(self.sizes) * len(self.scales) * parameters + data)

    def problem(self) -> Problem:
        """Return the network with its largest training set, and all other examples to test on."""
        task = self.task
        labels = task.labels_of(self.seed) if self.labels == "true" else task.random_labels(seed=self.seed)
        split = task.split(max(self.sizes), seed=self.seed)
        network = self.model.build(task)
        network.initialise(seed=self.seed)

        def within(outputs: Tensor, targets: Tensor) -> Tensor:
            return ((outputs - targets).square().mean(-1) < (task.tolerance or 0.0)).double()

        return Problem(
            network,
            OBJECTIVES[self.loss],
            *((task.inputs[part], labels[part]) for part in (split.train, split.test)),
            accuracy=correct if task.tolerance is None else within,
        )

    @classmethod
    def train(cls, batch: Sequence[Any], session: Session) -> Iterator[tuple[Experiment, Outcome]]:
        for number, experiment in enumerate(batch):

            def report(share: float, number: int = number) -> None:
                session.report((number + share) / len(batch))

            began = time.perf_counter()
            profile = norm_profile(
                experiment.problem(),
                experiment.scales,
                seeds=(experiment.seed,),
                steps=experiment.steps,
                optimiser=AdamW(lr=experiment.lr, weight_decay=0.0, beta2=0.999),
                tangential=experiment.tangential,
                sizes=experiment.sizes,
                progress=report,
            )
            sizes, scales = np.meshgrid(profile.sizes, profile.scales, indexing="ij")
            columns = {
                ("", "size"): sizes,
                ("", "scale"): scales,
                ("", "norm"): np.broadcast_to(profile.norms[:, 0], sizes.shape),
                ("", "converged"): profile.converged[..., 0],
            }
            columns |= {key: values[..., 0] for key, values in profile.end.items()}
            columns |= {(split, f"best {name}"): values[..., 0] for (split, name), values in profile.best.items()}
            rows = [
                (place, split, quantity, float(value))
                for (split, quantity), values in columns.items()
                for place, value in enumerate(np.ravel(values))
            ]
            info = {"last_step": 0, "seconds": time.perf_counter() - began, "ensemble": 1, "stopped_by": "steps"}
            yield experiment, Outcome(pd.DataFrame(rows, columns=list(COLUMNS)), {}, info)
