"""What several tests of `landscape` share: small runs, a session in memory, and bitwise comparison."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Snapshot, Weights
from grokscape.landscape.models import Perceptron, Transformer
from grokscape.landscape.tasks import BinaryOperation
from grokscape.landscape.training.run import Run
from grokscape.landscape.training.schedule import Schedule

PERCEPTRON = Perceptron(width=16)
TRANSFORMER = Transformer(width=8, heads=2, hidden=16)


def small_run(**changes: Any) -> Run:
    """Return a run that takes milliseconds."""
    fields: dict[str, Any] = {
        "task": BinaryOperation(p=7),
        "model": PERCEPTRON,
        "n_train": 25,
        "seed": 0,
        "steps": 40,
        "record": Schedule(per_decade=5, every=10),
    }
    return Run(**(fields | changes))


class Interrupted(Exception):
    """Stands for whatever ends a training in the middle."""


class MemorySession:
    """A session without a store.

    Parameters
    ----------
    snapshots : bool
        Whether to ask for a snapshot at every record.
    die_at_save : int, optional
        Raise `Interrupted` when so many snapshots of single runs have been saved.
    parents : mapping
        Identity -> final weights.
    """

    def __init__(
        self,
        *,
        snapshots: bool = False,
        die_at_save: int | None = None,
        parents: Mapping[str, Weights] | None = None,
        device: str = "cpu",
        compile: bool = False,
    ) -> None:
        self.device, self.compile = device, compile
        self.wants, self.die_at_save = snapshots, die_at_save
        self.parents = dict(parents or {})
        self.saved: dict[str, Snapshot] = {}
        self.saves: list[int] = []
        self.reported: list[float] = []
        self.notes: list[str] = []

    def final_weights(self, experiment: Experiment) -> Weights:
        return self.parents[experiment.identity]

    def snapshot(self, experiment: Experiment) -> Snapshot | None:
        return self.saved.get(experiment.identity)

    def save(self, experiment: Experiment, snapshot: Snapshot) -> None:
        if len(self.saves) == self.die_at_save:
            raise Interrupted
        self.saves.append(snapshot.step)
        self.saved[experiment.identity] = snapshot

    def wants_snapshot(self) -> bool:
        return self.wants

    def report(self, done: float) -> None:
        self.reported.append(done)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


def train(experiments: Sequence[Experiment], session: Any = None) -> dict[str, Outcome]:
    """Train a batch; identity -> outcome."""
    batch = type(experiments[0]).train(list(experiments), session or MemorySession())
    return {experiment.identity: outcome for experiment, outcome in batch}


def train_alone(experiment: Experiment, session: Any = None) -> Outcome:
    """Train one experiment."""
    return train([experiment], session)[experiment.identity]


def last_weights(outcome: Outcome) -> Weights:
    """Return the weights of the last step."""
    return outcome.weights[outcome.info["last_step"]]


def assert_same_bits(one: Outcome, other: Outcome) -> None:
    """Compare everything that describes the result, bit for bit."""
    assert_same_trajectory(one.trajectory, other.trajectory)
    assert_same_weights(one.weights, other.weights)
    for fact in ("last_step", "stopped_by"):
        assert one.info[fact] == other.info[fact]


def assert_same_trajectory(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Compare two trajectories bit for bit; what is undefined must be so in both (the sign of a NaN means nothing)."""
    assert list(one.columns) == list(other.columns) == list(COLUMNS)
    for column in ("step", "split", "quantity"):
        assert one[column].tolist() == other[column].tolist()
    left, right = one["value"].to_numpy(np.float64), other["value"].to_numpy(np.float64)
    same = (left.view(np.int64) == right.view(np.int64)) | (np.isnan(left) & np.isnan(right))
    different = np.flatnonzero(~same)
    assert not len(different), f"first different value:\n{one.iloc[different[0]]}\n{other.iloc[different[0]]}"


def assert_same_weights(one: Mapping[int, Weights], other: Mapping[int, Weights]) -> None:
    """Compare kept weights bit for bit."""
    assert sorted(one) == sorted(other)
    for step, tensors in one.items():
        assert sorted(tensors) == sorted(other[step])
        for name, array in tensors.items():
            assert array.dtype == other[step][name].dtype
            assert array.tobytes() == other[step][name].tobytes(), f"{name} differs at step {step}"


def value(trajectory: pd.DataFrame, step: int, split: str, quantity: str) -> float:
    """Return one recorded number."""
    rows = trajectory[
        (trajectory["step"] == step) & (trajectory["split"] == split) & (trajectory["quantity"] == quantity)
    ]
    assert len(rows) == 1
    return float(rows["value"].iloc[0])


def relative_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return the largest difference between two sets of tensors, relative to each tensor's largest entry."""
    assert sorted(one) == sorted(other)
    pairs: Iterable[tuple[np.ndarray, np.ndarray]] = ((np.asarray(one[n]), np.asarray(other[n])) for n in one)
    return max(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-300)) for a, b in pairs)


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; one that merely waits to be buried has."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return Path("/proc").is_dir() and not Path(f"/proc/{pid}").exists()
