"""Which runs come next, and how many of them together: early verdicts, long tails early, and nobody idle at the end.

Whoever waits for runs is a `Goal`. Half of the workers are at the goal that is nearest to being reached, so that there
is something to see soon. The other half first try a little of everything whose cost is a guess, so that what is said of
the time to go comes true, and are then at the largest goal, whose later rounds must not begin when all else is done. A
chain of runs that would otherwise outlast everything else goes before both, so that towards the end the longest run is
always the next. Jobs are cut to a part of the time that is left, hence shorter and shorter.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.scheduling.estimate import Costs
from grokscape.landscape.scheduling.kinship import Pooled
from grokscape.landscape.scheduling.plan import depth

#: Seconds that a job takes at most, where it can be cut, since a shorter one stores sooner what it has done; and what
#: is not cut any more, since a job costs something besides.
LONGEST_JOB, SHORTEST_JOB = 10.0, 1.0

#: Into how many jobs, at least, a worker's share of the time that is left is cut.
PARTS = 4

#: A setting whose length is a guess is tried early if it may be more than this part of all that waits; so many runs.
WORTH_TRYING, TRIAL = 0.003, 2

#: The part of what a goal may ask for later that it does ask for, before any goal has.
USUAL_PART = 1 / 3


@dataclass
class Goal:
    """What somebody waits for, and may ask for when it is there.

    Attributes
    ----------
    missing : set of str
        Identities of the runs that are not there yet.
    to_come : sequence of Experiment
        Stand-ins for the most that may be asked for later.
    rounds : int
        In how many rounds.
    """

    missing: Set[str]
    to_come: Sequence[Experiment] = ()
    rounds: int = 0
    size: float = 0.0  # seconds, when it was seen first
    asked: float = 0.0  # seconds of all that was asked for later
    resolved: float = 0.0  # and the most that it could have been


@dataclass(frozen=True)
class Place:
    """Where a run stands in the queue.

    Attributes
    ----------
    nearest : tuple
        Seconds that its nearest goal still takes, and its place in the order in which runs were asked for.
    largest : tuple
        The same with the size of its largest goal, negative: what comes first is least.
    chain : float
        Seconds from its start until the last run can end that waits for it, directly or through others.
    """

    nearest: tuple[float, int]
    largest: tuple[float, float, int]
    chain: float

    def turn(self, near: bool, late: float) -> tuple[float, ...]:
        """Return when its turn is: chains that would be late come first, whichever goal's turn it is."""
        return (min(0.0, late - self.chain), *(self.nearest if near else self.largest))


