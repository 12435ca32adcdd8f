"""A worker that is killed costs seconds: the sweep goes on, and only what kills workers again is left out.

The system kills with SIGKILL when memory runs out; nothing in the worker can answer it.
"""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling import order
from grokscape.landscape.scheduling.executor import train_all
from grokscape.landscape.scheduling.local import local_executor
from tests.landscape.helpers import is_gone
from tests.landscape.scheduling.mortal import Mortal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")


@pytest.fixture(autouse=True)
def _batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train several together, however little they cost: what happens to a batch is what is tested."""
    monkeypatch.setattr(order, "PARTS", 0.01)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def sweep(mortals: list[Mortal], store: Store, executor: Executor) -> tuple[dict[Experiment, str], list[str]]:
    """Return the error of each experiment, in the order in which they were announced, and all notes."""
    errors, notes = {}, []
    for turn, event in enumerate(train_all(mortals, store, executor, tick=0.05)):
        notes += event.notes
        if event.experiment is not None:
            assert event.experiment not in errors
            errors[event.experiment] = event.error
        assert turn < 2000
    return errors, notes


def test_what_was_lost_with_a_worker_is_trained_again_from_its_snapshots(store: Store, tmp_path: Path) -> None:
    mortals = [Mortal(number=n, kills="once" if n == 1 else "never", marks=str(tmp_path)) for n in range(3)]
    with local_executor(1) as executor:
        errors, notes = sweep(mortals, store, executor)
    assert errors == dict.fromkeys(mortals, "")
    [victim] = mortals[1].deaths()
    info = [store.read(mortal).info for mortal in mortals]
    # The first was stored before the kill; the others go on alone, in another process, and the one that died half way
    # goes on where its snapshot stood.
    assert [found["together"] for found in info] == [3, 1, 1]
    assert [found["resumed_at"] for found in info] == [0, 1, 0]
    assert info[0]["pid"] == victim
    assert victim not in (info[1]["pid"], info[2]["pid"])
    [note] = notes
    assert "a worker was killed" in note
    assert "2 runs" in note
    assert not list((store.path / "progress").glob("*.job"))


def test_what_kills_every_worker_is_named_and_left_out_and_nothing_else(store: Store, tmp_path: Path) -> None:
    """Two workers: the neighbours of a killer are trained, and the other worker's batch never notices."""
    deadly = Mortal(number=0, kills="always", marks=str(tmp_path))
    others = [Mortal(number=n, marks=str(tmp_path)) for n in range(1, 12)]
    with local_executor(2) as executor:
        errors, notes = sweep([deadly, *others], store, executor)
        alive = executor.pids()
    assert len(alive) == 2
    assert len(deadly.deaths()) == 2
    assert set(errors) == {deadly, *others}
    assert {experiment for experiment, error in errors.items() if error} == {deadly}
    assert "killed at it twice" in errors[deadly]
    assert "so that Mortal(number=0, kills='always'" in errors[deadly]
    assert f"(run {deadly.identity[:8]}) is left out" in errors[deadly]
    assert "run the same command again" in errors[deadly]
    assert deadly not in store
    # The second batch stayed together: nothing of it was lost.
    assert [store.read(mortal).info["together"] for mortal in others] == [1] * 5 + [6] * 6
    [note] = notes
    assert "6 runs" in note
    assert all(is_gone(pid) for pid in alive)


def test_an_executor_that_does_not_recover_ends_the_sweep_with_errors(store: Store, tmp_path: Path) -> None:
    deadly = Mortal(number=0, kills="always", marks=str(tmp_path))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        errors, _ = sweep([deadly, Mortal(number=1)], store, pool)
    assert len(errors) == 2
    for error in errors.values():
        assert "the executor takes no more work (BrokenProcessPool" in error
        assert "run the same command again" in error


def test_a_killed_process_costs_its_own_task_and_is_replaced() -> None:
    with local_executor(2) as executor:
        slow = executor.submit(os.getpid)
        before = executor.pids()
        assert slow.result() in before
        with pytest.raises(BrokenProcessPool):
            executor.submit(os._exit, 1).result()
        found = {executor.submit(os.getpid).result() for _ in range(4)}
        assert found <= executor.pids()
        assert len(executor.pids()) == 2
        assert executor.pids() != before


def test_a_process_killed_while_idle_costs_nothing() -> None:
    with local_executor(1) as executor:
        first = executor.submit(os.getpid).result()
        os.kill(first, signal.SIGKILL)
        for _ in range(100):
            if is_gone(first):
                break
            time.sleep(0.02)
        time.sleep(0.2)  # until the pool has noticed
        assert executor.submit(os.getpid).result() != first


@pytest.mark.parametrize("workers", [0, -1, 99999999999999999999])
def test_numbers_of_workers_that_no_machine_has_are_refused(workers: int) -> None:
    refusal = f"workers is {workers}, expected at (least 1|most 1024) processes"
    with pytest.raises(InvalidInput, match=refusal), local_executor(workers):
        pass
