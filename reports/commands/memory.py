"""An estimate of the memory that a check will take: of the process that checks, and of each of its workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.scheduling.plan import ancestry
from grokscape.landscape.scheduling.requirements import machine_memory
from grokscape.landscape.sharing import ROOM
from grokscape.predictions.checking.pending import Pending
from grokscape.reports.numbers import count, size

#: Bytes of the checking process with its libraries, before it knows a claim; in addition for each claim (what was
#: measured, its verdict and its part of the page); and for each run (its description). Measured.
CHECKING, CLAIM, RUN = 450e6, 0.35e6, 3e3

#: Bytes of a worker with all that it loads to train experiments of every kind (measured). Compiling, which is done once
#: on a machine, takes a third more.
WORKER = 600e6


def memory_lines(
    pending: Sequence[Pending], batches: Sequence[Sequence[Experiment]], workers: int, device: str
) -> Iterator[str]:
    """Yield lines about the memory that a check will take."""
    check = of_check(pending)
    if device != "cpu" or not batches:
        yield f"memory: about {size(check)} for the check itself"
        return
    training = of_training(batches)
    trainings = (
        f"up to {size(training + ROOM)} for a training" if training else "what its trainings take, which is unknown"
    )
    yield (
        f"memory: about {size(check)} for the check itself, and for each of {count(workers, 'worker')} "
        f"{size(WORKER)} for its libraries and {trainings}"
    )
    if check + workers * (WORKER + training + ROOM) > machine_memory():
        yield f"[yellow]note[/] this machine has {size(machine_memory())}; what needs more may be killed"


def of_check(pending: Sequence[Pending]) -> float:
    """Return roughly the bytes that the checking process takes at its peak."""
    runs = ancestry(experiment for item in pending for experiment in item.experiments)
    return CHECKING + CLAIM * len(pending) + RUN * len(runs)


def of_training(batches: Iterable[Sequence[Experiment]]) -> float:
    """Return roughly the bytes that the largest of some batches takes; 0 if it is known of none."""
    return max((batch[0].memory(len(batch)) for batch in batches), default=0.0)
