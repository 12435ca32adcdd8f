"""A claim on its way to its evidence: the runs it needs, and those it asks for once it has seen these."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from typing import Any, SupportsFloat

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.printable import short
from grokscape.landscape.records.store import Damaged, Store
from grokscape.landscape.scheduling.order import Goal
from grokscape.landscape.scheduling.plan import ancestry
from grokscape.landscape.scheduling.scheduler import Failure
from grokscape.landscape.sharing import shared
from grokscape.predictions.checking.claim_functions import asked, measured
from grokscape.predictions.checking.required import require_decided
from grokscape.predictions.checking.trial import refuse_untried
from grokscape.predictions.evidence import CLAIM, Evidence, Observation
from grokscape.predictions.prediction import Prediction

#: arm -> seed -> label -> experiment.
Needed = dict[str, dict[int, dict[str, Experiment]]]


@dataclass(eq=False)
class Pending:
    """A claim that waits for runs.

    Attributes
    ----------
    prediction : Prediction
    tier : str
    needed : dict
        arm -> seed -> label -> experiment, of all that is asked for so far.
    asking : dict
        (arm, seed) -> rounds, of those that may ask for more: all at first, later those that did the last time. What
        a seed asks for follows from its records, so one that is content stays so.
    missing : set of str
        Identities that are still to be trained.
    failure : Failure or None
        Why one of them could not be.
    mended : bool
        Whether it met a damaged record, and all its runs were asked for again.
    """

    prediction: Prediction
    tier: str
    needed: Needed
    asking: dict[tuple[str, int], int]
    missing: set[str] = field(default_factory=set)
    failure: Failure | None = None
    mended: bool = False

    @classmethod
    def of(cls, prediction: Prediction, tier: str, *, vet: bool = True) -> Pending:
        """Ask a claim for its runs, and (unless not to `vet`) what they cost, and try what it measures of them.

        Raises
        ------
        ClaimError, InvalidInput
            If its code raises something, or returns what cannot be used; `TrialError` if that shows in what it
            measures of made-up records.
        Unavailable
            If what they cost cannot be said without data that are not here. Who they are can.
        """
        needed: Needed = {
            arm: {
                seed: _asked("runs", prediction.runs, seed, at, arm=arm, seed=seed)
                for seed in prediction.tiers[tier].seeds
            }
            for arm, at in prediction.arms(tier).items()
        }
        asking = {(arm, seed): 0 for arm, seeds in needed.items() for seed in seeds} if prediction.refine else {}
        found = cls(prediction, tier, needed, asking)
        if vet:
            _vet(found.experiments)
            refuse_untried(found)
        return found

    @property
    def experiments(self) -> list[Experiment]:
        return [e for seeds in self.needed.values() for labels in seeds.values() for e in labels.values()]

    def refine(self, store: Store) -> list[Experiment]:
        """Ask every seed whose records are all there what it needs besides; return what is new.

        Whatever the claim's code raises comes through.

        Raises
        ------
        ValueError
            If a label stands for another run than before, or a seed asks for more after the last round.
        """
        return [experiment for place in list(self.asking) for experiment in self._refine_seed(*place, store)]

    def _refine_seed(self, arm: str, seed: int, store: Store) -> list[Experiment]:
        prediction, labels = self.prediction, self.needed[arm][seed]
        if prediction.refine is None or not all(experiment in store for experiment in labels.values()):
            return []
        records = {label: store.read(experiment) for label, experiment in labels.items()}
        at = prediction.arms(self.tier)[arm]
        wanted = _asked("refine", prediction.refine, seed, at, records, arm=arm, seed=seed)
        for label, experiment in wanted.items():
            if label in labels and labels[label].identity != experiment.identity:
                raise ValueError(f"the label {label!r} of seed {seed} is asked for again, for another run")
        more = {label: experiment for label, experiment in wanted.items() if label not in labels}
        if not more:
            del self.asking[arm, seed]
        elif self.asking[arm, seed] == prediction.rounds:
            raise ValueError(
                f"it still asks for runs after {prediction.rounds} rounds ({next(iter(more))!r} for seed {seed} in "
                f"arm {arm!r}); raise rounds, or let it stop"
            )
        else:
            self.asking[arm, seed] += 1
            _vet(more.values())
            labels |= more
        return list(more.values())

    def measure(self, store: Store) -> tuple[Evidence, dict[str, float]]:
        """Return the evidence, and the seconds of training behind each run of it."""
        observations: list[Observation] = []
        seconds = {
            identity: float(store.header(experiment)["info"].get("seconds", 0.0))
            for identity, experiment in ancestry(self.experiments).items()
            if experiment in store  # a start may be gone while what it led to is still there
        }
        for arm, at in self.prediction.arms(self.tier).items():
            for seed, labels in self.needed[arm].items():
                records = {label: store.read(experiment) for label, experiment in labels.items()}
                observations += measured(self.prediction.measure, records, at, arm=arm, seed=seed)
        evidence = Evidence(tuple(observations))
        prediction, seeds = self.prediction, self.prediction.tiers[self.tier].seeds
        require_decided(prediction, observations)
        for arm in self.needed:
            for criterion in prediction.criteria:
                evidence.require(criterion.quantity, arm=arm, at=criterion.at, seeds=seeds)
            for gate in prediction.gates:
                if gate.controls or arm == CLAIM:
                    evidence.require(gate.quantity, arm=arm, at=None, seeds=seeds)
        return evidence, seconds

    def reach(self, store: Store) -> None:
        """Ask for all that the records in a store lead to; a damaged one leads nowhere and is left where it is."""
        for place in list(self.asking):
            with contextlib.suppress(Damaged):
                while place in self.asking and self._refine_seed(*place, store):
                    pass

    def most_to_come(self) -> list[Experiment]:
        """Return stand-ins for what may yet be asked for: for every curve and round, the dearest run of the curve."""
        found: list[Experiment] = []
        for (arm, seed), rounds in self.asking.items():
            curves: dict[str, Experiment] = {}
            for label, experiment in self.needed[arm][seed].items():
                name = label.rpartition("/")[0]
                curves[name] = max(curves.get(name, experiment), experiment, key=lambda e: e.work)
            found += list(curves.values()) * (self.prediction.rounds - rounds)
        return found

    def goal(self, missing: Set[str]) -> Goal:
        """Return what a sweep should know of a claim: what it waits for, and may ask for when that is there."""
        rounds = self.prediction.rounds
        return Goal(missing, self.most_to_come(), rounds - min(self.asking.values(), default=rounds))


def _asked(name: str, function: Callable[..., Any], *arguments: Any, arm: str, seed: int) -> dict[str, Experiment]:
    """Return what a claim's function asks for; of what many claims ask for, there is one object."""
    found = asked(name, function, *arguments, arm=arm, seed=seed)
    return {label: shared(experiment) for label, experiment in found.items()}


def _vet(experiments: Iterable[Experiment]) -> None:
    """Ask for what a description says of itself, here and now: that may be somebody's code too."""
    for experiment in ancestry(experiments).values():
        name = type(experiment).__name__
        if not isinstance(experiment.batch_key, str):
            raise InvalidInput(f"{name}.batch_key is {short(experiment.batch_key)}, expected a text")
        work = experiment.work
        if isinstance(work, str | bool) or not isinstance(work, SupportsFloat) or not 0 <= float(work) < math.inf:
            raise InvalidInput(f"{name}.work is {short(work)}, expected a number that is finite and not negative")
