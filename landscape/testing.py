"""Contracts of what plugs into `grokscape.landscape`: tasks, experiments and results of one's own.

In a test of your own::

    from grokscape.landscape.testing import check_experiment, check_result, check_task


    def test_my_task():
        check_task(MyTask(size=8))


    def test_my_learner():
        check_experiment(MyLearner(seed=0, steps=40))  # as small as it can be: it is trained six times

Each raises AssertionError that says what is wrong. `MemorySession` stands for a store, for tests of a training alone.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from grokscape.landscape.description import Description, from_data
from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Snapshot, Weights
from grokscape.landscape.measures.result import Result
from grokscape.landscape.records.quantities import declared, matches
from grokscape.landscape.tasks import Task

# -- Experiments -------------------------------------------------------------------------------------------------------


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
    """Train a batch in memory; identity -> outcome."""
    batch = type(experiments[0]).train(list(experiments), session or MemorySession())
    return {experiment.identity: outcome for experiment, outcome in batch}


def check_experiment(experiment: Experiment, *beside: Experiment) -> None:
    """Hold an experiment, and so its class, to what a store and a scheduler rely on.

    It survives a file with its identity; its records are sound, repeat bit for bit, and hold what the class declares;
    a training that is interrupted and resumed leaves the same record; and so does one in a batch with others.

    Parameters
    ----------
    experiment : Experiment
        As small as it can be.
    *beside : Experiment
        Others of its `batch_key`, to be trained beside it; those of the next two seeds by default, where it has one.
    """
    check_description(experiment)
    parents = {parent.identity: _weights(parent) for parent in experiment.parents}
    whole = train([experiment], MemorySession(parents=parents))[experiment.identity]
    check_outcome(experiment, whole)
    assert_same_bits(train([experiment], MemorySession(parents=parents))[experiment.identity], whole)
    resumed = MemorySession(parents=parents, snapshots=True, die_at_save=2)
    try:
        train([experiment], resumed)
    except Interrupted:
        assert not experiment.misfit_of_snapshot(resumed.saved[experiment.identity])
    resumed.die_at_save = None
    assert_same_bits(train([experiment], resumed)[experiment.identity], whole)
    batch = [experiment, *(beside or _of_other_seeds(experiment))]
    parents |= {parent.identity: _weights(parent) for one in batch[1:] for parent in one.parents}
    for order in (batch, batch[::-1]):
        together = train(order, MemorySession(parents=parents))
        assert together.keys() == {one.identity for one in batch}, "a batch leaves other outcomes than one for each"
        assert_same_bits(together[experiment.identity], whole)


def check_description(described: Description) -> None:
    """A description is frozen, and comes back from its canonical JSON as what it was."""
    again = from_data(json.loads(described.canonical))
    assert again == described, f"{described!r} comes back from JSON as {again!r}"
    assert again.identity == described.identity
    _check_frozen(described)


def check_outcome(experiment: Experiment, outcome: Outcome) -> None:
    """What a training leaves behind can be stored, found again, and is what its class declares."""
    table, who = outcome.trajectory, type(experiment).__name__
    assert list(table.columns) == list(COLUMNS), f"{who} records the columns {list(table.columns)}"
    assert len(table), f"{who} records nothing"
    assert not table.duplicated(["step", "split", "quantity"]).any(), f"{who} records a quantity twice at one step"
    json.dumps(outcome.info)
    assert "last_step" in outcome.info, f"the info of {who} lacks last_step, by which its last weights are found"
    assert not outcome.weights or outcome.info["last_step"] in outcome.weights, (
        f"{who} leaves no weights of its last step"
    )
    assert not experiment.misfit_of_record(outcome)
    assert math.isfinite(experiment.work)
    assert experiment.work >= 0
    assert experiment.memory(2) >= 0
    places = declared(type(experiment))
    if places:
        found = set(table[["split", "quantity"]].itertuples(index=False, name=None))
        unknown = sorted(place for place in found if not matches(places, place[1], place[0]))
        assert not unknown, f"{who} records {unknown[0][1]!r} on split {unknown[0][0]!r}, which its quantities lack"


def assert_same_bits(one: Outcome, other: Outcome) -> None:
    """Compare everything that describes the result, bit for bit."""
    assert_same_trajectory(one.trajectory, other.trajectory)
    assert_same_weights(one.weights, other.weights)
    for fact in ("last_step", "stopped_by"):
        assert one.info.get(fact) == other.info.get(fact)


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


def _weights(experiment: Experiment) -> Weights:
    """Train an experiment, after those that it starts from, and return its last weights."""
    session = MemorySession(parents={parent.identity: _weights(parent) for parent in experiment.parents})
    outcome = train([experiment], session)[experiment.identity]
    return outcome.weights.get(outcome.info["last_step"], {})


def _of_other_seeds(experiment: Experiment) -> list[Experiment]:
    if not isinstance(getattr(experiment, "seed", None), int):
        return []
    others = [experiment.replace(seed=experiment.seed + more) for more in (1, 2)]  # type: ignore[attr-defined]
    return [other for other in others if other.batch_key == experiment.batch_key]


# -- Tasks -------------------------------------------------------------------------------------------------------------


def check_task(task: Task) -> None:
    """Hold a task to what trainings rely on: labels that fit, and splits that repeat, cover all and are nested."""
    check_description(task)
    inputs, labels, who = task.inputs, task.labels, type(task).__name__
    assert len(inputs) == len(labels) == task.size > 0, f"{who} has {len(inputs)} inputs and {len(labels)} labels"
    assert tuple(inputs.shape[1:]) == task.input_shape
    assert inputs.dtype in (torch.int64, torch.float64), f"the inputs of {who} are {inputs.dtype}"
    _check_labels(task, labels, "labels")
    _check_labels(task, task.labels_of(3), "labels_of")
    _check_labels(task, task.random_labels(seed=3), "random_labels")
    assert torch.equal(task.labels_of(3), task.labels_of(3)), (
        f"the labels of {who} differ when they are asked for again"
    )
    assert torch.equal(task.random_labels(seed=3), task.random_labels(seed=3))
    before: set[int] = set()
    for n_train in sorted({1, max(1, task.size // 3), max(1, task.size // 2), task.size}):
        split, again = (task.split(n_train, seed=3) for _ in range(2))
        train, test = set(split.train.tolist()), set(split.test.tolist())
        assert torch.equal(split.train, again.train), f"the splits of {who} differ when they are asked for again"
        assert len(train) == len(split.train) == n_train
        assert train | test == set(range(task.size)), f"a split of {who} leaves examples out"
        assert not train & test, f"a split of {who} tests on what it trains on"
        assert before <= train, f"a smaller training set of {who} is no part of a larger one"
        assert set(split.unmirrored.tolist()) <= test
        before = train


def _check_labels(task: Task, labels: torch.Tensor, what: str) -> None:
    who = f"{what} of {type(task).__name__}"
    if task.tolerance is None:
        assert labels.shape == (task.size,), f"{who} have the shape {tuple(labels.shape)}, expected one class each"
        assert labels.dtype == torch.int64, f"{who} are {labels.dtype}, expected classes as int64"
        assert 0 <= int(labels.min()) <= int(labels.max()) < task.n_outputs, f"{who} are no classes below n_outputs"
    else:
        assert labels.shape == (task.size, task.n_outputs), f"{who} have the shape {tuple(labels.shape)}"
        assert labels.dtype == torch.float64, f"{who} are {labels.dtype}, expected values as float64"


# -- Results -----------------------------------------------------------------------------------------------------------


def check_result(result: Result) -> None:
    """Hold a measurement to what readers rely on: frozen, free of tensors, a table, and a picture."""
    import matplotlib as mpl

    who = type(result).__name__
    _check_frozen(result)
    for field in dataclasses.fields(result):  # type: ignore[arg-type]
        assert not isinstance(getattr(result, field.name), torch.Tensor), (
            f"{who}.{field.name} is a tensor, not an array"
        )
    frame = result.to_frame()
    assert isinstance(frame, pd.DataFrame), f"{who}.to_frame gives {type(frame).__name__}"
    assert len(frame), f"{who}.to_frame gives no rows"
    assert frame.columns.is_unique, f"{who}.to_frame has two columns of one name"
    with mpl.rc_context({"backend": "agg"}):
        import matplotlib.pyplot as plt
        from matplotlib.axes import Axes

        figure, ax = plt.subplots()
        try:
            assert isinstance(result.plot(ax), Axes), f"{who}.plot gives no axes"
            assert ax.has_data(), f"{who}.plot draws nothing"
        finally:
            plt.close(figure)


def _check_frozen(value: object) -> None:
    who = type(value).__name__
    assert dataclasses.is_dataclass(value), f"{who} is no dataclass"
    assert type(value).__dataclass_params__.frozen, f"{who} is not frozen"  # type: ignore[union-attr]
