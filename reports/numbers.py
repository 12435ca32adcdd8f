"""Numbers as text, the same way everywhere in the reports: those of verdicts, and what only reports show."""

from __future__ import annotations

from collections.abc import Sequence

from grokscape.predictions.numbers import capital as capital
from grokscape.predictions.numbers import count as count
from grokscape.predictions.numbers import estimate as estimate
from grokscape.predictions.numbers import interval as interval
from grokscape.predictions.numbers import listed as listed
from grokscape.predictions.numbers import number as number
from grokscape.predictions.numbers import share as share


def duration(seconds: float) -> str:
    """Return a duration in the units a person would choose."""
    if seconds < 60:
        return f"{seconds:.3g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def size(bytes: float) -> str:
    """Return an amount of memory to two digits, in the unit a person would choose."""
    rounded = float(f"{bytes:.2g}")
    return f"{rounded / 1e6:g} MB" if rounded < 1e9 else f"{rounded / 1e9:g} GB"


def ranges(numbers: Sequence[int]) -> str:
    """Return whole numbers as ranges: ``100–109, 120``."""
    parts: list[list[int]] = []
    for n in sorted(set(numbers)):
        if parts and n == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], n]
        else:
            parts.append([n])
    return ", ".join("–".join(str(end) for end in part) for part in parts)
