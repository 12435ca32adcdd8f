"""What the Gaussian process classifiers have in common: their examples, their schedule, and where they start."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.populations import ParityPopulation, Population, with_labels
from grokscape.landscape.training.schedule import Schedule

#: softplus(0), where the lengthscales and the outputscale of Miller et al. 2023 start.
START = float(np.log(2.0))
PARITY = ParityPopulation()
OFTEN = Schedule(every=2)


@dataclass(frozen=True, kw_only=True)
class GaussianProcessClassification(Experiment, ABC):
    """A Gaussian process classifier whose kernel has a length for each dimension, trained by full-batch Adam.

    Parameters
    ----------
    population : Population
    seed : int
        Decides the examples.
    n_train, n_test : int
    labels : {"true", "shuffled"}
        Shuffled training labels belong to other examples; those tested on stay.
    lengthscale, outputscale : float
        At the start, in every dimension.
    steps : int
    lr : float
    record : Schedule
    """

    population: Population = PARITY
    seed: int
    n_train: int = 200
    n_test: int = 500
    labels: Literal["true", "shuffled"] = "true"
    lengthscale: float = START
    outputscale: float = START
    steps: int = 100
    lr: float = 0.01
    record: Schedule = OFTEN

    #: How many matrices (n_train, n_train), and (n_train, n_test), there are at once.
    square_matrices: ClassVar[int]
    cross_matrices: ClassVar[int]

    def validate(self) -> None:
        for name, least in (("seed", 0), ("n_train", 2), ("n_test", 2), ("steps", 1)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")
        for name in ("lengthscale", "outputscale", "lr"):
            if getattr(self, name) <= 0:
                self.refuse(name, "a positive number")
        self.refuse_extremes("lr", most=100.0)
        self.refuse_extremes("lengthscale", "outputscale", least=1e-12, most=1e12)

    def memory(self, batch_size: int) -> float:  # noqa: ARG002 - one after the other
        dimensions = self.population.dimensions
        kernels = 8.0 * self.n_train * (self.square_matrices * self.n_train + self.cross_matrices * self.n_test)
        recorded = 150.0 * (dimensions + 8) * self.record.count(self.steps)
        return kernels + 24.0 * dimensions * (self.n_train + self.n_test) + recorded

    @property
    @shared_data
    def examples(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Inputs (n, d) and labels (n,), -1 or 1, of "train" and "test"."""
        drawn = {s: self.population.draw(n, self.seed, s) for s, n in (("train", self.n_train), ("test", self.n_test))}
        inputs, labels = drawn["train"]
        return drawn | {"train": (inputs, with_labels(labels, self.labels, self.seed))}
