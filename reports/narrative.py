"""A paragraph about one source, made from its verdicts: what held, what did not, and at which scale."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports import wording
from reports.summary import MEANINGS

Verdicts = Sequence[Mapping[str, Any]]


def name(id: str) -> str:
    """Return a claim's short name: its id without the source, in words."""
    return id.rpartition(".")[2].replace("_", " ")


def listed(items: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def sentences(verdicts: Verdicts, tier: str) -> list[str]:
    """Return the sentences about the verdicts of one source at one tier.

    First how many claims there are and what became of them, then on what they were checked, then which held; and for
    each that did not, its verdict's own reason.
    """
    return [_counted(verdicts, tier), *_scale(verdicts), *_held(verdicts), *_others(verdicts)]


def _counted(verdicts: Verdicts, tier: str) -> str:
    parts = []
    for m in MEANINGS:
        n = sum(verdict["status"] == m.name for verdict in verdicts)
        if n:
            parts.append(f"{n} {_became(m.name, n)}")
    one = len(verdicts) == 1
    claims = "one claim" if one else f"{len(verdicts)} claims"
    start = f"At the {tier} tier, {claims} of this source {'was' if one else 'were'} put to the test"
    if one:
        return f"{start}: it {_became(verdicts[0]['status'], 1)}."
    return f"{start}: {listed(parts)}." if parts else f"{start}."


def _became(status: str, n: int) -> str:
    one = n == 1
    return {
        "PASS": "holds" if one else "hold",
        "FAIL": "fails" if one else "fail",
        "INCONCLUSIVE": "is undecided" if one else "are undecided",
        "INVALID": "could not be judged",
        "NOT RUN": "was not run" if one else "were not run",
        "ERROR": "broke",
    }.get(status, status.lower())


def _scale(verdicts: Verdicts) -> list[str]:
    """Say on which tasks, networks and seeds claims were checked, those of most claims first."""
    judged = [verdict for verdict in verdicts if verdict["criteria"]]
    places: dict[str, int] = {}
    for verdict in judged:
        setting = verdict["about"]["setting"]
        if "task" in setting and "model" in setting:
            place = f"{readable(setting['task'])} with a {readable(setting['model'])}"
            places[place] = places.get(place, 0) + 1
    seeds = sorted({len(verdict["seeds"]) for verdict in judged} - {0})
    if not places or not seeds:
        return []
    ordered = sorted(places, key=lambda place: (-places[place], place))
    many = f"Verdicts rest on {seeds[0]} to {seeds[-1]} seeds."
    rest = f"Each verdict rests on {seeds[0]} seeds." if len(seeds) == 1 else many
    return [f"What was trained: {'; '.join(ordered)}. {rest}"]


def _held(verdicts: Verdicts) -> list[str]:
    held = [name(str(verdict["id"])) for verdict in verdicts if verdict["status"] == "PASS"]
    if not held or len(verdicts) == 1:
        return []
    return [f"Held: {listed(held)}."]


def _others(verdicts: Verdicts) -> Iterable[str]:
    for verdict in verdicts:
        if verdict["status"] != "PASS":
            reason = str(verdict["reason"]).strip()
            became = _became(verdict["status"], 1)
            yield f"{wording.capital(name(str(verdict['id'])))} {became}" + (f": {reason}" if reason else ".")


def readable(text: str) -> str:
    """Return the ``repr`` of a description in words: "binary operation (operation x+y, p 37)".

    What cannot be read so is returned as it is.
    """
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            return text
        values = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", call.func.id).lower()
    said = [f"{key.replace('_', ' ')} {value}" for key, value in values.items() if value not in (None, False)]
    return f"{words} ({', '.join(said)})" if said else words
