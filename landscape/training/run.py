"""The frozen description of one training of one network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch

from grokscape.landscape.experiment import Experiment, Outcome, Session, Snapshot
from grokscape.landscape.models import Model, Perceptron
from grokscape.landscape.optimisers import AdamW, Optimiser
from grokscape.landscape.tasks import BinaryOperation, Task, TokenTask
from grokscape.landscape.training import fitting
from grokscape.landscape.training.schedule import Schedule
from grokscape.landscape.training.stop import Stop

#: Bytes of the rows of one record: a dozen quantities on two or three splits.
ROWS = 4000


@dataclass(frozen=True, kw_only=True)
class Run(Experiment, kind="run"):
    """Everything about one full-batch training of a network; equal runs are one run.

    Parameters
    ----------
    task, model, optimiser
        What is learnt, by what, and how.
    n_train : int
        Training examples, chosen at random from the input space by `seed`.
    seed : int
        Decides initialisation, split and random labels, each independently.
    steps : int
        Longest duration.
    labels : {"true", "random"}
        Random labels make the memorisation-only twin.
    loss : {"cross_entropy", "mse"}
        Mean over the training examples.
    initial_scale : float
        Factor on the initial weights.
    fixed_norm : float, optional
        Project the weights back to this L2 norm after every step (and before the first).
    dtype : {"float32", "float64"}
    record : Schedule
        When to record.
    stop : tuple of Stop
        The run ends when any of them is met.
    keep : tuple of int
        Steps at which the weights are kept besides the last.
    start : Run, optional
        Start from the final weights of another run (not from its optimiser's state).
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(
            ("train", "test", "unmirrored"),
            ("loss", "accuracy", "margin", "margin_min", "logit_scale", "label_logit"),
        ),
        "": ("weight_norm", "weight_norm/*"),
    }

    task: Task = field(default_factory=lambda: BinaryOperation(p=37))
    model: Model = field(default_factory=Perceptron)
    optimiser: Optimiser = field(default_factory=AdamW)
    n_train: int
    seed: int
    steps: int
    labels: Literal["true", "random"] = "true"
    loss: Literal["cross_entropy", "mse"] = "cross_entropy"
    initial_scale: float = 1.0
    fixed_norm: float | None = None
    dtype: Literal["float32", "float64"] = "float32"
    record: Schedule = field(default_factory=Schedule)
    stop: tuple[Stop, ...] = ()
    keep: tuple[int, ...] = ()
    start: Run | None = None

    def validate(self) -> None:
        if not 1 <= self.n_train <= self.task.size:
            self.refuse("n_train", f"between 1 and {self.task.size}, the inputs that {self.task!r} has")
        if self.seed < 0:
            self.refuse("seed", "not negative")
        if self.steps < 1:
            self.refuse("steps", "at least 1")
        if any(not 0 <= step <= self.steps for step in self.keep):
            self.refuse("keep", f"steps between 0 and {self.steps}")
        if self.fixed_norm is not None and self.fixed_norm <= 0:
            self.refuse("fixed_norm", "a positive number")
        if self.task.tolerance is not None and self.loss != "mse":
            self.refuse("loss", "'mse'", f"the labels of {self.task!r} are values, not classes")
        if self.start is not None and (self.start.task, self.start.model) != (self.task, self.model):
            self.refuse("start", "a run of the same task and model")

    @property
    def parents(self) -> tuple[Experiment, ...]:
        return () if self.start is None else (self.start,)

    @property
    def batch_key(self) -> str:
        shape = (
            self.task.canonical,
            self.model.canonical,
            self.optimiser.kind,
            str(self.n_train),
            self.loss,
            self.dtype,
            self.record.canonical,
            "free" if self.fixed_norm is None else "fixed norm",
        )
        return "|".join(shape)

    @property
    def work(self) -> float:
        records = self.record.count(self.steps)
        return self.model.multiplications(self.task) * (3 * self.n_train * self.steps + self.task.size * records)

    def memory(self, batch_size: int) -> float:
        """Return roughly the bytes that a batch of so many such runs takes at its peak on a CPU.

        Each run keeps its parameters, gradient and optimiser state, its data twice (for the moment in which they are
        laid out anew), its labels and masks, the weights that it shall keep and the rows that it records; all
        share the inputs. Steps and records are computed one run after another: a step holds half a dozen of the widest
        activation, a record the logits on the whole input space, three times their number in float64 for what is
        measured, and two of the widest layer.
        """
        with torch.device("meta"):
            parameters = sum(tensor.numel() for tensor in self.model.build(self.task).parameters())
        states = len(self.optimiser.initial_state(torch.empty(0)))
        task, number, widest = self.task, 8 if self.dtype == "float64" else 4, self.model.activations(self.task)
        example = math.prod(task.input_shape)
        data = 2 * self.n_train * (example * (8 if isinstance(task, TokenTask) else number) + 8)
        kept = parameters * number * (3 + states + len(self.keep)) + data
        kept += 14 * task.size + ROWS * self.record.count(self.steps)
        step = 6 * self.n_train * widest * number
        record = task.size * (task.n_outputs * (number + 3 * 8) + 2 * widest * number)
        return batch_size * kept + 16 * task.size * (example + 1) + max(step, record)

    def misfit_of_record(self, found: Outcome) -> str:
        return fitting.misfit_of_record(self, found)

    def misfit_of_snapshot(self, snapshot: Snapshot) -> str:
        return fitting.misfit_of_snapshot(self, snapshot)

    @classmethod
    def train(cls, batch: Sequence[Run], session: Session) -> Iterator[tuple[Run, Outcome]]:
        # The trainer knows runs; it is imported where it is needed, and not in a circle.
        from grokscape.landscape.training.trainer import train_ensemble

        yield from train_ensemble(batch, session)
