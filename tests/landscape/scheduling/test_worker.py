"""Catches jobs that do more or less than they say."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.session import StoreSession
from grokscape.landscape.scheduling.worker import Job, provenance, train_job
from tests.landscape.helpers import assert_same_trajectory, is_gone, small_run, train_alone
from tests.landscape.scheduling.toys import Toy

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def job(store: Store, *toys: Toy) -> dict[str, object]:
    return Job(name="test", store=str(store.path), experiments=[toy.to_data() for toy in toys]).to_data()


# -- jobs -------------------------------------------------------------------------------------------------------------


def test_job_is_plain_data(store: Store) -> None:
    data = Job(name="n", store="s", experiments=[Toy().to_data()], modules=["m"], interval=3.0).to_data()
    assert json.loads(json.dumps(data)) == data
    assert Job(**data).to_data() == data  # type: ignore[arg-type]
    assert data["interval"] == 3.0


def test_an_interrupt_ends_the_process_that_asked_and_no_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the main thread of whoever asked it is their Ctrl-C; in a thread or a worker it is somebody's code."""

    def interrupted(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(Toy, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_job(job(store, Toy()))
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="KeyboardInterrupt"):
        pool.submit(train_job, job(store, Toy())).result()


def test_answer_says_what_was_trained_and_what_was_not(store: Store) -> None:
    there, broken, new, busy = (Toy(number=number) for number in range(4))
    store.write(there, train_alone(there), {"who": "before"})
    store.write(broken, train_alone(broken), {})
    (store.folder(broken) / "run.json").write_text("{}")
    with store.claim(busy) as mine:
        assert mine
        answer = train_job(job(store, there, broken, new, busy))
    assert json.loads(json.dumps(answer)) == answer
    assert answer["trained"] == [broken.identity, new.identity]
    assert answer["busy"] == [busy.identity]
    [complaint] = answer["damaged"]
    assert "run.json" in complaint
    assert store.read(there).info["who"] == "before"
    assert busy not in store
    assert store.read(new).info["together"] == 2
    assert not list((store.path / "progress").iterdir())
    with store.claim(new) as free:
        assert free


def test_failed_job_keeps_what_was_finished_and_lets_go_of_its_claims(store: Store) -> None:
    good, bad = Toy(number=1), Toy(number=2, deed="raise")
    with pytest.raises(ArithmeticError, match="toy 2"):
        train_job(job(store, bad, good))
    assert good in store
    assert bad not in store
    assert not list((store.path / "progress").iterdir())
    with store.claim(good) as one, store.claim(bad) as other:
        assert one
        assert other


def test_only_experiments_are_trained(store: Store) -> None:
    data = Job(name="test", store=str(store.path), experiments=[small_run().task.to_data()]).to_data()
    with pytest.raises(InvalidInput, match="'binary_operation' describes no experiment"):
        train_job(data)


def test_record_says_how_it_was_made(store: Store) -> None:
    toy = Toy()
    train_job(job(store, toy))
    info = store.read(toy).info
    assert info["torch"] == torch.__version__
    assert info["python"] == platform.python_version()
    assert info["device"] == platform.machine()
    assert info["compiled"] is False
    assert info["mkl_cbwr"] == os.environ.get("MKL_CBWR", "")
    assert info["last_step"] == 0
    assert info["arithmetic"] == "NumPy, SciPy and PyTorch"
    assert info["numba"] in ("", importlib.metadata.version("numba"))
    ((_, outcome),) = Toy.train([toy], StoreSession(store))
    assert set(provenance(Job(name="", store="", experiments=[]), outcome)) <= set(info)


def test_record_of_a_network_says_by_which_arithmetic_it_was_made(store: Store) -> None:
    run = small_run()
    train_job(job(store, run))
    assert store.read(run).info["arithmetic"] == train_alone(run).info["arithmetic"]


# -- worker processes -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_worker_ignores_interrupts_and_ends_with_its_parent() -> None:
    """A process starts a worker, which survives Ctrl-C; then the parent ends, and the worker follows."""
    program = textwrap.dedent("""
        import os, subprocess, sys
        worker = "import os, time; from grokscape.landscape.scheduling.worker import prepare_worker;" \\
            f"prepare_worker({os.getpid()}); print('ready', flush=True); time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", worker], stdout=subprocess.PIPE)
        child.stdout.readline()
        print(child.pid, flush=True)
        sys.stdin.readline()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(worker, signal.SIGINT)
        time.sleep(0.3)
        assert not is_gone(worker)
        parent.kill()
    for _ in range(100):
        if is_gone(worker):
            break
        time.sleep(0.1)
    assert is_gone(worker)


def test_a_snapshot_that_finds_no_room_costs_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full for a while: the record that it ends with is the uninterrupted one."""
    store, run = Store(tmp_path), small_run(steps=30)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "save_snapshot", full)
    job = Job(name="x", store=str(tmp_path), experiments=[run.to_data()], interval=0.0)
    assert train_job(job.to_data())["trained"] == [run.identity]
    assert_same_trajectory(store.read(run).trajectory, train_alone(run).trajectory)


def test_what_a_training_raises_can_travel_and_ends_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that cannot be rebuilt from its message, and one that would end whoever reads the answer."""

    class Odd(Exception):
        def __init__(self, a: str, b: str) -> None:
            super().__init__(f"{a} {b}")

    toy = Toy()
    for error, message in ((Odd("a", "b"), "Odd: a b"), (SystemExit(3), "SystemExit: 3")):

        def train(cls: type, batch: object, session: object, error: BaseException = error) -> Iterator[object]:
            raise error
            yield

        monkeypatch.setattr(Toy, "train", classmethod(train))
        with pytest.raises(RuntimeError, match=message):
            train_job(Job(name="x", store=str(tmp_path), experiments=[toy.to_data()]).to_data())
