"""Verdicts as they were written until December 2026, made into those of today.

Version 1 had texts where there are data now: requirements as sentences, settings as ``repr``. They are taken apart
here, and nowhere else.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from grokscape.predictions import verdict as today
from grokscape.predictions.evidence import CLAIM, Evidence
from grokscape.predictions.rules import (
    Below,
    Exceeds,
    Monotone,
    Precedes,
    Proportion,
    Requirement,
    Rule,
    Spread,
    Within,
)
from grokscape.predictions.verdict import contributions, finite

#: Name of the JSON form that is read here.
SCHEMA = "grokscape-verdict/1"

#: What `ast` raises for texts that are no Python, or too much of it.
_NO_PYTHON = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)
#: How descriptions are called that readers know by another form than their parameters, and by another name.
_PHRASES = {
    "BinaryOperation": "{operation} modulo {p}",
    "Permutations": "{word} in S{n}",
    "SparseParity": "the parity of {k} of {n} bits",
    "Digits": "{examples} handwritten digits",
    "MnistSample": "{examples} digits of MNIST",
}
_NAMES = {"Dense": "multilayer perceptron", "TeacherStudent": "outputs of a teacher network"}


def upgraded(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """Return a verdict of version 1, which fits its schema, as one of today."""
    evidence = Evidence.from_data(verdict.get("evidence", ()))
    result = {name: value for name, value in verdict.items() if name != "expected"} | {"schema": today.SCHEMA}
    result["accepted"] = verdict.get("expected", "")
    result["criteria"] = [_criterion(found, CLAIM, evidence) for found in verdict.get("criteria", ())]
    result["controls"] = [
        control | {"criteria": [_criterion(found, control["name"], evidence) for found in control["criteria"]]}
        for control in verdict.get("controls", ())
    ]
    result["gates"] = [_gate(found) for found in verdict.get("gates", ())]
    about = dict(verdict.get("about", {}))
    if "setting" in about:
        about["setting"] = _setting(about["setting"])
    if "controls" in about:
        about["controls"] = {name: _setting(changes) for name, changes in about["controls"].items()}
    if "portraits" in about:
        about["portraits"] = [
            {"trajectories" if key == "orbits" else key: value for key, value in portrait.items()}
            for portrait in about["portraits"]
        ]
    return result | {"about": about}


def _criterion(found: Mapping[str, Any], arm: str, evidence: Evidence) -> dict[str, Any]:
    rule = _rule(found)
    if rule is None:  # of somebody's own
        own = {"kind": "value", "axis": found["quantity"], "region": [None, None], "contributions": []}
        return dict(found) | own | {"parameters": {}, "requirement": asdict(_requirement(found["requirement"]))}
    quantity, at = found["quantity"], found["at"]
    try:
        sample = evidence.sample(quantity, arm=arm, at=at)
        contributed = contributions(rule, sample, evidence.seeds(quantity, arm=arm, at=at))
    except (KeyError, ValueError):  # evidence that somebody took away
        contributed = ()
    return dict(found) | {
        "kind": rule.kind,
        "axis": rule.axis(quantity),
        "region": finite(rule.region),
        "contributions": finite([asdict(one) for one in contributed]),
        "parameters": {},
        "requirement": asdict(rule.requirement()),
    }


def _rule(found: Mapping[str, Any]) -> Rule | None:
    match found["rule"], found["thresholds"]:
        case "Within", [low, high]:
            return Within(low, high)
        case "Monotone", [least]:
            return Monotone("falling" if "falling" in found["requirement"] else "rising", least)
        case name, [threshold]:
            known = {rule.__name__: rule for rule in (Exceeds, Below, Proportion, Precedes, Spread)}
            return known[name](threshold) if name in known else None
    return None


def _requirement(sentence: str) -> Requirement:
    verb, _, rest = sentence.partition(" ")
    if verb == "is":
        return Requirement("be", rest)
    return (
        Requirement(verb.removesuffix("s"), rest) if verb.endswith("s") and rest else Requirement("satisfy", sentence)
    )


def _gate(found: Mapping[str, Any]) -> dict[str, Any]:
    limits: dict[str, float | None] = {"above": None, "below": None}
    side, _, limit = found["requirement"].removeprefix(found["quantity"]).strip().partition(" ")
    if side not in limits:
        raise ValueError(f"gate {found['requirement']!r} of version 1 says neither above nor below what")
    limits[side] = float(limit)
    return {name: value for name, value in found.items() if name != "requirement"} | limits


def _setting(texts: Mapping[str, str]) -> dict[str, Any]:
    return {name: value(text) for name, text in texts.items()}


def value(text: str) -> Any:
    """Return the value that a ``repr`` shows: as data where it is plain, and else in words; nothing is evaluated."""
    try:
        return _plain(ast.literal_eval(text))
    except _NO_PYTHON:
        pass
    try:
        found = ast.parse(text, mode="eval").body
    except _NO_PYTHON:
        return {"words": text, "data": None}
    if isinstance(found, ast.Tuple) and found.elts:
        return [{"words": _words(ast.unparse(item)), "data": None} for item in found.elts]
    return {"words": _words(text), "data": None}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a {type(value).__name__} is no JSON")


def _words(text: str) -> str:
    """Return the ``repr`` of a description in words, and any other text as it is."""
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            return text
        values = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg}
        if call.func.id in _PHRASES:
            return _PHRASES[call.func.id].format(**values)
    except (*_NO_PYTHON, KeyError):
        return text
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", call.func.id).split()
    name = _NAMES.get(call.func.id, " ".join(word.lower() if word[1:].islower() else word for word in parts))
    # A fingerprint pins data, and tells a reader nothing.
    kept = {k: v for k, v in values.items() if v not in (None, False) and not re.fullmatch("[0-9a-f]{32,}", str(v))}
    said = [key.replace("_", " ") + ("" if value is True else f" {value}") for key, value in kept.items()]
    return f"{name} ({', '.join(said)})" if said else name
