"""What several tests of `landscape` share: small runs, a session in memory, and bitwise comparison."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from grokscape.landscape.experiment import Experiment, Outcome, Weights
from grokscape.landscape.models import Perceptron, Transformer
from grokscape.landscape.tasks import BinaryOperation
from grokscape.landscape.testing import Interrupted as Interrupted
from grokscape.landscape.testing import MemorySession as MemorySession
from grokscape.landscape.testing import assert_same_bits as assert_same_bits
from grokscape.landscape.testing import assert_same_trajectory as assert_same_trajectory
from grokscape.landscape.testing import assert_same_weights as assert_same_weights
from grokscape.landscape.testing import train as train
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


def train_alone(experiment: Experiment, session: Any = None) -> Outcome:
    """Train one experiment."""
    return train([experiment], session)[experiment.identity]


def last_weights(outcome: Outcome) -> Weights:
    """Return the weights of the last step."""
    return outcome.weights[outcome.info["last_step"]]


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
