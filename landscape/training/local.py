"""The default executor: single-threaded processes on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from landscape.training.worker import ENVIRONMENT, prepare_worker


@contextlib.contextmanager
def local_executor(workers: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of single-threaded processes on this machine, by default one for each core.

    On any exception, Ctrl-C included, the workers are ended at once; what they had finished is in the store.
    """
    workers = workers or available_cores()
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=prepare_worker, initargs=(os.getpid(),)
    )
    try:
        _start(pool, workers)
        yield pool
    except BaseException:
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start(pool: ProcessPoolExecutor, workers: int) -> None:
    """Start all processes, deaf to Ctrl-C from their first instruction on: it is this process that answers it."""
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for _ in range(workers):
            pool.submit(os.getpid)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
