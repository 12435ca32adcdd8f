"""Characters of the symmetric group, by the rule of Murnaghan and Nakayama."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence


def partitions(n: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    """Yield the ways to write n as a sum of descending positive integers, which name the representations of S_n."""
    if n == 0:
        yield ()
    for first in range(min(n, n if largest is None else largest), 0, -1):
        for rest in partitions(n - first, first):
            yield (first, *rest)


def cycle_type(permutation: Sequence[int]) -> tuple[int, ...]:
    """Return the lengths of a permutation's cycles, descending."""
    lengths, seen = [], set()
    for start in range(len(permutation)):
        length, at = 0, start
        while at not in seen:
            seen.add(at)
            at, length = permutation[at], length + 1
        if length:
            lengths.append(length)
    return tuple(sorted(lengths, reverse=True))


@functools.cache
def character(shape: tuple[int, ...], cycles: tuple[int, ...]) -> int:
    """Return the value of the irreducible character of a partition on permutations of a cycle type.

    Removes rim hooks of the first cycle's length from the Young diagram, each with the sign of its height. In terms of
    the first-column hook lengths, to remove a hook of length r is to lower one of them by r.

    Source: Sagan, "The Symmetric Group", theorem 4.10.2.
    """
    if not cycles:
        return 1
    hooks = [part + len(shape) - 1 - row for row, part in enumerate(shape)]
    length, rest = cycles[0], cycles[1:]
    total = 0
    for hook in hooks:
        lower = hook - length
        if lower >= 0 and lower not in hooks:
            height = sum(lower < other < hook for other in hooks)
            left = sorted([other for other in hooks if other != hook] + [lower], reverse=True)
            smaller = tuple(value - (len(left) - 1 - row) for row, value in enumerate(left))
            total += (-1) ** height * character(tuple(part for part in smaller if part), rest)
    return total
