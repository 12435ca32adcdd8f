"""Verdicts that a threshold of another's choosing would change: marked, and told wherever claims are counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grokscape.predictions.wording import guards, robustness, subject
from grokscape.reports import numbers as wording

#: Robustness, which is also the word beside a verdict -> why.
_MARKS = {
    "fragile": "Fragile, as a threshold moved by a fifth of its size or less would change the verdict",
    "within rounding": "Within rounding, as the digits shown do not tell a threshold from where the verdict changes",
}
#: Status -> of the only claim that came to it, and of several.
_CAME_TO = {
    "PASS": ("that holds", "that hold"),
    "FAIL": ("that fails", "that fail"),
    "INCONCLUSIVE": ("that is undecided", "undecided"),
    "INVALID": ("that is invalid", "invalid"),
}
_SMALL = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def mark(verdict: Mapping[str, Any]) -> str:
    """Return the word that stands beside a verdict; "" if it is robust, or that was not asked."""
    word = str(verdict.get("robustness", ""))
    return word if word in _MARKS else ""


def counted(verdicts: Iterable[Mapping[str, Any]]) -> str:
    """Return how many verdicts of each status are fragile, as sentences; "" if that was not asked of any."""
    verdicts = list(verdicts)
    if not any(verdict.get("robustness") for verdict in verdicts):
        return ""
    sentences = []
    for word, why in _MARKS.items():
        marked = [verdict for verdict in verdicts if mark(verdict) == word]
        if marked:
            sentences.append(f"{why}: {_among(marked, verdicts)}.")
    return (
        " ".join(sentences) or "No verdict is fragile: none changes where a threshold is moved by a fifth of its size."
    )


def _among(marked: Sequence[Mapping[str, Any]], verdicts: Sequence[Mapping[str, Any]]) -> str:
    parts = []
    for status, (one, several) in _CAME_TO.items():
        n, total = (sum(verdict["status"] == status for verdict in some) for some in (marked, verdicts))
        if n and total == 1:
            parts.append(f"the one {one}")
        elif n:
            parts.append(f"{_SMALL[n] if n < len(_SMALL) else n} of {total} {several}")
    return wording.listed(parts)


def told(verdict: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Return of each criterion its subject, how far its thresholds may move, and what guards it, as far as is known."""
    asked = bool(verdict.get("robustness"))
    rows = (
        (wording.capital(subject(found)), robustness(found) if asked else "", guards(found))
        for found in verdict["criteria"]
    )
    return tuple(row for row in rows if row[1] or row[2])
