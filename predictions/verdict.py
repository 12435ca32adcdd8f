"""Verdicts: values, with everything that a reader needs to doubt them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from grokscape.landscape.printable import printable
from grokscape.predictions.evidence import Rows

#: Name of the JSON form of a verdict; ``verdict.schema.json`` beside this file describes it.
SCHEMA = "grokscape-verdict/1"


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


#: Statuses that make ``grokscape check`` exit with 1.
BAD = (Status.FAIL, Status.INVALID, Status.ERROR)


@dataclass(frozen=True)
class Judged:
    """One criterion on one arm.

    Attributes
    ----------
    quantity, at : str, float or None
        What was measured, and at which level.
    rule : str
        Name of the rule's class.
    subject : str
        What the estimate is, in words.
    requirement : str
        What had to hold, in words.
    outcome : str
        "corroborated", "falsified" or "undecided".
    estimate, low, high : float
        Over seeds, with the 95 % interval (infinite where there were too few seeds for one).
    thresholds : tuple of float
    threshold_from : str
    p : float
        Two-sided, against the threshold.
    n : int
        Seeds.
    false_pass, power : float
        Simulated error rates of the rule at this number of seeds: before any correction, and at the strictest level
        that Holm's correction for the family can ask for.
    """

    quantity: str
    at: float | None
    rule: str
    subject: str
    requirement: str
    outcome: str
    estimate: float
    low: float
    high: float
    thresholds: tuple[float, ...]
    threshold_from: str
    p: float
    n: int
    false_pass: float
    power: float


@dataclass(frozen=True)
class GateResult:
    """Whether a gate was met, and by what the worst seed missed or met it."""

    arm: str
    quantity: str
    requirement: str
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
        The claim itself as data: sentence, source, theory, curves, notes, setting.
    provenance : mapping
        Versions, date, command that reproduces the check.
    expected : str
        Why another verdict than PASS was expected, if it was (``--expect``).
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
    expected: str = ""

    def to_data(self) -> dict[str, Any]:
        """Return the verdict as JSON-able data: infinite bounds become null, and texts `printable`."""
        # The rows of evidence, by far the largest part, are made once, and not copied.
        data: dict[str, Any] = {"schema": SCHEMA, **asdict(replace(self, evidence=())), "evidence": self.evidence}
        data["status"] = self.status.value
        return _finite(data)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {_finite(key): _finite(item) for key, item in value.items()}
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list | tuple | Rows):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
