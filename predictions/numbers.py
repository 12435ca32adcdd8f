"""Numbers as text, the same way in rules, reasons, on a terminal and on a page; from Python's own library alone."""

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
    return {"1": power, "−1": f"−{power}"}.get(mantissa, f"{mantissa} × {power}")


def interval(low: float | None, high: float | None) -> str:
    """Return an interval; None is a bound that is infinite, and two of them mean that seeds were too few."""
    low, high = -math.inf if low is None else low, math.inf if high is None else high
    if math.isinf(low) and math.isinf(high):
        return "too few seeds for an interval"
    return f"[{number(low)}, {number(high)}]"


def estimate(value: float | None, low: float | None, high: float | None) -> str:
    """Return an estimate with its interval: ``0.9641 [0.9523, 0.977]``."""
    bounds = interval(low, high)
    return f"{number(value)} {bounds if bounds.startswith('[') else f'({bounds})'}"


def share(value: float | None) -> str:
    """Return a share in per cent."""
    return "unknown" if value is None else f"{100 * value:.3g} %"


def capital(text: str) -> str:
    """Return a text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def count(n: int, singular: str, plural: str = "") -> str:
    """Return "1 run", "2 runs"."""
    return f"{n} {singular if n == 1 else plural or singular + 's'}"


def listed(items: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"; "none" for nothing."""
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else (items or ["none"])[0]
