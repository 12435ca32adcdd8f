"""Verdicts: values, with everything that a reader needs to doubt them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from grokscape.landscape.printable import printable
from grokscape.predictions.evidence import Rows
from grokscape.predictions.rules import Requirement, Rule, Sample

#: Name of the JSON form of a verdict; ``checking/verdict.schema.json`` describes it.
SCHEMA = "grokscape-verdict/2"


class Status(StrEnum):
    """What a check can come to."""

    PASS = "PASS"
    """Every criterion is corroborated, every control fails, every gate is met."""
    FAIL = "FAIL"
    """A criterion is falsified."""
    INCONCLUSIVE = "INCONCLUSIVE"
    """Neither; more seeds may decide."""
    INVALID = "INVALID"
    """A control passed, or a gate was not met: the measurement does not bear on the claim."""
    NOT_RUN = "NOT RUN"
    """Something the check needs is absent."""
    ERROR = "ERROR"
    """The check broke."""


class Robustness(StrEnum):
    """What becomes of a verdict where a single threshold is moved; see `robustness`."""

    UNKNOWN = ""
    """Nothing was judged, or by a version that did not ask."""
    ROBUST = "robust"
    """No threshold moved by a fifth of its size changes it."""
    FRAGILE = "fragile"
    """Some threshold moved by a fifth of its size, or by less, changes it."""
    ROUNDING = "within rounding"
    """Some threshold lies so near to where the verdict changes that the digits shown do not tell them apart."""


#: Statuses that make ``grokscape check`` exit with 1.
BAD = (Status.FAIL, Status.INVALID, Status.ERROR)


@dataclass(frozen=True)
class Contribution:
    """What one seed contributes to an estimate: a value, and between which numbers the true one lies."""

    seed: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Judged:
    """One criterion on one arm.

    Attributes
    ----------
    quantity, at : str, float or None
        What was measured, and at which level.
    rule : str
        Name of the rule's class.
    parameters : mapping
        The rule's own fields.
    kind : str
        What the estimate is; see `Rule`.
    subject : str
        What the estimate is, in words.
    axis : str
        What a seed contributes, in words.
    requirement : Requirement
        What had to hold, in words.
    outcome : str
        "corroborated", "falsified" or "undecided".
    estimate, low, high : float
        Over seeds, with the 95 % interval (infinite where there were too few seeds for one).
    thresholds : tuple of float
    region : tuple of float
        Between which two numbers the estimate had to lie; infinite where there is no bound.
    threshold_from : str
    p : float
        Two-sided, against the threshold.
    n : int
        Seeds.
    false_pass, power : float
        Simulated error rates of the rule at this number of seeds: before any correction, and at the strictest level
        that Holm's correction for the family can ask for.
    contributions : tuple of Contribution
        Of each seed, in their order.
    robust_to : float or None
        Of a claim's criterion: the smallest move of one of its thresholds, relative to the threshold's size (see
        `rules.moved.Threshold`), that changes the claim's verdict; infinite if none by less than its size does. None
        where that was not asked.
    relative_to : str
        What that size is: "itself", "its distance to 1", "half the window" or "a factor".
    turns_at : float or None
        Where that move takes the threshold.
    turns_into : str
        The claim's status beyond.
    guarded_by : tuple of str or None
        Of a claim's criterion: the controls in which that very criterion is falsified. None where that was not asked.
    """

    quantity: str
    at: float | None
    rule: str
    parameters: Mapping[str, Any]
    kind: str
    subject: str
    axis: str
    requirement: Requirement
    outcome: str
    estimate: float
    low: float
    high: float
    thresholds: tuple[float, ...]
    region: tuple[float, float]
    threshold_from: str
    p: float
    n: int
    false_pass: float
    power: float
    contributions: tuple[Contribution, ...]
    robust_to: float | None = None
    relative_to: str = ""
    turns_at: float | None = None
    turns_into: str = ""
    guarded_by: tuple[str, ...] | None = None


def described(rule: Rule, quantity: str) -> dict[str, Any]:
    """Return what a rule says of itself and of a quantity, as fields of `Judged`."""
    mine: dict[str, Any] = {}
    if is_dataclass(rule):
        mine = {field.name: getattr(rule, field.name) for field in fields(rule)}
    return {
        "rule": type(rule).__name__,
        "parameters": {name: value for name, value in mine.items() if isinstance(value, str | int | float | None)},
        "kind": rule.kind,
        "subject": rule.subject(quantity),
        "axis": rule.axis(quantity),
        "requirement": rule.requirement(),
        "thresholds": rule.thresholds,
        "region": rule.region,
    }


def contributions(rule: Rule, sample: Sample, seeds: Sequence[int]) -> tuple[Contribution, ...]:
    """Return what each seed contributes to a rule's estimate.

    Raises
    ------
    ValueError
        If the rule (of somebody's own) does not say so of each seed.
    """
    found = rule.contributions(sample)
    columns = [np.asarray(column, dtype=float).tolist() for column in (found.values, found.low, found.high)]
    if any(len(column) != len(seeds) for column in columns):
        name = f"{type(rule).__name__}.contributions"
        raise ValueError(f"{name} gives {len(columns[0])} values for {len(seeds)} seeds, expected one for each")
    return tuple(Contribution(*row) for row in zip(seeds, *columns, strict=True))


@dataclass(frozen=True)
class GateResult:
    """Whether a gate was met, and by what the worst seed missed or met it; of above and below one is None."""

    arm: str
    quantity: str
    above: float | None
    below: float | None
    worst: float
    met: bool


@dataclass(frozen=True)
class ControlResult:
    """How a control came out; it should fail."""

    name: str
    why: str
    outcome: str
    criteria: tuple[Judged, ...]


@dataclass(frozen=True)
class Verdict:
    """The outcome of checking one claim at one tier.

    Attributes
    ----------
    status : Status
    reason : str
        Why, in one sentence made from the numbers.
    criteria, controls, gates
        What was found.
    p, p_holm : float or None
        Largest p-value of the criteria (all must hold), raw and corrected within the family.
    family : int
        Claims of the same source at this tier, checked or not, that the correction is for.
    seeds, calibration_seeds : tuple of int
    runs : mapping
        Arm -> seed -> label -> identity of the run in the store.
    cost : mapping
        ``seconds`` of training (one core) behind the evidence, ``runs``, and ``shared``: runs other claims use too.
    evidence : sequence of mapping
        Every observation, as rows.
    about : mapping
        The claim itself as data: sentence, source, theory, kind, amendments, curves, notes, setting.
    provenance : mapping
        Versions, date, command that reproduces the check.
    anticipated : str
        What calibration foresaw (`Prediction.anticipated`); "" where nothing was judged.
    accepted : str
        Why this verdict is known and accepted, if it is (``--expect``).
    robustness : Robustness
        Whether it survives a threshold that is moved.
    """

    id: str
    tier: str
    status: Status
    reason: str
    criteria: tuple[Judged, ...] = ()
    controls: tuple[ControlResult, ...] = ()
    gates: tuple[GateResult, ...] = ()
    p: float | None = None
    p_holm: float | None = None
    family: int = 1
    seeds: tuple[int, ...] = ()
    calibration_seeds: tuple[int, ...] = ()
    runs: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    evidence: Sequence[Mapping[str, Any]] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    anticipated: str = ""
    accepted: str = ""
    robustness: Robustness = Robustness.UNKNOWN

    def to_data(self) -> dict[str, Any]:
        """Return the verdict as JSON-able data: infinite bounds become null, and texts `printable`."""
        # The rows of evidence, by far the largest part, are made once, and not copied.
        data: dict[str, Any] = {"schema": SCHEMA, **asdict(replace(self, evidence=())), "evidence": self.evidence}
        data["status"], data["robustness"] = self.status.value, self.robustness.value
        return finite(data)


def finite(value: Any) -> Any:
    """Return data as JSON can hold them: numbers that are infinite, or none, become null, and texts `printable`."""
    if isinstance(value, dict):
        return {finite(key): finite(item) for key, item in value.items()}
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list | tuple | Rows):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
