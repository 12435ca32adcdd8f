"""What no machine can do is refused by its field, what this one cannot by what it needs and what is there; at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from grokscape.landscape.description import DEEPEST, Description
from grokscape.landscape.errors import InvalidInput, Unavailable
from grokscape.landscape.experiment import Experiment
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
from grokscape.landscape.models import LSTM, Dense, EdgeNetwork, Perceptron, Transformer
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling import requirements
from grokscape.landscape.scheduling.executor import train_all
from grokscape.landscape.scheduling.requirements import machine_memory, refuse_unaffordable
from grokscape.landscape.surveys import ReducedLandscape
from grokscape.landscape.tasks import (
    BinaryOperation,
    ConcealedOperation,
    FilmReviews,
    MessySums,
    Permutations,
    SampledParity,
    SparseParity,
    Task,
    TeacherStudent,
)
from grokscape.landscape.training.run import Run
from grokscape.landscape.training.schedule import Schedule


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Run(n_train=9, seed=0, steps=2**63), r"Run.steps is 9223372036854775808, expected an integer between"),
        (
            lambda: Run(n_train=9, seed=0, steps=10**5000),
            r"Run.steps is a int that cannot be shown, expected an integer",
        ),
        (lambda: Run(n_train=True, seed=0, steps=9), "Run.n_train is True, expected an integer"),
        (lambda: Run(n_train=9, seed=2**127, steps=9), "Run.seed is 1701411.*, expected an integer between -2.127"),
        (
            lambda: Run(n_train=9, seed=0, steps=9, initial_scale=10**400),
            "initial_scale is 1000.* that a float can hold",
        ),
        (
            lambda: Run(n_train=9, seed=0, steps=9, keep=range(10**9)),
            "Run.keep holds 1000000000 values, expected 100000",
        ),
        (lambda: Run(n_train=9, seed=0, steps=9, keep=iter(range(10**9))), "Run.keep holds more than 100000 values"),
        (lambda: Schedule(per_decade=10**12), "Schedule.per_decade is 1000000000000, expected at most 1000000"),
        (lambda: BinaryOperation(p=10**9), "BinaryOperation.p is 1000000000, expected a modulus between 2 and 4096"),
        (lambda: Permutations(n=20), "Permutations.n is 20, expected a number from 2 to 6"),
        (lambda: SparseParity(n=60), "SparseParity.n is 60, expected a number from 1 to 16"),
        (
            lambda: SampledParity(examples=10**12),
            "SampledParity.examples is 1000000000000, expected less: .* 3.1e.13 numbers",
        ),
        (
            lambda: ConcealedOperation(examples=10**6, dimensions=10**9),
            "ConcealedOperation.dimensions is 1000000000, expected less",
        ),
        (lambda: TeacherStudent(widths=(10**7, 10**7)), "TeacherStudent.widths is .10000000, 10000000., expected less"),
        (lambda: MessySums(symbols=10**7), "MessySums.symbols is 10000000, expected less"),
        (lambda: FilmReviews(vocabulary=10**12), "FilmReviews.vocabulary is 1000000000000, expected less"),
        (lambda: FilmReviews(sha256="x"), "FilmReviews.sha256 is 'x', expected a fingerprint"),
        (lambda: Dense(widths=(10**8,)), "Dense.widths is .100000000,., expected at most 10000000 neurons"),
        (
            lambda: Dense(widths=(2,) * 1001),
            "Dense.widths is .*, expected at least one width, each at least 1, and at m",
        ),
        (lambda: Perceptron(width=10**8), "Perceptron.width is 100000000, expected at most"),
        (lambda: Transformer(hidden=10**8), "Transformer.hidden is 100000000, expected at most"),
        (lambda: LSTM(layers=10**6), "LSTM.layers is 1000000, expected at least 1 and at most 1000"),
        (lambda: EdgeNetwork(widths=(10**6, 10**6)), "EdgeNetwork.widths is .*, expected matrices of at most"),
        (
            lambda: GaussianProcessRegression(log_lengthscale=0, log_outputscale=1e308, seed=0),
            r"GaussianProcessRegression.log_outputscale is 1e\+308, expected between -300 and 300",
        ),
        (
            lambda: LaplaceClassification(seed=0, outputscale=1e308),
            r"LaplaceClassification.outputscale is 1e\+308, exp",
        ),
        (lambda: LaplaceClassification(seed=0, lengthscale=1e-308), "LaplaceClassification.lengthscale is 1e-308, exp"),
        (
            lambda: ReducedLandscape(task=SampledParity(), model=Dense(), seed=0, sizes=(5,), scales=(1e308,), steps=3),
            "ReducedLandscape.scales is .1e.308,",
        ),
        (lambda: TwoCircuits(kappa=1.2, norm_gen=1e308), r"TwoCircuits.norm_gen is 1e\+308, expected sizes between"),
        (lambda: LinearTeacher(seed=0, start_scale=1e308), r"LinearTeacher.start_scale is 1e\+308, expected sizes"),
        (lambda: LinearRegression(seed=0, start=(0, 0, 0, 1e308)), "LinearRegression.start is .*, expected sizes"),
        (lambda: BayesianNetwork(seed=0, epochs=3, start_scale=1e308), "BayesianNetwork.start_scale is 1e.308, exp"),
        (
            lambda: VariationalClassification(seed=0, lr=1e308),
            r"VariationalClassification.lr is 1e\+308, expected sizes",
        ),
        (
            lambda: GaussianProcessRegression(log_lengthscale=0, log_outputscale=0, lr=1e308, seed=0),
            r"GaussianProcessRegression.lr is 1e\+308, expected sizes between 1e-75 and 100, or 0",
        ),
        (lambda: EffectiveFlow(symbols=10**5, seed=0), "EffectiveFlow.symbols is 100000, expected between 3 and 48"),
        (
            lambda: EmbeddingDecoder(symbols=10**5, seed=0, steps=9),
            "EmbeddingDecoder.symbols is 100000, expected between",
        ),
    ],
)
def test_what_no_machine_could_hold_is_refused_when_it_is_described(
    make: Callable[[], Description], message: str
) -> None:
    began = time.process_time()
    with pytest.raises(InvalidInput, match=message):
        make()
    assert time.process_time() - began < 1


GREAT: list[Experiment] = [
    Run(n_train=9, seed=0, steps=10**11),
    Run(n_train=9, seed=0, steps=10**9, record=Schedule(every=1)),
    Run(n_train=9, seed=0, steps=2**63 - 1, record=Schedule(every=2**62)),
    Run(n_train=9, seed=0, steps=9, model=Perceptron(width=10**7), dtype="float64", keep=tuple(range(9))),
    Run(task=SampledParity(examples=10**10), model=Dense(), n_train=9, seed=0, steps=9),
    Run(task=TeacherStudent(examples=10**10), model=Dense(), n_train=10**10, seed=0, steps=9, loss="mse"),
    LaplaceClassification(seed=0, n_train=10**7),
    GaussianProcessRegression(log_lengthscale=0, log_outputscale=0, seed=0, n_train=10**7),
    LinearRegression(seed=0, n_test=10**12),
    LinearTeacher(seed=0, steps=2**62),
    TwoCircuits(kappa=1.2, steps=2**62),
    TwoCircuits(kappa=1.2, steps=10**13, record=Schedule(every=1)),
    BayesianNetwork(seed=0, n_train=1, start_scale=1.0, epochs=10**14, record=Schedule(every=10**18)),
    GaussianProcessRegression(log_lengthscale=0, log_outputscale=0, seed=0, steps=2**62),
    VariationalClassification(seed=0, steps=2**62),
    EmbeddingDecoder(seed=0, steps=2**62),
    ParallelogramCriticalSize(seed=0, draws=2**62),
]


@pytest.mark.parametrize("experiment", GREAT, ids=lambda e: f"{type(e).__name__}")
def test_what_this_machine_lacks_is_refused_where_it_would_be_trained(experiment: Experiment) -> None:
    """It can be described, named and planned: it may be meant for another machine."""
    began = time.process_time()
    again = experiment.replace()
    assert len(again.identity) == 32
    assert again.work > 0
    with pytest.raises(Unavailable, match=rf"{type(experiment).__name__}.* would take about .*; ask for fewer"):
        refuse_unaffordable([again], "cpu")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("experiment", "number"),
    [
        (LinearTeacher(seed=0, steps=2**62), f"LinearTeacher with steps {2**62}, "),
        (Run(n_train=9, seed=0, steps=10**9, record=Schedule(every=1)), "Run with steps 1000000000, "),
        (LaplaceClassification(seed=0, n_train=10**7), "LaplaceClassification with n_train 10000000, "),
        (
            Run(task=SampledParity(), n_train=9, seed=2**100, steps=9, model=Dense(widths=(10**7,))),
            "Run with widths 10000000",
        ),
    ],
)
def test_a_refusal_begins_with_the_number_at_fault(
    experiment: Experiment, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requirements, "machine_memory", lambda: 1e8)
    with pytest.raises(Unavailable, match=f"^{number}.*fewer steps"):
        refuse_unaffordable([experiment], "cpu")


def test_work_counts_what_each_record_costs() -> None:
    """At many records a linear student is nothing but records, and takes 100 microseconds for each (measured)."""
    few, many = (LinearTeacher(seed=0, inputs=50, n_train=100, steps=10**15, record=Schedule(every=every))
                 for every in (10**18, 10**10))  # fmt: skip
    assert few.work < 2e9
    seconds = (many.work - few.work) / requirements.SPEED
    assert 5e-5 < seconds / many.record.count(many.steps) < 5e-4


def test_more_records_than_a_store_keeps_are_never_listed() -> None:
    began = time.process_time()
    for schedule in (Schedule(every=1), Schedule(per_decade=10**6)):
        with pytest.raises(InvalidInput, match="a training is stored with 5000000 at most; raise every"):
            schedule.steps(2**63 - 1)
    assert Schedule(per_decade=1, every=2**62).steps(2**63 - 1)[-1] == 2**63 - 1
    assert time.process_time() - began < 1


def test_a_refusal_says_what_is_needed_and_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And costs the others nothing, which are trained without it."""
    monkeypatch.setattr(requirements, "machine_memory", lambda: 2e8)
    large = Run(n_train=9, seed=0, steps=3, model=Perceptron(width=10**6))
    small = Run(n_train=9, seed=0, steps=3, model=Perceptron(width=4))
    with ThreadPoolExecutor(1) as pool:
        events = list(train_all([large, small], Store(tmp_path), pool, tick=0.05))
    failures = {event.experiment: event.failure for event in events if event.experiment}
    assert failures[small] is None
    refusal = failures[large]
    assert refusal is not None
    assert refusal.unavailable
    assert "GB of memory, and this machine has 0.2 GB" in refusal.reason


