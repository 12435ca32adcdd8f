"""Catches losses that only a process killed in the middle, or two at once, bring about.

The other tests interrupt with exceptions, after which Python still tidies up; SIGKILL leaves everything as it lies.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grokscape.landscape.experiment import Outcome
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.worker import ENVIRONMENT, Job, train_job
from grokscape.landscape.training.network_ensemble import NetworkEnsemble
from tests.landscape.helpers import assert_same_bits, is_gone, train_alone
from tests.landscape.scheduling.sweeping import long_run, wanted

ROOT = Path(__file__).parents[3]
posix = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")


class Sweeper:
    """A process that works on a store, and what it has said so far.

    Parameters
    ----------
    action : {"sweep", "long"}
    store : Path
    said : Path
        A file for its output, which can be read while it runs and after it was killed.
    """

    def __init__(self, action: str, store: Path, said: Path) -> None:
        self.said = said
        command = [sys.executable, "-W", "error", "-m", "tests.landscape.scheduling.sweeping", action, str(store)]
        with said.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | ENVIRONMENT, stdout=output, stderr=subprocess.STDOUT
            )

    def lines(self, word: str) -> list[str]:
        """Return what follows a word at the beginning of complete lines."""
        lines = self.said.read_text().split("\n")[:-1]
        return [line.split()[1] for line in lines if line.startswith(f"{word} ")]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait, but not for a process that has ended, nor for ever."""
        for _ in range(6000):
            if condition():
                return
            assert self.process.poll() is None, self.said.read_text()
            time.sleep(0.02)
        raise AssertionError(self.said.read_text())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str, Path], Sweeper]]:
    started: list[Sweeper] = []

    def one(action: str, store: Path) -> Sweeper:
        started.append(Sweeper(action, store, tmp_path / f"said-{len(started)}"))
        return started[-1]

    yield one
    for sweeper in started:
        with contextlib.suppress(ProcessLookupError):
            sweeper.kill()


def finished(store: Store) -> set[str]:
    return {folder.name for folder in store.folders()}


def outcome_of(store: Store, experiment: object) -> Outcome:
    record = store.read(experiment)  # type: ignore[arg-type]
    steps = {record.info["last_step"], *getattr(experiment, "keep", ())} if hasattr(experiment, "model") else set()
    return Outcome(record.trajectory, {step: record.weights(step) for step in steps}, record.info)


@posix
@pytest.mark.slow
def test_sweep_killed_again_and_again_is_the_uninterrupted_sweep(
    tmp_path: Path, start: Callable[[str, Path], Sweeper]
) -> None:
    """Killed at random moments of the training: nothing is damaged, nothing lost, and the orphaned workers end."""
    path, moments = tmp_path / "store", random.Random(20)
    before: set[str] = set()
    for kill_worker in (False, True, True, True):
        sweeper = start("sweep", path)
        sweeper.wait_until(lambda s=sweeper: bool(s.lines("worker")) and _has_begun(path))  # type: ignore[misc]
        # Counted in finished runs, not in seconds: a fast machine must not be through before it is killed.
        goal, began = moments.randrange(4) if kill_worker else 0, time.monotonic()
        sweeper.wait_until(lambda s=sweeper, n=goal: len(s.lines("stored")) >= n)  # type: ignore[misc]
        each = (time.monotonic() - began) / goal if goal else 0.1
        time.sleep(moments.uniform(0.0, 1.0) * min(each, 0.5))
        [worker] = map(int, sweeper.lines("worker"))
        if kill_worker:
            os.kill(worker, signal.SIGKILL)
        sweeper.kill()
        for _ in range(100):
            if is_gone(worker):
                break
            time.sleep(0.1)
        assert is_gone(worker)
        store = Store(path)
        assert list(store.verify()) == []
        after = finished(store)
        assert before | set(sweeper.lines("stored")) <= after
        before = after
    assert 0 < len(before) < len(wanted()), "killed too early or too late to be a test"

    last = start("sweep", path)
    assert last.process.wait(120) == 0, last.said.read_text()
    assert not last.lines("error")
    store = Store(path)
    assert list(store.verify()) == []
    assert finished(store) == {experiment.identity for experiment in wanted()}
    assert set(last.lines("stored")) == finished(store) - before
    # In another store, uninterrupted and in other batches: one process, every run alone.
    other = Store(tmp_path / "other")
    for experiment in wanted():
        train_job(Job(name="x", store=str(other.path), experiments=[experiment.to_data()]).to_data())
        assert_same_bits(outcome_of(store, experiment), outcome_of(other, experiment))


def _has_begun(path: Path) -> bool:
    """Say whether a worker is training: it reports its progress."""
    return any((path / "progress").glob("*.job"))


@posix
def test_killed_long_run_goes_on_from_its_snapshot(
    tmp_path: Path, start: Callable[[str, Path], Sweeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, store = long_run(), Store(tmp_path / "store")
    sweeper = start("long", store.path)
    sweeper.wait_until(lambda: (snapshot := store.load_snapshot(run)) is not None and snapshot.step >= 100)
    sweeper.kill()
    assert run not in store
    snapshot = store.load_snapshot(run)
    assert snapshot is not None
    assert 100 <= snapshot.step < run.steps
    assert not list((store.path / "aside").iterdir())

    steps_taken: list[int] = []
    advance = NetworkEnsemble.advance

    def counted(ensemble: NetworkEnsemble, count: int = 1) -> None:
        steps_taken.extend(range(ensemble.step + 1, ensemble.step + count + 1))
        advance(ensemble, count)

    monkeypatch.setattr(NetworkEnsemble, "advance", counted)
    answer = train_job(Job(name="again", store=str(store.path), experiments=[run.to_data()]).to_data())
    assert answer.pop("report")["ended"] == {run.identity: 1.0}
    assert answer == {"trained": [run.identity], "busy": [], "damaged": [], "notes": []}
    assert steps_taken == list(range(snapshot.step + 1, run.steps + 1))
    assert_same_bits(outcome_of(store, run), train_alone(run))
    assert store.load_snapshot(run) is None


def test_two_processes_at_one_store_finish_one_sweep(tmp_path: Path, start: Callable[[str, Path], Sweeper]) -> None:
    path = tmp_path / "store"
    both = [start("sweep", path), start("sweep", path)]
    for sweeper in both:
        assert sweeper.process.wait(240) == 0, sweeper.said.read_text()
        assert not sweeper.lines("error")
    store = Store(path)
    identities = {experiment.identity for experiment in wanted()}
    assert finished(store) == identities
    assert set(both[0].lines("stored")) | set(both[1].lines("stored")) == identities
    assert list(store.verify()) == []
    assert all(store.usable(experiment) == (True, "") for experiment in wanted())
    assert list((store.path / "aside").iterdir()) == []
    assert not list((store.path / "runs").glob(".*"))
