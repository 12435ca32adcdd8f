"""How long a sweep will still take, and how much work to keep at hand for its workers."""

from __future__ import annotations

import contextlib
import heapq
import math
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import Any

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.scheduling.estimate import Costs
from grokscape.landscape.scheduling.job_reports import JobReport, may_stop
from grokscape.landscape.scheduling.order import Queue

#: Seconds of work per worker that wait in the executor, so that none is idle while this process judges.
AHEAD = 3.0

#: Seconds between two looks at everything, and how many more for each run that waits: looking takes time, too.
PERIOD, PERIOD_PER_RUN = 0.5, 5e-4

#: Seconds that the nearest goal has for itself, until one is reached.
HEAD_START = 30.0

#: What a job of long ago still counts, for each one since, in what part of a core workers get.
FADING = 0.9


class Clock:
    """What a sweep asks of time; a simulation has another."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait(self, futures: Collection[Future[Any]], timeout: float) -> Iterable[Future[Any]]:
        """Return the futures that are done, as soon as one is or when time is up."""
        return wait(futures, timeout=timeout, return_when=FIRST_COMPLETED).done


@dataclass
class UnderWay:
    """A job that an executor has, whether it is for the nearest goal, and its last progress report."""

    job: str
    batch: list[Experiment]
    near: bool = False
    report: JobReport | None = None

    def left(self, costs: Costs) -> float:
        """Return the seconds that the job may be expected to take from now on."""
        if self.report is None:
            return sum(map(costs.seconds, self.batch))
        living = [e for e in self.batch if e.identity not in self.report.ended]
        stepped = sum(costs.left(e, self.report.now) for e in living if may_stop(e))
        others = sum(costs.whole(e) for e in self.batch if not may_stop(e)) * (1 - self.report.now)
        return stepped + others + costs.fixed * len(living)


class Outlook:
    """What is to be expected of a sweep.

    Parameters
    ----------
    queue : Queue
    clock : Clock
    workers : int or None
        None if it is not known, so that the executor shall have everything at once.
    """

    def __init__(self, queue: Queue, clock: Clock, workers: int | None) -> None:
        self.queue, self.clock, self.workers = queue, clock, workers
        self.elsewhere = 0.0  # seconds that whoever asked for the sweep has taken for other things
        self._began = clock.now()
        self._used, self._wall = 1.0, 1.0  # seconds of a core, and of the clock, of the latest jobs
        self._looked = -math.inf
        self._each = self._to_go = math.inf

    def finished(self, under: UnderWay, answer: object) -> None:
        """Learn from a job that has ended."""
        with contextlib.suppress(ValueError):
            report = JobReport.read(answer)
            self.queue.costs.ended(under.job, under.batch, report)
            self._used = FADING * self._used + report.training + report.fixed
            self._wall = FADING * self._wall + report.wall

    def hungry(self, running: Mapping[Future[Any], UnderWay]) -> bool:
        """Say whether the workers should have more at hand."""
        if self.workers is None or len(running) < 2 * self.workers:
            return True
        idle = [under for future, under in running.items() if not (future.running() or future.done())]
        return sum(under.left(self.queue.costs) for under in idle) < AHEAD * self.workers

    def wants_near(self, running: Mapping[Future[Any], UnderWay]) -> bool:
        """Say whether the next job should be for the nearest goal: every other one, and at first all."""
        if not self.queue.reached and self.clock.now() - self._began < HEAD_START:
            return True
        return 2 * sum(under.near for under in running.values()) <= len(running)

    def per_worker(self, running: Mapping[Future[Any], UnderWay]) -> float:
        """Return the seconds that each worker has still to work."""
        self._look(running)
        return self._each

    def to_go(self, running: Mapping[Future[Any], UnderWay]) -> float:
        """Return the seconds to go, as far as they can be estimated."""
        self._look(running)
        return max(0.0, self._to_go - (self.clock.now() - self._looked))

    def _look(self, running: Mapping[Future[Any], UnderWay]) -> None:
        """Look at everything, if the last look was a while ago."""
        if self.clock.now() - self._looked < PERIOD + PERIOD_PER_RUN * len(self.queue):
            return
        self._looked = self.clock.now()
        costs, jobs = self.queue.costs, list(running.values())
        for under in jobs:
            if under.report is not None:
                costs.saw(under.job, under.batch, under.report)
        self.queue.look()
        reports = [under.report for under in jobs if under.report is not None]
        used = self._used + sum(report.training + report.fixed for report in reports)
        part = min(1.0, used / (self._wall + sum(report.wall for report in reports)))
        loads, waiting = [under.left(costs) for under in jobs], self.queue.seconds()
        workers = self.workers or max(1, len(jobs))
        self._each = math.inf if self.workers is None else (sum(loads) + sum(waiting)) / workers / part
        tails = [max(self.queue.after(experiment.identity) for experiment in under.batch) for under in jobs]
        chains = [self.queue.chain(), *(load + tail for load, tail in zip(loads, tails, strict=True))]
        longest = max(*chains, makespan(loads, waiting, workers)) / part
        each = self.elsewhere / max(1, self.queue.reached)
        self._to_go = max(longest, each * len(self.queue.goals)) + each * bool(self.queue.goals)


def makespan(loads: Sequence[float], waiting: Iterable[float], workers: int) -> float:
    """Return when the last of some workers is done who take the longest of what waits whenever one is free.

    Parameters
    ----------
    loads : sequence of float
        What is under way or waits before everything else.
    waiting : iterable of float
    workers : int
    """
    ends = [0.0] * workers
    for seconds in [*sorted(loads, reverse=True), *sorted(waiting, reverse=True)]:
        heapq.heapreplace(ends, ends[0] + seconds)
    return max(ends)


def workers_of(executor: Executor) -> int | None:
    """Return how many jobs an executor runs at once, if it says so."""
    found = getattr(executor, "workers", getattr(executor, "_max_workers", None))
    return found if isinstance(found, int) and found > 0 else None
