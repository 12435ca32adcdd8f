"""How fast this machine trains: measured by short trainings once, corrected by all later ones, and kept.

What is kept lies in the user's cache folder, a file for each machine, device and set of versions. Where that folder
cannot be written everything is measured anew.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import os
import platform
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from pathlib import Path
from typing import Any

from grokscape.landscape.cache_folder import cache_folder
from grokscape.landscape.description import from_data
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.files import write_atomically
from grokscape.landscape.scheduling.estimate import Costs
from grokscape.landscape.scheduling.job_reports import JobReport, length
from grokscape.landscape.scheduling.requirements import SPEED
from grokscape.landscape.scheduling.worker import ENVIRONMENT, Job, train_job
from grokscape.landscape.training.schedule import Schedule
from grokscape.landscape.user_modules import import_module

#: Seconds that more steps must take than one, so that a clock can measure them.
LONG_ENOUGH = 0.05

#: Seconds after which nothing longer is measured.
TOO_LONG = 1.0

#: Seconds that a training may be expected to take that is measured as it is, for it cannot be made shorter.
SHORT_ENOUGH = 0.5

#: Seconds of training from which on what was learnt is kept.
WORTH_KEEPING = 0.2

#: How many are measured together: enough of those that cost less so, and few of the others.
TOGETHER, ALONE = 64, 2

#: A shape is worth measuring if it is more than this part of all that is to be trained; if one of its form has been
#: measured already, more than that.
WORTH_MEASURING, WORTH_TOO = 0.003, 0.02


def kept_in(device: str, compile: bool) -> Path:
    """Return the file that keeps what is known of this machine."""
    versions = []
    for package in ("grokscape", "torch", "numba", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{package} {importlib.metadata.version(package)}")
    arithmetic = [device, compile, os.environ.get("GROKSCAPE_COMPILED"), sorted(ENVIRONMENT.items())]
    machine = [platform.node(), platform.machine(), _processor(), platform.python_version()]
    digest = hashlib.sha256(json.dumps([machine, versions, arithmetic]).encode()).hexdigest()
    return cache_folder() / f"costs-{digest[:12]}.json"


def _processor() -> str:
    """Return the name of the processor, where the system says it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line
    return platform.processor()


@contextlib.contextmanager
def learning(device: str = "cpu", compile: bool = False) -> Iterator[Costs]:
    """Yield costs that start from what is known of this machine, be it nothing; keep what they have learnt besides.

    What cannot be read or written is passed over: it is only an estimate, and can be made again.
    """
    path, costs = kept_in(device, compile), Costs()
    with contextlib.suppress(OSError, ValueError):
        costs.remember(json.loads(path.read_text()))
    try:
        yield costs
    finally:
        if costs.seen > WORTH_KEEPING:
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, json.dumps(costs.to_data()).encode())


def worth_measuring(costs: Costs, experiments: Iterable[Experiment]) -> list[list[Experiment]]:
    """Return batches of what matters and has not been measured: one shape of each form first, expensive ones first.

    Parameters
    ----------
    costs : Costs
    experiments : iterable of Experiment
        All that is to be trained, each once.
    """
    shapes: dict[str, list[Experiment]] = defaultdict(list)
    for experiment in experiments:
        shapes[costs.of(experiment).kin.shape].append(experiment)
    seconds = {shape: sum(map(costs.seconds, alike)) for shape, alike in shapes.items()}
    everything = sum(seconds.values())
    forms: set[str] = set()
    first: list[list[Experiment]] = []
    others: list[list[Experiment]] = []
    for shape, alike in sorted(shapes.items(), key=lambda item: -seconds[item[0]]):
        one, form = alike[0], costs.of(alike[0]).kin.form
        enough = WORTH_TOO if form in forms else WORTH_MEASURING
        if seconds[shape] > enough * everything and not costs.is_calibrated(one):
            together = [experiment for experiment in alike if experiment.batch_key == one.batch_key]
            size = ALONE if one.largest_batch is None else min(one.largest_batch, TOGETHER)
            (others if form in forms else first).append(together[:size])
            forms.add(form)
    return first + others


