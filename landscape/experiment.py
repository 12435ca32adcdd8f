"""What can be trained, stored and measured: networks, and learners that are no networks, through one door."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd

from grokscape.landscape.description import Description

#: Columns of every trajectory.
COLUMNS = ("step", "split", "quantity", "value")

#: Bytes of a row of a trajectory while it is recorded, as a tuple.
ROW = 150

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Outcome:
    """What one training leaves behind.

    Attributes
    ----------
    trajectory : DataFrame
        Tidy: columns step (int64), split ("train", "test", "unmirrored"; "" where it has no meaning), quantity, value.
    weights : dict
        Step -> name -> array, for every checkpoint asked for and for the last step. Empty for learners without weights.
    info : dict
        JSON-able facts about the training that are no measurements: ``last_step`` (needed to find the last weights),
        ``stopped_by``, ``seconds`` (of one core), ``ensemble`` (how many shared them).
    """

    trajectory: pd.DataFrame
    weights: dict[int, Weights] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """An interrupted training: everything needed to go on as if nothing had happened.

    Attributes
    ----------
    step : int
        Steps taken.
    rows : DataFrame
        The trajectory so far.
    arrays : dict
        Weights, optimiser state, checkpoints and stop-rule counters, by name.
    """

    step: int
    rows: pd.DataFrame
    arrays: Weights


class Session(Protocol):
    """What a training may ask of its surroundings."""

    device: str
    compile: bool

    def final_weights(self, experiment: Experiment) -> Weights:
        """Return the last weights of a parent."""

    def snapshot(self, experiment: Experiment) -> Snapshot | None:
        """Return where an earlier, interrupted training of this experiment stood."""

    def save(self, experiment: Experiment, snapshot: Snapshot) -> None:
        """Keep where this training stands."""

    def wants_snapshot(self) -> bool:
        """Say whether it is time to `save`."""

    def report(self, done: float) -> None:
        """Report which share of the batch's work is done (0 to 1)."""

    def note(self, sentence: str) -> None:
        """Note something that whoever asked for the training should know."""


class Experiment(Description, ABC):
    """A frozen description of one training that knows how to carry itself out, alone or with others of its shape.

    The identity of an experiment is its description, not its code: whoever changes what `train` does gives the class
    another `kind`, or a field that says which version is meant, or old records will stand for the new code.
    """

    #: How many may be trained together at most; None leaves it to the executor.
    largest_batch: ClassVar[int | None] = None

    #: What its records hold: split -> quantities, where a * stands for any text ("weight_norm/*"). Claims are tried on
    #: made-up records of these before anything is trained, and a misspelt quantity is told from one that it lacks.
    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @property
    def parents(self) -> tuple[Experiment, ...]:
        """Experiments whose final weights this one starts from."""
        return ()

    @property
    def batch_key(self) -> str:
        """Experiments of one class with equal keys can be trained together; by default each is trained alone."""
        return self.identity

    @property
    @abstractmethod
    def work(self) -> float:
        """Estimated cost in multiplications, for estimates of time and for balancing workers."""

    def memory(self, batch_size: int) -> float:  # noqa: ARG002
        """Return roughly the bytes that training a batch of so many experiments like this one takes at its peak."""
        return 0.0

    def misfit_of_record(self, found: Outcome) -> str:  # noqa: ARG002
        """Return why what a store holds, sound in its form, cannot be the record of this experiment; "" if it can be.

        A record for which there is a reason is set aside, and the experiment trained again.
        """
        return ""

    def misfit_of_snapshot(self, snapshot: Snapshot) -> str:  # noqa: ARG002
        """Return why a snapshot, sound in its form, cannot be one of this experiment; "" if it can be."""
        return ""

    @classmethod
    @abstractmethod
    def train(cls, batch: Sequence[Any], session: Session) -> Iterator[tuple[Experiment, Outcome]]:
        """Train experiments of one `batch_key`; yield each with its outcome as soon as it is finished."""
