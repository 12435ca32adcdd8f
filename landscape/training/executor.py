"""From wanted experiments to stored records, on any `concurrent.futures.Executor`."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field

from landscape.experiment import Experiment
from landscape.training.plan import Plan
from landscape.training.store import Store
from landscape.training.worker import USER_PREFIX, Job, train_job

#: Runs per ensemble. On a CPU more bring nothing and make the last job of a sweep long; a GPU is only full with many.
ENSEMBLE = {"cpu": 8, "cuda": 512}


@dataclass
class Progress:
    """How far a sweep is.

    Attributes
    ----------
    total, done : float
        Work in multiplications: of all that was missing at the start (of each wave, where there are several), and of
        what has been trained since.
    runs, runs_done : int
    before : float
        The part of `done` that an earlier, interrupted sweep did.
    seconds : float
        Since the start.
    """

    total: float
    runs: int
    done: float = 0.0
    before: float = 0.0
    runs_done: int = 0
    seconds: float = 0.0

    @property
    def eta(self) -> float | None:
        """Estimated seconds to go, None before there is enough to estimate it from."""
        here = self.done - self.before
        if here <= 0.005 * self.total or self.seconds < 3:
            return None
        return self.seconds * (self.total - self.done) / here


@dataclass(frozen=True)
class Event:
    """Something that happened in a sweep: an experiment is in the store (or failed), or time has passed.

    Attributes
    ----------
    progress : Progress
    experiment : Experiment or None
        The experiment that is finished; None for a tick.
    error : str
        Why it could not be trained; "" if it was.
    notes : tuple of str
        What a reader should know, such as damaged records that were recomputed.
    """

    progress: Progress
    experiment: Experiment | None = None
    error: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class _Sweep:
    """The state of `train_all`."""

    store: Store
    executor: Executor
    modules: Sequence[str]
    device: str
    compile: bool
    progress: Progress
    waiting: list[list[Experiment]]
    ready: set[str]
    finished: float = 0.0  # work of all that is announced, in earlier waves too
    began: float = 0.0  # such that the seconds of earlier waves count
    before: float = 0.0  # work that had been done before earlier waves
    failed: dict[str, str] = field(default_factory=dict)
    resumed: dict[str, float] = field(default_factory=dict)  # job -> work that an interrupted sweep had done of it
    running: dict[Future[dict[str, object]], tuple[Job, list[Experiment]]] = field(default_factory=dict)

    def submit_ready(self) -> Iterator[tuple[Experiment, str]]:
        """Submit every batch whose parents are there; yield the experiments that can never start."""
        still_waiting = []
        for batch in self.waiting:
            able = []
            for experiment in batch:
                lost = next((p.identity for p in experiment.parents if p.identity in self.failed), None)
                if lost is None:
                    able.append(experiment)
                    continue
                self.failed[experiment.identity] = f"its start failed: {self.failed[lost]}"
                self.finished += experiment.work
                self.progress.runs_done += 1
                yield experiment, self.failed[experiment.identity]
            if not able:
                continue
            if {parent.identity for experiment in able for parent in experiment.parents} <= self.ready:
                self.submit(able)
            else:
                still_waiting.append(able)
        self.waiting = still_waiting

    def submit(self, batch: list[Experiment]) -> None:
        # Where the descriptions' own classes live, besides what the caller named; never a name out of a store.
        homes = {type(part).__module__ for experiment in batch for part in experiment.parts()}
        importable = sorted(home for home in homes if not home.startswith(USER_PREFIX))
        job = Job(
            name=uuid.uuid4().hex[:12],
            store=str(self.store.path.resolve()),
            experiments=[experiment.to_data() for experiment in batch],
            modules=[*self.modules, *importable],
            device=self.device,
            compile=self.compile,
        )
        try:
            future = self.executor.submit(train_job, job.to_data())
        except RuntimeError as error:  # a broken executor takes nothing more, and says so at every call
            future = Future()
            future.set_exception(error)
        self.running[future] = (job, batch)

    def measure(self) -> None:
        """Update the progress from what running jobs tell."""
        partial = 0.0
        for job, batch in self.running.values():
            file = self.store.path / "progress" / f"{job.name}.job"
            with contextlib.suppress(OSError, ValueError):
                first, now = map(float, file.read_text().split())
                work = sum(experiment.work for experiment in batch)
                self.resumed[job.name] = first * work
                partial += now * work
        self.progress.done = max(self.progress.done, self.finished + partial)
        self.progress.before = self.before + sum(self.resumed.values())
        self.progress.seconds = time.monotonic() - self.began


def train_all(
    experiments: Iterable[Experiment] | Plan,
    store: Store,
    executor: Executor,
    *,
    modules: Sequence[str] = (),
    device: str = "cpu",
    compile: bool = False,
    tick: float = 0.5,
    progress: Progress | None = None,
) -> Iterator[Event]:
    """Train whatever is missing; yield an event per finished experiment, and one every `tick` seconds.

    Experiments that the store has already are not announced. One that cannot be trained is announced with its error
    and does not stop the others.

    Parameters
    ----------
    experiments : iterable of Experiment, or a Plan
        What is wanted; ancestors are found and trained first.
    store : Store
    executor : Executor
        Any; it gets `submit` calls of a module-level function with one JSON-able argument.
    modules : sequence of str
        What workers must import to know the descriptions.
    device, compile
        See `StoreSession`.
    tick : float
        Seconds.
    progress : Progress, optional
        Of earlier waves of the same sweep, to which this one is added.
    """
    plan = experiments if isinstance(experiments, Plan) else Plan.of(experiments, store)
    missing = {experiment.identity for experiment in plan.missing}
    progress = Progress(0.0, 0) if progress is None else progress
    progress.total += sum(experiment.work for experiment in plan.missing)
    progress.runs += len(plan.missing)
    batches = plan.batches(ENSEMBLE["cuda" if device.startswith("cuda") else "cpu"])
    sweep = _Sweep(store, executor, modules, device, compile, progress, batches, set(plan.wanted) - missing)
    sweep.finished, sweep.before = progress.done, progress.before
    sweep.began = time.monotonic() - progress.seconds
    while sweep.waiting or sweep.running:
        for experiment, error in sweep.submit_ready():
            yield Event(progress, experiment, error)
        done, _ = wait(sweep.running, timeout=tick, return_when=FIRST_COMPLETED)
        for future in done:
            _, batch = sweep.running.pop(future)
            yield from _collect(sweep, future, batch)
        sweep.measure()
        yield Event(progress)


def _collect(sweep: _Sweep, future: Future[dict[str, object]], batch: list[Experiment]) -> Iterator[Event]:
    """Turn a finished job into events; what another process was training is submitted again."""
    error, busy = "", set()
    notes: tuple[str, ...] = ()
    try:
        answer: Mapping[str, object] = future.result()
    except BrokenExecutor:
        error = "a worker was killed (out of memory?); what was finished is kept, run the same command again"
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"
        alone = [experiment for experiment in batch if experiment not in sweep.store]
        if len(batch) > 1 and alone:
            # One of them broke the job; the others should not suffer for the company they were in.
            for experiment in alone:
                sweep.submit([experiment])
            batch = [experiment for experiment in batch if experiment not in alone]
    else:
        busy = set(answer["busy"])  # type: ignore[call-overload]
        notes = tuple(answer["damaged"])  # type: ignore[arg-type]
    again = []
    for experiment in batch:
        # A run may have been stored before its neighbour broke the job.
        stored = experiment in sweep.store
        if not stored and experiment.identity in busy:
            again.append(experiment)
            continue
        sweep.finished += experiment.work
        sweep.progress.runs_done += 1
        if stored:
            sweep.ready.add(experiment.identity)
            yield Event(sweep.progress, experiment, notes=notes)
        else:
            sweep.failed[experiment.identity] = error or "it ended without a record"
            yield Event(sweep.progress, experiment, sweep.failed[experiment.identity], notes)
        notes = ()
    if again:
        time.sleep(0.5)
        sweep.submit(again)
