"""What a job has done and what that took: its progress report, written by a worker and read by the scheduler."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from grokscape.landscape.experiment import Experiment

T = TypeVar("T")


def length(experiment: Experiment) -> int:
    """Return how many steps an experiment takes at most; 0 if it has no steps."""
    steps = getattr(experiment, "steps", getattr(experiment, "epochs", 0))
    return steps if isinstance(steps, int) else 0


def may_stop(experiment: Experiment) -> bool:
    """Say whether it has a rule to stop early."""
    return bool(getattr(experiment, "stop", ()))


@dataclass(frozen=True)
class JobReport:
    """What a job has done so far.

    Attributes
    ----------
    first, now : float
        The share of its steps that it had taken when it was resumed (0 if it was not), and has taken now.
    training, fixed : float
        Seconds of a core that it took for training, and for everything else: locking, reading, writing.
    wall : float
        Seconds since it began.
    ended : dict
        Identity -> share of its steps, of the experiments that are finished.
    """

    first: float
    now: float
    training: float
    fixed: float
    wall: float
    ended: Mapping[str, float]

    @classmethod
    def read(cls, data: Any) -> JobReport:
        """Read what a `JobReporter` wrote.

        Raises
        ------
        ValueError
            If it is something else, such as half of it.
        """
        try:
            ended = {str(identity): float(share) for identity, share in data["ended"].items()}
            numbers = {name: float(data[name]) for name in ("first", "now", "training", "fixed", "wall")}
            return cls(**numbers, ended=ended)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"no report of a job ({error!r})") from error

    def done(self, experiment: Experiment) -> float:
        """Return the share of an experiment that the job did.

        Runs that may stop early are stepped together, and those that have ended cost nothing since; of others only
        how much of the whole is done is known, for they may be trained one after the other.
        """
        now = self.ended.get(experiment.identity, self.now) if may_stop(experiment) else self.now
        return max(0.0, now - self.first)


@dataclass
class JobReporter:
    """Takes the time of a job, and writes its progress reports where the scheduler reads them.

    Parameters
    ----------
    path : Path
    clock : callable
        What seconds are counted by: those of this thread, unless most of the work is done elsewhere.
    resumed : callable
        Says whether the first share that is reported was done by an earlier job.
    """

    path: Path
    clock: Callable[[], float] = time.thread_time
    resumed: Callable[[], bool] = lambda: False
    ended: dict[str, float] = field(default_factory=dict)
    first: float | None = None
    now: float = 0.0
    training: float = 0.0

    def __post_init__(self) -> None:
        self._began, self._wall = self.clock(), time.monotonic()
        self._entered: float | None = None  # when training went on, if it is not storing that is going on

    def timed(self, trained: Iterator[T]) -> Iterator[T]:
        """Yield what a training yields, and count the seconds that it takes for that."""
        while True:
            self._entered = self.clock()
            try:
                item = next(trained)
            except StopIteration:
                return
            finally:
                self.training += self.clock() - self._entered
                self._entered = None
            yield item

    def end(self, experiment: Experiment, last_step: object) -> None:
        """Take in that an experiment is stored, and at which step it ended."""
        whole = length(experiment)
        known = isinstance(last_step, int | float) and whole > 0
        self.ended[experiment.identity] = min(1.0, float(last_step) / whole) if known else 1.0  # type: ignore[arg-type]

    def __call__(self, done: float) -> None:
        """Report the share done so far."""
        if self.first is None:
            self.first = done if self.resumed() else 0.0
        self.now = done
        with contextlib.suppress(OSError):  # a hint; not worth a training
            self.path.write_text(json.dumps(self.to_data()))

    def to_data(self) -> dict[str, Any]:
        """Return what a `JobReport` is read from."""
        now = self.clock()
        training = self.training + (0.0 if self._entered is None else now - self._entered)
        report = JobReport(
            self.first or 0.0,
            self.now,
            training,
            now - self._began - training,
            time.monotonic() - self._wall,
            self.ended,
        )
        return asdict(report)
