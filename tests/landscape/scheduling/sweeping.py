"""What a process does that a test is going to kill: ``python -m tests.landscape.scheduling.sweeping ACTION STORE``."""

from __future__ import annotations

import os
import sys
import threading
import time

from grokscape.landscape.learners import TwoCircuits
from grokscape.landscape.models import Perceptron
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.executor import train_all
from grokscape.landscape.scheduling.local import LocalExecutor, local_executor
from grokscape.landscape.scheduling.worker import Job, train_job
from grokscape.landscape.tasks import BinaryOperation
from grokscape.landscape.training.run import Run
from grokscape.landscape.training.schedule import Schedule


def wanted() -> list[Run | TwoCircuits]:
    """Return a sweep of some seconds: several batches, two generations, runs of different lengths, a learner."""
    runs = [
        Run(
            task=BinaryOperation(p=11),
            model=Perceptron(width=32 if seed % 2 else 40),
            optimiser=AdamW(lr=3e-3),
            n_train=60,
            seed=seed,
            steps=4000 + 1000 * seed,
            record=Schedule(per_decade=5, every=100),
            keep=(100,),
        )
        for seed in range(18)
    ]
    children = [runs[0].replace(start=runs[0], n_train=30, seed=seed) for seed in range(4)]
    return [*runs, *children, TwoCircuits(steps=4000)]


def long_run() -> Run:
    """Return a run that takes far longer than until its first snapshot."""
    return Run(
        task=BinaryOperation(p=11),
        model=Perceptron(width=32),
        n_train=60,
        seed=5,
        steps=60_000,
        record=Schedule(per_decade=5, every=50),
        keep=(50, 2000),
    )


def _tell_workers(pool: LocalExecutor) -> None:
    """Print each worker's process once it is there."""
    known: set[int] = set()
    while True:
        for pid in pool.pids() - known:
            known.add(pid)
            print("worker", pid, flush=True)
        time.sleep(0.02)


def main(action: str, path: str) -> None:
    """Carry out one action on a store."""
    store = Store(path)
    print("started", os.getpid(), flush=True)
    if action == "long":
        train_job(Job(name="long", store=path, experiments=[long_run().to_data()], interval=0.05).to_data())
        return
    with local_executor(1) as pool:
        threading.Thread(target=_tell_workers, args=(pool,), daemon=True).start()
        for event in train_all(wanted(), store, pool, tick=0.1):
            if event.experiment is not None:
                print("error" if event.error else "stored", event.experiment.identity, event.error, flush=True)
    print("finished", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
