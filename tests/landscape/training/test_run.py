"""Catches batches of runs that cannot be trained together, and estimates of work that do not grow with the work.

What a run refuses is tested with the descriptions.
"""

from __future__ import annotations

from typing import Any

import pytest

from grokscape.landscape.models import Perceptron, Transformer
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.landscape.tasks import BinaryOperation
from grokscape.landscape.training.schedule import Schedule
from grokscape.landscape.training.stop import Stop
from tests.landscape.helpers import small_run


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 5},
        {"steps": 99},
        {"labels": "random"},
        {"initial_scale": 3.0},
        {"optimiser": AdamW(lr=0.5, beta1=0.1)},
        {"stop": (Stop(quantity="loss", above=1.0),)},
        {"keep": (1, 2)},
        {"start": small_run(seed=1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_members_may_differ_in_this(change: dict[str, Any]) -> None:
    assert small_run(**change).batch_key == small_run().batch_key


@pytest.mark.parametrize(
    "change",
    [
        {"task": BinaryOperation(p=11)},
        {"model": Perceptron(width=17)},
        {"optimiser": SGD()},
        {"n_train": 24},
        {"loss": "mse"},
        {"dtype": "float64"},
        {"record": Schedule(every=11)},
        {"fixed_norm": 2.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_members_may_not_differ_in_that(change: dict[str, Any]) -> None:
    assert small_run(**change).batch_key != small_run().batch_key


def test_fixed_norms_may_differ_among_themselves() -> None:
    assert small_run(fixed_norm=1.0).batch_key == small_run(fixed_norm=2.0).batch_key


@pytest.mark.parametrize(
    "model", [Perceptron(width=16), Transformer(width=8, heads=2, hidden=16)], ids=lambda m: m.kind
)
def test_work_grows_with_everything_that_takes_time(model: Any) -> None:
    base = small_run(model=model)
    more = [
        base.replace(steps=2 * base.steps),
        base.replace(n_train=2 * base.n_train - 1),
        base.replace(record=Schedule(every=1)),
        base.replace(model=model.replace(width=2 * model.width)),
        base.replace(task=BinaryOperation(p=11)),
    ]
    assert base.work > 0
    assert all(run.work > base.work for run in more)


def test_only_a_start_is_a_parent() -> None:
    parent = small_run(seed=1)
    assert small_run().parents == ()
    assert small_run(start=parent).parents == (parent,)
