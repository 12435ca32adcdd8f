"""Numbers as prose: the one place where what was found, as the data of a verdict, becomes sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokscape.predictions.numbers import capital, count, estimate, listed, number, share
from grokscape.predictions.rules import Requirement

_OUTCOMES = {"corroborated": "as claimed", "falsified": "against the claim", "undecided": "undecided"}
#: What a claim does where a threshold has moved.
_BEYOND = {"PASS": "holds", "FAIL": "fails", "INCONCLUSIVE": "is undecided", "INVALID": "is invalid"}


def states(requirement: Mapping[str, str]) -> str:
    """Return what holds, to follow a subject: "exceeds 3"."""
    return Requirement(**requirement).statement


def must(requirement: Mapping[str, str]) -> str:
    """Return what has to hold: "must exceed 3"."""
    return Requirement(**requirement).demand


def subject(found: Mapping[str, Any]) -> str:
    """Return what a criterion is about, and at which level."""
    return found["subject"] + ("" if found["at"] is None else f" at {number(found['at'])}")


def measured(found: Mapping[str, Any]) -> str:
    """Return the estimate of a criterion, with its interval."""
    return estimate(found["estimate"], found["low"], found["high"])


def sentence(found: Mapping[str, Any]) -> str:
    """Return what was found of a criterion, in words."""
    return (
        f"{capital(subject(found))} is {measured(found)} over {count(found['n'], 'seed')}; it "
        f"{must(found['requirement'])}: {_OUTCOMES[found['outcome']]}."
    )


def robustness(found: Mapping[str, Any]) -> str:
    """Return how far a threshold of a criterion may move before the verdict is another, as a sentence."""
    places = found["thresholds"]
    which = "the threshold" if len(places) == 1 else "a threshold"
    if places and not any(places):
        return "The threshold asks for a sign: 0 has no size to be moved by."
    moved = found.get("robust_to")
    if moved is None or found.get("turns_at") is None:
        return f"No move of {which} by less than its size changes the verdict."
    beyond, place = _BEYOND.get(found.get("turns_into", ""), "changes"), number(found["turns_at"])
    if place in map(number, places):
        return f"To the digits shown, {which} stands at {place}, where the verdict changes: the claim {beyond} beyond."
    relative = found.get("relative_to", "")
    if relative == "a factor":
        by = f"by a factor of {number(1 + moved, 3)}"
    else:
        by = share(float(f"{100 * moved:.2g}") / 100)
        by = f"by {by}" if relative in ("", "itself") else f"by {by} of {relative}"
    return f"The verdict changes if {which} moves {by}, to {place}: the claim {beyond} beyond."


def guards(found: Mapping[str, Any]) -> str:
    """Return which controls fail a criterion, as a sentence; "" where that is not known."""
    names = found.get("guarded_by")
    if names is None:
        return ""
    if not names:
        return "Guarded by no control: none of them fails this very criterion."
    return f"Guarded by {listed([f'“{name}”' for name in names])}."


def gate(found: Mapping[str, Any]) -> str:
    """Return what a gate demands, in words: "training accuracy above 0.99"."""
    side, limit = ("below", found["below"]) if found["above"] is None else ("above", found["above"])
    return f"{found['quantity']} {side} {number(limit)}"


def reason(verdict: Mapping[str, Any]) -> str:
    """Return why a verdict is what it is, from its numbers; "" where they do not say so."""
    criteria, status = verdict["criteria"], verdict["status"]
    if status == "INVALID":
        return _invalid(verdict)
    if status == "PASS":
        return " ".join(map(sentence, criteria))
    decisive = {"FAIL": "falsified", "INCONCLUSIVE": "undecided"}.get(status)
    for found in criteria:
        if found["outcome"] == decisive:
            return sentence(found)
    return _inconclusive(verdict) if status == "INCONCLUSIVE" else ""


def _invalid(verdict: Mapping[str, Any]) -> str:
    for found in verdict["gates"]:
        if not found["met"]:
            where = "" if found["arm"] == "claim" else f" in the control “{found['arm']}”"
            return f"The gate “{gate(found)}” was not met{where}: the worst seed has {number(found['worst'])}."
    for control in verdict["controls"]:
        if control["outcome"] == "corroborated":
            return f"The control “{control['name']}” passed: {sentence(control['criteria'][0])}"
    return ""


def _inconclusive(verdict: Mapping[str, Any]) -> str:
    """Return why a verdict is open though every criterion is met."""
    for control in verdict["controls"]:
        if control["outcome"] == "undecided":
            return f"The control “{control['name']}” did not clearly fail."
    if verdict["p_holm"] is None:
        return ""
    found = " ".join(map(sentence, verdict["criteria"]))
    family = count(verdict["family"], "claim")
    corrected = f"Corrected for the {family} of its family, p = {number(verdict['p_holm'], 3)}: undecided."
    return f"{found} {corrected}".lstrip()
