"""What trainings cost, learnt from those that have been seen: the nearest relatives count most.

Three things are learnt of every kind and shape of learner: how long a multiplication takes, which share of its steps a
run takes before it stops early, and what else a run costs (locking, reading, writing). What has not been seen yet is
taken to be like its nearest relatives, and those before anything is known like a rough constant.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.scheduling.job_reports import JobReport, may_stop
from grokscape.landscape.scheduling.kinship import Kinship, Pooled
from grokscape.landscape.scheduling.requirements import SPEED

#: The share of its steps that a run with a stop rule takes, before any has been seen to end.
USUAL_SHARE = 0.6

#: Seconds that storing a run takes besides its training, before any has been stored.
USUAL_FIXED = 0.02

#: Seconds of training that are one observation of how fast a shape is trained.
ENOUGH = 1.0

#: By which part a cost may be wrong if the form, the shape or the share of the steps is unknown.
UNKNOWN_FORM, UNKNOWN_SHAPE, UNKNOWN_SHARE = 5.0, 0.5, 1.0

#: How many runs a share counts that was seen in an earlier check.
REMEMBERED = 2.0

#: The weight, in observations, of what kin let expect of a speed; of one that has been measured for its own sake.
PULL, SURE = 0.3, 10.0


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
        return self.learnt().estimate(kin.by_length)

    def learnt(self) -> Pooled:
        """Return the mean shares of all settings and their kin."""
        changed, self._changed = self._changed, {}
        found = {}
        for setting, kin in changed.items():
            done, going = self.ended.get(setting, {}), self.living.get(setting, {})
            values = [*done.values(), *(self.beyond(kin, share) for share in going.values())]
            if values:
                found[setting] = sum(values) / len(values), len(done) + sum(going.values())
        for setting, (value, weight) in found.items():
            self.pooled.observe(changed[setting].by_length, "", value, weight)
        return self.pooled

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
        """Return roughly by which part of it the cost of an experiment may be wrong.

        An unknown form may be ten times as fast as another, a shape of a known form hardly twice; and a run may stop
        anywhere.
        """
        kin = self.of(experiment).kin
        form, shape = (min(self._calibrated.doubt(g), self._drift.doubt(g)) for g in (kin.form, kin.shape))
        share = self._shares.learnt().doubt(kin.setting) if may_stop(experiment) else 0.0
        return max(UNKNOWN_FORM * form, UNKNOWN_SHAPE * shape, UNKNOWN_SHARE * share)

    def left(self, experiment: Experiment, share: float) -> float:
        """Return what one costs from now on of which a share is done."""
        known = self.of(experiment)
        later = self._shares.beyond(known.kin, share) if known.may_stop else 1.0
        return self.fixed + (later - share) * self.whole(experiment)

    def saw(self, job: str, batch: Sequence[Experiment], report: JobReport) -> None:
        """Take in what a job reports while it runs."""
        groups = self.of(batch[0]).kin.by_cost
        done = sum(report.done(e) * self.of(e).work for e in batch)
        expected = math.exp(self._calibrated.estimate(groups)) * done
        if expected > 0 and report.training > 0:
            self._drift.observe(groups, job, math.log(report.training / expected), report.training / ENOUGH)
        for experiment in filter(may_stop, batch):
            share = report.ended.get(experiment.identity)
            ended = share is not None
            far = report.now if share is None else share
            self._shares.saw(self.of(experiment).kin, experiment.identity, far, ended=ended)
        self._each.clear()

    def ended(self, job: str, batch: Sequence[Experiment], report: JobReport) -> None:
        """Take in what a job reports at its end; what it did not train, because it was there, teaches nothing."""
        trained = [experiment for experiment in batch if experiment.identity in report.ended]
        if trained:
            self.saw(job, trained, report)
            self.stored(len(trained), report.fixed)
            self.seen += report.training

    def stored(self, runs: int, seconds: float) -> None:
        """Take in what storing some runs took besides their training."""
        self._stored = self._stored[0] + runs, self._stored[1] + seconds

    def to_data(self) -> dict[str, Any]:
        """Return what was learnt, as JSON-able data."""
        paces, shares = {*self._calibrated.groups(), *self._drift.groups()}, self._shares.learnt()
        return {
            "pace": [[*groups, self._calibrated.estimate(groups) + self._drift.estimate(groups)] for groups in paces],
            "share": [[*groups, shares.estimate(groups)] for groups in shares.groups()],
        }

    def remember(self, data: Mapping[str, Any]) -> None:
        """Start from what was learnt before.

        Raises
        ------
        ValueError
            If it is not what `to_data` returns.
        """
        nameless = Kinship("", "", "", "", "")
        try:
            for name, pooled, weight, depth, least, most in (
                ("pace", self._calibrated, SURE, len(nameless.by_cost), -100, 100),
                ("share", self._shares.pooled, REMEMBERED, len(nameless.by_length), 0, 1),
            ):
                for entry in data[name]:
                    *groups, value = entry or [None]
                    if (
                        len(groups) != depth
                        or not all(isinstance(g, str) for g in groups)
                        or not least <= value <= most
                    ):
                        raise ValueError(f"{name} holds {groups!r:.100} and {value!r:.30}")
                    pooled.observe(tuple(groups), "before", float(value), weight)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no estimates of costs ({error!r})") from error
        self._each.clear()

    def _pace(self, kin: Kinship) -> float:
        """Return the seconds that a multiplication takes."""
        return math.exp(self._calibrated.estimate(kin.by_cost) + self._drift.estimate(kin.by_cost))
