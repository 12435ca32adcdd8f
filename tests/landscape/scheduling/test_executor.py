"""Catches sweeps that train in the wrong order, lose an experiment between the cracks, or never end.

The experiments are toys: what a network's training does right or wrong is tested elsewhere.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.learners import TwoCircuits
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.executor import train_all
from grokscape.landscape.scheduling.local import local_executor
from grokscape.landscape.scheduling.plan import Plan
from grokscape.landscape.scheduling.scheduler import ENSEMBLE, Event, Scheduler
from grokscape.landscape.scheduling.worker import ENVIRONMENT
from grokscape.landscape.training.run import Run
from grokscape.landscape.user_modules import import_module
from tests.landscape.helpers import (
    assert_same_trajectory,
    assert_same_weights,
    is_gone,
    last_weights,
    small_run,
    train_alone,
)
from tests.landscape.scheduling.toys import Toy


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with local_executor(2) as pool:
        yield pool


def sweep(experiments: Iterable[Experiment], store: Store, executor: Executor, **how: Any) -> list[Event]:
    """Run a sweep to its end; events as they were when they came."""
    events = []
    for event in train_all(experiments, store, executor, **({"tick": 0.02} | how)):
        events.append(dataclasses.replace(event, progress=dataclasses.replace(event.progress)))
        assert len(events) < 10_000
    return events


def announced(events: list[Event]) -> list[tuple[Experiment, str]]:
    return [(event.experiment, event.error) for event in events if event.experiment is not None]


def count_of(store: Store, toy: Toy) -> float:
    return float(store.read(toy).weights()["w"][0])


# -- planning ---------------------------------------------------------------------------------------------------------


def test_plan_finds_ancestors_and_what_is_missing(store: Store) -> None:
    grandparent = Toy(number=1)
    parent = Toy(number=2, after=grandparent)
    child, other = Toy(number=3, after=parent), Toy(number=4)
    store.write(grandparent, train_alone(grandparent), {})
    plan = Plan.of([child, other, child, parent], store)
    assert list(plan.wanted.values()) == [grandparent, parent, child, other]
    assert plan.missing == [parent, child, other]
    assert plan.complaints == []


def test_plan_sets_damaged_records_aside_and_wants_them_again(store: Store) -> None:
    toy = Toy()
    store.write(toy, train_alone(toy), {})
    (store.folder(toy) / "weights.safetensors").write_bytes(b"rubbish")
    plan = Plan.of([toy], store)
    assert plan.missing == [toy]
    [complaint] = plan.complaints
    assert "weights.safetensors" in complaint


def test_batches_hold_what_fits_together_in_the_order_of_wish(store: Store) -> None:
    a = [Toy(number=n, group="a") for n in range(5)]
    b = [Toy(number=n, group="b") for n in range(2)]
    child = Toy(number=9, group="a", after=a[0])
    circuits = [TwoCircuits(steps=n + 1) for n in range(5)]
    plan = Plan.of([a[0], b[0], a[1], child, a[2], b[1], a[3], a[4], *circuits], store)
    # Children never share a batch with their parents' generation; a class's own largest batch goes before the size.
    # Five that fit together make two batches of nearly one size.
    assert plan.batches(3) == [a[:2], a[2:], b, [child], circuits]


def test_two_runs_share_a_batch_only_if_their_shapes_agree(store: Store) -> None:
    runs = [small_run(), small_run(seed=1), small_run(loss="mse"), small_run(dtype="float64"), small_run(n_train=24)]
    assert Plan.of(runs, store).batches(8) == [runs[:2], runs[2:3], runs[3:4], runs[4:]]


# -- order and failure ------------------------------------------------------------------------------------------------


def test_children_start_from_their_finished_parents(store: Store, threads: Executor) -> None:
    chains = []
    for number in range(3):
        first = Toy(number=number, seconds=0.02 * number)
        chains.append([first, second := Toy(number=number, after=first), Toy(number=number, after=second)])
    events = sweep([chain[-1] for chain in chains], store, threads)
    order = [experiment for experiment, error in announced(events) if not error]
    assert len(order) == len(set(order)) == 9
    for chain in chains:
        assert [order.index(toy) for toy in chain] == sorted(order.index(toy) for toy in chain)
        assert [count_of(store, toy) for toy in chain] == [1, 2, 3]


def test_what_is_stored_is_neither_announced_nor_trained_again(store: Store, threads: Executor) -> None:
    old, new = Toy(number=1), Toy(number=2)
    sweep([old], store, threads)
    before = (store.folder(old) / "run.json").read_bytes()
    events = sweep([old, new], store, threads)
    assert announced(events) == [(new, "")]
    assert events[-1].progress.runs == 1
    assert (store.folder(old) / "run.json").read_bytes() == before
    assert announced(sweep([old, new], store, threads)) == []


def test_failure_takes_down_descendants_and_nobody_else(store: Store, threads: Executor) -> None:
    """Good and bad parents' children are of one batch: only the bad one's may fail."""
    bad, good = Toy(number=1, deed="raise", group="x"), Toy(number=2, group="y")
    children = [Toy(number=3, after=bad), Toy(number=4, after=good)]
    grandchildren = [Toy(number=5, after=children[0]), Toy(number=6, after=children[1])]
    events = sweep([*grandchildren, bystander := Toy(number=7, group="z")], store, threads)
    results = dict(announced(events))
    assert set(results) == {bad, good, *children, *grandchildren, bystander}
    assert len(announced(events)) == 7
    assert results[bad] == "ArithmeticError: toy 1 cannot count"
    for heir in (children[0], grandchildren[0]):
        assert "its start failed" in results[heir]
        assert "toy 1 cannot count" in results[heir]
        assert heir not in store
    for sound in (good, children[1], grandchildren[1], bystander):
        assert results[sound] == ""
    assert count_of(store, grandchildren[1]) == 3
    end = events[-1].progress
    assert (end.runs_done, end.done) == (end.runs, end.total) == (7, 70.0)


def test_neighbours_of_what_broke_a_batch_are_trained_without_it(store: Store, threads: Executor) -> None:
    first, broken, never = Toy(number=1), Toy(number=2, deed="raise"), Toy(number=3)
    results = dict(announced(sweep([first, broken, never], store, threads)))
    assert results[first] == ""
    assert "cannot count" in results[broken]
    # Its neighbour is trained again without it.
    assert results[never] == ""
    assert announced(sweep([first, never], store, threads)) == []


def test_no_outcome_is_an_error(store: Store, threads: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Toy, "train", classmethod(lambda cls, batch, session: iter(())))
    assert announced(sweep([toy := Toy()], store, threads)) == [(toy, "it ended without a record")]


def test_damage_found_by_the_worker_is_repaired_and_told(store: Store, threads: Executor) -> None:
    toy = Toy()
    plan = Plan.of([toy], store)
    store.write(toy, train_alone(toy), {})
    (store.folder(toy) / "trajectory.parquet").write_bytes(b"rubbish")
    events = [event for event in sweep(plan, store, threads) if event.experiment]  # type: ignore[arg-type]
    [event] = events
    assert event.error == ""
    [note] = event.notes
    assert "trajectory.parquet" in note
    assert store.usable(toy) == (True, "")


def test_damage_is_repaired_by_the_next_sweep(store: Store, threads: Executor) -> None:
    parent = Toy(number=1)
    child = Toy(number=2, after=parent)
    sweep([child], store, threads)
    (store.folder(parent) / "weights.safetensors").write_bytes(b"rubbish")
    assert announced(sweep([child], store, threads)) == [(parent, "")]
    assert list(store.verify()) == []
    assert count_of(store, parent) == 1


# -- any executor -----------------------------------------------------------------------------------------------------


class StrictExecutor(ThreadPoolExecutor):
    """Lets pass only what could be sent to another machine: a function by name, and JSON."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        assert pickle.loads(pickle.dumps(fn)) is fn
        assert json.loads(json.dumps(args)) == list(args)
        assert not kwargs
        future: Future[Any] = super().submit(lambda: json.loads(json.dumps(fn(*json.loads(json.dumps(args))))))
        return future


