"""How long a check will take, and how well it used the cores it had."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.scheduling.calibration import calibrate, learning, worth_measuring
from grokscape.landscape.scheduling.estimate import Costs
from grokscape.landscape.scheduling.local import available_cores, local_executor
from grokscape.reports.numbers import count, duration, share

#: Seconds of training from which on it is worth measuring how fast this machine is, and how long that may take.
WORTH_MEASURING, MEASURING = 60.0, 10.0

#: A check shorter than this need not show how well it used its cores.
WORTH_SHOWING = 10.0


@contextmanager
def measured_costs(
    experiments: Collection[Experiment], console: Console, modules: Sequence[str], device: str, compile: bool
) -> Iterator[Costs]:
    """Yield what trainings cost on this machine; measure first what matters and is not known, for some seconds.

    Parameters
    ----------
    experiments : collection of Experiment
        All that is to be trained, each once.
    console : Console
    modules, device, compile
        See `Check`.
    """
    with learning(device, compile) as costs:
        samples = worth_measuring(costs, experiments)
        if samples and sum(map(costs.seconds, experiments)) > WORTH_MEASURING:
            workers = min(len(samples), available_cores()) if device == "cpu" else 1
            with console.status("measuring how fast this machine trains"), local_executor(workers) as executor:
                for _ in calibrate(
                    costs, samples, executor, MEASURING, modules=modules, device=device, compile=compile
                ):
                    pass
        yield costs


def span(expected: float, most: float) -> str:
    """Return how long something will take, and how long at most if that is another matter."""
    about, at_most = duration(expected), duration(most)
    return f"about {about}" + (f", at most {at_most}" if most > expected and at_most != about else "")


class CoreTime:
    """What this process and those it started and saw end have used of the cores since it was made."""

    def __init__(self) -> None:
        self._began, self._before = time.monotonic(), os.times()

    def summary(self, workers: int) -> str:
        """Return how much of the time of their cores workers have used; "" if it is not worth showing.

        Where there is a worker for each core, this process has used of the same cores.
        """
        wall, now, before = time.monotonic() - self._began, os.times(), self._before
        used = now.children_user + now.children_system - before.children_user - before.children_system
        if wall < WORTH_SHOWING or used <= 0:  # some systems do not say
            return ""
        if workers >= available_cores():
            used += now.user + now.system - before.user - before.system
        part = min(1.0, used / wall / workers)
        return f"{duration(used)} of core time in {duration(wall)}: {share(part)} of {count(workers, 'core')}"
