"""Catches a stored landscape that is not the one `norm_profile` measures, or that belongs to other data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.norm_profile.profile import norm_profile
from grokscape.landscape.models import Dense, Perceptron
from grokscape.landscape.objectives import mse
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.problem import Problem
from grokscape.landscape.records.record import Record
from grokscape.landscape.surveys import ReducedLandscape
from grokscape.landscape.tasks import BinaryOperation, TeacherStudent
from tests.landscape.helpers import MemorySession

TASK = TeacherStudent(examples=40, widths=(6,), within=0.05)
MODEL = Dense(widths=(6,), activation="tanh")


def described(**changes: Any) -> ReducedLandscape:
    fields: dict[str, Any] = {"task": TASK, "model": MODEL, "sizes": (5, 20), "scales": (0.3, 1.0, 3.0), "seed": 4}
    return ReducedLandscape(**(fields | {"steps": 60} | changes))


def trained(*experiments: ReducedLandscape) -> list[Record]:
    found = []
    for experiment, outcome in ReducedLandscape.train(experiments, MemorySession()):
        found.append(Record(experiment, outcome.trajectory, outcome.info, lambda step: {}))
    return found


def test_losses_are_those_of_the_instrument() -> None:
    (record,) = trained(described())
    split = TASK.split(20, seed=4)
    network = MODEL.build(TASK)
    network.initialise(seed=4)
    labels = TASK.labels_of(4)
    problem = Problem(network, mse, *((TASK.inputs[part], labels[part]) for part in (split.train, split.test)))
    adam = AdamW(lr=1e-3, weight_decay=0.0, beta2=0.999)
    wanted = norm_profile(problem, (0.3, 1.0, 3.0), seeds=(4,), steps=60, optimiser=adam, sizes=(5, 20))
    for when, prefix in ((wanted.end, ""), (wanted.best, "best ")):
        for part in ("train", "test"):
            found = record.series(f"{prefix}loss", part).to_numpy().reshape(2, 3)
            assert np.array_equal(found, when[part, "loss"][..., 0])
    assert record.series("size").tolist() == [5, 5, 5, 20, 20, 20]
    assert record.series("scale").tolist() == [0.3, 1.0, 3.0] * 2
    norm = record.series("norm").to_numpy()
    assert norm == pytest.approx(np.tile([0.3, 1.0, 3.0], 2) * norm[1])
    assert set(record.series("converged")) <= {0.0, 1.0}


def test_accuracy_is_the_share_within_the_tolerance() -> None:
    (record,) = trained(described(steps=400, scales=(1.0,), sizes=(20,)))
    assert record.series("accuracy", "train").iloc[-1] > 0.5
    (strict,) = trained(described(steps=400, scales=(1.0,), sizes=(20,), task=TASK.replace(within=1e-9)))
    assert strict.series("accuracy", "train").iloc[-1] == 0.0
    assert strict.series("loss", "train").iloc[-1] == record.series("loss", "train").iloc[-1]


def test_labels_and_classes() -> None:
    """Random labels are another landscape; tokens and cross-entropy are landscapes too."""
    true, random = trained(described(), described(labels="random"))
    assert not np.allclose(true.series("loss", "test"), random.series("loss", "test"))
    classes = described(
        task=BinaryOperation(p=5),
        model=Perceptron(width=8),
        sizes=(12,),
        scales=(1.0, 4.0),
        loss="cross_entropy",
        steps=900,
    )
    (record,) = trained(classes)
    assert record.series("accuracy", "train").iloc[-1] == 1.0
    assert torch.isfinite(torch.tensor(record.series("loss", "test").to_numpy())).all()


def test_progress_is_told_and_cost_grows_with_data() -> None:
    told: list[float] = []
    session = MemorySession()
    session.report = told.append  # type: ignore[method-assign]
    list(ReducedLandscape.train([described(), described(seed=5)], session))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    assert described(sizes=(10, 40)).work == 2 * described(sizes=(5, 20)).work


@pytest.mark.parametrize(
    ("field", "value"),
    [("sizes", ()), ("sizes", (20, 5)), ("scales", (1.0, 0.5)), ("scales", (0.0,)), ("steps", 0), ("lr", 0.0)],
)
def test_what_makes_no_sense_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match=rf"ReducedLandscape\.{field} is"):
        described(**{field: value})
    with pytest.raises(InvalidInput, match="expected 'mse'; the labels of TeacherStudent"):
        described(loss="cross_entropy")
