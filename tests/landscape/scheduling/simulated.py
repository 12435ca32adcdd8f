"""Workers that only pretend to train: how long everything takes is given, and time passes at once."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from grokscape.landscape.description import from_data
from grokscape.landscape.experiment import Experiment, Outcome, Session
from grokscape.landscape.scheduling.job_reports import JobReport, may_stop
from grokscape.landscape.scheduling.outlook import Clock
from grokscape.landscape.scheduling.worker import Job
from grokscape.landscape.training.stop import Stop


@dataclass(frozen=True)
class Truth:
    """What an experiment takes: seconds if it ran to its end, and the share after which it stops."""

    whole: float
    share: float = 1.0

    @property
    def seconds(self) -> float:
        return self.whole * self.share


@dataclass(eq=False)
class Pretence:
    """A job that some worker pretends to do."""

    job: Job
    batch: list[Experiment]
    truths: list[Truth]
    future: Future[Any]
    fixed: float
    began: float = 0.0

    @property
    def seconds(self) -> float:
        return sum(truth.seconds for truth in self.truths) + self.fixed * len(self.batch)

    def report(self, elapsed: float) -> JobReport:
        """Return what the job reports after some seconds: runs that may stop are stepped together, others follow."""
        done = elapsed >= self.seconds
        if done or not may_stop(self.batch[0]):
            total = sum(truth.whole for truth in self.truths)
            now = 1.0 if done else min(1.0, elapsed / total)
            ended = {e.identity: t.share for e, t in zip(self.batch, self.truths, strict=True)} if done else {}
        else:
            low, high = 0.0, 1.0
            for _ in range(30):
                now = (low + high) / 2
                if sum(truth.whole * min(now, truth.share) for truth in self.truths) < elapsed:
                    low = now
                else:
                    high = now
            ended = {e.identity: t.share for e, t in zip(self.batch, self.truths, strict=True) if t.share <= now}
        fixed = self.fixed * len(ended)
        return JobReport(0.0, now, max(0.0, min(elapsed, self.seconds) - fixed), fixed, elapsed, ended)


class Simulation(Executor, Clock):
    """An executor and its clock.

    Parameters
    ----------
    workers : int
    path : Path
        The folder of the store.
    truth : callable
        Experiment -> `Truth`.
    write : callable
        Leaves the record of an experiment in the store.
    fixed : float
        Seconds that storing a run takes.
    """

    def __init__(
        self,
        workers: int,
        path: Path,
        truth: Callable[[Any], Truth],
        write: Callable[[Experiment], None],
        fixed: float = 0.01,
    ) -> None:
        self.workers, self.path, self.truth, self.write, self.fixed = workers, path, truth, write, fixed
        self.time = self.busy = 0.0
        self.waiting: deque[Pretence] = deque()
        self.working: list[Pretence] = []
        self.began: list[tuple[float, list[Experiment]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        job = Job(**args[0])
        batch = [experiment for data in job.experiments if isinstance(experiment := from_data(data), Experiment)]
        future: Future[Any] = Future()
        self.waiting.append(Pretence(job, batch, list(map(self.truth, batch)), future, self.fixed))
        self._start()
        return future

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass while the process that asked does something else."""
        until = self.time + seconds
        while self._finish_next(until):
            pass
        self.time = until

    def wait(self, futures: Collection[Future[Any]], timeout: float) -> Iterable[Future[Any]]:
        until = self.time + timeout
        if not any(future.done() for future in futures) and not self._finish_next(until):
            self.time = until
        for pretence in self.working:
            hint = self.path / "progress" / f"{pretence.job.name}.job"
            hint.write_text(json.dumps(asdict(pretence.report(self.time - pretence.began))))
        return [future for future in futures if future.done()]

    def _start(self) -> None:
        while self.waiting and len(self.working) < self.workers:
            pretence = self.waiting.popleft()
            pretence.began = self.time
            pretence.future.set_running_or_notify_cancel()
            self.working.append(pretence)
            self.began.append((self.time, pretence.batch))

    def _finish_next(self, until: float) -> bool:
        """Let the next job end that ends in time; say whether there was one."""
        first = min(self.working, key=lambda pretence: pretence.began + pretence.seconds, default=None)
        if first is None or first.began + first.seconds > until:
            return False
        self.time = max(self.time, first.began + first.seconds)
        self.working.remove(first)
        self.busy += first.seconds
        for experiment in first.batch:
            self.write(experiment)
        names = [experiment.identity for experiment in first.batch]
        report = asdict(first.report(first.seconds))
        first.future.set_result({"trained": names, "busy": [], "damaged": [], "notes": [], "report": report})
        self._start()
        return True


@dataclass(frozen=True, kw_only=True)
class Pretend(Experiment, kind="test_pretend"):
    """Something to pretend to train: of a family, of a size, and with settings of its own."""

    family: str = "a"
    size: int = 1
    setting: float = 0.0
    seed: int = 0
    steps: int = 1000
    stop: tuple[Stop, ...] = ()
    after: Pretend | None = None

    @property
    def parents(self) -> tuple[Experiment, ...]:
        return () if self.after is None else (self.after,)

    @property
    def batch_key(self) -> str:
        return f"{self.family} {self.size}"

    @property
    def work(self) -> float:
        return 1e7 * self.size * self.steps

    @classmethod
    def train(cls, batch: Sequence[Self], session: Session) -> Iterator[tuple[Self, Outcome]]:
        raise NotImplementedError


class Shelf:
    """A store that only knows what is there."""

    def __init__(self, path: Path) -> None:
        self.path, self.there = path, set[str]()
        (path / "progress").mkdir(exist_ok=True)

    def __contains__(self, experiment: Experiment) -> bool:
        return experiment.identity in self.there

    def put(self, experiment: Experiment) -> None:
        self.there.add(experiment.identity)
