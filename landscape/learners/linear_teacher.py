"""A linear student of a linear teacher, which groks without understanding (Levi et al. 2023, arXiv:2310.16441).

Teacher T and student S are matrices (inputs, outputs); examples are Gaussian. With ``D = S - T`` and
``Sigma = X'X / N``, gradient descent on the mean squared error with weight decay gamma is (equation 3)::

    L_train = tr(D' Sigma D) / outputs,     L_test = |D|^2 / outputs
    D <- D - lr (2 Sigma D + gamma S) / outputs

so that in the eigenbasis of Sigma every step is known in advance. An example counts as correct if its squared error,
averaged over outputs, is at most a threshold epsilon: an accuracy that only compares a loss with a threshold.
What random matrices say of all this is in `marchenko_pastur`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd

from grokscape.landscape import randomness
from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Session
from grokscape.landscape.training.schedule import Schedule

#: Work of a record besides its products (measured); that of the usual ones is in the fixed part.
RECORD, USUAL = 5e6, 250

#: Columns by which records multiply the examples at once: reading the examples takes longer than one product.
AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class LinearTeacher(Experiment, kind="linear_teacher"):
    """Gradient descent of a linear student, every step computed from one eigendecomposition.

    By step and split: "loss" (for the test split the expectation over inputs, equation 2), "error", the loss as a share
    of the mean square of the targets (about 2 at the start, where student and teacher are independent), and "accuracy",
    the share of examples within the threshold (for the test split of `n_test` fresh ones). By step: "complexity".

    Its complexity is the negative log density of the student's weights under the distribution that it starts from,
    ``N(0, 1 / (2 inputs outputs))``, in nats per training example. Weight decay penalises the same shape at another
    strength; without it the objective does not penalise complexity, and the number only says how large the student
    is.

    Parameters
    ----------
    inputs, outputs, n_train, n_test : int
    lr : float
    weight_decay : float
        gamma.
    threshold : float
        epsilon.
    start_scale : float
        Factor on the student at the start.
    quickens : float
        By what factor learning is faster from step `quickens_at` on, through a larger learning rate: a change of pace
        that is real, for comparison with those that only the threshold makes.
    quickens_at : int
    steps : int
    seed : int
        Decides examples, teacher and student.
    record : Schedule
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(("train", "test"), ("loss", "error", "accuracy")),
        "": ("complexity",),
    }

    inputs: int = 1000
    outputs: int = 1
    n_train: int = 2000
    n_test: int = 1000
    lr: float = 0.01
    weight_decay: float = 0.0
    threshold: float = 1e-3
    start_scale: float = 1.0
    quickens: float = 1.0
    quickens_at: int = 0
    steps: int = 100_000
    seed: int
    record: Schedule = field(default_factory=lambda: Schedule(per_decade=30, every=10**9))

    #: Trained one after the other; together only to spare the journey.
    largest_batch: ClassVar[int | None] = 16

    def validate(self) -> None:
        for name in ("inputs", "outputs", "n_train", "n_test", "steps"):
            if getattr(self, name) < 1:
                self.refuse(name, "at least 1")
        for name in ("lr", "threshold", "quickens"):
            if getattr(self, name) <= 0:
                self.refuse(name, "a positive number")
        for name in ("weight_decay", "start_scale", "quickens_at"):
            if getattr(self, name) < 0:
                self.refuse(name, "not negative")
        self.refuse_extremes("lr", "threshold", "quickens", "weight_decay", "start_scale")
        # Twice the upper end of the spectrum of many examples leaves room for that of few.
        steepest = (4 * (1 + self.ratio**0.5) ** 2 + self.weight_decay) / self.outputs * max(1.0, self.quickens)
        if self.lr * steepest >= 2:
            self.refuse("lr", f"less than {2 / steepest:.3g}", "at larger ones gradient descent may not converge")

    @property
    def ratio(self) -> float:
        """lambda, inputs for each training example; from 1 on examples leave directions unseen."""
        return self.inputs / self.n_train

    @property
    def batch_key(self) -> str:
        return self.kind

    @property
    def work(self) -> float:
        records = self.record.count(self.steps)
        seen = records * (self.n_train + self.n_test) * self.inputs * self.outputs + RECORD * max(0, records - USUAL)
        return 15.0 * self.inputs**3 + self.n_train * self.inputs**2 + seen + 4e8

    def memory(self, batch_size: int) -> float:  # noqa: ARG002
        matrices = 8.0 * self.inputs * (3 * self.n_train + self.n_test + 4 * self.inputs + 8 * self.outputs)
        return matrices + 1500.0 * self.record.count(self.steps)

    def examples(self) -> np.ndarray:
        """Return the training inputs, shape (n_train, inputs)."""
        return randomness.generator(self.seed, "inputs/train").standard_normal((self.n_train, self.inputs))

    def teacher(self) -> np.ndarray:
        """Return T, shape (inputs, outputs)."""
        return self._drawn("teacher")

    def student(self) -> np.ndarray:
        """Return S at the start, shape (inputs, outputs)."""
        return self.start_scale * self._drawn("student")

    def _drawn(self, name: str) -> np.ndarray:
        shape = (self.inputs, self.outputs)
        return randomness.generator(self.seed, name).standard_normal(shape) / np.sqrt(2 * self.inputs * self.outputs)

    @classmethod
    def train(cls, batch: Sequence[LinearTeacher], session: Session) -> Iterator[tuple[LinearTeacher, Outcome]]:
        for index, experiment in enumerate(batch, 1):
            yield experiment, experiment.outcome()
            session.report(index / len(batch))

    def outcome(self) -> Outcome:
        """Return the course of training."""
        began = time.perf_counter()
        examples = self.examples()
        spectrum, modes = np.linalg.eigh(examples.T @ examples / self.n_train)
        spectrum[: max(0, self.inputs - self.n_train)] = 0.0  # zero but for rounding
        teacher, student = modes.T @ self.teacher(), modes.T @ self.student()
        fresh = randomness.generator(self.seed, "inputs/test").standard_normal((self.n_test, self.inputs))
        inputs = {"train": examples @ modes, "test": fresh @ modes}
        metric = {"train": spectrum[:, None], "test": np.ones((self.inputs, 1))}
        size = {split: (metric[split] * teacher**2).sum() / self.outputs for split in metric}

        rows: list[tuple[int, str, str, float]] = []
        steps, at_once = self.record.steps(self.steps), max(1, AT_ONCE // self.outputs)
        for start in range(0, len(steps), at_once):
            some = steps[start : start + at_once]
            apart = np.stack([self._apart(step, spectrum[:, None], teacher, student) for step in some], 1)
            right = {split: self._right(inputs[split], apart) for split in inputs}
            for number, step in enumerate(some):
                squares = apart[:, number] ** 2
                for split in ("train", "test"):
                    loss = float((metric[split] * squares).sum() / self.outputs)
                    measured = {"loss": loss, "error": loss / size[split], "accuracy": right[split][number]}
                    rows += [(step, split, name, float(value)) for name, value in measured.items()]
                charge = np.square(teacher + apart[:, number]).sum() * self.inputs * self.outputs / self.n_train
                rows.append((step, "", "complexity", float(charge)))
        info = {"last_step": self.steps, "stopped_by": "steps", "seconds": time.perf_counter() - began, "ensemble": 1}
        return Outcome(pd.DataFrame(rows, columns=list(COLUMNS)), {}, info)

    def _apart(self, step: int, spectrum: np.ndarray, teacher: np.ndarray, student: np.ndarray) -> np.ndarray:
        """Return D after so many steps, in the eigenbasis, shape (inputs, outputs)."""
        pull = 2 * spectrum + self.weight_decay
        # Where neither data nor decay pull, D stays.
        rest = -self.weight_decay / np.where(pull > 0, pull, 1.0) * teacher
        late = max(0, step - self.quickens_at) if self.quickens != 1 else 0
        left = (1 - self.lr * pull / self.outputs) ** (step - late)
        left = left * (1 - self.quickens * self.lr * pull / self.outputs) ** late
        return np.asarray(rest + left * (student - teacher - rest))

    def _right(self, inputs: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """Return the share of examples (n, inputs) within the threshold for each D of (inputs, records, outputs)."""
        errors = np.square(inputs @ apart.reshape(self.inputs, -1)).reshape(len(inputs), *apart.shape[1:])
        return np.asarray(1 - (errors.mean(2) > self.threshold).mean(0))