@dataclass
class Queue:
    """Runs that wait to be trained.

    Parameters
    ----------
    costs : Costs
    together : int
        How many are trained together at most, unless their class says otherwise.
    cut : bool
        Whether fewer may be.

    Attributes
    ----------
    goals : dict
        Name -> goal; see `aim` and `reach`.
    reached : int
        How many goals ask for nothing more.
    """

    costs: Costs
    together: int
    cut: bool = True
    goals: dict[Hashable, Goal] = field(default_factory=dict)
    reached: int = 0
    _asked: Pooled = field(default_factory=lambda: Pooled(USUAL_PART))  # the part of what may come that does come
    _lots: dict[Hashable, dict[str, Experiment]] = field(default_factory=dict)
    _wishes: dict[str, int] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict)
    _bests: dict[Hashable, Place] = field(default_factory=dict)  # of lots that wait for nothing else
    _after: dict[str, float] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)  # settings of which something has been trained
    _looked: bool = False

    def __len__(self) -> int:
        return sum(map(len, self._lots.values()))

    def add(self, experiments: Iterable[Experiment]) -> None:
        """Let experiments wait; parents come before their children."""
        for experiment in experiments:
            self._lots.setdefault(_lot(experiment), {})[experiment.identity] = experiment
            self._wishes[experiment.identity] = len(self._wishes)
        self._looked = False

    def aim(self, name: Hashable, goal: Goal) -> None:
        """Take in a goal, or what has become of it after a round."""
        before = self.goals.get(name)
        if before is not None:
            goal.size = before.size
            self._resolve(name, before, goal)
        self.goals[name] = goal
        self._looked = False

    def reach(self, name: Hashable) -> None:
        """Let go of a goal that asks for nothing more."""
        before = self.goals.pop(name, None)
        if before is not None:
            self._resolve(name, before, Goal(frozenset()))
            self.reached += 1

    def orphans(self, lost: Set[str]) -> list[Experiment]:
        """Take out the experiments of which a parent is among the lost."""
        found = [e for e in self._all() if any(parent.identity in lost for parent in e.parents)] if lost else []
        self._take(found)
        return found

    def next(self, ready: Set[str], left: float, near: bool = True) -> list[Experiment]:
        """Take out what to train next, together; nothing if all that waits has to wait for something else.

        Parameters
        ----------
        ready : set of str
            Identities that are there: what starts from them can be trained.
        left : float
            Seconds that each worker has still to work, by estimate.
        near : bool
            Whether for the nearest goal, or for what is least known and the largest goal.
        """
        if not self._looked:
            self.look()
        late = left / 2
        bests = self._bests | {key: self._best(lot) for key, lot in self._able_children(ready).items()}
        if not bests:
            return []
        key = min(bests, key=lambda key: bests[key].turn(near, late))
        able = self._able_children(ready).get(key, self._lots[key])
        lot = sorted(able.values(), key=lambda e: self._places[e.identity].turn(near, late))
        trial = not near and self._places[lot[0].identity].largest[0] < 0
        chosen = lot[: self.how_many(lot, left, trial)]
        self._try(chosen, able.values())
        self._take(chosen)
        return chosen

    def how_many(self, lot: Sequence[Experiment], left: float, trial: bool) -> int:
        """Return how many of a lot to train together: in parts that differ by one at most, without a remainder."""
        most = lot[0].largest_batch or self.together
        if self.cut:
            seconds = sum(map(self.costs.seconds, lot)) / len(lot)
            # A class that says how many to train together does so because each of them costs less than one alone.
            free = lot[0].largest_batch is None
            longest = max(SHORTEST_JOB, min(LONGEST_JOB, left / PARTS) if free else left)
            most = max(1, int(min(TRIAL if trial and free else most, longest / seconds)))
        return round(len(lot) / math.ceil(len(lot) / most))

    def seconds(self) -> list[float]:
        """Return what everything that waits may be expected to cost, and what may yet be asked for."""
        found = [self.costs.seconds(experiment) for experiment in self._all()]
        for name, goal in self.goals.items():
            part = self._part(name)
            found += [part * self.costs.seconds(experiment) for experiment in goal.to_come]
        return found

    def chain(self) -> float:
        """Return how long the longest chain of runs takes that waits."""
        return max((place.chain for place in self._places.values()), default=0.0)

    def after(self, identity: str) -> float:
        """Return how long the longest chain takes that can only begin when a run is there."""
        return self._after.get(identity, 0.0)

    def look(self) -> None:
        """Look anew at what runs are expected to cost, and find the places of all that waits."""
        seconds = {experiment.identity: self.costs.seconds(experiment) for experiment in self._all()}
        left: dict[str, float] = {}
        size: dict[str, float] = {}
        self._after = {}
        for name, goal in self.goals.items():
            later = [self.costs.seconds(experiment) for experiment in goal.to_come]
            # Summed exactly, for a set has no order: equal goals stay equal.
            own = math.fsum(seconds.get(identity, 0.0) for identity in goal.missing)
            whole = own + self._part(name) * sum(later)
            goal.size = goal.size or whole
            for identity in goal.missing:
                left[identity] = min(left.get(identity, math.inf), whole)
                size[identity] = max(size.get(identity, 0.0), goal.size)
                self._after[identity] = max(self._after.get(identity, 0.0), goal.rounds * max(later, default=0.0))
        unknowns: dict[str, float] = defaultdict(float)
        for experiment in self._all():
            setting = self.costs.of(experiment).kin.setting
            if setting not in self._tried:
                unknowns[setting] += self.costs.doubt(experiment) * seconds[experiment.identity]
        enough = WORTH_TRYING * sum(seconds.values())
        self._places = {}
        for experiment in sorted(self._all(), key=depth, reverse=True):  # what waits for a run before the run itself
            me, wish = experiment.identity, self._wishes[experiment.identity]
            nearest, largest = left.get(me, 0.0), size.get(me, 0.0)
            chain, unknown = (
                seconds[me] + self._after.get(me, 0.0),
                unknowns.get(self.costs.of(experiment).kin.setting, 0.0),
            )
            unknown = unknown if unknown > enough else 0.0
            self._places[me] = Place((nearest, wish), (-unknown, -largest, wish), chain)
            for parent in experiment.parents:
                above = parent.identity
                self._after[above] = max(self._after.get(above, 0.0), chain)
                left[above] = min(left.get(above, math.inf), nearest)
                size[above] = max(size.get(above, 0.0), largest)
        self._bests = {key: self._best(lot) for key, lot in self._lots.items() if not _waits(lot)}
        self._looked = True

    def _best(self, lot: dict[str, Experiment]) -> Place:
        """Return the place of a lot: in everything the best that any run of it has."""
        places = [self._places[identity] for identity in lot]
        return Place(
            min(place.nearest for place in places),
            min(place.largest for place in places),
            max(place.chain for place in places),
        )

    def _able_children(self, ready: Set[str]) -> dict[Hashable, dict[str, Experiment]]:
        """Return, of the lots that start from other runs, those that can be trained."""
        able = {
            key: {i: e for i, e in lot.items() if all(parent.identity in ready for parent in e.parents)}
            for key, lot in self._lots.items()
            if _waits(lot)
        }
        return {key: lot for key, lot in able.items() if lot}

    def _all(self) -> Iterator[Experiment]:
        return itertools.chain.from_iterable(lot.values() for lot in self._lots.values())

    def _take(self, experiments: Iterable[Experiment]) -> None:
        touched = set()
        for experiment in experiments:
            key = _lot(experiment)
            del self._lots[key][experiment.identity]
            touched.add(key)
        for key in touched:
            if not self._lots[key]:
                del self._lots[key]
                self._bests.pop(key, None)
            elif key in self._bests:
                self._bests[key] = self._best(self._lots[key])

    def _try(self, chosen: Iterable[Experiment], lot: Iterable[Experiment]) -> None:
        """Note which settings are tried: the rest of a lot that has them need not be tried."""
        self._tried |= {self.costs.of(experiment).kin.setting for experiment in chosen}
        for experiment in lot:
            if self.costs.of(experiment).kin.setting in self._tried:
                place = self._places[experiment.identity]
                self._places[experiment.identity] = replace(place, largest=(0.0, *place.largest[1:]))

    def _part(self, name: Hashable) -> float:
        """Return which part of what a goal may still ask for it may be expected to ask for."""
        return self._asked.estimate((str(name), ""))

    def _resolve(self, name: Hashable, before: Goal, now: Goal) -> None:
        """Learn which part of what a goal might ask for it did ask for."""
        new = now.missing - before.missing
        now.asked = before.asked + sum(self.costs.seconds(e) for e in self._all() if e.identity in new)
        most = sum(map(self.costs.seconds, before.to_come)) - sum(map(self.costs.seconds, now.to_come))
        now.resolved = before.resolved + most
        if now.resolved > 0:
            rounds = 1.0 + before.rounds - now.rounds
            self._asked.observe((str(name), ""), "", min(1.0, now.asked / now.resolved), rounds)


def _lot(experiment: Experiment) -> Hashable:
    # Children of one generation wait for parents of one generation; mixing them would only make them wait.
    return type(experiment), experiment.batch_key, depth(experiment)


def _waits(lot: dict[str, Experiment]) -> bool:
    return bool(next(iter(lot.values())).parents)