def test_only_json_travels(store: Store) -> None:
    with StrictExecutor(1) as pool:
        events = sweep([toy := Toy(after=Toy(number=1)), TwoCircuits(steps=3)], store, pool)
    assert [error for _, error in announced(events)] == ["", "", ""]
    assert count_of(store, toy) == 2


def test_closed_executor_is_an_error_for_each_experiment(store: Store) -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    toys = [Toy(number=1, group="a"), Toy(number=2, group="b")]
    results = dict(announced(sweep(toys, store, pool)))
    assert set(results) == set(toys)
    assert all("shutdown" in error for error in results.values())


def test_processes_leave_the_records_that_this_one_would(store: Store, processes: Executor) -> None:
    parent = small_run(dtype="float64")
    runs: list[Run] = [parent, small_run(seed=1, start=parent, dtype="float64"), small_run(seed=2, n_train=20)]
    toy = TwoCircuits(steps=50)
    events = sweep([*runs, toy], store, processes)
    assert all(error == "" for _, error in announced(events))
    assert len(announced(events)) == 4
    for experiment in (runs[0], runs[2], toy):
        alone, record = train_alone(experiment), store.read(experiment)
        assert_same_trajectory(record.trajectory, alone.trajectory)
        assert_same_weights({s: record.weights(s) for s in alone.weights}, alone.weights)
    first = store.read(runs[1])
    assert first.info["stopped_by"] == "steps"
    assert first.info["batch_invariant"] == "yes"
    start = last_weights(train_alone(parent))
    norm = sum((array**2).sum() for array in start.values()) ** 0.5
    assert first.series("weight_norm").iloc[0] == pytest.approx(norm, rel=1e-12)