def test_a_batch_that_is_too_large_is_trained_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [Run(n_train=9, seed=seed, steps=3, model=Perceptron(width=4)) for seed in range(4)]
    monkeypatch.setattr(requirements, "machine_memory", lambda: runs[0].memory(2) / requirements.FACTOR)
    with ThreadPoolExecutor(1) as pool:
        events = list(train_all(runs, store := Store(tmp_path), pool, tick=0.05))
    assert [event.error for event in events if event.experiment] == [""] * 4
    assert [store.read(run).info["ensemble"] for run in runs] == [1] * 4


def test_what_cannot_say_what_it_needs_is_trained_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of one's own that looks at its numbers while it is built has none to look at in an estimate."""

    def build(self: Perceptron, task: Task) -> None:
        torch.empty(1).item()

    monkeypatch.setattr(Perceptron, "build", build)
    refuse_unaffordable([Run(n_train=9, seed=0, steps=3)], "cpu")


def test_what_is_usual_is_affordable() -> None:
    assert machine_memory() > 1e8
    refuse_unaffordable([Run(n_train=500, seed=seed, steps=10**6) for seed in range(10)], "cpu")


@pytest.mark.parametrize("every", [1, 3, 250, 10**9])
@pytest.mark.parametrize("last", [1, 7, 1000, 12_345])
def test_records_are_counted_without_being_listed(every: int, last: int) -> None:
    schedule = Schedule(every=every, per_decade=7)
    exact = len(schedule.steps(last))
    assert exact <= schedule.count(last) <= min(last + 1, exact + 7 * 5)


@pytest.mark.parametrize(
    "task",
    [
        BinaryOperation(p=5),
        BinaryOperation(p=5, operation="x/y"),
        Permutations(n=3),
        SparseParity(n=5),
        SampledParity(examples=7, bits=9),
        ConcealedOperation(examples=7, dimensions=4),
        TeacherStudent(examples=7),
        MessySums(symbols=6),
    ],
    ids=repr,
)
def test_sizes_and_shapes_are_those_of_the_inputs(task: Task) -> None:
    assert (task.size, *task.input_shape) == tuple(task.inputs.shape)


def test_starts_may_be_nested_as_deep_as_can_be_written_and_no_deeper() -> None:
    run = Run(n_train=9, seed=0, steps=1)
    for seed in range(1, DEEPEST - 1):  # each run holds a task and others, one deeper
        run = Run(n_train=9, seed=seed, steps=1, start=run)
    assert len(run.identity) == 32
    with pytest.raises(
        InvalidInput, match=f"Run.start holds descriptions {DEEPEST} deep, expected {DEEPEST - 1} at most"
    ):
        Run(n_train=9, seed=0, steps=1, start=run)
