"""Catches contracts that let through what they are there to refuse; and holds every learner to what it declares."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape import Problem, line_slice, top_eigenvalues
from grokscape.landscape.description import from_data
from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Session, Snapshot
from grokscape.landscape.learners import (
    BayesianNetwork,
    EffectiveFlow,
    EmbeddingDecoder,
    GaussianProcessRegression,
    LaplaceClassification,
    LinearRegression,
    LinearTeacher,
    ParallelogramCriticalSize,
    TwoCircuits,
    VariationalClassification,
)
from grokscape.landscape.measures.result import Result
from grokscape.landscape.models import Dense
from grokscape.landscape.optimisers import SGD
from grokscape.landscape.surveys import ReducedLandscape, SolutionPath
from grokscape.landscape.tasks import BinaryOperation, TeacherStudent
from grokscape.landscape.tasks.token_task import TokenTask
from grokscape.landscape.testing import check_experiment, check_result, check_task
from grokscape.landscape.training.schedule import Schedule
from tests.landscape.helpers import PERCEPTRON, small_run

FEW = Schedule(per_decade=2, every=10)


#: By their kinds, which are permanent.
PARITY = from_data({"kind": "hidden_parity", "examples": 40, "bits": 6})
CONCEALED = from_data({"kind": "concealed", "p": 3, "dimensions": 2, "examples": 60})


def student(seed: int) -> Any:
    return small_run(
        seed=seed, task=CONCEALED, model=Dense(widths=(8,)), optimiser=SGD(lr=0.5, weight_decay=0.05), steps=30
    )


LEARNERS: dict[str, Any] = {
    "run": lambda: small_run(),
    "run that starts from another": lambda: small_run(start=small_run()),
    "two circuits": lambda: TwoCircuits(steps=40, record=FEW),
    "linear teacher": lambda: LinearTeacher(inputs=6, outputs=2, n_train=4, n_test=10, seed=0, steps=40, record=FEW),
    "linear regression": lambda: LinearRegression(seed=0, steps=40, record=FEW),
    "effective flow": lambda: EffectiveFlow(seed=0),
    "critical size": lambda: ParallelogramCriticalSize(symbols=5, draws=5, seed=0),
    "embedding decoder": lambda: EmbeddingDecoder(seed=0, symbols=6, n_train=12, widths=(5,), steps=20, record=FEW),
    "gaussian process": lambda: GaussianProcessRegression(
        log_lengthscale=0.0, log_outputscale=0.0, seed=0, n_train=8, n_test=8, steps=20, record=FEW
    ),
    "laplace": lambda: LaplaceClassification(seed=0, n_train=8, n_test=8, steps=5, record=FEW),
    "bayesian network": lambda: BayesianNetwork(
        task=PARITY, n_train=20, seed=0, start_scale=1.0, width=6, batch=10, epochs=4
    ),
    "survey of norms": lambda: ReducedLandscape(
        task=BinaryOperation(p=5), model=PERCEPTRON, sizes=(10,), scales=(0.5, 1.0), seed=0, steps=3
    ),
    "path": lambda: SolutionPath(first=student(0), last=student(1), points=3, seed=0),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_keeps_the_contract(name: str) -> None:
    check_experiment(LEARNERS[name]())


def test_the_learner_that_needs_gpytorch_keeps_the_contract() -> None:
    pytest.importorskip("gpytorch")
    few = VariationalClassification(seed=0, n_train=8, n_test=8, steps=3, record=FEW)
    check_experiment(few)


@dataclass(frozen=True, kw_only=True)
class Counter(Experiment, kind="test_contract_counter"):
    """Counts to ten; can be told to do one thing wrong."""

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {"": ("count",)}
    state: ClassVar[list[int]] = []

    seed: int = 0
    wrong: str = ""

    @property
    def batch_key(self) -> str:
        return self.wrong

    @property
    def work(self) -> float:
        return 10.0

    @classmethod
    def train(cls, batch: Sequence[Any], session: Session) -> Iterator[tuple[Experiment, Outcome]]:
        for number, one in enumerate(batch):
            found = session.snapshot(one)
            first = 0 if found is None else found.step + (2 if one.wrong == "forgets a step" else 1)
            rows = [] if found is None else list(found.rows.itertuples(index=False, name=None))
            for step in range(first, 10):
                value = step + one.seed + (number if one.wrong == "batch" else 0)
                rows.append((step, "", "cuont" if one.wrong == "undeclared" else "count", float(value)))
                if one.wrong == "chance":
                    cls.state.append(0)
                    rows[-1] = (step, "", "count", float(len(cls.state)))
                if one.wrong == "twice":
                    rows.append(rows[-1])
                if session.wants_snapshot():
                    session.save(one, Snapshot(step, pd.DataFrame(rows, columns=list(COLUMNS)), {}))
            info = {} if one.wrong == "no last step" else {"last_step": 9}
            weights = {3: {"w": np.zeros(1)}} if one.wrong == "weights" else {}
            yield one, Outcome(pd.DataFrame(rows, columns=list(COLUMNS)), weights, info)


def test_a_sound_learner_of_ones_own_keeps_it() -> None:
    check_experiment(Counter())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("forgets a step", "assert"),
        ("batch", "first different value"),
        ("chance", "first different value"),
        ("undeclared", "Counter records 'cuont' on split '', which its quantities lack"),
        ("twice", "records a quantity twice at one step"),
        ("no last step", "lacks last_step"),
        ("weights", "leaves no weights of its last step"),
    ],
)
def test_what_breaks_the_contract_of_experiments_is_told(wrong: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_experiment(Counter(wrong=wrong))


@pytest.mark.parametrize("task", [BinaryOperation(p=7), PARITY, CONCEALED, TeacherStudent(examples=20, widths=(3, 3))])
def test_tasks_keep_the_contract(task: Any) -> None:
    check_task(task)


@dataclass(frozen=True, kw_only=True)
class Odd(TokenTask, kind="test_contract_odd"):
    """Whether a number is odd; can be told to do one thing wrong."""

    wrong: str = ""

    @property
    def n_tokens(self) -> int:
        return 10

    @property
    def n_positions(self) -> int:
        return 1

    @property
    def n_classes(self) -> int:
        return 1 if self.wrong == "outputs" else 2

    @property
    def inputs(self) -> Tensor:
        return torch.arange(10)[:, None]

    @property
    def labels(self) -> Tensor:
        labels = torch.arange(9 if self.wrong == "short" else 10) % 2
        return labels.int() if self.wrong == "type" else labels

    def labels_of(self, seed: int) -> Tensor:
        return torch.randint(2, (10,)) if self.wrong == "chance" else self.labels

    def split(self, n_train: int, *, seed: int) -> Any:
        split = super().split(n_train, seed=seed + (n_train if self.wrong == "not nested" else 0))
        return dataclasses.replace(split, test=torch.arange(10)) if self.wrong == "leaks" else split


def test_a_sound_task_of_ones_own_keeps_it() -> None:
    check_task(Odd())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("outputs", "no classes below n_outputs"),
        ("short", "10 inputs and 9 labels"),
        ("type", "torch.int32, expected classes as int64"),
        ("chance", "differ when they are asked for again"),
        ("not nested", "no part of a larger one"),
        ("leaks", "tests on what it trains on"),
    ],
)
def test_what_breaks_the_contract_of_tasks_is_told(wrong: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_task(Odd(wrong=wrong))


@dataclass(frozen=True, kw_only=True)
class Numbers(Result):
    """Numbers; can be told to do one thing wrong."""

    numbers: Any
    wrong: str = ""

    def to_frame(self) -> pd.DataFrame:
        return pd.DataFrame({"number": [] if self.wrong == "empty" else self.numbers})

    def plot(self, ax: Axes | None = None) -> Axes:
        assert ax is not None
        if self.wrong != "blank":
            ax.plot(self.numbers)
        return ax


def test_what_breaks_the_contract_of_results_is_told() -> None:
    check_result(Numbers(numbers=np.arange(3)))
    for numbers, wrong, message in (
        (torch.arange(3), "", "Numbers.numbers is a tensor, not an array"),
        (np.arange(3), "empty", "to_frame gives no rows"),
        (np.arange(3), "blank", "plot draws nothing"),
    ):
        with pytest.raises(AssertionError, match=message):
            check_result(Numbers(numbers=numbers, wrong=wrong))

    @dataclass
    class Loose:
        numbers: Any

    with pytest.raises(AssertionError, match="Loose is not frozen"):
        check_result(Loose(numbers=np.arange(3)))  # type: ignore[arg-type]


def test_instruments_leave_results_that_keep_the_contract() -> None:
    inputs = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    problem = Problem(nn.Linear(3, 2), F.cross_entropy, (inputs, (inputs[:, 0] > 0).long()))
    for result in (top_eigenvalues(problem, k=2), line_slice(problem, 0, points=3)):
        check_result(result)
