"""Which experiments are alike in what they cost, and means of what is alike among them."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.scheduling.job_reports import length

_SEEDS = re.compile(r'"(seed|draw)":-?\d+')
_NUMBERS = re.compile(r"-?\d+(\.\d+)?(e[-+]?\d+)?")


@dataclass(frozen=True)
class Kinship:
    """To whom an experiment is kin, nearest first: names of nested groups.

    Attributes
    ----------
    setting : str
        Experiments that differ by their seed alone.
    shape : str
        Those of one shape, whatever the optimiser's settings.
    size : str
        Those of one form whose steps cost about the same.
    form : str
        Those that differ by numbers alone.
    kind : str
        Those of one class.
    """

    setting: str
    shape: str
    size: str
    form: str
    kind: str

    @classmethod
    def of(cls, experiment: Experiment, work: float) -> Kinship:
        """Find it out from the description and its estimated cost in multiplications."""
        kind = type(experiment).kind
        setting = _SEEDS.sub("", experiment.canonical)
        key = experiment.batch_key
        shape = setting if key == experiment.identity else f"{kind}|{_SEEDS.sub('', key)}"
        form = _NUMBERS.sub("#", shape)
        size = math.frexp(work / (length(experiment) or 1))[1]
        return cls(*(_short(name) for name in (setting, shape, f"{form}|{size}", form, kind)))

    @property
    def by_cost(self) -> tuple[str, ...]:
        return self.shape, self.size, self.form, self.kind, ""

    @property
    def by_length(self) -> tuple[str, ...]:
        return self.setting, self.shape, self.size, self.form, self.kind, ""


def _short(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=6).hexdigest()


class Pooled:
    """The mean of a quantity that is alike among kin, for every group of it, seen or not.

    A group's mean is drawn towards that of the group around it, which counts as one observation of weight `pull`; in
    that group each of its own groups counts once at most, however much was seen of it.

    Parameters
    ----------
    prior : float
        The mean where nothing has been seen.
    pull : float
    """

    def __init__(self, prior: float, pull: float = 1.0) -> None:
        self.prior, self.pull = prior, pull
        self._seen: dict[str, dict[str, tuple[float, float]]] = {}
        self._above: dict[str, tuple[str, ...]] = {}
        self._means: dict[str, tuple[float, float]] | None = None  # group -> mean and weight

    def __bool__(self) -> bool:
        return bool(self._seen)

    def groups(self) -> Iterator[tuple[str, ...]]:
        """Yield the innermost groups of which something has been seen, each with those around it."""
        for group, outer in self._above.items():
            yield group, *outer

    def observe(self, groups: tuple[str, ...], source: str, value: float, weight: float) -> None:
        """Take in, or replace, what one source says of the first of nested groups."""
        self._seen.setdefault(groups[0], {})[source] = value, weight
        self._above[groups[0]] = groups[1:]
        self._means = None

    def weight(self, group: str) -> float:
        """Return the weight of what has been seen of a group."""
        return self._summed().get(group, (0.0, 0.0))[1]

    def estimate(self, groups: Sequence[str]) -> float:
        """Return the mean in the first of nested groups, nearest first."""
        means, found = self._summed(), self.prior
        for group in reversed(groups):
            if group in means:
                mean, weight = means[group]
                found += (mean - found) * weight / (weight + self.pull)
        return found

    def doubt(self, group: str) -> float:
        """Return the weight in an estimate of what has not been seen of the group itself, from 1 to 0."""
        return self.pull / (self.pull + self.weight(group))

    def _summed(self) -> dict[str, tuple[float, float]]:
        if self._means is not None:
            return self._means
        totals: dict[str, list[float]] = {}

        def add(group: str, value: float, weight: float) -> None:
            total = totals.setdefault(group, [0.0, 0.0])
            total[0] += weight * value
            total[1] += weight

        level: dict[str, tuple[str, ...]] = dict(self._above)
        for group, seen in self._seen.items():
            for value, weight in seen.values():
                add(group, value, weight)
        while level:
            above: dict[str, tuple[str, ...]] = {}
            for group, outer in level.items():
                total, weight = totals[group]
                if outer and weight:
                    add(outer[0], total / weight, weight / (weight + self.pull))
                    above[outer[0]] = outer[1:]
            level = above
        self._means = {group: (total / weight, weight) for group, (total, weight) in totals.items() if weight}
        return self._means
