"""What an experiment would need, against what is there: found out before it is trained, not when the machine gives up.

A description may ask for more than this machine has: it may be meant for a larger one. What it would take is computed
from the description alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from grokscape.landscape.errors import Unavailable
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.printable import printable

#: `Experiment.work` that one core does in a second: its order of magnitude, before a machine has been measured.
SPEED = 3.5e10

#: Estimates of memory are right within this factor; what only may be too much is tried.
FACTOR = 3.0

#: Seconds of one core that a single training may take by that estimate: a year.
LONGEST_TRAINING = 365 * 86400.0


def machine_memory() -> float:
    """Return the bytes of memory that this process could have at most; infinite where the system does not say."""
    try:
        physical = float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return float("inf")
    try:
        return min(physical, float(Path("/sys/fs/cgroup/memory.max").read_text()))  # of a container
    except (OSError, ValueError):  # not on Linux, or "max"
        return physical


def sizes(experiment: Experiment) -> str:
    """Return an experiment in a few words: its largest whole numbers first, for one of them is what it needs."""
    found: dict[str, int] = {}
    for part in experiment.parts():
        for name, value in vars(part).items():
            numbers = [n for n in (value if isinstance(value, tuple) else (value,)) if type(n) is int]
            if name not in ("seed", "draw") and not name.startswith("_") and numbers:
                found[name] = max(found.get(name, 0), *numbers)
    largest = sorted(found, key=lambda name: -found[name])[:4]
    listed = ", ".join(f"{name} {found[name]}" for name in largest)
    return printable(f"{type(experiment).__name__} with {listed} (run {experiment.identity[:8]})")


def refuse_unaffordable(batch: Sequence[Experiment], device: str) -> None:
    """Refuse to train what this machine cannot hold, or what would take more than a year.

    Raises
    ------
    Unavailable
        Names the experiment, what it needs and what is there.
    """
    longest = max(batch, key=lambda experiment: experiment.work)
    if longest.work > SPEED * LONGEST_TRAINING:
        raise Unavailable(
            f"{sizes(longest)} would take about {longest.work / SPEED / 86400:.3g} days of one core, and a "
            f"training is given {LONGEST_TRAINING / 86400:.0f}; ask for fewer steps or examples, or a smaller model"
        )
    try:
        memory = batch[0].memory(len(batch))
    except Exception:  # a model of somebody's own that cannot be built without memory; it may be trained all the same
        return
    there = machine_memory()
    if device == "cpu" and memory > FACTOR * there:
        together = f" and {len(batch) - 1} like it" if len(batch) > 1 else ""
        raise Unavailable(
            f"{sizes(batch[0])}{together} would take about {memory / 1e9:.3g} GB of memory, and this machine has "
            f"{there / 1e9:.3g} GB; ask for fewer steps, records or examples, or a smaller model, or train on another "
            "machine"
        )
