"""The benchmark compares like with like: whoever is timed trains the same networks, and who is missing is named."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from grokscape.landscape.models import Dense, Perceptron, Transformer
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.landscape.tasks import BinaryOperation, ConcealedOperation, TeacherStudent
from tests.benchmark import __main__ as command
from tests.benchmark import compare, devices, ways
from tests.benchmark.comparisons import Comparison, comparisons, ensemble_of, numbers, perceptrons, products
from tests.benchmark.torch_side import Loop, Products, Records, Trainer
from tests.benchmark.turns import Entry, Processes, Race, Times
from tests.landscape.helpers import relative_difference

SMALL = {
    "perceptron": {"task": BinaryOperation(p=7), "model": Perceptron(width=16), "n_train": 25, "optimiser": AdamW()},
    "quadratic": {
        "task": BinaryOperation(p=7),
        "model": Perceptron(width=16, activation="quadratic"),
        "n_train": 25,
        "optimiser": AdamW(lr=1e-2, weight_decay=0.5, beta1=0.8),
    },
    "student": {
        "task": TeacherStudent(examples=40),
        "model": Dense(widths=(9, 8), activation="tanh"),
        "n_train": 20,
        "loss": "mse",
        "optimiser": AdamW(lr=1e-3, weight_decay=0.8, eps=1e-4),
        "initial_scale": 2.0,
    },
    "concealed": {
        "task": ConcealedOperation(dimensions=3, examples=60),
        "model": Dense(widths=(8,)),
        "n_train": 30,
        "optimiser": SGD(lr=0.2, momentum=0.9, weight_decay=0.01),
    },
    "transformer": {
        "task": BinaryOperation(p=7),
        "model": Transformer(width=8, heads=2, hidden=16),
        "n_train": 25,
        "optimiser": AdamW(lr=3e-3, eps=1e-4),
    },
}
WAYS = [(learner, way) for learner in ("perceptron", "transformer") for way in ways.OF_TOKENS]
WAYS += [(learner, way) for learner in ("student", "concealed") for way in ways.OF_FEATURES]
WAYS += [("quadratic", ways.Way()), *(("transformer", way) for way in ways.OF_TABLES)]


def in_double_precision(learner):
    return ensemble_of(3, dtype="float64", **SMALL[learner])


@pytest.fixture(scope="module")
def processes():
    with_doubles = {**compare.ENVIRONMENTS[compare.JAX], "JAX_ENABLE_X64": "1"}
    with Processes({**compare.ENVIRONMENTS, compare.JAX: with_doubles}) as started:
        yield started


@pytest.mark.skipif(bool(ways.missing()), reason="needs jax and optax")
@pytest.mark.parametrize(("learner", "way"), WAYS, ids=[f"{learner}: {way.name}" for learner, way in WAYS])
def test_jax_trains_what_the_trainer_trains(processes, learner, way):
    runs = in_double_precision(learner)
    with Race(processes, [Entry("JAX", compare.JAX, ways.training, (numbers(runs), way))]) as race:
        race.advance(10)
        found = race.weights()["JAX"]
    ours = Trainer(runs)
    ours.advance(10)
    assert next(iter(found.values())).dtype == np.float64
    assert relative_difference(found, ours.weights()) <= 1e-10
    assert relative_difference(found, numbers(runs).parameters) > 1e-3


@pytest.mark.parametrize("learner", SMALL)
def test_the_loop_trains_what_the_trainer_trains(learner):
    runs = in_double_precision(learner)
    loop, ours = Loop(runs), Trainer(runs)
    loop.advance(10)
    ours.advance(10)
    assert relative_difference(loop.weights(), ours.weights()) <= 1e-10


def test_records_leave_the_weights_alone():
    runs = in_double_precision("perceptron")
    recorded = Records(runs)
    recorded.advance(2)
    assert relative_difference(recorded.weights(), numbers(runs).parameters) == 0


def test_products_are_those_of_every_layer():
    (layer, last) = products(in_double_precision("student")[0])[1:]
    assert (layer, last) == ((20, 9, 8, True), (20, 8, 5, True))
    alone = Products(2, [(3, 4, 5, True)])
    alone.advance(1)
    for left, right, result in alone.calls:
        assert np.allclose(result, np.asarray(left) @ np.asarray(right), atol=1e-5)
        assert all(matrix.data_ptr() % 64 == 0 for matrix in result)


def test_a_comparison_is_printed_and_says_whether_all_train_the_same(processes, capsys):
    comparison = Comparison("small", perceptrons(7, 25, 16, count=2), steps=2, warm=2)
    result = compare.compare(comparison, processes, rounds=3, jax=False, compile=False)
    printed = capsys.readouterr().out
    assert result.agrees
    assert "losses after 5 steps agree" in printed
    assert set(result.times.seconds) == {compare.TRAINER, compare.GENERAL, compare.LOOP, compare.PRODUCTS}
    assert all(name in printed for name in result.times.seconds)
    assert compare.table([result]).splitlines()[2].startswith("| small | ")
    trained = {compare.TRAINER: numbers(comparison.runs).parameters, "other": numbers(comparison.runs[::-1]).parameters}
    assert compare.distance(comparison.runs, trained) > compare.TOLERANCE
    trained["diverged"] = {name: values * np.nan for name, values in trained[compare.TRAINER].items()}
    assert not compare.Result("diverged", result.times, compare.distance(comparison.runs, trained)).agrees


def test_many_runs_on_a_device_are_compared(processes, capsys):
    assert set(devices.environments("cuda")) == set(compare.ENVIRONMENTS)
    (result,) = devices.compare_on("cpu", processes, rounds=2, counts=(3,), steps=2)
    printed = capsys.readouterr().out
    assert result.agrees
    assert "3 perceptrons" in printed
    assert ("JAX is left out" in printed) == bool(ways.missing())
    assert len(result.times.seconds) == (2 if ways.missing() else 4)


def test_a_device_that_is_not_here_is_no_failure(monkeypatch, capsys):
    monkeypatch.setattr(devices.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("sys.argv", ["benchmark", "--device", "cuda"])
    assert command.main() == 0
    assert "no such device" in capsys.readouterr().out


def test_jax_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "optax" else object())
    assert ways.missing() == "optax not installed (pip install 'grokscape[bench]')"


def test_ratios_are_of_the_same_turn():
    times = Times({"slow": np.array([2.0, 4.0, 6.0, 8.0, 10.0]), "fast": np.array([1.0, 2.0, 2.0, 2.0, 2.0])}, {})
    assert times.ratio("slow", "fast") == (2.0, 3.0, 4.0)
    assert times.ms("slow") == 6000


def test_comparisons_have_names_of_their_own():
    names = [comparison.name for comparison in comparisons()]
    assert len(set(names)) == len(names)
    for comparison in comparisons():
        assert len({run.batch_key for run in comparison.runs}) == 1
