"""Checking claims: train what is missing, measure, judge, and keep the verdicts."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import shlex
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from grokscape.landscape.errors import DataMissing, StoreError, Unavailable
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.printable import error_text
from grokscape.landscape.records.store import Damaged, Store
from grokscape.landscape.records.writable import refuse_unwritable_store
from grokscape.landscape.scheduling.calibration import learning
from grokscape.landscape.scheduling.plan import Plan, ancestry
from grokscape.landscape.scheduling.progress import SweepProgress
from grokscape.landscape.scheduling.scheduler import Failure, Scheduler
from grokscape.predictions.checking.about import about, compiled_by, provenance
from grokscape.predictions.checking.claim_functions import said
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.checking.trial import TrialError
from grokscape.predictions.checking.verdict_files import keep_verdict
from grokscape.predictions.drawn import require_drawn
from grokscape.predictions.evidence import Evidence
from grokscape.predictions.judge import correct_families, judge, largest_passing_p
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.robustness import with_robustness
from grokscape.predictions.verdict import Status, Verdict


@dataclass(frozen=True)
class Update:
    """Something to show while checking.

    Attributes
    ----------
    progress : SweepProgress or None
        How far training is.
    verdict : Verdict or None
        A verdict that is in, not yet corrected for its family.
    note : str
        Something a reader should know, such as a damaged record that is recomputed.
    """

    progress: SweepProgress | None = None
    verdict: Verdict | None = None
    note: str = ""


@dataclass
class Check:
    """Hold claims to the evidence at one tier.

    Iterate over `run` for live updates; `verdicts` then holds the corrected verdicts in the order of the claims, and
    `unsaved` a sentence about each that the store could not keep.

    Parameters
    ----------
    claims : sequence of Prediction
    tier : str
    store : Store
    modules : sequence of str
        What workers must import; `Registry.modules`.
    known : sequence of Prediction
        All claims there are: those of one source are corrected as one family, whichever of them are checked.
    device, compile
        See `train_all`.
    """

    claims: Sequence[Prediction]
    tier: str
    store: Store
    modules: Sequence[str] = ()
    known: Sequence[Prediction] = ()
    device: str = "cpu"
    compile: bool = False
    verdicts: list[Verdict] = field(default_factory=list)
    unsaved: list[str] = field(default_factory=list)

    def run(self, executor: Executor) -> Iterator[Update]:
        """Train, measure and judge; yield what happens.

        Each verdict is written to the store when it is in, corrected for its family as if the claims that are not in
        yet had failed, which is the stricter; and again at the end.

        Raises
        ------
        StoreError
            Before anything is trained, if the store cannot be written.
        """
        refuse_unwritable_store(self.store, self.tier)
        early: dict[str, Verdict] = {}
        waiting: list[Pending] = []
        for prediction in self.claims:
            found = self.prepare(prediction)
            if isinstance(found, Verdict):
                early[prediction.id] = found
                yield Update(verdict=found)
            else:
                waiting.append(found)
        everybody = tuple(waiting)
        for update in self.gather(waiting, executor):
            if update.verdict is not None:
                early[update.verdict.id] = update.verdict
                with contextlib.suppress(OSError, TypeError, ValueError):  # tried again, and told, at the end
                    keep_verdict(self.store, correct_families(reversed(early.values()))[0])
            yield update
        # Who shares what is known only now that everybody has asked for everything.
        uses = Counter(identity for item in everybody for identity in ancestry(item.experiments))
        for item in everybody:
            verdict = early[item.prediction.id]
            if verdict.cost:
                trained = [i for i, experiment in ancestry(item.experiments).items() if experiment in self.store]
                cost = {**verdict.cost, "shared": sum(uses[identity] > 1 for identity in trained)}
                early[verdict.id] = dataclasses.replace(verdict, cost=cost)
        self.verdicts = correct_families([early[prediction.id] for prediction in self.claims])
        yield from self.move_thresholds()
        for verdict in self.verdicts:
            try:
                note = keep_verdict(self.store, verdict)
            except (OSError, TypeError, ValueError) as error:  # no room, or something that is no JSON
                self.unsaved.append(f"the verdict on {verdict.id} could not be kept in the store ({error})")
            else:
                if note:
                    yield Update(note=note)

    def move_thresholds(self) -> Iterator[Update]:
        """Let each verdict say how far its thresholds may move before it is another."""
        room = largest_passing_p(self.verdicts)
        for index, (prediction, verdict) in enumerate(zip(self.claims, self.verdicts, strict=True)):
            try:
                self.verdicts[index] = with_robustness(prediction, verdict, largest_p=room[index])
            except Exception as error:  # a rule may be somebody's code
                yield Update(note=f"how far the thresholds of {verdict.id} may move is not known: {said(error)}")

    def gather(self, waiting: list[Pending], executor: Executor) -> Iterator[Update]:
        """Train until no claim waits; what a claim asks for when it has seen its runs joins the queue."""
        with learning(self.device, self.compile) as costs:
            sweep = Scheduler(self.store, executor, self.modules, self.device, self.compile, costs)
            yield from self.train(waiting, sweep)

    def train(self, waiting: list[Pending], sweep: Scheduler) -> Iterator[Update]:
        """Ask a sweep for what claims wait for, and settle them when it is there."""
        yield from self.enqueue({item: item.experiments for item in waiting}, sweep)
        yield from self.settle(waiting, sweep)
        for event in sweep.events():
            for note in event.notes:
                yield Update(note=note)
            if event.experiment is not None:
                for item in waiting:
                    if event.experiment.identity in item.missing:
                        item.missing.discard(event.experiment.identity)
                        item.failure = item.failure or event.failure
                yield from self.settle(waiting, sweep)
            yield Update(progress=event.progress)

    def enqueue(self, wanted: Mapping[Pending, Sequence[Experiment]], sweep: Scheduler) -> Iterator[Update]:
        """Ask for what claims want, and note what of it they have to wait for."""
        try:
            plan = Plan.of((experiment for experiments in wanted.values() for experiment in experiments), self.store)
        except (OSError, StoreError) as error:  # a damaged record in a store that turned read-only
            if len(wanted) > 1:  # the others may do without it
                for item, experiments in wanted.items():
                    yield from self.enqueue({item: experiments}, sweep)
                return
            for item in wanted:
                item.failure = item.failure or Failure(error_text(error) if isinstance(error, OSError) else str(error))
            return
        for complaint in plan.complaints:
            yield Update(note=complaint)
        sweep.add(plan)
        missing = {experiment.identity for experiment in plan.missing}
        for item, experiments in wanted.items():
            item.missing = missing & {experiment.identity for experiment in experiments}
            item.failure = next((sweep.failed[identity] for identity in item.missing & sweep.failed.keys()), None)
            sweep.queue.aim(item.prediction.id, item.goal(frozenset(item.missing)))

    def settle(self, waiting: list[Pending], sweep: Scheduler) -> Iterator[Update]:
        """Let claims whose runs are there ask for more, or conclude them."""
        for item in list(waiting):
            verdict = None
            while verdict is None and (item.failure or not item.missing):
                try:
                    new = [] if item.failure else item.refine(self.store)
                    verdict = None if new else self.conclude(item)
                except Damaged as damage:
                    verdict = yield from self.mend(item, damage, sweep)
                except Unavailable as lack:
                    verdict = self.without_evidence(item.prediction, Status.NOT_RUN, _lacking(lack))
                except Exception as error:  # a claim is somebody's code
                    reason = f"Its refinement: {said(error)}"
                    verdict = self.without_evidence(item.prediction, Status.ERROR, reason)
                else:
                    if new:
                        yield from self.enqueue({item: new}, sweep)
            if verdict is not None:
                waiting.remove(item)
                sweep.queue.reach(item.prediction.id)
                yield Update(verdict=verdict)

    def mend(self, item: Pending, damage: Damaged, sweep: Scheduler) -> Generator[Update, None, Verdict | None]:
        """Ask again for the runs of a claim that met a damaged record; the second time, give it up."""
        if item.mended:
            return self.without_evidence(item.prediction, Status.ERROR, f"Its records: {damage}; run the check again")
        item.mended = True
        yield from self.enqueue({item: item.experiments}, sweep)
        return None

    def prepare(self, prediction: Prediction) -> Pending | Verdict:
        """Return what a claim needs, or why it cannot be checked."""
        for package, advice in prediction.needs.items():
            if not _importable(package):
                return self.without_evidence(prediction, Status.NOT_RUN, f"It needs the package {package}: {advice}")
        if any(criterion.calibrated is None for criterion in prediction.criteria):
            return self.without_evidence(prediction, Status.ERROR, _uncalibrated(prediction, self.modules))
        if self.tier not in prediction.tiers:
            offered = ", ".join(prediction.tiers)
            return self.without_evidence(
                prediction, Status.NOT_RUN, f"It has no {self.tier} tier; it can be checked at: {offered}."
            )
        try:
            return Pending.of(prediction, self.tier)
        except Unavailable as lack:
            return self.without_evidence(prediction, Status.NOT_RUN, _lacking(lack))
        except TrialError as error:
            return self.without_evidence(prediction, Status.ERROR, str(error))
        except Exception as error:  # a claim is somebody's code
            return self.without_evidence(prediction, Status.ERROR, f"Its runs: {said(error)}")

    def conclude(self, item: Pending) -> Verdict:
        """Measure and judge a claim whose runs are in the store."""
        prediction = item.prediction
        if item.failure:
            if item.failure.unavailable:
                return self.without_evidence(prediction, Status.NOT_RUN, f"A run cannot be had: {item.failure.reason}")
            return self.without_evidence(prediction, Status.ERROR, f"A run failed: {item.failure.reason}")
        try:
            evidence, seconds = item.measure(self.store)
            compiled = compiled_by(self.store, item.experiments)
            verdict = self.judged(prediction, evidence)
        except Damaged:
            raise
        except Unavailable as lack:
            return self.without_evidence(prediction, Status.NOT_RUN, _lacking(lack))
        except Exception as error:  # a claim is somebody's code
            return self.without_evidence(prediction, Status.ERROR, f"Measuring: {said(error)}")
        identities = {
            arm: {str(seed): {label: e.identity for label, e in labels.items()} for seed, labels in seeds.items()}
            for arm, seeds in item.needed.items()
        }
        cost = {"seconds": round(sum(seconds.values()), 2), "runs": len(seconds)}
        made = self.about(prediction)
        made["provenance"] |= compiled
        return dataclasses.replace(verdict, seeds=prediction.tiers[self.tier].seeds, runs=identities, cost=cost, **made)

    def judged(self, prediction: Prediction, evidence: Evidence) -> Verdict:
        """Return what the evidence decides.

        Raises
        ------
        InvalidInput
            If the claim draws what it does not measure.
        """
        require_drawn(prediction, evidence)
        return judge(prediction, self.tier, evidence, family=self.family(prediction))

    def family(self, prediction: Prediction) -> int:
        """Return how many claims of one source are judged at this tier, whether or not they are checked now."""
        return sum(
            other.source.key == prediction.source.key and self.tier in other.tiers
            for other in self.known or self.claims
        )

    def without_evidence(self, prediction: Prediction, status: Status, reason: str) -> Verdict:
        return Verdict(id=prediction.id, tier=self.tier, status=status, reason=reason, **self.about(prediction))

    def about(self, prediction: Prediction) -> dict[str, Any]:
        """Return what a verdict says about its claim and its making."""
        return {
            "about": about(prediction, self.tier),
            "provenance": provenance(prediction, self.tier, self.modules),
            "calibration_seeds": prediction.calibration_seeds,
        }


def _lacking(lack: Unavailable) -> str:
    """Return why a claim is not run, as a sentence."""
    what = "It needs data" if isinstance(lack, DataMissing) else "It cannot be measured"
    return f"{what}: {lack}"


def _uncalibrated(prediction: Prediction, modules: Sequence[str]) -> str:
    """Return what to do about a claim of which nobody knows how its rules err."""
    lacking = next(criterion.quantity for criterion in prediction.criteria if criterion.calibrated is None)
    extra = "".join(f" --module {shlex.quote(module)}" for module in modules)
    return (
        f"Its criterion on {lacking!r} is not calibrated: run grokscape calibrate {prediction.id}{extra}, and paste "
        "the calibrated=... that it prints into the criterion."
    )


def _importable(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False