def test_workers_import_the_users_own_file(tmp_path: Path, store: Store, processes: Executor) -> None:
    """The task is defined in a file that only `modules` names; without it, the error says which kind is unknown."""
    file = tmp_path / "my task.py"
    file.write_text(
        "from dataclasses import dataclass\n"
        "from grokscape.landscape.tasks import BinaryOperation\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Shifted(BinaryOperation, kind='test_shifted'):\n"
        "    @property\n"
        "    def labels(self):\n"
        "        return (super().inputs.sum(1) + 1) % self.p\n"
    )
    task = import_module(str(file)).Shifted(p=7)
    run = small_run(task=task, steps=5)
    [(_, error)] = announced(sweep([run], store, processes))
    assert "test_shifted" in error
    assert announced(sweep([run], store, processes, modules=[str(file)])) == [(run, "")]
    assert_same_trajectory(store.read(run).trajectory, train_alone(run).trajectory)


def test_worker_that_dies_takes_nothing_with_it(store: Store) -> None:
    """What crashes is announced with its error; what waits is trained by the process that comes after."""
    good = Toy(number=0, group="first")
    waiting = Toy(number=1, after=good, group="third")
    deadly = Toy(number=2, deed="die", group="second", seconds=0.2)
    with local_executor(1) as pool:
        results = dict(announced(sweep([good, deadly, waiting], store, pool)))
    assert set(results) == {good, deadly, waiting}
    assert results[good] == results[waiting] == ""
    assert "a worker was killed" in results[deadly]
    assert "run the same command again" in results[deadly]


def test_local_executor_sets_up_its_workers_and_restores_the_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with local_executor(1) as pool:
        assert {name: pool.submit(os.getenv, name).result() for name in ENVIRONMENT} == ENVIRONMENT
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_local_executor_ends_its_workers_on_an_exception() -> None:
    """It would sleep for ten minutes otherwise."""
    pids, futures = [], []

    def interrupted() -> None:
        with local_executor(1) as pool:
            pids.append(pool.submit(os.getpid).result())
            futures.append(pool.submit(time.sleep, 600))
            while not futures[0].running():
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert isinstance(futures[0].exception(timeout=30), BrokenProcessPool)
    assert is_gone(pids[0])