def calibrate(
    costs: Costs, batches: Sequence[Sequence[Experiment]], executor: Executor, seconds: float, **how: Any
) -> Iterator[int]:
    """Measure how fast batches are trained, for some seconds at most; yield how many have been tried, one by one.

    Parameters
    ----------
    costs : Costs
        Learns what is found.
    batches : sequence of sequences of Experiment
        See `worth_measuring`.
    executor : Executor
    seconds : float
        What has not begun by then is not measured.
    how
        See `Job.of`.
    """
    until = time.time() + seconds
    futures = {executor.submit(measure, Job.of(batch, "", **how).to_data(), until): batch[0] for batch in batches}
    for number, future in enumerate(as_completed(futures), 1):
        with contextlib.suppress(Exception):  # whatever keeps it from being trained is said when it shall be trained
            found = future.result()
            if found:
                costs.calibrate(futures[future], found["pace"])
                costs.stored(int(found["runs"]), found["fixed"])
                costs.seen += found["seconds"]
        yield number


def measure(data: dict[str, Any], until: float) -> dict[str, float]:
    """Train a batch for a few steps; return what that takes, or nothing if it cannot be done.

    Parameters
    ----------
    data : dict
        A `Job`, as data; it is done in stores of its own.
    until : float
        The time after which nothing is measured any more.

    Returns
    -------
    dict
        ``pace``: seconds for each multiplication; ``runs``, ``fixed``: how many runs took how many seconds besides;
        ``seconds``: how long what was measured took.
    """
    if time.time() > until:
        return {}
    job = Job(**data)
    for module in job.modules:
        import_module(module)
    batch = [experiment for described in job.experiments if isinstance(experiment := from_data(described), Experiment)]
    whole = sum(float(experiment.work) for experiment in batch)
    short = _short(batch, 1)
    if not short or sum(float(experiment.work) for experiment in short) > whole / 2:  # it is not the steps that cost
        if whole > SPEED * SHORT_ENOUGH:
            return {}
        seconds, work, fixed = _train(batch, job)
    else:
        steps, most = 1, min(map(length, batch))
        _train(short, job)  # whatever must be imported or compiled
        before, less, fixed = _train(short, job)  # whatever it takes to begin
        seconds, work = before, less
        while seconds - before < LONG_ENOUGH and seconds < TOO_LONG and steps < most:
            steps = min(most, 8 * steps)
            longer = _short(batch, steps)  # tried twice: what happens once, such as compiling, is no part of a pace
            seconds, work, fixed = min(_train(longer, job), _train(longer, job))
        if seconds - before >= LONG_ENOUGH:
            seconds, work = seconds - before, work - less
        elif steps < most:  # beginning takes so long that nothing is known of a step
            return {}
    if min(seconds, work) <= 0:
        return {}
    return {"pace": seconds / work, "runs": len(batch), "fixed": fixed, "seconds": seconds}


def _train(batch: Sequence[Experiment], job: Job) -> tuple[float, float, float]:
    """Train a batch in a store of its own; return the seconds it took, the work it was, and the seconds besides."""
    with tempfile.TemporaryDirectory() as folder:
        described = [experiment.to_data() for experiment in batch]
        answer = train_job(dataclasses.replace(job, store=folder, experiments=described).to_data())
    report = JobReport.read(answer["report"])
    return report.training, sum(float(experiment.work) for experiment in batch), report.fixed


def _short(batch: Sequence[Experiment], steps: int) -> list[Experiment]:
    return [short for experiment in batch if (short := shorter(experiment, steps)) is not None]


def shorter(experiment: Experiment, steps: int) -> Experiment | None:
    """Return an experiment with fewer steps, and records as rare; None if it has no steps or cannot have fewer."""
    whole = length(experiment)
    if whole < steps or steps < 1:
        return None
    changes: dict[str, object] = {"steps" if hasattr(experiment, "steps") else "epochs": steps}
    record = getattr(experiment, "record", None)
    if isinstance(record, Schedule):
        changes["record"] = Schedule(per_decade=1, every=max(1, round(whole / record.count(whole))))
    fields = {field.name for field in dataclasses.fields(experiment)}  # type: ignore[arg-type]
    changes |= {name: empty for name, empty in (("stop", ()), ("keep", ()), ("start", None)) if name in fields}
    try:
        found: Experiment = experiment.replace(**changes)
    except ValueError:
        return None
    return None if found.parents else found
