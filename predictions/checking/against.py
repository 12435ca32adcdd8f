"""Verdicts held against others of the same claims: whether they reproduce, to the digit or in what they say."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records import inside, strict_json
from grokscape.landscape.records.inside import Damaged, shown
from grokscape.predictions.checking import version_1
from grokscape.predictions.checking.published import SCHEMA, load_published, parsed
from grokscape.predictions.checking.retired import RETIRED
from grokscape.predictions.checking.verdict_data import verdict_of
from grokscape.predictions.checking.verdict_files import UNJUDGED, understood
from grokscape.predictions.evidence import Rows
from grokscape.predictions.judge import correct_families, uncorrected
from grokscape.predictions.verdict import SCHEMA as VERDICT
from grokscape.predictions.verdict import Verdict

#: Bytes of a file at most: those of ``--json`` hold the evidence row by row.
LARGEST = 2**28

#: What of a criterion is compared, where both have it.
NUMBERS = ("quantity", "at", "outcome", "estimate", "low", "high", "p", "n", "contributions")

Data = Mapping[str, Any]


class Outcome(StrEnum):
    """How a verdict stands to another on the same claim."""

    SAME_DIGITS = "same digits"
    """The same verdict, from the same numbers: of criteria, controls, gates, and all evidence."""
    SAME_VERDICT = "same verdict, other digits"
    DIFFERENT = "different verdict"
    NOT_THERE = "not there"
    """One side did not judge the claim."""


@dataclass(frozen=True)
class Comparison:
    """What came of a claim: the outcome, and what to know of it as a clause; "" where there is nothing to say."""

    id: str
    outcome: Outcome
    detail: str = ""

    def to_data(self) -> dict[str, str]:
        """Return it as JSON-able data."""
        return {"outcome": self.outcome.value, "detail": self.detail}


def read_against(path: Path, tier: str, known: Collection[str], chosen: Collection[str]) -> dict[str, Data]:
    """Return the verdicts of a tier that a file or folder holds, by claim.

    Parameters
    ----------
    path : Path
        A file that ``--json`` or ``--publish`` wrote, or a folder of published results.
    tier : str
    known, chosen : collection of str
        Ids of all claims there are, and of those that are checked.

    Raises
    ------
    InvalidInput
        If it cannot be read, is of another schema, or holds no verdict of this tier, one on a claim that nobody knows,
        or none on those that are checked.
    """
    verdicts = _read(path)
    strangers = sorted({str(data["id"]) for data in verdicts} - set(known))
    if strangers:
        id = strangers[0]
        what = RETIRED[id].told(id) if id in RETIRED else "no claim is called so; name its file with --module"
        raise InvalidInput(f"{shown(path)} holds a verdict on {id!r}, but {what}")
    tiers = sorted({str(data["tier"]) for data in verdicts})
    found = {str(data["id"]): data for data in verdicts if data["tier"] == tier}
    if not found:
        held = f"verdicts of the tier {' and '.join(tiers)} only" if tiers else "no verdicts"
        raise InvalidInput(f"{shown(path)} holds {held}, expected some of {tier}; give another file, or --tier")
    if not set(found) & set(chosen):
        raise InvalidInput(f"{shown(path)} holds no verdict at {tier} on any of the claims that are checked")
    return found


def compare(now: Sequence[Verdict], before: Mapping[str, Data]) -> list[Comparison]:
    """Hold verdicts against others.

    Where fewer claims of a source are checked now than before, the p-values of the others count in the correction as
    they were found before: a claim does not turn because it is checked alone.
    """
    compared = {verdict.id for verdict in now}
    others = [verdict_of(data) for id, data in before.items() if id not in compared]
    together = correct_families(uncorrected(verdict) for verdict in [*now, *others])
    return [
        _compared(verdict, fair, before.get(verdict.id))
        for verdict, fair in zip(now, together[: len(now)], strict=True)
    ]


def counted(comparisons: Iterable[Comparison]) -> str:
    """Return how many claims came out how: "12 same digits, 1 different verdict"."""
    found = Counter(one.outcome for one in comparisons)
    return ", ".join(f"{found[outcome]} {outcome.value}" for outcome in Outcome if found[outcome])


def _compared(now: Verdict, fair: Verdict, before: Data | None) -> Comparison:
    if before is None:
        return Comparison(now.id, Outcome.NOT_THERE, "no verdict to compare with")
    then = str(before["status"])
    if then in UNJUDGED:
        return Comparison(now.id, Outcome.NOT_THERE, f"{then} before")
    if now.status.value == "NOT RUN":
        return Comparison(now.id, Outcome.NOT_THERE, f"{then} before, NOT RUN now")
    if fair.status.value != then:
        return Comparison(now.id, Outcome.DIFFERENT, f"{then} before, {fair.status.value} now")
    other = _other_digits({**now.to_data(), "evidence": now.evidence}, before)
    return Comparison(now.id, Outcome.SAME_VERDICT if other else Outcome.SAME_DIGITS, other)


def _other_digits(now: Data, before: Data) -> str:
    """Say in what the numbers of two verdicts differ; "" if in nothing."""
    for mine, its in zip(now["criteria"], before.get("criteria", ()), strict=False):
        for name in NUMBERS:
            if name in its and mine[name] != its[name]:
                return f"{mine['subject']}: {name} was {_told(its[name])}, is {_told(mine[name])}"
    parts = (
        ("criteria", lambda data: [_numbers(found) for found in data.get("criteria", ())]),
        ("controls", lambda data: [[_numbers(c) for c in found["criteria"]] for found in data.get("controls", ())]),
        ("gates", lambda data: [(found["arm"], found["quantity"], found["worst"]) for found in data.get("gates", ())]),
        ("seeds", lambda data: list(data.get("seeds", ()))),
    )
    for name, numbers in parts:
        if numbers(now) != numbers(before):
            return f"numbers of its {name} differ"
    if "evidence" in before and list(now["evidence"]) != list(before["evidence"]):
        return "what decides is the same to the digit, other evidence (of curves) is not"
    return ""


def _numbers(found: Data) -> list[Any]:
    return [found.get(name) for name in NUMBERS]


def _told(value: Any) -> str:
    return "another of some seed" if isinstance(value, list | dict) else str(value)


def _read(path: Path) -> list[Data]:
    if path.is_dir():
        found, complaints = load_published(path)
        if complaints:
            raise InvalidInput(complaints[0])
        return [entry.verdict for entry in found]
    real = Path(os.path.realpath(path))
    try:
        return _understood(strict_json.parse(inside.read(real, real.parent, LARGEST)))
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {shown(path)} to hold verdicts against") from None
    except (OSError, ValueError, Damaged) as error:
        raise InvalidInput(f"{shown(path)} holds no verdicts that can be compared with: {shown(error)}") from error


def _understood(data: Any) -> list[Data]:
    if isinstance(data, dict) and "schema" in data and data["schema"] not in (VERDICT, version_1.SCHEMA):
        if data["schema"] != SCHEMA:
            raise ValueError(f"its schema is {data['schema']!r:.60}, expected {SCHEMA!r} or {VERDICT!r}")
        return [entry.verdict for entry in parsed(data)]
    one = isinstance(data, dict) and "schema" in data
    verdicts = [data] if one else data.get("verdicts") if isinstance(data, dict) else None
    if not isinstance(verdicts, list):
        raise ValueError("it is no file that grokscape check --json or --publish wrote")
    found: list[Data] = []
    for verdict in verdicts:
        if not isinstance(verdict, dict):
            raise ValueError("one of its verdicts is none")
        checked = understood(verdict, str(verdict.get("id")), str(verdict.get("tier")))
        found.append({**checked, "evidence": Rows.of(checked.get("evidence", ()))})
        verdict_of(found[-1])  # with all that a comparison asks for
    return found
