"""Catches an ensemble that trains anything but the run it was asked for, or records anything but what the run is.

Every promise of the trainer is held against something independent of it: the loop a textbook would write, NumPy on
the final weights, the same run alone, the same run uninterrupted.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from grokscape.landscape.experiment import Experiment, Outcome, Snapshot
from grokscape.landscape.models import LSTM, Dense, NormalisedPerceptron, Perceptron, Transformer
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.session import StoreSession
from grokscape.landscape.tasks import BinaryOperation, SparseParity, TeacherStudent
from grokscape.landscape.training.batch_invariance import batch_dependence
from grokscape.landscape.training.run import Run
from grokscape.landscape.training.schedule import Schedule
from grokscape.landscape.training.stop import Stop
from tests.landscape.helpers import (
    PERCEPTRON,
    TRANSFORMER,
    Interrupted,
    MemorySession,
    assert_same_bits,
    last_weights,
    relative_difference,
    small_run,
    train,
    train_alone,
    value,
)
from tests.references import train_one, training_data

MODELS = [pytest.param(PERCEPTRON, id="perceptron"), pytest.param(TRANSFORMER, id="transformer")]
#: Too large a step makes ReLUs die and rest; squares go on to infinity.
EXPLOSIVE = Perceptron(width=16, activation="quadratic")
needs_invariance = pytest.mark.skipif(bool(batch_dependence()), reason=batch_dependence() or "kept")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

#: Four members that differ in all that members may differ in.
ADAMW_MEMBERS: list[dict[str, Any]] = [
    {"seed": 0, "optimiser": AdamW(lr=1e-3, weight_decay=1.0)},
    {"seed": 1, "optimiser": AdamW(lr=1e-2, weight_decay=0.1, beta2=0.999), "initial_scale": 2.0},
    {"seed": 2, "optimiser": AdamW(lr=3e-3, weight_decay=0.0, beta1=0.5, eps=1e-4), "labels": "random"},
    {"seed": 1, "optimiser": AdamW(lr=3e-3, weight_decay=2.0), "initial_scale": 0.5, "steps": 73},
]
SGD_MEMBERS: list[dict[str, Any]] = [
    {"seed": 3, "optimiser": SGD(lr=0.03)},
    {"seed": 4, "optimiser": SGD(lr=0.003, momentum=0.9), "labels": "random"},
    {"seed": 5, "optimiser": SGD(lr=0.02, momentum=0.5, weight_decay=0.1), "initial_scale": 1.2, "steps": 50},
]


# -- the same training as the textbook's -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("members", [ADAMW_MEMBERS, SGD_MEMBERS], ids=["adamw", "sgd"])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("fixed_norm", [None, 6.0], ids=["free", "fixed-norm"])
def test_ensemble_trains_as_the_textbook_loop_does(
    model: Any, members: list[dict[str, Any]], loss: str, fixed_norm: float | None
) -> None:
    runs = []
    for index, member in enumerate(members):
        norm = None if fixed_norm is None else fixed_norm + index
        runs.append(small_run(**({"steps": 100} | member), model=model, loss=loss, fixed_norm=norm, dtype="float64"))
    outcomes = train(runs)
    assert len(outcomes) == len(runs)
    for run in runs:
        found, wanted = last_weights(outcomes[run.identity]), train_one(run)
        assert relative_difference(found, wanted) <= 1e-9, run
        # The comparison would also pass if nobody had taken a step.
        assert relative_difference(found, train_one(run, steps=0)) > 1e-2, run


def test_more_than_two_positions() -> None:
    task, model = SparseParity(n=5, k=2), Perceptron(width=12, bias=True, embedding=3)
    runs = [small_run(task=task, model=model, n_train=20, seed=seed, dtype="float64") for seed in range(5)]
    outcomes = train(runs)
    for run in runs:
        assert relative_difference(last_weights(outcomes[run.identity]), train_one(run)) <= 1e-9


@pytest.mark.parametrize("model", MODELS)
def test_fixed_norm_is_exact_after_every_step(model: Any) -> None:
    runs = [
        small_run(model=model, seed=seed, fixed_norm=norm, dtype="float64", record=Schedule(every=1), steps=20)
        for seed, norm in enumerate((0.5, 3.0, 30.0))
    ]
    outcomes = train(runs)
    for run in runs:
        rows = outcomes[run.identity].trajectory
        norms = rows[rows["quantity"] == "weight_norm"]
        assert norms["step"].tolist() == list(range(21))
        assert np.abs(norms["value"] / run.fixed_norm - 1).max() <= 1e-14


# -- what is recorded -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("labels", ["true", "random"])
def test_record_is_what_numpy_finds_in_the_final_weights(model: Any, loss: str, labels: str) -> None:
    runs = [
        small_run(
            model=model, loss=loss, labels=labels, seed=seed, dtype="float64", optimiser=AdamW(lr=1e-2), steps=steps
        )
        for seed, steps in ((7, 40), (8, 60))
    ]
    outcomes = train(runs)
    for run in runs:
        outcome, task = outcomes[run.identity], run.task
        network = run.model.build(task).double()
        network.load_state_dict({name: torch.from_numpy(array) for name, array in last_weights(outcome).items()})
        with torch.no_grad():
            logits = network(task.inputs).numpy()
        truth = (task.labels if labels == "true" else task.random_labels(seed=run.seed)).numpy()
        split = task.split(run.n_train, seed=run.seed)
        recorded = outcome.trajectory[outcome.trajectory["step"] == run.steps]
        found = {(row.split, row.quantity): row.value for row in recorded.itertuples()}
        expected: dict[tuple[str, str], float] = {}
        for name in ("train", "test", "unmirrored"):
            expected |= {
                (name, quantity): number
                for quantity, number in by_hand(logits, truth, getattr(split, name).numpy(), loss).items()
            }
        tensors = last_weights(outcome)
        expected["", "weight_norm"] = float(np.sqrt(sum((array**2).sum() for array in tensors.values())))
        expected |= {("", f"weight_norm/{name}"): float(np.linalg.norm(array)) for name, array in tensors.items()}
        assert found == pytest.approx(expected, rel=1e-10, abs=1e-13)
        assert set(found) == set(expected)


def by_hand(logits: np.ndarray, labels: np.ndarray, chosen: np.ndarray, loss: str) -> dict[str, float]:
    """Return every recorded quantity of a split, example by example."""
    losses, hits, margins, scales, at_labels = [], [], [], [], []
    for index in chosen:
        z, label = logits[index], labels[index]
        one_hot = np.eye(len(z))[label]
        cross_entropy = np.log(np.exp(z - z.max()).sum()) + z.max() - z[label]
        losses.append(cross_entropy if loss == "cross_entropy" else ((z - one_hot) ** 2).mean())
        best_other = max(other for k, other in enumerate(z) if k != label)
        hits.append(z[label] > best_other)
        margins.append(z[label] - best_other)
        scales.append(((z - z.mean()) ** 2).mean())
        at_labels.append(z[label] - z.mean())
    return {
        "loss": float(np.mean(losses)),
        "accuracy": float(np.mean(hits)),
        "margin": float(np.mean(margins)),
        "margin_min": float(np.min(margins)),
        "logit_scale": float(np.sqrt(np.mean(scales))),
        "label_logit": float(np.mean(at_labels)),
    }


def test_record_at_step_0_is_of_the_initial_weights() -> None:
    run = small_run(dtype="float64", keep=(0,))
    outcome = train_alone(run)
    assert relative_difference(outcome.weights[0], train_one(run, steps=0)) == 0
    network = run.model.build(run.task).double()
    network.initialise(seed=run.seed)
    inputs, labels = training_data(run)
    expected = torch.nn.functional.cross_entropy(network(inputs), labels).item()
    assert value(outcome.trajectory, 0, "train", "loss") == pytest.approx(expected, rel=1e-12)


def test_records_come_on_schedule_and_empty_splits_are_left_out() -> None:
    run = small_run(n_train=49, steps=33)
    trajectory = train_alone(run).trajectory
    assert sorted(set(trajectory["step"])) == run.record.steps(33)
    assert set(trajectory["split"]) == {"train", ""}
    assert not trajectory.duplicated(["step", "split", "quantity"]).any()


def test_kept_weights_are_those_of_a_run_that_ends_there() -> None:
    long = small_run(keep=(0, 13, 40), steps=40)
    weights = train_alone(long).weights
    assert sorted(weights) == [0, 13, 40]
    short = train_alone(small_run(steps=13))
    assert all(np.array_equal(weights[13][name], array) for name, array in last_weights(short).items())


def test_session_is_told_of_progress_up_to_the_end() -> None:
    session = MemorySession()
    train([small_run(steps=20), small_run(steps=40)], session)
    assert session.reported == sorted(session.reported)
    assert session.reported[0] == 0
    assert session.reported[-1] == 1


# -- beginnings and ends -----------------------------------------------------------------------------------------------


def test_start_continues_from_the_weights_of_another_run() -> None:
    parents = [small_run(seed=seed, steps=10 + seed, dtype="float64") for seed in range(2)]
    ends = {run.identity: last_weights(outcome) for run, outcome in zip(parents, train(parents).values(), strict=True)}
    children = [
        small_run(seed=9, n_train=20, start=parent, dtype="float64", optimiser=AdamW(lr=1e-2)) for parent in parents
    ]
    orphan = small_run(seed=9, n_train=20, dtype="float64")
    outcomes = train([children[0], orphan, children[1]], MemorySession(parents=ends))
    for child, parent in zip(children, parents, strict=True):
        start = {name: torch.from_numpy(array) for name, array in ends[parent.identity].items()}
        assert relative_difference(last_weights(outcomes[child.identity]), train_one(child, start=start)) <= 1e-9
    assert relative_difference(last_weights(outcomes[orphan.identity]), train_one(orphan)) <= 1e-9


def test_stop_waits_until_its_condition_persists() -> None:
    """The watched norm is made to cross the level, and the run must end at the third record beyond it, not earlier."""
    free = small_run(optimiser=AdamW(lr=1e-2, weight_decay=1.0), record=Schedule(every=1), steps=60)
    trajectory = train_alone(free).trajectory
    losses = trajectory[(trajectory["split"] == "train") & (trajectory["quantity"] == "loss")]["value"].to_numpy()
    level = float(losses[20])
    beyond = losses < level
    expected = next(end for end in range(2, 61) if beyond[end - 2 : end + 1].all())
    assert 20 < expected < 60

    stop = Stop(quantity="loss", split="train", below=level, records=3)
    outcome = train_alone(free.replace(stop=(stop,)))
    assert outcome.info["last_step"] == expected
    assert outcome.info["stopped_by"] == stop.canonical
    assert outcome.trajectory["step"].max() == expected
    assert sorted(outcome.weights) == [expected]


def test_stop_counts_anew_after_a_relapse() -> None:
    """Too large a step makes the loss swing: it falls below the level, comes back, and falls again."""
    free = small_run(optimiser=SGD(lr=12.0), loss="mse", record=Schedule(every=1))
    losses = train_alone(free).trajectory.query("split == 'train' and quantity == 'loss'")["value"].to_numpy()
    level = 0.0225
    beyond = losses < level
    first = int(beyond.argmax())
    assert beyond[first : first + 3].tolist() == [True, True, False]
    expected = next(end for end in range(2, 41) if beyond[end - 2 : end + 1].all())

    outcome = train_alone(free.replace(stop=(Stop(quantity="loss", split="train", below=level, records=3),)))
    assert outcome.info["last_step"] == expected > first + 4
    hasty = train_alone(free.replace(stop=(Stop(quantity="loss", split="train", below=level, records=2),)))
    assert hasty.info["last_step"] == first + 1


def test_any_of_several_stops_ends_the_run_and_says_which() -> None:
    never = Stop(quantity="accuracy", split="train", above=2.0)
    unknown = Stop(quantity="no such quantity", above=0.0, records=1)
    at_once = Stop(quantity="loss", split="test", above=0.0, records=2)
    outcome = train_alone(small_run(stop=(never, unknown, at_once)))
    assert outcome.info["stopped_by"] == at_once.canonical
    assert outcome.info["last_step"] == 1  # the second record


def test_diverging_run_ends_and_spares_the_others() -> None:
    sound = small_run(model=EXPLOSIVE, optimiser=SGD(lr=0.1), loss="mse", steps=120)
    wild = sound.replace(optimiser=SGD(lr=1e6))
    outcomes = train([wild, sound])
    end = outcomes[wild.identity]
    assert end.info["stopped_by"] == "diverged"
    assert end.info["last_step"] < 120
    assert outcomes[sound.identity].info["stopped_by"] == "steps"
    assert_same_bits(outcomes[sound.identity], train_alone(sound))


# -- company ----------------------------------------------------------------------------------------------------------

#: Large enough for MKL to choose among its kernels, with sizes that are no multiple of a vector's.
COMPANY = {
    "perceptron": {"task": BinaryOperation(p=23), "model": Perceptron(width=67), "n_train": 211},
    "embedded": {
        "task": BinaryOperation(p=13),
        "model": Perceptron(width=37, bias=True, embedding=19, activation="quadratic"),
        "n_train": 83,
    },
    "transformer": {"task": BinaryOperation(p=13), "model": Transformer(width=36, heads=4, hidden=70), "n_train": 83},
    "normalised": {"task": BinaryOperation(p=13), "model": NormalisedPerceptron(width=37), "n_train": 83},
    "lstm": {"task": BinaryOperation(p=13), "model": LSTM(embedding=5, width=7), "n_train": 83},
    "dense": {
        "task": TeacherStudent(examples=90, widths=(6, 6)),
        "model": Dense(widths=(37, 19), activation="tanh"),
        "n_train": 53,
        "loss": "mse",
    },
    "large": {"task": BinaryOperation(p=37), "model": Perceptron(width=128), "n_train": 900, "steps": 12},
}


@needs_invariance
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", COMPANY)
@pytest.mark.parametrize("fixed_norm", [None, 7.0], ids=["free", "fixed-norm"])
def test_company_does_not_change_a_single_bit(shape: str, dtype: str, fixed_norm: float | None) -> None:
    runs = [
        small_run(
            **({"steps": 30} | COMPANY[shape]),
            seed=seed,
            dtype=dtype,
            fixed_norm=fixed_norm,
            labels="random" if seed == 2 and shape != "dense" else "true",
            optimiser=AdamW(lr=1e-3 * (1 + seed), weight_decay=0.3 * seed),
            initial_scale=1.0 + 0.1 * seed,
        )
        for seed in range(7)
    ]
    alone = {run.identity: train_alone(run) for run in runs[:3]}
    for company in (runs[:3], runs[2::-1], runs, runs[::-1]):
        outcomes = train(company)
        for identity, outcome in alone.items():
            assert_same_bits(outcome, outcomes[identity])


@needs_invariance
@pytest.mark.parametrize("model", MODELS)
def test_neighbours_that_leave_early_change_nothing(model: Any) -> None:
    """Members end at different steps and for different reasons, on records that others do not have."""
    stop = Stop(quantity="weight_norm", split="", above=0.0, records=4)
    runs = [
        small_run(model=model, seed=0, steps=17),
        small_run(model=model, seed=1, steps=60),
        small_run(model=model, seed=2, steps=60, stop=(stop,)),
        small_run(model=model, seed=3, steps=33, keep=(5, 32)),
        small_run(model=model, seed=4, steps=41),
    ]
    outcomes = train(runs)
    assert outcomes[runs[2].identity].info["last_step"] == runs[2].record.steps(60)[3]
    for run in runs:
        outcome = outcomes[run.identity]
        assert_same_bits(outcome, train_alone(run))
        if not run.stop:
            assert sorted(set(outcome.trajectory["step"])) == run.record.steps(run.steps)
    assert sorted(outcomes[runs[3].identity].weights) == [5, 32, 33]


# -- interruption -----------------------------------------------------------------------------------------------------


def interruptible(**shared: Any) -> list[Run]:
    """Runs with everything that a snapshot must bring back: optimiser state, stop counters, kept weights."""
    stop = (Stop(quantity="weight_norm", split="", above=0.0, records=9), Stop(quantity="loss", above=99.0))
    return [
        small_run(seed=0, keep=(2, 30), **shared),
        small_run(seed=1, steps=55, **shared),
        small_run(seed=2, steps=60, stop=stop, labels="random", **shared),
    ]


KINDS = [
    pytest.param({"model": PERCEPTRON}, id="perceptron"),
    pytest.param({"model": TRANSFORMER}, id="transformer"),
    pytest.param({"model": PERCEPTRON, "fixed_norm": 2.9}, id="fixed-norm"),
    pytest.param({"model": PERCEPTRON, "optimiser": SGD(lr=0.1, momentum=0.9)}, id="momentum"),
    pytest.param({"model": PERCEPTRON, "dtype": "float64"}, id="float64"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("saves", [3, 14, 22], ids=["at-first-record", "middle", "between-members"])
def test_resumed_training_is_the_uninterrupted_one(kind: dict[str, Any], saves: int) -> None:
    runs = interruptible(**kind)
    whole = train(runs)
    assert whole[runs[2].identity].info["stopped_by"] != "steps"
    session = MemorySession(snapshots=True, die_at_save=saves)
    outcomes: dict[str, Outcome] = {}
    with pytest.raises(Interrupted):
        outcomes |= train(runs, session)
    session.die_at_save = None
    before = list(session.saves)
    session.saves.clear()
    outcomes |= train(runs, session)
    assert min(session.saves) >= max(before) - 10
    assert min(session.saves) >= min(before)
    for run in runs:
        assert_same_bits(outcomes[run.identity], whole[run.identity])


class DyingStoreSession(StoreSession):
    """Saves every record in a store, and dies after some."""

    left = 16

    def save(self, experiment: Experiment, snapshot: Snapshot) -> None:
        super().save(experiment, snapshot)
        self.left -= 1
        if self.left == 0:
            raise Interrupted


def test_resumed_from_a_store_is_the_uninterrupted_one(tmp_path: Path) -> None:
    runs = interruptible(model=TRANSFORMER, dtype="float64")
    store = Store(tmp_path / "store")
    with pytest.raises(Interrupted):
        train(runs, DyingStoreSession(store, interval=0.0))
    stood = [store.load_snapshot(run) for run in runs]
    assert [snapshot.step if snapshot else None for snapshot in stood] != [None] * 3
    outcomes, whole = train(runs, StoreSession(store)), train(runs)
    for run in runs:
        assert_same_bits(outcomes[run.identity], whole[run.identity])


def test_diverged_past_survives_a_snapshot(tmp_path: Path) -> None:
    """Infinite and undefined numbers in a record must come back from disk as they were."""
    run = small_run(model=EXPLOSIVE, optimiser=SGD(lr=30.0), loss="mse", record=Schedule(every=1))
    whole = train_alone(run)
    last = int(whole.info["last_step"])
    store = Store(tmp_path / "store")
    session = DyingStoreSession(store, interval=0.0)
    session.left = last - 1
    with pytest.raises(Interrupted):
        train_alone(run, session)
    snapshot = store.load_snapshot(run)
    assert snapshot is not None
    assert snapshot.step == last - 1
    assert not np.isfinite(snapshot.rows["value"]).all()
    assert_same_bits(train_alone(run, StoreSession(store)), whole)


# -- other ways to compute --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # the compiler's own parts warn of each other
@pytest.mark.skipif(shutil.which("g++") is None and shutil.which("clang++") is None, reason="no C++ compiler")
@pytest.mark.parametrize("model", MODELS)
def test_compiled_agrees_to_rounding(model: Any) -> None:
    runs = [small_run(model=model, seed=seed, dtype="float64", steps=5) for seed in range(2)]
    compiled, plain = train(runs, MemorySession(compile=True)), train(runs)
    for run in runs:
        found, wanted = last_weights(compiled[run.identity]), last_weights(plain[run.identity])
        assert relative_difference(found, wanted) <= 1e-10


def test_without_a_compiler_training_goes_on_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(function: Any) -> Any:
        def call(*args: Any) -> None:
            raise RuntimeError("no compiler here")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    run = small_run()
    with pytest.warns(UserWarning, match="no compiler here"):
        outcome = train_alone(run, MemorySession(compile=True))
    assert_same_bits(outcome, train_alone(run))


@needs_cuda
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fixed_norm", [None, 5.0], ids=["free", "fixed-norm"])
def test_cuda_agrees_to_rounding(model: Any, fixed_norm: float | None) -> None:
    runs = [
        small_run(model=model, seed=seed, dtype="float64", steps=30 + seed, fixed_norm=fixed_norm) for seed in range(3)
    ]
    there, here = train(runs, MemorySession(device="cuda")), train(runs)
    for run in runs:
        found, wanted = there[run.identity], here[run.identity]
        assert relative_difference(last_weights(found), last_weights(wanted)) <= 1e-9
        assert found.trajectory["quantity"].tolist() == wanted.trajectory["quantity"].tolist()
        assert np.allclose(found.trajectory["value"], wanted.trajectory["value"], rtol=1e-8, atol=1e-10)
