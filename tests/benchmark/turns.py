"""Timing in turns: entrants in processes of their own, all on one core, one at a time.

Whoever is measured has the core to itself as far as this program goes: the others wait for a message. Libraries that
would disturb each other (their threads, their settings of memory and of arithmetic) are kept apart by their processes.

On a CPU the processor time of a process is counted, over all its threads. Everything is single-threaded and on one
core, so that it is the time on the clock of an idle machine, and other programs on the machine disturb it far less:
they lengthen the wait for the core, which is not counted, and cost only what they displace from caches.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tests.benchmark.numbers import Parameters

ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Entrant(Protocol):
    """Somebody who trains the runs that all train."""

    def advance(self, steps: int) -> None:
        """Take some steps, and return when they are taken."""

    def weights(self) -> Parameters:
        """Return the parameters of all runs, or nothing."""


@dataclass(frozen=True)
class Entry:
    """An entrant that is yet to be built, in the process that it is to run in.

    Attributes
    ----------
    name : str
    process : str
    build : callable
        At the top of a module, which is imported in that process.
    arguments : tuple
    steps : int, optional
        Of a turn, if others than all take; for who is so slow that a turn would take minutes.
    """

    name: str
    process: str
    build: Callable[..., Entrant]
    arguments: tuple[Any, ...] = ()
    steps: int | None = None


#: The entrants of a process.
_built: dict[str, Entrant] = {}


def _build(name: str, build: Callable[..., Entrant], arguments: tuple[Any, ...]) -> None:
    _built[name] = build(*arguments)


def _advance(name: str, steps: int) -> tuple[float, float]:
    """Return the seconds that it took, of the processor and of the clock."""
    entrant = _built[name]
    clock, processor = time.perf_counter(), time.process_time()
    entrant.advance(steps)
    return time.process_time() - processor, time.perf_counter() - clock


def _forget(name: str) -> None:
    del _built[name]


def _weights(name: str) -> Parameters:
    return _built[name].weights()


class Processes:
    """Processes with an environment each, started when they are first needed, that take turns on one core.

    Parameters
    ----------
    environments : mapping of str to mapping
        Name of a process -> what its environment has that differs from this one's; None takes a variable away.
    """

    def __init__(self, environments: Mapping[str, Mapping[str, str | None]]) -> None:
        self.environments = environments
        self.started: dict[str, ProcessPoolExecutor] = {}

    def ask(self, process: str, question: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in a process, and return what it returns or raise what it raises."""
        if process not in self.started:
            executor = ProcessPoolExecutor(1, get_context("spawn"))
            with environment(self.environments[process]):
                executor.submit(os.getpid).result()  # makes it start
            self.started[process] = executor
        return self.started[process].submit(question, *arguments).result()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for executor in self.started.values():
            executor.shutdown()


@contextmanager
def environment(changes: Mapping[str, str | None]) -> Iterator[None]:
    """Change this process's environment for a while, for the processes that it starts."""
    before = dict(os.environ)
    for name, value in changes.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def pin_to_one_core() -> str:
    """Keep this process and all that it starts on one core; return what was done, in words."""
    if not hasattr(os, "sched_setaffinity"):
        return "one thread each; this system pins no process to a core"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"one thread each, all on core {core}"


@dataclass(frozen=True)
class Times:
    """Seconds of a step in every turn.

    Attributes
    ----------
    seconds : dict of array
        Entrant -> what counts: of the processor, or of the clock.
    clock : dict of array
        Entrant -> of the clock.
    """

    seconds: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    clock: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def ms(self, name: str) -> float:
        """Return an entrant's median in milliseconds."""
        return self.quartiles(name)[1] * 1e3

    def quartiles(self, name: str) -> tuple[float, float, float]:
        """Return the quartiles of an entrant's seconds, the median second."""
        return _quartiles(self.seconds[name])

    def ratio(self, name: str, to: str) -> tuple[float, float, float]:
        """Return the quartiles of one entrant's time over another's in the same turn."""
        return _quartiles(self.seconds[name] / self.seconds[to])

    @property
    def waited(self) -> float:
        """Median of the clock over what counts: 1 if the core was never shared."""
        return float(np.median(np.concatenate([self.clock[name] / self.seconds[name] for name in self.seconds])))


def _quartiles(values: NDArray[np.float64]) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return float(low), float(middle), float(high)


@dataclass
class Race:
    """Entrants that take the same steps in turns.

    Parameters
    ----------
    processes : Processes
    entries : sequence of Entry
    """

    processes: Processes
    entries: Sequence[Entry]

    def __post_init__(self) -> None:
        for entry in self.entries:
            self.processes.ask(entry.process, _build, entry.name, entry.build, entry.arguments)

    def advance(self, steps: int) -> None:
        """Let everyone take some steps."""
        for entry in self.entries:
            self.processes.ask(entry.process, _advance, entry.name, steps)

    def weights(self) -> dict[str, Parameters]:
        """Return entrant -> the parameters of all its runs, of those who train."""
        found = {entry.name: self.processes.ask(entry.process, _weights, entry.name) for entry in self.entries}
        return {name: weights for name, weights in found.items() if weights}

    def times(self, *, steps: int, rounds: int, warm: int, processor: bool = True) -> Times:
        """Take turns of some steps, forwards and backwards through the entrants.

        Parameters
        ----------
        steps, rounds : int
            Steps of a turn, and turns of each entrant.
        warm : int
            Turns before the first that counts.
        processor : bool
            Whether processor time counts, or the clock.
        """
        taken: dict[str, list[NDArray[np.float64]]] = {entry.name: [] for entry in self.entries}
        for turn in range(warm + rounds):
            for entry in self.entries[:: 1 if turn % 2 else -1]:
                own = entry.steps or steps
                both = self.processes.ask(entry.process, _advance, entry.name, own)
                if turn >= warm:
                    taken[entry.name].append(np.array(both) / own)
        seconds, clock = ({n: np.array(values)[:, kind] for n, values in taken.items()} for kind in (0, 1))
        return Times(seconds if processor else clock, clock)

    def __enter__(self) -> Race:
        return self

    def __exit__(self, *_: object) -> None:
        for entry in self.entries:
            self.processes.ask(entry.process, _forget, entry.name)
