"""Exact Gaussian process regression, whose hyper-parameters are trained by gradient descent on the evidence.

The first learner without a network that was seen to grok (Miller, O'Neill and Bui 2023, arXiv:2310.17247, section
2.3.1 and figure 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from scipy.linalg import cho_solve, cholesky
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.errors import NotPositiveDefinite
from grokscape.landscape.experiment import Experiment, Outcome, Session
from grokscape.landscape.learners.adam import adam
from grokscape.landscape.learners.training_log import TrainingLog
from grokscape.landscape.problem import Problem
from grokscape.landscape.sharing import shared_data
from grokscape.landscape.training.schedule import Schedule

#: softplus(0) + 1e-4: the noise variance that the authors' runs have, whatever noise they ask their library for.
AUTHORS_NOISE = float(np.log(2.0)) + 1e-4

EVERY_STEP = Schedule(every=1)

#: What is trained, in the order of the vector of parameters; the noise only if it is trained.
NAMES = ("log lengthscale", "log outputscale", "mean", "log noise")


@dataclass(frozen=True)
class Evidence:
    """The negative log marginal likelihood of a Gaussian process at one place, per example, without its constant.

    ``r' C^-1 r / (2 n) + w log|C| / (2 n)``, with ``r = y - m``, ``C = s exp(-|x - x'|^2 / (2 l^2)) + noise I``
    (Rasmussen and Williams 2006, equation 2.30). The first term is `fit`, the second, without its weight w,
    `complexity`.

    Attributes
    ----------
    place : array, shape (P,)
    fit, complexity : float
        In nats per example.
    gradient : array, shape (P,)
        Of the objective.
    dual : array, shape (n,)
        ``C^-1 r``; the posterior mean is ``m + k(x)' C^-1 r``.
    noise : float
    """

    place: np.ndarray
    fit: float
    complexity: float
    gradient: np.ndarray
    dual: np.ndarray
    noise: float

    def posterior_mean(self, inputs: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Return it at some places, shape (m,), given where the training inputs are."""
        return self.place[2] + _kernel(self.place, (at[:, None] - inputs) ** 2) @ self.dual


