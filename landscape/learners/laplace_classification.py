"""Gaussian process classification in Laplace's approximation, trained by gradient ascent on its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from grokscape.landscape.experiment import Experiment, Outcome, Session
from grokscape.landscape.learners.adam import adam
from grokscape.landscape.learners.gaussian_process_classification import GaussianProcessClassification
from grokscape.landscape.learners.laplace_mode import Mode, find_mode, kernel, log_likelihood, slope_by_covariance
from grokscape.landscape.learners.training_log import TrainingLog


@dataclass(frozen=True)
class ModeEvidence:
    """The mode at one place, and the gradient of the negative log evidence per example there."""

    place: np.ndarray
    mode: Mode
    gradient: np.ndarray


@dataclass(frozen=True, kw_only=True)
class LaplaceClassification(GaussianProcessClassification, kind="laplace_classification"):
    """A Gaussian process classifier with a logistic likelihood, a zero mean and a length for each dimension.

    Full-batch Adam over ``(log s, log l_1, ..., log l_d)`` on the negative log evidence per example, at the mode f of
    the latent function (see `laplace_mode`). No jitter is added: only ``I + W^1/2 K W^1/2`` is factorised.

    It records, by step, "loss" (minus the log of a label's probability) and "error" (share of labels that differ from
    the sign of the latent mean) on "train" and "test"; "log outputscale", and "lengthscale 1", "lengthscale 2", ...;
    "fit", ``-sum log p(y | f) / n``; and "complexity", ``(f' K^-1 f + log|I + W^1/2 K W^1/2|) / (2 n)``, which is what
    the latent function, and how exactly it is known, cost under the prior. It is 0 for a kernel of no size and
    approximates the divergence from the prior that a variational learner records, from which it differs by
    approximation and likelihood; the prior itself is trained.

    The parameters are those of every `GaussianProcessClassification`.
    """

    square_matrices: ClassVar[int] = 8
    cross_matrices: ClassVar[int] = 2

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(("train", "test"), ("loss", "error")),
        "": ("fit", "complexity", "log outputscale", "lengthscale *"),
    }

    @property
    def work(self) -> float:
        size = self.n_train**2 * (3 * self.n_train + 8 * self.population.dimensions + 120)
        return self.steps * (8e6 + 3 * size + self.n_train**2 * self.n_test)

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
        for number, experiment in enumerate(batch):
            log, wanted = TrainingLog(), set(experiment.record.steps(experiment.steps))
            dimensions = experiment.population.dimensions
            start = np.log([experiment.outputscale, *[experiment.lengthscale] * dimensions])
            for step, found in adam(experiment.evidence, start, experiment.lr, experiment.steps):
                if step in wanted:
                    log.note(step, experiment.measured(found))
                    session.report((number + step / experiment.steps) / len(batch))
            weights = {"log outputscale": found.place[0], "log lengthscales": found.place[1:]}
            yield experiment, log.outcome(experiment.steps, {k: np.asarray(v) for k, v in weights.items()})

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
