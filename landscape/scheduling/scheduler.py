"""Trainings under way, to which more may be added at any time."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, field
from pathlib import Path

from grokscape.landscape.errors import StoreError, Unavailable
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.printable import error_text, short
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.estimate import Costs
from grokscape.landscape.scheduling.job_reports import JobReport
from grokscape.landscape.scheduling.order import Queue
from grokscape.landscape.scheduling.outlook import Clock, Outlook, UnderWay, workers_of
from grokscape.landscape.scheduling.plan import Plan
from grokscape.landscape.scheduling.progress import SweepProgress
from grokscape.landscape.scheduling.worker import Job, train_job

#: Runs per ensemble. On a CPU more bring nothing and make the last job of a sweep long; a GPU is only full with many.
ENSEMBLE = {"cpu": 10, "cuda": 512}

#: What is said of an experiment that is left out because workers die of it.
KILLED = (
    "a worker was killed at it twice (out of memory?), so that {run} is left out; free some memory or take fewer "
    "workers, then run the same command again: what was finished is kept"
)


class _Refused(Exception):
    """An executor that takes nothing more; says why."""


@dataclass(frozen=True)
class Failure:
    """Why something could not be trained, and whether that is a mistake or what is `Unavailable` here."""

    reason: str
    unavailable: bool = False


@dataclass(frozen=True)
class Event:
    """Something that happened in a sweep: an experiment is in the store (or failed), or time has passed.

    Attributes
    ----------
    progress : SweepProgress
    experiment : Experiment or None
        The experiment that is finished; None for a tick.
    failure : Failure or None
        Why it could not be trained; None if it was.
    notes : tuple of str
        What a reader should know, such as damaged records that were recomputed.
    """

    progress: SweepProgress
    experiment: Experiment | None = None
    failure: Failure | None = None
    notes: tuple[str, ...] = ()

    @property
    def error(self) -> str:
        """The reason of the failure; "" without one."""
        return self.failure.reason if self.failure else ""


def _named(experiment: Experiment) -> str:
    return f"{short(experiment, 200)} (run {experiment.identity[:8]})"


def outlook(
    costs: Costs, workers: int | None, device: str = "cpu", compile: bool = False, clock: Clock | None = None
) -> Outlook:
    """Return the outlook of a sweep that has nothing to do yet."""
    plain = device == "cpu" and not compile  # elsewhere a batch costs little more than one run
    queue = Queue(costs, ENSEMBLE["cpu" if device == "cpu" else "cuda"], cut=plain)
    return Outlook(queue, clock or Clock(), workers)


@dataclass
class Scheduler:
    """Train what plans are missing; see `train_all` for the parameters.

    Iterate over `events`; until it ends, `add` takes more plans. What is trained next is for the `queue` to say, to
    which goals can be named.

    A batch whose worker was killed (for want of memory, say) is trained again, each experiment alone, from their last
    snapshots; an experiment that was alone in a worker that was killed, after a first loss, is left out and named.
    This needs an executor that goes on after such a loss, as `local_executor`'s does; one that does not ends the sweep
    with an error for each experiment that is left, and the next sweep goes on from there.

    Attributes
    ----------
    failed : dict
        Identity -> why it could not be trained.
    """

    store: Store
    executor: Executor
    modules: Sequence[str] = ()
    device: str = "cpu"
    compile: bool = False
    costs: Costs = field(default_factory=Costs)
    clock: Clock = field(default_factory=Clock)
    progress: SweepProgress = field(default_factory=SweepProgress)
    failed: dict[str, Failure] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    ready: set[str] = field(default_factory=set)
    running: dict[Future[dict[str, object]], UnderWay] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)  # identity -> how often a worker was killed at it
    said: set[str] = field(default_factory=set)  # notes of jobs
    finished: float = 0.0  # work of all that is announced

    def __post_init__(self) -> None:
        self.outlook = outlook(self.costs, workers_of(self.executor), self.device, self.compile, self.clock)
        self.queue = self.outlook.queue
        self.began = self.clock.now()

    def add(self, plan: Plan) -> None:
        """Ask for what a plan is missing, unless it was asked for before; what failed then is not tried again."""
        missing = {experiment.identity for experiment in plan.missing}
        lost = missing & self.ready  # damaged since
        self.asked -= lost
        self.ready -= lost
        new = [experiment for experiment in plan.missing if experiment.identity not in self.asked]
        self.asked |= missing
        self.ready |= plan.wanted.keys() - missing
        self.progress.total += sum(self.costs.of(experiment).work for experiment in new)
        self.progress.runs += len(new)
        self.queue.add(new)

    def events(self, tick: float = 0.5) -> Iterator[Event]:
        """Yield an event per finished experiment, and one every `tick` seconds, until nothing is left to train."""
        for event in self._events(tick):
            before = self.clock.now()
            self.progress.seconds = before - self.began
            self.progress.eta = self.outlook.to_go(self.running) if self.costs.known else None
            yield event
            self.outlook.elsewhere += self.clock.now() - before

    def _events(self, tick: float) -> Iterator[Event]:
        while self.queue or self.running:
            while orphans := self.queue.orphans(self.failed.keys()):
                for experiment in orphans:
                    cause = next(self.failed[p.identity] for p in experiment.parents if p.identity in self.failed)
                    self.failed[experiment.identity] = Failure(f"its start failed: {cause.reason}", cause.unavailable)
                    yield self.announce(experiment)
            self.feed()
            for future in self.clock.wait(self.running, tick):
                under = self.running.pop(future)
                with contextlib.suppress(OSError):  # a worker that was killed has left it
                    self.hint(under.job).unlink(missing_ok=True)
                yield from self.collect(future, under)
            self.measure()
            yield Event(self.progress)

    def announce(self, experiment: Experiment, notes: tuple[str, ...] = ()) -> Event:
        """Count an experiment that is finished, for better or worse."""
        self.finished += self.costs.of(experiment).work
        self.progress.runs_done += 1
        return Event(self.progress, experiment, self.failed.get(experiment.identity), notes)

    def feed(self) -> None:
        """Give the workers what comes next, and a little more: they shall not wait for this process."""
        while self.queue and self.outlook.hungry(self.running):
            near = self.outlook.wants_near(self.running)
            batch = self.queue.next(self.ready, self.outlook.per_worker(self.running), near)
            if not batch:
                break
            self.submit(batch, near)

    def submit(self, batch: list[Experiment], near: bool = False) -> None:
        job = Job.of(batch, str(self.store.path.resolve()), self.modules, self.device, self.compile)
        try:
            future = self.executor.submit(train_job, job.to_data())
        except RuntimeError as error:  # a broken executor takes nothing more, and says so at every call
            future = Future()
            reason = f"the executor takes no more work ({error_text(error)})"
            future.set_exception(_Refused(f"{reason}; what was finished is kept, run the same command again"))
        self.running[future] = UnderWay(job.name, batch, near)

    def collect(self, future: Future[dict[str, object]], under: UnderWay) -> Iterator[Event]:
        """Turn a finished job into events; what another process was training is submitted again."""
        batch = under.batch
        failure, busy = Failure("it ended without a record"), set()
        failures: dict[str, Failure] = {}  # of single experiments
        notes: tuple[str, ...] = ()
        broken = False
        try:
            answer: Mapping[str, object] = future.result()
        except BrokenExecutor:
            batch = yield from self.retry(batch)
            failures = {e.identity: Failure(KILLED.format(run=_named(e))) for e in batch}
        except Exception as error:
            lacking = isinstance(error, Unavailable)
            named = lacking or isinstance(error, _Refused | StoreError)
            failure = Failure(str(error) if named else error_text(error), lacking)
            broken = True
            alone = [experiment for experiment in batch if not self._has(experiment, broken)]
            if len(batch) > 1 and alone:
                # One of them broke the job; the others are trained without it.
                for experiment in alone:
                    self.submit([experiment])
                batch = [experiment for experiment in batch if experiment not in alone]
        else:
            busy = set(answer["busy"])  # type: ignore[call-overload]
            notes = (*answer["damaged"], *self.unsaid(answer["notes"]))  # type: ignore[misc, arg-type]
            self.outlook.finished(under, answer.get("report"))
        again = []
        for experiment in batch:
            # A run may have been stored before its neighbour broke the job.
            stored = self._has(experiment, broken)
            if not stored and experiment.identity in busy:
                again.append(experiment)
                continue
            if stored:
                self.ready.add(experiment.identity)
            else:
                self.failed[experiment.identity] = failures.get(experiment.identity, failure)
            yield self.announce(experiment, notes)
            notes = ()
        if again:
            self.clock.sleep(0.5)
            self.submit(again)

    def unsaid(self, notes: Sequence[str]) -> list[str]:
        """Return the notes that no job of this sweep had before."""
        new = [note for note in notes if note not in self.said]
        self.said.update(new)
        return new

    def _has(self, experiment: Experiment, broken: bool) -> bool:
        """Say whether a record is there, and sound where no worker reported it: a damaged one may be in the way."""
        if not broken or experiment not in self.store:
            return experiment in self.store
        try:
            return self.store.usable(experiment)[0]
        except (OSError, StoreError):
            return False

    def retry(self, batch: list[Experiment]) -> Generator[Event, None, list[Experiment]]:
        """Submit again, each alone, what was lost with a worker; return what is stored or was lost before."""
        lost = [experiment for experiment in batch if experiment not in self.store]
        self.killed.update(experiment.identity for experiment in lost)
        again = [experiment for experiment in lost if self.killed[experiment.identity] < 2]
        for experiment in again:
            self.submit([experiment])
        if again:
            what = f"{len(again)} runs" if len(again) > 1 else "a run"
            yield Event(
                self.progress,
                notes=(f"a worker was killed (out of memory?); {what} that it trained will be trained again, alone",),
            )
        return [experiment for experiment in batch if experiment not in again]

    def hint(self, job: str) -> Path:
        """Return the file in which a job reports its progress."""
        return self.store.path / "progress" / f"{job}.job"

    def measure(self) -> None:
        """Update the progress from the reports of running jobs."""
        partial = 0.0
        for under in self.running.values():
            with contextlib.suppress(OSError, ValueError):
                under.report = JobReport.read(json.loads(self.hint(under.job).read_text()))
                partial += under.report.now * sum(self.costs.of(experiment).work for experiment in under.batch)
        self.progress.done = max(self.progress.done, self.finished + partial)
