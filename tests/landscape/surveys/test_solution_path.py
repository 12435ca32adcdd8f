"""Catches paths between the wrong networks, on the wrong data, or of an objective that leaves out the decay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.experiment import Weights
from grokscape.landscape.models import Dense
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.landscape.records.record import Record
from grokscape.landscape.surveys import SolutionPath
from grokscape.landscape.tasks import ConcealedOperation
from grokscape.landscape.training.run import Run
from tests.landscape.helpers import MemorySession

DECAY = 0.05


def run(**changes: Any) -> Run:
    fields: dict[str, Any] = {
        "task": ConcealedOperation(p=3, dimensions=2, examples=60),
        "model": Dense(widths=(8,)),
        "optimiser": SGD(lr=0.5, weight_decay=DECAY),
        "n_train": 40,
        "seed": 1,
        "steps": 30,
    }
    return Run(**(fields | changes))


FIRST, LAST = run(), run(seed=2, steps=60)


@pytest.fixture(scope="module")
def session() -> MemorySession:
    """Holds the last weights of both."""
    session = MemorySession()
    for one in (FIRST, LAST):
        ((_, outcome),) = Run.train([one], session)
        session.parents[one.identity] = outcome.weights[one.steps]
    return session


def walked(path: SolutionPath, session: MemorySession) -> Record:
    ((_, outcome),) = SolutionPath.train([path], session)
    return Record(path, outcome.trajectory, outcome.info, lambda _: {})


def by_hand(weights: Weights, t: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """Loss, error and norm of a network on the training examples of the first run, without any of the instruments."""
    w = {name: torch.from_numpy(array).double() for name, array in weights.items()}
    inputs = FIRST.task.inputs[t]
    logits = (inputs @ w["weights.0"] + w["biases.0"]).relu() @ w["weights.1"] + w["biases.1"]
    squares = torch.stack([tensor.square().sum() for tensor in w.values()]).sum()
    return {
        "loss": F.cross_entropy(logits, labels[t]),
        "error": (logits.argmax(-1) != labels[t]).double().mean(),
        "squares": squares,
    }


def test_every_point_of_the_straight_line_is_what_it_says(session: MemorySession) -> None:
    found = walked(SolutionPath(first=FIRST, last=LAST, points=5), session)
    split = FIRST.task.split(FIRST.n_train, seed=FIRST.seed)
    a, b = (session.parents[one.identity] for one in (FIRST, LAST))
    for point, t in enumerate(found.series("t")):
        between = {name: (1 - t) * a[name].astype(float) + t * b[name].astype(float) for name in a}
        own = by_hand(between, split.train, FIRST.task.labels)
        held_out = by_hand(between, split.test, FIRST.task.labels)
        at = {key: found.series(*key).iloc[point] for key in (("loss", "train"), ("error", "train"), ("error", "test"))}
        assert at["loss", "train"] == pytest.approx(own["loss"].item(), rel=1e-9)
        assert at["error", "train"] == pytest.approx(own["error"].item(), abs=1e-12)
        assert at["error", "test"] == pytest.approx(held_out["error"].item(), abs=1e-12)
        objective = own["loss"] + DECAY / 2 * own["squares"]
        assert found.series("objective").iloc[point] == pytest.approx(objective.item(), rel=1e-9)
        assert found.series("complexity").iloc[point] == pytest.approx(own["squares"].item() / 80, rel=1e-9)


def test_the_rise_and_the_barrier_are_shares_of_the_fall(session: MemorySession) -> None:
    there = walked(SolutionPath(first=FIRST, last=LAST, points=41), session)
    objective = there.series("objective").to_numpy()
    fall = abs(objective[0] - objective[-1])
    assert there.series("rise").iloc[-1] == pytest.approx((objective - np.minimum.accumulate(objective)).max() / fall)
    assert there.series("barrier").iloc[-1] == pytest.approx((objective.max() - max(objective[[0, -1]])) / fall)
    # Seeds differ, so the ends are independent solutions, with a ridge between them.
    assert there.series("barrier").iloc[-1] > 0.1


def test_a_trained_curve_has_the_same_ends_and_a_lower_mean(session: MemorySession) -> None:
    straight = walked(SolutionPath(first=FIRST, last=LAST, points=21), session)
    curve = walked(SolutionPath(first=FIRST, last=LAST, points=21, bends=1, steps=100), session)
    for end in (0, -1):
        assert curve.series("objective").iloc[end] == pytest.approx(straight.series("objective").iloc[end], rel=1e-9)
    means = [
        np.interp(np.linspace(0, 1, 50), path.series("t"), path.series("objective")).mean()
        for path in (straight, curve)
    ]
    assert means[1] < means[0] - 0.01


def test_random_labels_are_those_that_were_trained_on(session: MemorySession) -> None:
    twin = run(labels="random")
    session.parents[twin.identity] = session.parents[FIRST.identity]
    found = walked(SolutionPath(first=twin, last=LAST, points=3), session)
    split = twin.task.split(twin.n_train, seed=twin.seed)
    own = by_hand(session.parents[FIRST.identity], split.train, twin.task.random_labels(seed=twin.seed))
    assert found.series("loss", "train").iloc[0] == pytest.approx(own["loss"].item(), rel=1e-9)


def test_both_networks_are_trained_first() -> None:
    assert SolutionPath(first=FIRST, last=LAST).parents == (FIRST, LAST)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("last", {"last": FIRST}),
        ("last", {"last": run(task=ConcealedOperation(p=3, dimensions=3, examples=60))}),
        ("first", {"first": run(optimiser=AdamW())}),
        ("points", {"points": 2}),
        ("bends", {"bends": -1}),
    ],
)
def test_what_makes_no_sense_is_refused(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=rf"SolutionPath\.{field} is"):
        SolutionPath(**({"first": FIRST, "last": LAST} | changes))
