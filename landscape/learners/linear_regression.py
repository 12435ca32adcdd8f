"""Bayesian linear regression by gradient descent, which learns signs of a line from very few examples.

Miller, O'Neill and Bui 2023 (arXiv:2310.17247, section 2.1.1 and appendix K) give a line ``y = slope * x`` four
features of which one is correct::

    phi(x) = (x, x^2, x^3, sin 100x)
    objective = |y - phi w|^2 / (2 noise n)  +  |w|^2 / (2 prior n)          (nats per training example)

Their loss is twice this one, without the factors 1/2, so that their learning rate 0.001 is 0.002 here. The objective is
quadratic: gradient descent is known at every step from one eigendecomposition,
``w_t = w* + (1 - lr H)^t (w_0 - w*)``, and a million steps cost what ten do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from grokscape.landscape import randomness
from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Session
from grokscape.landscape.training.schedule import Schedule

FEATURES = ("x", "x^2", "x^3", "sin 100x")
#: The error that counts as low, that of `grokscape.landscape.grokking.grokking_gap`.
LOW = 0.05


def features(x: np.ndarray) -> np.ndarray:
    """Return (x, x^2, x^3, sin 100x), shape (..., 4)."""
    return np.stack([x, x**2, x**3, np.sin(100 * x)], -1)


@dataclass(frozen=True, kw_only=True)
class LinearRegression(Experiment, kind="linear_regression"):
    """Gradient descent on the objective above, on several data sets, of which it records means.

    Single data sets differ so much (two examples) that only means show a curve; the paper averages five. By step and
    split: "loss", the expected negative log likelihood in nats per example (without its constant); "error", the share
    of signs that are wrong; "low error", the share of data sets whose error is at most 5 % at that step. By step: "fit"
    (the training loss), "complexity", and the weight of each feature. And at the last step what gradient descent tends
    to: "error in the limit", "low error in the limit", "complexity in the limit".

    Its complexity is the negative log density of the weights under their Gaussian prior, ``|w|^2 / (2 prior n)``, 0 at
    w = 0 and fixed while training; unlike a Gaussian process's or a variational one's it penalises a point, and not
    how precisely the data determine it. Without the penalty it is recorded and not descended on.

    Parameters
    ----------
    n_train, n_test : int
    data_sets : int
    slope : float
    start : tuple of float
        The four weights at the start.
    noise_variance, prior_variance : float
    penalty : bool
        Whether the objective has its second term.
    targets : {"linear", "random"}
        Random targets are those of other inputs: nothing can be learnt of them.
    lr : float
    steps : int
    seed : int
    record : Schedule
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(
            ("train", "test"), ("loss", "error", "low error", "error in the limit", "low error in the limit")
        ),
        "": ("fit", "complexity", "complexity in the limit", "weight of *"),
    }

    n_train: int = 2
    n_test: int = 1000
    data_sets: int = 5
    slope: float = 0.3
    start: tuple[float, ...] = (5e-4, 0.9, 0.9, 0.9)
    noise_variance: float = 0.002
    prior_variance: float = 0.5
    penalty: bool = True
    targets: Literal["linear", "random"] = "linear"
    lr: float = 0.002
    steps: int = 5000
    seed: int
    record: Schedule = field(default_factory=lambda: Schedule(per_decade=40, every=10**9))

    #: Trained one after the other; together only to spare the journey.
    largest_batch: ClassVar[int | None] = 64

    def validate(self) -> None:
        for name in ("n_train", "n_test", "data_sets", "steps"):
            if getattr(self, name) < 1:
                self.refuse(name, "at least 1")
        for name in ("noise_variance", "prior_variance", "lr"):
            if getattr(self, name) <= 0:
                self.refuse(name, "a positive number")
        self.refuse_extremes("noise_variance", "prior_variance", "lr", "slope", "start")
        if len(self.start) != len(FEATURES):
            self.refuse("start", f"{len(FEATURES)} weights", f"one each for {', '.join(FEATURES)}")
        # The squared features sum to less than 1/4 + 1/16 + 1/64 + 1.
        steepest = 1.33 / self.noise_variance + self.penalty / (self.prior_variance * self.n_train)
        if self.lr * steepest >= 2:
            self.refuse("lr", f"less than {2 / steepest:.3g}", "at larger ones gradient descent may not converge")

    @property
    def batch_key(self) -> str:
        return self.kind

    @property
    def work(self) -> float:
        return (50.0 * self.data_sets * (self.n_train + self.n_test) + 2e4) * self.record.count(self.steps) + 2e8

    def memory(self, batch_size: int) -> float:  # noqa: ARG002 - one after the other
        seen = self.data_sets * self.record.count(self.steps)
        examples = self.data_sets * (self.n_train + self.n_test)
        return 24.0 * (self.n_train + self.n_test) * self.record.count(self.steps) + 300.0 * seen + 80.0 * examples

    def examples(self, split: Literal["train", "test"]) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets, each of shape (data sets, examples)."""
        shape = (self.data_sets, self.n_train if split == "train" else self.n_test)
        inputs = randomness.generator(self.seed, f"inputs/{split}").uniform(-0.5, 0.5, shape)
        if self.targets == "linear":
            return inputs, self.slope * inputs
        return inputs, self.slope * randomness.generator(self.seed, f"targets/{split}").uniform(-0.5, 0.5, shape)

    @property
    def limit(self) -> np.ndarray:
        """Where gradient descent tends to, shape (data sets, 4).

        With the penalty the ridge solution ``(X'X/noise + 1/prior)^-1 X'y/noise``; without it the interpolating
        weights nearest to the start, ``w_0 + X^+ (y - X w_0)``.
        """
        inputs, targets = self.examples("train")
        design = features(inputs)
        if not self.penalty:
            start = np.array(self.start)
            return np.asarray(start + np.einsum("dfn,dn->df", np.linalg.pinv(design), targets - design @ start))
        towards = np.einsum("dnf,dn->df", design, targets) / (self.noise_variance * self.n_train)
        return np.asarray(np.linalg.solve(self.curvature, towards[..., None])[..., 0])

    @property
    def curvature(self) -> np.ndarray:
        """The Hessian of the objective, shape (data sets, 4, 4)."""
        design = features(self.examples("train")[0])
        data = np.einsum("dnf,dng->dfg", design, design) / (self.noise_variance * self.n_train)
        return np.asarray(data + self.penalty * np.eye(len(FEATURES)) / (self.prior_variance * self.n_train))

    def weights(self, steps: np.ndarray) -> np.ndarray:
        """Return the weights after so many steps of gradient descent, shape (data sets, steps, 4)."""
        rates, modes = np.linalg.eigh(self.curvature)
        limit = self.limit
        away = np.einsum("dfm,df->dm", modes, np.array(self.start) - limit)
        left = (1 - self.lr * rates)[:, None] ** np.asarray(steps)[:, None] * away[:, None]
        return np.asarray(limit[:, None] + np.einsum("dfm,dsm->dsf", modes, left))

    @classmethod
    def train(cls, batch: Sequence[LinearRegression], session: Session) -> Iterator[tuple[LinearRegression, Outcome]]:
        for index, experiment in enumerate(batch, 1):
            yield experiment, experiment.outcome()
            session.report(index / len(batch))

    def outcome(self) -> Outcome:
        """Return the course of training."""
        began = time.perf_counter()
        steps = np.array(self.record.steps(self.steps))
        tables = [_table(steps, *key, values) for key, values in self._measured(self.weights(steps)).items()]
        for (split, name), values in self._measured(self.limit[:, None]).items():
            if name in ("error", "low error", "complexity"):
                tables.append(_table(steps[-1:], split, f"{name} in the limit", values))
        info = {"last_step": self.steps, "stopped_by": "steps", "seconds": time.perf_counter() - began, "ensemble": 1}
        return Outcome(pd.concat(tables, ignore_index=True)[list(COLUMNS)], {}, info)

    def _measured(self, weights: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
        """Return (split, quantity) -> means over data sets, shape (steps,), of weights (data sets, steps, 4)."""
        found: dict[tuple[str, str], np.ndarray] = {}
        for split in ("train", "test"):
            inputs, targets = self.examples("train" if split == "train" else "test")
            losses, errors = [], []
            for design, wanted, path in zip(features(inputs), targets, weights, strict=True):
                predicted = path @ design.T
                losses.append(np.square(predicted - wanted).mean(1) / (2 * self.noise_variance))
                errors.append(((predicted > 0) != (wanted > 0)).mean(1))
            found[split, "loss"] = np.mean(losses, 0)
            found[split, "error"] = np.mean(errors, 0)
            found[split, "low error"] = np.mean(np.array(errors) <= LOW, 0)
        found["", "fit"] = found["train", "loss"]
        found["", "complexity"] = np.square(weights).sum(-1).mean(0) / (2 * self.prior_variance * self.n_train)
        for name, values in zip(FEATURES, weights.mean(0).T, strict=True):
            found["", f"weight of {name}"] = values
        return found


def _table(steps: np.ndarray, split: str, quantity: str, values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"step": steps, "split": split, "quantity": quantity, "value": values})