def test_what_is_added_on_the_way_is_trained_in_the_same_sweep(store: Store, threads: Executor) -> None:
    """Known runs are not asked for twice, and nothing that is shown of the progress comes down."""
    under_way = Scheduler(store, threads)
    under_way.add(Plan.of([Toy(number=n) for n in range(3)], store))
    finished, shown = [], []
    for event in under_way.events(0.05):
        if event.experiment is not None:
            finished.append(event.experiment)
            if len(finished) == 1:
                under_way.add(Plan.of([Toy(number=n) for n in range(5)], store))
        progress = event.progress
        shown.append((progress.done, progress.total, progress.runs, progress.runs_done, progress.seconds))
    assert sorted(finished, key=repr) == sorted((Toy(number=n) for n in range(5)), key=repr)
    assert (progress.runs, progress.runs_done) == (5, 5)
    assert progress.done == progress.total == sum(Toy(number=n).work for n in range(5))
    assert all(a <= b for before, after in itertools.pairwise(shown) for a, b in zip(before, after, strict=True))


def test_what_failed_is_not_tried_again_in_the_same_sweep(store: Store, threads: Executor) -> None:
    under_way = Scheduler(store, threads)
    breaking = Toy(number=1, deed="raise")
    under_way.add(Plan.of([breaking], store))
    assert [event.error for event in under_way.events(0.05) if event.experiment] != [""]
    under_way.add(Plan.of([breaking], store))
    assert list(under_way.events(0.05)) == []
    assert under_way.failed.keys() == {breaking.identity}


# -- sharing a store --------------------------------------------------------------------------------------------------


def test_what_another_process_is_training_is_waited_for(
    store: Store, threads: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one finishes: its record is announced, and stands."""
    toy, parentless = Toy(number=1), Toy(number=2)
    child = Toy(number=3, after=toy)
    finished: list[Experiment] = []
    with store.claim(toy) as mine:
        assert mine
        for turn, event in enumerate(train_all([child, parentless], store, threads, tick=0.05)):
            assert event.error == ""
            if event.experiment is not None:
                finished.append(event.experiment)
            if turn == 6:
                assert finished == [parentless]
                store.write(toy, train_alone(toy), {"who": "the other"})
            assert turn < 500
    assert finished == [parentless, toy, child]
    assert store.read(toy).info["who"] == "the other"
    assert count_of(store, child) == 2


def test_what_another_process_gave_up_is_trained_here(store: Store, threads: Executor) -> None:
    toy = Toy()
    claim = store.claim(toy)
    assert claim.__enter__()
    finished = []
    for turn, event in enumerate(train_all([toy], store, threads, tick=0.05)):
        finished += [(event.experiment, event.error)] if event.experiment else []
        if turn == 4:
            assert finished == []
            claim.__exit__(None, None, None)
        assert turn < 500
    assert finished == [(toy, "")]


# -- progress ---------------------------------------------------------------------------------------------------------


def test_progress_never_goes_back_and_arrives(store: Store, threads: Executor) -> None:
    toys = [Toy(number=n, group=str(n % 3), seconds=0.15) for n in range(9)]
    events = sweep(toys, store, threads)
    done = [event.progress.done for event in events]
    assert done == sorted(done)
    assert done[-1] == events[-1].progress.total == 90.0
    # JobReport by the workers while they are at it, not only when they have finished.
    assert any(0 < value < 90 and value % 30 for value in done)
    counts = [event.progress.runs_done for event in events]
    assert counts == sorted(counts)
    assert counts[-1] == events[-1].progress.runs == 9
    assert any(event.experiment is None for event in events)
    assert not list((store.path / "progress").iterdir())


def test_ensembles_are_no_larger_than_the_machine_likes(
    store: Store, threads: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENSEMBLE, "cpu", 2)
    toys = [Toy(number=n) for n in range(5)]
    sweep(toys, store, threads)
    assert [store.read(toy).info["together"] for toy in toys] == [2, 2, 2, 2, 1]
