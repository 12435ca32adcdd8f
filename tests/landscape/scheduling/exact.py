"""Costs that are known exactly, so that a test says what everything takes."""

from __future__ import annotations

from typing import ClassVar

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.scheduling.estimate import Costs
from tests.landscape.scheduling.simulated import Pretend


class Exact(Costs):
    """A run takes a second for each of its steps; it is a guess if its family is "unknown"."""

    def seconds(self, experiment: Experiment) -> float:
        assert isinstance(experiment, Pretend)
        return float(experiment.steps)

    def whole(self, experiment: Experiment) -> float:
        return self.seconds(experiment)

    def doubt(self, experiment: Experiment) -> float:
        assert isinstance(experiment, Pretend)
        return 1.0 if experiment.family == "unknown" else 0.0


class Crew(Pretend, kind="test_crew"):
    """Runs that cost less together."""

    largest_batch: ClassVar[int | None] = 16


def runs(family: str, number: int, seconds: int = 1, first: int = 0, **changes: object) -> list[Pretend]:
    """Return runs that differ by their seed alone."""
    seeds = range(first, first + number)
    return [Pretend(family=family, seed=seed, steps=seconds, **changes) for seed in seeds]  # type: ignore[arg-type]


def chain(family: str, number: int, seconds: int = 1) -> list[Pretend]:
    """Return runs of which each starts from the one before."""
    found = runs(family, 1, seconds)
    for seed in range(1, number):
        found.append(Pretend(family=family, seed=seed, steps=seconds, after=found[-1]))
    return found
