"""One object for all equal descriptions, and their data made once."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass

import numpy as np
import pytest

from grokscape.landscape import sharing
from grokscape.landscape.description import Description
from grokscape.landscape.sharing import forget_data, shared, shared_data
from grokscape.landscape.tasks import BinaryOperation, ConcealedOperation
from grokscape.landscape.training.run import Run

MADE: list[int] = []


@dataclass(frozen=True, kw_only=True)
class Numbers(Description, kind="test_sharing_numbers"):
    count: int

    @property
    @shared_data
    def numbers(self) -> np.ndarray:
        """As many numbers as it says."""
        MADE.append(self.count)
        return np.zeros(self.count)

    @property
    @shared_data
    def twice(self) -> tuple[np.ndarray, np.ndarray]:
        return self.numbers, 2 * self.numbers


@dataclass(frozen=True, kw_only=True)
class Others(Numbers, kind="test_sharing_others"):
    pass


@dataclass(frozen=True, kw_only=True)
class Pair(Description, kind="test_sharing_pair"):
    both: tuple[Numbers, ...]


@pytest.fixture(autouse=True)
def _nothing_kept():
    forget_data()
    MADE.clear()
    yield
    forget_data()


def run(seed: int, start: Run | None = None) -> Run:
    return Run(task=BinaryOperation(p=5), n_train=9, seed=seed, steps=10, start=start)


def test_equal_descriptions_become_one_with_one_of_each_part():
    first, second, other = shared(run(0)), shared(run(0)), shared(run(1, start=run(0)))
    assert first is second
    assert other.start is first
    assert other.task is first.task
    assert other.record is first.record
    pair = shared(Pair(both=(Numbers(count=3), Numbers(count=3), Numbers(count=4))))
    assert pair.both[0] is pair.both[1]
    assert pair == Pair(both=(Numbers(count=3), Numbers(count=3), Numbers(count=4)))


def test_descriptions_of_different_classes_stay_different():
    assert type(shared(Others(count=3))) is Others
    assert type(shared(Numbers(count=3))) is Numbers


def test_what_nobody_holds_is_let_go():
    gone = weakref.ref(shared(run(77)))
    gc.collect()
    assert gone() is None
    assert shared(run(77)) == run(77)


def test_data_are_made_once_for_all_equal_descriptions():
    assert Numbers(count=3).numbers is Numbers(count=3).numbers
    assert Numbers(count=3).twice[0] is Numbers(count=3).numbers
    Others(count=3).numbers  # noqa: B018
    assert MADE == [3, 3]
    assert Numbers.numbers.__doc__ == "As many numbers as it says."


def test_data_make_room_for_those_that_are_used(monkeypatch):
    monkeypatch.setattr(sharing, "ROOM", 8 * 25)
    for count in (10, 11, 10, 12, 10):  # the third of them does not fit; 11 was used longest ago
        Numbers(count=count).numbers  # noqa: B018
    assert MADE == [10, 11, 12]
    Numbers(count=11).numbers  # noqa: B018
    assert MADE == [10, 11, 12, 11]


def test_data_of_one_description_are_kept_however_large(monkeypatch):
    monkeypatch.setattr(sharing, "ROOM", 8)
    for _ in range(3):
        Numbers(count=10).twice  # noqa: B018
        Numbers(count=10).numbers  # noqa: B018
    assert MADE == [10]


def test_what_cannot_be_made_is_tried_again(monkeypatch):
    monkeypatch.setattr(np, "zeros", lambda _: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            Numbers(count=3).numbers  # noqa: B018
    monkeypatch.undo()
    assert Numbers(count=3).numbers.tolist() == [0, 0, 0]


@pytest.mark.parametrize("task", [BinaryOperation(p=5), ConcealedOperation(examples=50)])
def test_a_task_holds_none_of_its_data(task):
    before = set(vars(task))
    inputs = task.inputs
    task.split(9, seed=0)
    task.labels_of(0)
    assert task.replace().inputs is inputs
    assert set(vars(task)) - before <= {"identity", "size"}
