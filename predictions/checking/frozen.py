"""Fingerprints of a claim: of all that was frozen before its seeds were looked at, and of the runs behind it.

They are hashes of canonical JSON of the data that a claim holds. What classes and controls are called, and every text
for readers, is left out, and so is a field that has its default: a field that is added with one leaves the
fingerprints of all claims alone. Whoever changes what a default means gives the field another name.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from grokscape.landscape.description import Description
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.printable import short
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.prediction import Prediction

#: Fields that are for readers, or that were found before anything was frozen.
WORDS = frozenset({"name", "why", "threshold_from", "calibrated"})

#: Arm -> seed -> label -> identity.
Runs = Mapping[str, Mapping[str, Mapping[str, str]]]


def frozen_hash(claim: Prediction, tier: str) -> str:
    """Return the fingerprint of all that is frozen of a claim at a tier.

    That is criteria with their rules, gates, controls, seeds, setting and calibration seeds.

    Raises
    ------
    InvalidInput
        If a setting holds what is no data.
    """
    return _hash(frozen(claim, tier))


def frozen(claim: Prediction, tier: str) -> dict[str, Any]:
    """Return all that is frozen of a claim at a tier, as data; at a tier that it lacks, without seeds and setting.

    Raises
    ------
    InvalidInput
        If a setting holds what is no data.
    """
    scale = claim.tiers.get(tier)
    try:
        return {
            "criteria": [_data(criterion) for criterion in claim.criteria],
            "gates": [_data(gate) for gate in claim.gates],
            "controls": [_data(control) for control in claim.controls],
            "seeds": [] if scale is None else list(scale.seeds),
            "setting": {} if scale is None else _data(scale.setting),
            "calibration_seeds": list(claim.calibration_seeds),
        }
    except (TypeError, RecursionError) as error:
        raise InvalidInput(
            f"what is frozen of {claim.id!r} cannot be written as data ({error}); use numbers, texts, and sequences, "
            "mappings and descriptions of them in settings and controls"
        ) from error


def run_hash(runs: Runs) -> str:
    """Return the fingerprint of runs: of which arm and seed they are, and their identities; not of their labels."""
    return _hash(
        {arm: {seed: sorted(set(labels.values())) for seed, labels in seeds.items()} for arm, seeds in runs.items()}
    )


def first_runs(claim: Prediction, tier: str) -> Runs:
    """Return the runs that a claim asks for before it has seen any, which its code alone decides.

    Raises
    ------
    ClaimError, InvalidInput
        If the claim's code raises something, or returns what cannot be used.
    """
    needed = Pending.of(claim, tier, vet=False).needed
    return {
        arm: {str(seed): {label: run.identity for label, run in labels.items()} for seed, labels in seeds.items()}
        for arm, seeds in needed.items()
    }


def _data(value: Any) -> Any:
    """Return a value as JSON-able data; equal numbers as equal texts.

    Raises
    ------
    TypeError
        If it is no data.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.generic):
        return _data(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        return {str(name): _data(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_data(item) for item in value]
    if isinstance(value, Description):
        return _data(value.to_data())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _of_rule(value) | _fields(value) if hasattr(value, "region") else _fields(value)
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(f"found {short(value)}")


def _number(value: float) -> Any:
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _of_rule(rule: Any) -> dict[str, Any]:
    """Return what tells rules apart besides their fields: two with the same bound may lie on different sides of it."""
    return {"kind of estimate": rule.kind, "region": _data(rule.region)}


def _fields(value: Any) -> dict[str, Any]:
    return {
        field.name: _data(found)
        for field in dataclasses.fields(value)
        if field.name not in WORDS and not _is_default(field, found := getattr(value, field.name))
    }


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return field.default is not dataclasses.MISSING and bool(value == field.default)


def _hash(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
