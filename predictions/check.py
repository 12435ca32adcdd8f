"""Checking claims: train what is missing, measure, judge, and keep the verdicts."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import json
import shlex
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from landscape.experiment import Experiment
from landscape.training.executor import Progress, train_all
from landscape.training.files import write_atomically
from landscape.training.plan import Plan, ancestry
from landscape.training.store import Store
from predictions.evidence import CLAIM, Evidence, Observation
from predictions.judge import correct_families, judge
from predictions.prediction import Prediction
from predictions.registry import GROUP
from predictions.verdict import Status, Verdict

Needed = dict[str, dict[int, dict[str, Experiment]]]


@dataclass(frozen=True)
class Update:
    """Something to show while checking.

    Attributes
    ----------
    progress : Progress or None
        How far training is.
    verdict : Verdict or None
        A verdict that is in, not yet corrected for its family.
    note : str
        Something a reader should know, such as a damaged record that is recomputed.
    """

    progress: Progress | None = None
    verdict: Verdict | None = None
    note: str = ""


@dataclass
class _Pending:
    """A claim that waits for runs."""

    prediction: Prediction
    needed: Needed
    missing: set[str]
    failure: str = ""

    @property
    def experiments(self) -> list[Experiment]:
        return [e for seeds in self.needed.values() for labels in seeds.values() for e in labels.values()]


@dataclass
class Check:
    """Hold claims to the evidence at one tier.

    Iterate over `run` for live updates; `verdicts` then holds the corrected verdicts in the order of the claims.

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

    def run(self, executor: Executor) -> Iterator[Update]:
        """Train, measure and judge; yield what happens. Verdicts are written to the store at the end."""
        early: dict[str, Verdict] = {}
        waiting: list[_Pending] = []
        for prediction in self.claims:
            found = self.prepare(prediction)
            if isinstance(found, Verdict):
                early[prediction.id] = found
                yield Update(verdict=found)
            else:
                waiting.append(found)
        # The cheapest claims first: the first verdict should not wait for the last run.
        waiting.sort(key=lambda item: sum(e.work for e in item.experiments))
        plan = Plan.of((e for item in waiting for e in item.experiments), self.store)
        for complaint in plan.complaints:
            yield Update(note=complaint)
        absent = {experiment.identity for experiment in plan.missing}
        for item in waiting:
            item.missing = {e.identity for e in item.experiments} & absent
        uses = Counter(identity for item in waiting for identity in ancestry(item.experiments))

        def settle() -> Iterator[Update]:
            for item in list(waiting):
                if item.failure or not item.missing:
                    waiting.remove(item)
                    early[item.prediction.id] = self.conclude(item, uses)
                    yield Update(verdict=early[item.prediction.id])

        yield from settle()
        for event in train_all(
            plan, self.store, executor, modules=self.modules, device=self.device, compile=self.compile
        ):
            for note in event.notes:
                yield Update(note=note)
            if event.experiment is not None:
                for item in waiting:
                    if event.experiment.identity in item.missing:
                        item.missing.discard(event.experiment.identity)
                        item.failure = item.failure or event.error
                yield from settle()
            yield Update(progress=event.progress)
        self.verdicts = correct_families([early[prediction.id] for prediction in self.claims])
        for verdict in self.verdicts:
            save_verdict(self.store, verdict)

    def prepare(self, prediction: Prediction) -> _Pending | Verdict:
        """Return what a claim needs, or why it cannot be checked."""
        for package, advice in prediction.needs.items():
            if not _importable(package):
                return self.without_evidence(prediction, Status.NOT_RUN, f"It needs the package {package}: {advice}")
        if self.tier not in prediction.tiers:
            offered = ", ".join(prediction.tiers)
            return self.without_evidence(
                prediction, Status.NOT_RUN, f"It has no {self.tier} tier; it can be checked at: {offered}."
            )
        try:
            needed: Needed = {
                arm: {seed: dict(prediction.runs(seed, at)) for seed in prediction.tiers[self.tier].seeds}
                for arm, at in prediction.arms(self.tier).items()
            }
            found = _Pending(prediction, needed, set())
            for experiment in ancestry(found.experiments).values():
                # Asked for now, inside this guard: what a description says of itself may be somebody's code too.
                _ = experiment.identity, experiment.batch_key, experiment.work
        except Exception as error:  # a claim is somebody's code
            return self.without_evidence(prediction, Status.ERROR, f"Its runs: {type(error).__name__}: {error}")
        return found

    def conclude(self, item: _Pending, uses: Mapping[str, int]) -> Verdict:
        """Measure and judge a claim whose runs are in the store."""
        prediction = item.prediction
        if item.failure:
            return self.without_evidence(prediction, Status.ERROR, f"A run failed: {item.failure}")
        try:
            evidence, seconds = self.measure(item)
            verdict = judge(prediction, self.tier, evidence, family=self.family(prediction))
        except Exception as error:  # a claim is somebody's code
            return self.without_evidence(prediction, Status.ERROR, f"Measuring: {type(error).__name__}: {error}")
        shared = sum(uses[identity] > 1 for identity in seconds)
        identities = {
            arm: {str(seed): {label: e.identity for label, e in labels.items()} for seed, labels in seeds.items()}
            for arm, seeds in item.needed.items()
        }
        cost = {"seconds": round(sum(seconds.values()), 2), "runs": len(seconds), "shared": shared}
        return dataclasses.replace(
            verdict, seeds=prediction.tiers[self.tier].seeds, runs=identities, cost=cost, **self.about(prediction)
        )

    def measure(self, item: _Pending) -> tuple[Evidence, dict[str, float]]:
        """Return the evidence, and the seconds of training behind each run of it."""
        observations: list[Observation] = []
        seconds = {
            identity: float(self.store.header(experiment)["info"].get("seconds", 0.0))
            for identity, experiment in ancestry(item.experiments).items()
            if experiment in self.store  # a start may be gone while what it led to is still there
        }
        for arm, at in item.prediction.arms(self.tier).items():
            for seed, labels in item.needed[arm].items():
                records = {label: self.store.read(experiment) for label, experiment in labels.items()}
                observations += [
                    Observation(m.quantity, float(m.value), m.at, bool(m.censored), arm=arm, seed=seed)
                    for m in item.prediction.measure(records, at)
                ]
        evidence = Evidence(tuple(observations))
        prediction, seeds = item.prediction, item.prediction.tiers[self.tier].seeds
        for arm in item.needed:
            for criterion in prediction.criteria:
                evidence.require(criterion.quantity, arm=arm, at=criterion.at, seeds=seeds)
            for gate in prediction.gates:
                if gate.controls or arm == CLAIM:
                    evidence.require(gate.quantity, arm=arm, at=None, seeds=seeds)
        return evidence, seconds

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
        source = dataclasses.asdict(prediction.source) | {"where": prediction.where}
        setting = dict(prediction.tiers[self.tier].setting) if self.tier in prediction.tiers else {}
        about = {
            "claim": prediction.claim,
            "source": source,
            "theory": prediction.theory,
            "notes": prediction.notes,
            "curves": [dataclasses.asdict(curve) for curve in prediction.curves],
            "setting": {name: repr(value) for name, value in setting.items()},
            "controls": {c.name: {k: repr(v) for k, v in c.changes.items()} for c in prediction.controls},
        }
        plugins = {point.value for point in importlib.metadata.entry_points(group=GROUP)}
        own = [module for module in self.modules if module not in plugins]
        extra = "".join(f" --module {shlex.quote(module)}" for module in own)
        provenance = {
            "grokscape": importlib.metadata.version("grokscape"),
            "torch": importlib.metadata.version("torch"),
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "command": f"grokscape check {prediction.id} --tier {self.tier}{extra}",
        }
        return {"about": about, "provenance": provenance, "calibration_seeds": prediction.calibration_seeds}


def _importable(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def save_verdict(store: Store, verdict: Verdict) -> None:
    """Keep a verdict for the report."""
    folder = store.path / "verdicts" / verdict.tier
    folder.mkdir(exist_ok=True)
    content = json.dumps(verdict.to_data(), allow_nan=False)
    write_atomically(folder / f"{verdict.id}.json", content.encode())


def load_verdicts(store: Store, tier: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the kept verdicts of a tier as data, by id, and a sentence about each file that cannot be read."""
    found, complaints = [], []
    for file in sorted((store.path / "verdicts" / tier).glob("[!.]*.json")):
        try:
            data = json.loads(file.read_bytes())
            if data["id"] != file.stem:
                raise ValueError("it holds another claim's verdict")
        except (OSError, ValueError, KeyError, TypeError) as error:
            complaints.append(f"{file} cannot be read ({error}); check the claim again")
        else:
            found.append(data)
    return found, complaints