@dataclass(frozen=True, kw_only=True)
class GaussianProcessRegression(Experiment, kind="gaussian_process_regression"):
    """A noisy sine, learnt by a Gaussian process whose kernel's parameters are trained by full-batch Adam.

    The data are ``y = sin 2x + N(0, 0.1^2)``, x from U(-1.5, 1.5); the objective is that of `Evidence`. No jitter is
    added to the diagonal: besides the noise there is nothing on it.

    It records, by step, the mean squared "loss" and its share of the variance of that split's targets, the "error", on
    "train" and "test"; "fit" and "complexity", and every parameter by name. "complexity" is ``log|C| / (2 n)``, the
    cost of how many functions the prior holds, at the noise assumed. Its zero depends on the noise (with
    noise v and a negligible kernel it is ``log(v) / 2``), and it is negative where noise is small: of it changes can be
    compared with those of other learners, levels only with those of other such processes of equal noise.

    Parameters
    ----------
    log_lengthscale, log_outputscale : float
        The start of ``log l`` and ``log s``.
    seed : int
        Decides the data, unless they are published.
    data : {"drawn", "published"}
        Published are the hundred examples of the paper, half of them to test on: NumPy's legacy generator and
        PyTorch's permutation, both of seed 42.
    n_train, n_test : int
    noise : float
        Variance assumed at the start.
    train_noise : bool
        Train it like the rest; otherwise it stays.
    complexity_weight : float
        w; 0 leaves fitting alone.
    steps : int
    lr : float
    record : Schedule
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(("train", "test"), ("loss", "error")),
        "": ("fit", "complexity", *NAMES),
    }

    log_lengthscale: float
    log_outputscale: float
    seed: int
    data: Literal["drawn", "published"] = "drawn"
    n_train: int = 50
    n_test: int = 500
    noise: float = AUTHORS_NOISE
    train_noise: bool = False
    complexity_weight: float = 1.0
    steps: int = 300
    lr: float = 0.04
    record: Schedule = EVERY_STEP

    def validate(self) -> None:
        for name, least in (("seed", 0), ("n_train", 2), ("n_test", 2), ("steps", 1)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")
        if self.data == "published" and (self.n_train, self.n_test) != (50, 50):
            self.refuse("data", "'drawn', unless n_train and n_test are 50", "half of the hundred are to test on")
        for name in ("log_lengthscale", "log_outputscale"):
            if abs(getattr(self, name)) > 300:
                self.refuse(name, "between -300 and 300", "its square, or that of its exponential, must be a number")
        if self.noise < 0 or (self.train_noise and self.noise == 0):
            self.refuse("noise", "a variance", "to be trained, it must be positive")
        self.refuse_extremes("noise", "complexity_weight")
        self.refuse_extremes("lr", most=100.0)
        if self.complexity_weight < 0:
            self.refuse("complexity_weight", "not negative")
        if self.lr <= 0:
            self.refuse("lr", "a positive number")

    @property
    def work(self) -> float:
        return self.steps * (6e6 + 20 * self.n_train**3 + 60 * self.n_train * self.n_test)

    def memory(self, batch_size: int) -> float:  # noqa: ARG002 - one after the other
        return 8.0 * self.n_train * (8 * self.n_train + 2 * self.n_test) + 1500.0 * self.record.count(self.steps)

    @property
    def start(self) -> np.ndarray:
        """The parameters at the start, shape (P,), in the order of `NAMES`."""
        known = [self.log_lengthscale, self.log_outputscale, 0.0]
        return np.array([*known, np.log(self.noise)] if self.train_noise else known)

    @property
    @shared_data
    def examples(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Inputs and targets, both (n,), of "train" and "test"."""
        if self.data == "published":
            legacy = np.random.RandomState(42)
            x = legacy.uniform(-1.5, 1.5, 100)
            y = np.sin(2 * x) + legacy.normal(0, 0.1, 100)
            order = torch.randperm(100, generator=torch.Generator().manual_seed(42)).numpy()
            return {"train": (x[order[:50]], y[order[:50]]), "test": (x[order[50:]], y[order[50:]])}
        drawn = {}
        for split, n in (("train", self.n_train), ("test", self.n_test)):
            x = randomness.generator(self.seed, f"{split}/inputs").uniform(-1.5, 1.5, n)
            drawn[split] = (x, np.sin(2 * x) + randomness.generator(self.seed, f"{split}/noise").normal(0, 0.1, n))
        return drawn

    def evidence(self, place: np.ndarray) -> Evidence:
        """Return the objective and its gradient at a place (P,).

        Raises
        ------
        NotPositiveDefinite
            If C has no Cholesky factor.
        """
        (x, y), n = self.examples["train"], self.n_train
        squares = (x[:, None] - x) ** 2
        kernel, residual = _kernel(place, squares), y - place[2]
        noise = float(np.exp(place[3])) if self.train_noise else self.noise
        covariance = kernel + noise * np.eye(n)
        try:
            factor = cholesky(covariance, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            raise NotPositiveDefinite(
                f"the kernel matrix of {n} examples is not positive definite in double precision at log lengthscale "
                f"{place[0]:.4g}, log outputscale {place[1]:.4g} and noise {noise:.4g}; assume more noise"
            ) from None
        inverse = cho_solve((factor, True), np.eye(n), check_finite=False)
        dual = inverse @ residual
        # The derivative of the objective by C; each parameter's own is its inner product with that of C.
        slope = (self.complexity_weight * inverse - np.outer(dual, dual)) / (2 * n)
        weighted = slope * kernel
        gradient = [(weighted * squares).sum() * np.exp(-2 * place[0]), weighted.sum(), -dual.sum() / n]
        if self.train_noise:
            gradient.append(noise * np.trace(slope))
        complexity = float(np.log(np.diag(factor)).sum()) / n
        return Evidence(place, float(residual @ dual) / (2 * n), complexity, np.array(gradient), dual, noise)

    def problem(self, place: Mapping[str, Any] | None = None) -> Problem:
        """Return the objective for the instruments: its Hessian, eigenvalues, slices.

        Its loss of one example is what the chain rule leaves to it, ``z_i^2 / 2 + w log L_ii`` with ``C = L L'`` and
        ``L z = r``: minus the log density of its target given the examples before it.

        Parameters
        ----------
        place : mapping, optional
            Parameters by name, such as a record's last weights; the start by default.
        """
        values = dict(zip(NAMES, self.start, strict=False)) if place is None else place
        x, y = (torch.from_numpy(part) for part in self.examples["train"])
        weight, known = self.complexity_weight, self.noise

        def terms(parameters: dict[str, Tensor], inputs: tuple[Tensor, Tensor]) -> Tensor:
            x, y = inputs
            lengthscale, outputscale, mean = (parameters[name] for name in NAMES[:3])
            noise = parameters["log noise"].exp() if "log noise" in parameters else known
            squares = (x[:, None] - x) ** 2
            kernel = torch.exp(outputscale - squares * torch.exp(-2 * lengthscale) / 2)
            factor = torch.linalg.cholesky(kernel + noise * torch.eye(len(x), dtype=x.dtype))
            whitened = torch.linalg.solve_triangular(factor, (y - mean)[:, None], upper=False)[:, 0]
            return torch.stack([whitened.square() / 2, torch.diagonal(factor).log()], -1)

        def objective(outputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG001 - the inputs hold the targets
            return outputs[:, 0] + weight * outputs[:, 1]

        parameters = {name: torch.tensor(float(value), dtype=torch.float64) for name, value in values.items()}
        return Problem(terms, objective, ((x, y), y), parameters=parameters)

    @classmethod
    def train(cls, batch: Sequence[Any], session: Session) -> Iterator[tuple[Experiment, Outcome]]:
        for number, experiment in enumerate(batch):
            log, wanted = TrainingLog(), set(experiment.record.steps(experiment.steps))
            for step, found in adam(experiment.evidence, experiment.start, experiment.lr, experiment.steps):
                if step in wanted:
                    log.note(step, experiment.measured(found))
                if step % 500 == 0:
                    session.report((number + step / experiment.steps) / len(batch))
            weights = {name: np.array(value) for name, value in zip(NAMES, found.place, strict=False)}
            yield experiment, log.outcome(experiment.steps, weights)

    def measured(self, found: Evidence) -> dict[tuple[str, str], float]:
        """Return what is recorded of one place."""
        values = {("", name): float(value) for name, value in zip(NAMES, found.place, strict=False)}
        values |= {("", "fit"): found.fit, ("", "complexity"): found.complexity}
        x, y = self.examples["train"]
        at, truth = self.examples["test"]
        # At the training inputs the posterior mean is y - noise C^-1 r.
        squared = {"train": (found.noise * found.dual) ** 2, "test": (truth - found.posterior_mean(x, at)) ** 2}
        for split, targets in (("train", y), ("test", truth)):
            loss = float(squared[split].mean())
            values |= {(split, "loss"): loss, (split, "error"): loss / float(targets.var())}
        return values


def _kernel(place: np.ndarray, squares: np.ndarray) -> np.ndarray:
    return np.exp(place[1] - squares * np.exp(-2 * place[0]) / 2)
