"""A mean-field Bayesian network (Miller, O'Neill and Bui 2023, arXiv:2310.17247, section 2.3).

Every weight and bias of a ReLU network with one hidden layer has a Gaussian posterior of its own, and the prior
N(0, 1). What is minimised, by stochastic gradient descent on means and log standard deviations, is the negative
evidence lower bound per training example::

    L = E_q[cross-entropy] + kl_weight * KL(q || prior) / n
    KL = sum mu^2 / 2  +  sum (sigma^2 - 1 - log sigma^2) / 2

with one sample of what enters each unit (the local reparameterisation of Kingma, Salimans and Welling 2015).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pandas as pd
import torch

from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Session
from grokscape.landscape.learners.bayesian_compiled import chosen
from grokscape.landscape.tasks import SampledParity
from grokscape.landscape.training.schedule import Schedule
from grokscape.landscape.training.stop import Stop


@dataclass(frozen=True, kw_only=True)
class BayesianNetwork(Experiment, kind="bayesian_network"):
    """Minibatch training of a mean-field Bayesian network; a step of its record is an epoch.

    It records on "train" and "test" loss and error with the posterior means as weights, and "sampled loss" and
    "sampled error" of one sample; besides "complexity" ``KL(q || prior) / n`` and its two parts, "mean part"
    ``sum mu^2 / (2 n)`` and "deviation part", and "fit", the sampled training loss.

    The prior stands still, so that complexities of one size of network and data can be compared, in time and across
    starts. But at the start nearly all of it is the deviation part, which the choice of `start_deviation` makes (6602
    weights at 0.01 and 1000 examples: 27.1 nats an example), and which no other learner has; the mean part is what
    `grokscape.landscape.grokking.complexity` is of a network without posterior.

    Networks of a batch are independent. On a CPU, compiled code computes each by itself, and its record is
    batch-invariant. Where PyTorch computes them all at once, it may differ by rounding.

    Parameters
    ----------
    task : SampledParity
    n_train : int
        The other examples are the test set.
    seed : int
        Decides relevant bits, split, initial means, order of examples and noise, each independently.
    start_scale : float
        Standard deviation of the initial posterior means; those of one seed differ by this factor alone.
    start_deviation : float
        Posterior standard deviation of every weight at the start.
    kl_weight : float
        1 is the evidence lower bound, 0 is without complexity.
    width : int
    lr : float
        Of stochastic gradient descent.
    batch : int
        Examples a step; the last of an epoch has what is left.
    epochs : int
    labels : {"true", "random"}
    record : Schedule
        In epochs.
    stop : tuple of Stop
        The run ends when any of them is met.
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(("train", "test"), ("loss", "error", "sampled loss", "sampled error")),
        "": ("fit", "complexity", "mean part", "deviation part"),
    }

    task: SampledParity = field(default_factory=SampledParity)
    n_train: int = 1000
    seed: int
    start_scale: float
    start_deviation: float = 0.01
    kl_weight: float = 1.0
    width: int = 200
    lr: float = 0.1
    batch: int = 32
    epochs: int
    labels: Literal["true", "random"] = "true"
    record: Schedule = field(default_factory=lambda: Schedule(per_decade=30, every=25))
    stop: tuple[Stop, ...] = ()

    #: Compiled networks take as long in any batch; where PyTorch computes them, so many share its fixed costs.
    largest_batch: ClassVar[int | None] = 4

    def validate(self) -> None:
        if not 1 <= self.n_train < self.task.size:
            self.refuse("n_train", f"between 1 and {self.task.size - 1}", f"there are {self.task.size} examples")
        for name, least in (("width", 1), ("batch", 1), ("epochs", 1), ("seed", 0)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")
        for name in ("start_deviation", "lr"):
            if getattr(self, name) <= 0:
                self.refuse(name, "a positive number")
        for name in ("start_scale", "kl_weight"):
            if getattr(self, name) < 0:
                self.refuse(name, "not negative")
        self.refuse_extremes("start_deviation", "lr", "start_scale", "kl_weight", least=1e-18, most=1e9)

    @property
    def labels_of_all(self) -> torch.Tensor:
        """The labels of all examples in the world of this seed, int64 of shape (N,)."""
        true = self.labels == "true"
        return self.task.labels_of(self.seed) if true else self.task.random_labels(seed=self.seed)

    @property
    def batch_key(self) -> str:
        sizes = (self.n_train, self.width, self.batch)
        # Networks of one start take about as long: the last of a batch, left alone, would be twice as slow.
        start = (self.start_scale, self.kl_weight, self.epochs)
        return f"{self.task.canonical}|{'-'.join(map(str, sizes + start))}|{self.record.canonical}"

    @property
    def work(self) -> float:
        # Noise, and whatever else is done once a hidden unit or a weight, next to products of its inputs.
        weights = (self.task.bits + 1.0) * self.width
        step = self.batch * (4 * weights + 400 * self.width) + 15 * weights + 3e5
        record = self.task.size * weights
        return self.epochs * max(1.0, self.n_train / self.batch) * step + self.record.count(self.epochs) * record

    def memory(self, batch_size: int) -> float:
        weights = (self.task.bits + 3.0) * self.width
        recorded = 2000.0 * batch_size * self.record.count(self.epochs)
        return recorded + 4.0 * batch_size * (
            8 * weights + (self.task.size + 2 * self.n_train) * (3 * self.width + self.task.bits)
        )

    @classmethod
    def train(cls, batch: Sequence[BayesianNetwork], session: Session) -> Iterator[tuple[BayesianNetwork, Outcome]]:
        began = time.perf_counter()
        networks = list(batch)
        ensemble = chosen(networks, session)
        last = max(network.epochs for network in networks)
        due = {network.identity: set(network.record.steps(network.epochs)) for network in networks}
        records = set().union(*due.values())
        rows: dict[str, list[tuple[int, str, str, float]]] = {network.identity: [] for network in networks}
        held = {network.identity: [0] * len(network.stop) for network in networks}
        for epoch in range(last + 1):
            if epoch in records:
                measured, staying = ensemble.measure(), []
                for index, network in enumerate(networks):
                    reason = "epochs" if epoch == network.epochs else None
                    if epoch in due[network.identity]:
                        values = {key: float(column[index]) for key, column in measured.items()}
                        rows[network.identity] += [(epoch, *key, value) for key, value in values.items()]
                        counts = held[network.identity]
                        for place, stop in enumerate(network.stop):
                            counts[place] = counts[place] + 1 if stop.holds(values) else 0
                            if counts[place] >= stop.records:
                                reason = f"{stop.quantity} {stop.split}".strip()
                    if reason is None:
                        staying.append(index)
                        continue
                    info = {"last_step": epoch, "stopped_by": reason, "ensemble": len(batch)}
                    info["arithmetic"] = ensemble.arithmetic
                    info["seconds"] = (time.perf_counter() - began) / len(batch)
                    table = pd.DataFrame(rows[network.identity], columns=list(COLUMNS))
                    yield network, Outcome(table, {epoch: ensemble.weights_of(index)}, info)
                if not staying:
                    return
                if len(staying) < len(networks):
                    networks = [networks[index] for index in staying]
                    ensemble.keep(staying)
                session.report(epoch / last)
            ensemble.advance()
