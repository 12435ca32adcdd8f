"""Verdicts made again from their data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from grokscape.predictions.evidence import Rows
from grokscape.predictions.rules import Requirement
from grokscape.predictions.verdict import Contribution, ControlResult, GateResult, Judged, Robustness, Status, Verdict


def verdict_of(data: Mapping[str, Any]) -> Verdict:
    """Return the verdict whose data these are, as `Verdict.to_data` writes them.

    Raises
    ------
    ValueError
        If something is missing, or there is more than a verdict has.
    """
    fields = {name: value for name, value in data.items() if name != "schema"}
    rows = fields.get("evidence", ())
    try:
        fields["status"] = Status(fields["status"])
        fields["robustness"] = Robustness(fields.get("robustness", ""))
        asked = fields["robustness"] is not Robustness.UNKNOWN
        fields["criteria"] = tuple(_judged(criterion, asked=asked) for criterion in fields.get("criteria", ()))
        fields["controls"] = tuple(
            ControlResult(**{**control, "criteria": tuple(map(_judged, control["criteria"]))})
            for control in fields.get("controls", ())
        )
        fields["gates"] = tuple(
            GateResult(**{**gate, "worst": _or(gate["worst"], math.nan)}) for gate in fields.get("gates", ())
        )
        for name in ("seeds", "calibration_seeds"):
            fields[name] = tuple(fields.get(name, ()))
        fields["evidence"] = rows if isinstance(rows, Rows) else Rows.of(rows)
        return Verdict(**fields)
    except (KeyError, TypeError) as error:
        raise ValueError(f"it lacks something, or has more than a verdict has ({error!s:.80})") from None


def _judged(data: Mapping[str, Any], *, asked: bool = False) -> Judged:
    """Return a criterion; where it was `asked` how far thresholds may move, none is farther than any."""
    low, high = data["region"]
    guards = data.get("guarded_by")
    return Judged(**{
        **data,
        "requirement": Requirement(**data["requirement"]),
        "estimate": _or(data["estimate"], math.nan),
        "low": _or(data["low"], -math.inf),
        "high": _or(data["high"], math.inf),
        "region": (_or(low, -math.inf), _or(high, math.inf)),
        "thresholds": tuple(data["thresholds"]),
        "robust_to": math.inf if asked and data.get("robust_to") is None else data.get("robust_to"),
        "guarded_by": None if guards is None else tuple(guards),
        "contributions": tuple(
            Contribution(**{**one, "low": _or(one["low"], -math.inf), "high": _or(one["high"], math.inf)})
            for one in data["contributions"]
        ),
    })  # fmt: skip


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
