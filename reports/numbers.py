"""Numbers as text, the same way everywhere in the report."""

from __future__ import annotations

import math
from collections.abc import Sequence

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with some significant digits: ``0.9641``, ``−3``, ``40,000``, ``1.2 × 10⁻⁵``; "none" for None."""
    if value is None:
        return "none"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if 1e4 <= abs(value) < 1e6:
        return f"{float(f'{value:.{digits}g}'):,.0f}".replace("-", "−")
    mantissa, _, exponent = f"{value + 0.0:.{digits}g}".partition("e")
    mantissa = mantissa.replace("-", "−")
    if not exponent:
        return mantissa
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPT)
    return power if mantissa == "1" else f"{mantissa} × {power}"


def interval(low: float | None, high: float | None) -> str:
    """Return an interval; a missing bound is infinite, and two of them mean that seeds were too few."""
    if low is None and high is None:
        return "too few seeds for an interval"
    return f"[{'−∞' if low is None else number(low)}, {'∞' if high is None else number(high)}]"


def estimate(value: float | None, low: float | None, high: float | None) -> str:
    """Return an estimate with its interval: ``0.9641 [0.9523, 0.977]``."""
    if low is None and high is None:
        return f"{number(value)} ({interval(low, high)})"
    return f"{number(value)} {interval(low, high)}"


def share(value: float | None) -> str:
    """Return a share in per cent."""
    return "unknown" if value is None else f"{100 * value:.3g} %"


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


def count(n: int, singular: str, plural: str = "") -> str:
    """Return "1 run", "2 runs"."""
    return f"{n} {singular if n == 1 else plural or singular + 's'}"


def ranges(numbers: Sequence[int]) -> str:
    """Return whole numbers as ranges: ``100–109, 120``."""
    parts: list[list[int]] = []
    for n in sorted(set(numbers)):
        if parts and n == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], n]
        else:
            parts.append([n])
    return ", ".join("–".join(str(end) for end in part) for part in parts)


def capital(text: str) -> str:
    """Return a text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def listed(items: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
