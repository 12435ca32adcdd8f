"""What trainings cost, learnt from those that have been seen: the nearest relatives count most.

Three things are learnt of every kind and shape of learner: how long a multiplication takes, which share of its steps a
run takes before it stops early, and what else a run costs (locking, reading, writing). What has not been seen yet is
taken to be like its nearest relatives, and those before anything is known like a rough constant.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from landscape.experiment import Experiment
from landscape.training.requirements import SPEED
from landscape.training.telling import Told, length, may_stop

#: The share of its steps that a run with a stop rule takes, before any has been seen to end.
USUAL_SHARE = 0.6

#: Seconds that storing a run takes besides its training, before any has been stored.
USUAL_FIXED = 0.02

#: Seconds of training that are one observation of how fast a shape is trained.
ENOUGH = 1.0

#: How many runs a share counts that was seen in an earlier check.
REMEMBERED = 2.0

#: The weight, in observations, of what kin let expect of a speed; of one that has been measured for its own sake.
PULL, SURE = 0.3, 10.0

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


@dataclass(frozen=True)
class Known:
    """What an estimate needs to know of an experiment, which takes a while to find out."""

    kin: Kinship
    work: float
    may_stop: bool


class Shares:
    """The share of its steps that a run takes: learnt from runs that have ended, and runs that have come so far."""

    def __init__(self) -> None:
        self.pooled = Pooled(USUAL_SHARE)
        self.ended: dict[str, dict[str, float]] = {}  # setting -> run -> share
        self.living: dict[str, dict[str, float]] = {}
        self._changed: dict[str, Kinship] = {}

    def saw(self, kin: Kinship, run: str, share: float, *, ended: bool) -> None:
        """Take in how far a run has come, and whether it ended there."""
        (self.ended if ended else self.living).setdefault(kin.setting, {})[run] = share
        if ended:
            self.living.get(kin.setting, {}).pop(run, None)
        self._changed[kin.setting] = kin

    def expected(self, kin: Kinship) -> float:
        """Return the share that a run takes which has not begun."""
        changed, self._changed = self._changed, {}
        found = {}
        for setting, other in changed.items():
            done, going = self.ended.get(setting, {}), self.living.get(setting, {})
            values = [*done.values(), *(self.beyond(other, share) for share in going.values())]
            if values:
                found[setting] = sum(values) / len(values), len(done) + sum(going.values())
        for setting, (value, weight) in found.items():
            self.pooled.observe(changed[setting].by_length, "", value, weight)
        return self.pooled.estimate(kin.by_length)

    def beyond(self, kin: Kinship, share: float) -> float:
        """Return the share that a run takes which has come so far: as others of its setting that came as far."""
        later = [other for other in self.ended.get(kin.setting, {}).values() if other > share]
        return sum(later) / len(later) if later else share + (1 - share) * self.expected(kin)


class Costs:
    """What experiments cost, in seconds of a core.

    Attributes
    ----------
    fixed : float
        What storing a run takes besides its training.
    seen : float
        Seconds of all trainings that this was learnt from.
    """

    def __init__(self) -> None:
        self.seen = 0.0
        self._calibrated = Pooled(-math.log(SPEED), PULL)  # log seconds of a multiplication
        self._drift = Pooled(0.0, PULL)  # log of seconds taken over seconds expected
        self._shares = Shares()
        self._known: dict[str, Known] = {}
        self._kin: dict[Kinship, Kinship] = {}  # one object for all of a setting
        self._each: dict[str, float] = {}  # setting -> expected seconds per multiplication
        self._stored = 1.0, USUAL_FIXED  # runs, seconds

    @property
    def fixed(self) -> float:
        return self._stored[1] / self._stored[0]

    @property
    def known(self) -> bool:
        """Whether anything has been measured on this machine."""
        return bool(self._calibrated or self._drift)

    def of(self, experiment: Experiment) -> Known:
        """Return what is to be known of an experiment."""
        found = self._known.get(experiment.identity)
        if found is None:
            work = float(experiment.work)
            kin = Kinship.of(experiment, work)
            found = Known(self._kin.setdefault(kin, kin), work, may_stop(experiment))
            self._known[experiment.identity] = found
        return found

    def calibrate(self, experiment: Experiment, seconds: float) -> None:
        """Take in how many seconds a multiplication of some shape takes on this machine."""
        self._calibrated.observe(self.of(experiment).kin.by_cost, "", math.log(seconds), SURE)
        self._each.clear()

    def whole(self, experiment: Experiment) -> float:
        """Return what an experiment costs if it does not stop early."""
        known = self.of(experiment)
        return self._pace(known.kin) * known.work

    def seconds(self, experiment: Experiment) -> float:
        """Return what an experiment may be expected to cost."""
        known = self.of(experiment)
        each = self._each.get(known.kin.setting)
        if each is None:
            share = self._shares.expected(known.kin) if known.may_stop else 1.0
            each = self._each[known.kin.setting] = share * self._pace(known.kin)
        return self.fixed + each * known.work

    def most(self, experiment: Experiment) -> float:
        """Return what an experiment may be expected to cost if it does not stop early."""
        return self.fixed + self.whole(experiment)

    def is_calibrated(self, experiment: Experiment) -> bool:
        """Say whether the speed of an experiment's shape has been measured."""
        return self._calibrated.weight(self.of(experiment).kin.shape) > 0

    def doubt(self, experiment: Experiment) -> float:
        """Return which part of what an experiment is expected to cost is a guess, from 1 to 0."""
        kin = self.of(experiment).kin
        pace = min(self._calibrated.doubt(kin.shape), self._drift.doubt(kin.shape))
        return max(pace, self._shares.pooled.doubt(kin.setting)) if may_stop(experiment) else pace

    def left(self, experiment: Experiment, share: float) -> float:
        """Return what one costs from now on of which a share is done."""
        known = self.of(experiment)
        later = self._shares.beyond(known.kin, share) if known.may_stop else 1.0
        return self.fixed + (later - share) * self.whole(experiment)

    def saw(self, job: str, batch: Sequence[Experiment], told: Told) -> None:
        """Take in what a job tells while it runs."""
        groups = self.of(batch[0]).kin.by_cost
        done = sum(told.done(e) * self.of(e).work for e in batch)
        expected = math.exp(self._calibrated.estimate(groups)) * done
        if expected > 0 and told.training > 0:
            self._drift.observe(groups, job, math.log(told.training / expected), told.training / ENOUGH)
        for experiment in filter(may_stop, batch):
            share = told.ended.get(experiment.identity)
            ended = share is not None
            far = told.now if share is None else share
            self._shares.saw(self.of(experiment).kin, experiment.identity, far, ended=ended)
        self._each.clear()

    def ended(self, job: str, batch: Sequence[Experiment], told: Told) -> None:
        """Take in what a job tells at its end."""
        self.saw(job, batch, told)
        self.stored(len(told.ended), told.fixed)
        self.seen += told.training

    def stored(self, runs: int, seconds: float) -> None:
        """Take in what storing some runs took besides their training."""
        self._stored = self._stored[0] + runs, self._stored[1] + seconds

    def _pace(self, kin: Kinship) -> float:
        """Return the seconds that a multiplication takes."""
        return math.exp(self._calibrated.estimate(kin.by_cost) + self._drift.estimate(kin.by_cost))

    def to_data(self) -> dict[str, Any]:
        """Return what was learnt, as JSON-able data."""
        paces = {*self._calibrated.groups(), *self._drift.groups()}
        return {
            "pace": [[*groups, self._calibrated.estimate(groups) + self._drift.estimate(groups)] for groups in paces],
            "share": [[*groups, self._shares.pooled.estimate(groups)] for groups in self._shares.pooled.groups()],
        }

    def remember(self, data: Mapping[str, Any]) -> None:
        """Start from what was learnt before.

        Raises
        ------
        ValueError
            If it is not what `to_data` returns.
        """
        try:
            for name, pooled, weight in (
                ("pace", self._calibrated, SURE),
                ("share", self._shares.pooled, REMEMBERED),
            ):
                for *groups, value in data[name]:
                    if not math.isfinite(value) or not all(isinstance(group, str) for group in groups):
                        raise ValueError(f"{name} holds {groups!r:.100} and {value!r:.30}")
                    pooled.observe(tuple(groups), "before", float(value), weight)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no estimates of costs ({error!r})") from error
        self._each.clear()
