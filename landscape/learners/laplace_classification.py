"""Gaussian process classification in Laplace's approximation, trained by gradient ascent on its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.special import expit

from grokscape.landscape.experiment import Experiment, Outcome, Session
from grokscape.landscape.learners.course import Course, adam
from grokscape.landscape.learners.laplace_mode import Mode, find_mode, kernel, log_likelihood, slope_by_covariance
from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.populations import ConcealedParity, Population, with_labels
from grokscape.landscape.training.schedule import Schedule

#: softplus(0), where the lengthscales and the outputscale of Miller et al. 2023 start.
START = float(np.log(2.0))
PARITY = ConcealedParity()
OFTEN = Schedule(every=2)


@dataclass(frozen=True)
class ModeEvidence:
    """The mode at one place, and the gradient of the negative log evidence per example there."""

    place: np.ndarray
    mode: Mode
    gradient: np.ndarray


@dataclass(frozen=True, kw_only=True)
class LaplaceClassification(Experiment, kind="laplace_classification"):
    """A Gaussian process classifier with a logistic likelihood, a zero mean and a length for each dimension.

    Full-batch Adam over ``(log s, log l_1, ..., log l_d)`` on the negative log evidence per example, at the mode f of
    the latent function (see `laplace_mode`). No jitter is added: only ``I + W^1/2 K W^1/2`` is factorised.

    It records, by step, "loss" (minus the log of a label's probability) and "error" (share of labels that differ from
    the sign of the latent mean) on "train" and "test"; "log outputscale", and "lengthscale 1", "lengthscale 2", ...;
    "fit", ``-sum log p(y | f) / n``; and "complexity", ``(f' K^-1 f + log|I + W^1/2 K W^1/2|) / (2 n)``, which is what
    the prior charges for the latent function and for how exactly it is known. It is 0 for a kernel of no size and
    approximates the divergence from the prior that a variational learner records, from which it differs by
    approximation and likelihood; the prior itself is trained.

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

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(("train", "test"), ("loss", "error")),
        "": ("fit", "complexity", "log outputscale", "lengthscale *"),
    }

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

    def validate(self) -> None:
        for name, least in (("seed", 0), ("n_train", 2), ("n_test", 2), ("steps", 1)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")
        for name in ("lengthscale", "outputscale", "lr"):
            if getattr(self, name) <= 0:
                self.refuse(name, "a positive number")
        self.refuse_extremes("lr", most=100.0)
        self.refuse_extremes("lengthscale", "outputscale", least=1e-12, most=1e12)

    @property
    def work(self) -> float:
        size = self.n_train**2 * (3 * self.n_train + 8 * self.population.dimensions + 120)
        return self.steps * (8e6 + 3 * size + self.n_train**2 * self.n_test)

    def memory(self, company: int) -> float:  # noqa: ARG002 - one after the other
        dimensions, rows = self.population.dimensions, 8.0 * self.n_train
        recorded = 150.0 * (dimensions + 8) * self.record.count(self.steps)
        return rows * (8 * self.n_train + 2 * self.n_test) + 24.0 * dimensions * (self.n_train + self.n_test) + recorded

    @property
    @shared_data
    def examples(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Inputs (n, d) and labels (n,) of "train" and "test"."""
        drawn = {s: self.population.draw(n, self.seed, s) for s, n in (("train", self.n_train), ("test", self.n_test))}
        inputs, labels = drawn["train"]
        return drawn | {"train": (inputs, with_labels(labels, self.labels, self.seed))}

    def evidence(self, place: np.ndarray, latent: np.ndarray | None = None) -> ModeEvidence:
        """Return the mode and the gradient (1 + d,) at a place (1 + d,); `latent` is where to look for the mode first.

        Raises
        ------
        NotPositiveDefinite
            If the covariance overflows.
        """
        inputs, labels = self.examples["train"]
        covariance = kernel(inputs, inputs, place[1:], place[0])
        mode = find_mode(covariance, labels, np.zeros(self.n_train) if latent is None else latent)
        slope = slope_by_covariance(mode, covariance, labels) * covariance
        # sum_ij S_ij (x_i - x_j)^2, without the array of all differences.
        apart = 2 * (slope.sum(1) @ np.square(inputs) - np.einsum("ik,ik->k", inputs, slope @ inputs))
        gradient = -np.append(slope.sum(), apart * np.exp(-2 * place[1:])) / self.n_train
        return ModeEvidence(place, mode, gradient)

    @classmethod
    def train(cls, batch: Sequence[Any], session: Session) -> Iterator[tuple[Experiment, Outcome]]:
        for number, member in enumerate(batch):
            course, wanted = Course(), set(member.record.steps(member.steps))
            dimensions = member.population.dimensions
            start = np.log([member.outputscale, *[member.lengthscale] * dimensions])
            for step, found in adam(member.evidence, start, member.lr, member.steps):
                if step in wanted:
                    course.note(step, member.measured(found))
                    session.report((number + step / member.steps) / len(batch))
            weights = {"log outputscale": found.place[0], "log lengthscales": found.place[1:]}
            yield member, course.outcome(member.steps, {k: np.asarray(v) for k, v in weights.items()})

    def measured(self, found: ModeEvidence) -> dict[tuple[str, str], float]:
        """Return what is recorded of one place."""
        place, mode = found.place, found.mode
        inputs, labels = self.examples["train"]
        fit = -float(log_likelihood(labels, mode.latent).mean())
        values = {
            ("", "fit"): fit,
            ("", "complexity"): mode.complexity / self.n_train,
            ("", "log outputscale"): place[0],
        }
        values |= {("", f"lengthscale {k}"): value for k, value in enumerate(np.exp(place[1:]), start=1)}
        for split, (at, truth) in self.examples.items():
            mean, variance = mode.predict(kernel(at, inputs, place[1:], place[0]), np.exp(place[0]))
            # MacKay's approximation to the mean of a sigmoid (Rasmussen and Williams 2006, section 3.9.1).
            chance = expit(truth * mean / np.sqrt(1 + np.pi / 8 * variance))
            values |= {
                (split, "loss"): float(-np.log(chance).mean()),
                (split, "error"): float((truth * mean <= 0).mean()),
            }
        return values
