"""The default executor: single-threaded processes on this machine, each replaced when it is killed."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, ParamSpec, TypeVar

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.scheduling.worker import ENVIRONMENT, prepare_worker

P = ParamSpec("P")
T = TypeVar("T")

#: More processes than any one machine has use for; a number beyond it is a slip of the keyboard.
MOST_WORKERS = 1024


class LocalExecutor(Executor):
    """Single-threaded processes on this machine.

    A process that ends before its task does, as one that the system kills for want of memory, costs that task alone:
    its future raises `BrokenProcessPool`, the other processes go on undisturbed, and a new process takes its place.
    (A `ProcessPoolExecutor` loses whatever was submitted, and takes nothing more.)

    Parameters
    ----------
    workers : int

    Raises
    ------
    InvalidInput
        If the system does not let so many processes start.

    Notes
    -----
    Each process is a pool of one, and each has a thread here that waits for it.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._closing = False
        self._lock = threading.Lock()
        self._pools: set[ProcessPoolExecutor] = set()
        self._idle: queue.SimpleQueue[ProcessPoolExecutor] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="grokscape-worker")
        try:
            for _ in range(workers):
                self._idle.put(self._new_pool())
        except BaseException as error:
            self.terminate()
            self.shutdown()
            if isinstance(error, OSError):
                raise InvalidInput(f"{workers} processes cannot be started ({error}); take fewer workers") from error
            raise

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in one of the processes, as soon as one is free."""
        return self._threads.submit(self._run, fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more; end the processes once what was submitted is done."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait:
            with self._lock:
                self._closing = True
            for pool in self._pools:
                pool.shutdown(wait=True)

    def terminate(self) -> None:
        """End the processes at once, in the middle of whatever they do."""
        with self._lock:
            self._closing = True
        for pool in self._pools:
            for process in _processes(pool):
                process.terminate()

    def pids(self) -> set[int]:
        """Return the numbers of the processes that live."""
        with self._lock:
            pools = list(self._pools)
        return {process.pid for pool in pools for process in _processes(pool) if process.pid is not None}

    def _run(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        pool = self._idle.get()
        try:
            try:
                future = pool.submit(fn, *args, **kwargs)
            except BrokenProcessPool:  # killed while it had nothing to do
                pool = self._replace(pool)
                future = pool.submit(fn, *args, **kwargs)
            return future.result()
        except BrokenProcessPool:
            pool = self._replace(pool)
            raise
        finally:
            self._idle.put(pool)

    def _replace(self, pool: ProcessPoolExecutor) -> ProcessPoolExecutor:
        """Return a pool in place of one whose process was killed, unless all shall end."""
        pool.shutdown(wait=True)
        with self._lock:
            if self._closing:
                return pool
            self._pools.discard(pool)
        return self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        context = get_context("spawn")
        pool = ProcessPoolExecutor(1, mp_context=context, initializer=prepare_worker, initargs=(os.getpid(),))
        with self._lock:
            if self._closing:
                pool.shutdown()
                return pool
            self._pools.add(pool)
            with _deaf_to_interrupts():
                pool.submit(os.getpid)  # starts the process
        return pool


@contextlib.contextmanager
def local_executor(workers: int | None = None) -> Iterator[LocalExecutor]:
    """Yield single-threaded processes on this machine, by default one for each core.

    A process that is killed is replaced, and loses only the task it was at. On any exception, Ctrl-C included, the
    processes are ended at once; what they had finished is in the store.

    Raises
    ------
    InvalidInput
        If `workers` is less than 1, or more than any machine has use for.
    """
    workers = available_cores() if workers is None else workers
    refuse_workers(workers, "workers")
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    executor = None
    try:
        executor = LocalExecutor(workers)
        yield executor
    except BaseException:
        if executor is not None:
            executor.terminate()
        raise
    finally:
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)
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


def refuse_workers(workers: int, name: str) -> None:
    """Refuse a number of processes that no machine can start; `name` is what the user calls it."""
    if not 1 <= workers <= MOST_WORKERS:
        bound = "at least 1" if workers < 1 else f"at most {MOST_WORKERS}"
        raise InvalidInput(f"{name} is {workers}, expected {bound} processes; one for each core is the default")


def _processes(pool: ProcessPoolExecutor) -> list[Any]:
    return list((getattr(pool, "_processes", None) or {}).values())


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let processes that start here be deaf to Ctrl-C from their first instruction on: this process answers it.

    They inherit the mask of the thread that starts them, and ignore the signal for good in `prepare_worker`.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
