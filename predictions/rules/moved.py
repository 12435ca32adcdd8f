"""Moved thresholds: how far one may go before a decision is another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import pairwise

from grokscape.predictions.rules.rule import Rule, Sample

#: What the size of a threshold is; see `Threshold`.
ITSELF, DISTANCE, WINDOW, FACTOR = "itself", "its distance to 1", "half the window", "a factor"
#: Kinds of estimates that are positive, and whose thresholds are moved by a factor.
_FACTORS = ("ratio", "spread")
#: Kinds of estimates that 1 bounds.
_BOUNDED = ("share", "rank correlation")
#: Places at which a rule is tried whose decision does not hang on the ends of its interval, and halvings between two.
_PLACES, _HALVINGS = 64, 40


@dataclass(frozen=True)
class Threshold:
    """One threshold of a rule, with the size that its moves are relative to.

    A move by a share s, up (s > 0) or down (s < 0), takes the threshold t to t + s * size; one that is moved by a
    factor goes to t (1 + s) or t / (1 - s). The size is

    - the absolute value of t in general, so that a move by 0.2 is one by 20 %. A threshold of 0 has no size and cannot
      be moved: it asks for a sign, and a sign has no scale;
    - 1 - t where more than a half of something that 1 bounds is asked for (an accuracy, a share, a correlation): from
      0.95 to 0.96 a fifth of the errors that were allowed is gone, though t moved by 1 %;
    - a factor for ratios of times and for spreads, which live on a logarithmic axis: 20 % up and 20 % down cancel;
    - half the width of a window, each end by itself: where a window lies says nothing about how much it lets through.

    Attributes
    ----------
    field : str
        Of the rule.
    value, size : float
    relative_to : str
        What the size is: "itself", "its distance to 1", "half the window" or "a factor".
    """

    field: str
    value: float
    size: float
    relative_to: str = ITSELF

    @property
    def by_factor(self) -> bool:
        return self.relative_to == FACTOR

    def moved(self, share: float) -> float:
        """Return where a move takes the threshold."""
        if self.by_factor:
            return self.value * (1 + share) if share >= 0 else self.value / (1 - share)
        return self.value + share * self.size

    def share(self, place: float) -> float:
        """Return which move takes the threshold to a place; infinite where none does."""
        if self.by_factor:
            if place <= 0:
                return -math.inf
            return place / self.value - 1 if place >= self.value else 1 - self.value / place
        if self.size == 0:
            return math.inf
        return (place - self.value) / self.size


@dataclass(frozen=True)
class Turn:
    """Where something changes as a threshold moves.

    Attributes
    ----------
    share : float
        How far, relative to the threshold's size; see `Threshold`.
    place : float
        The threshold there.
    into : str
        What it is beyond.
    """

    share: float
    place: float
    into: str


def thresholds(rule: Rule, *, bounded: bool = False) -> tuple[Threshold, ...]:
    """Return the thresholds of a rule: those of its fields that bound the region where the estimate must lie.

    Parameters
    ----------
    rule : Rule
    bounded : bool
        Whether the quantity cannot exceed 1. The rules whose estimate is a share or a rank correlation know it of
        themselves.
    """
    names: list[str] = [field.name for field in fields(rule)] if is_dataclass(rule) else []
    low, high = rule.region
    numbers = {name: value for name in names if isinstance(value := getattr(rule, name), int | float)}
    known = {name: float(value) for name, value in numbers.items() if value in (low, high)}
    found = []
    for name, value in known.items():
        if rule.kind in _FACTORS and value > 0:
            found.append(Threshold(name, value, value, FACTOR))
        elif math.isfinite(low) and math.isfinite(high):
            found.append(Threshold(name, value, (high - low) / 2, WINDOW))
        elif (bounded or rule.kind in _BOUNDED) and 0.5 < value < 1 and value == low:
            found.append(Threshold(name, value, 1 - value, DISTANCE))
        else:
            found.append(Threshold(name, value, abs(value)))
    return tuple(threshold for threshold in found if threshold.size > 0)


def ends(rule: Rule, threshold: Threshold, sample: Sample, levels: Iterable[float]) -> set[float] | None:
    """Return the ends of a rule's intervals at some levels, where its decision changes if the threshold crosses them.

    None if the interval is another where the threshold is another, so that its ends tell nothing.

    Raises
    ------
    ValueError
        If the sample has the wrong shape for this rule.
    """
    elsewhere = replace(rule, **{threshold.field: threshold.moved(0.5)})  # type: ignore[type-var]
    found = set()
    for level in levels:
        one, other = rule.decide(sample, level), elsewhere.decide(sample, level)
        if (one.low, one.high) != (other.low, other.high):
            return None
        found |= {one.low, one.high}
    return {end for end in found if math.isfinite(end)}


def first_turn(
    threshold: Threshold, direction: int, look: Callable[[float], str], ends: Iterable[float] | None = None
) -> Turn | None:
    """Return the smallest move by less than the threshold's own size that changes what is looked at.

    Exact where `ends` names all thresholds at which it can change: it is looked at once between each two. Otherwise it
    is looked at in 64 places, and then by bisection: a change and its reverse between two places are missed.

    Parameters
    ----------
    threshold : Threshold
    direction : {1, -1}
        Up or down.
    look : callable
        ``look(value)``: an outcome, or the status of a claim, with the threshold there.
    ends : iterable of float, optional
    """
    now = look(threshold.value)

    def at(share: float) -> str:
        return look(threshold.moved(direction * share))

    if ends is None:
        return _searched(threshold, direction, at, now)
    ahead = {direction * threshold.share(end) + 0.0: end for end in ends}  # plus zero: -0.0 is none that anybody knows
    shares = sorted(share for share in ahead if 0 <= share < 1)
    for here, beyond in pairwise([*shares, 1.0]):
        if (into := at((here + beyond) / 2)) != now:
            return Turn(here, ahead[here], into)
    return None


def _searched(threshold: Threshold, direction: int, at: Callable[[float], str], now: str) -> Turn | None:
    for place in range(1, _PLACES + 1):
        before, beyond = (place - 1) / _PLACES, min(place / _PLACES, 1 - 1e-9)
        if at(beyond) == now:
            continue
        for _ in range(_HALVINGS):
            middle = (before + beyond) / 2
            before, beyond = (middle, beyond) if at(middle) == now else (before, middle)
        return Turn(beyond, threshold.moved(direction * beyond), at(beyond))
    return None


def outcome_turns(
    rule: Rule, sample: Sample, level: float, *, bounded: bool = False
) -> dict[tuple[str, int], Turn | None]:
    """Return, of each threshold (by its field) and direction, the smallest move that changes a rule's decision.

    Raises
    ------
    ValueError
        If the sample has the wrong shape for this rule.
    """
    found: dict[tuple[str, int], Turn | None] = {}
    for threshold in thresholds(rule, bounded=bounded):

        def look(value: float, field: str = threshold.field) -> str:
            return replace(rule, **{field: value}).decide(sample, level).outcome.value  # type: ignore[type-var]

        places = ends(rule, threshold, sample, [level])
        for direction in (1, -1):
            found[threshold.field, direction] = first_turn(threshold, direction, look, places)
    return found
