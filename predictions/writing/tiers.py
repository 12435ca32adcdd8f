"""The scales of a claim from one setting and what each scale changes in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.terms import Tier


def tiers(
    base: Mapping[str, Any],
    seeds: Sequence[int] | Mapping[str, Sequence[int]],
    *,
    quick: Mapping[str, Any] | None = None,
    standard: Mapping[str, Any] | None = None,
    paper: Mapping[str, Any] | None = None,
) -> dict[str, Tier]:
    """Return the tiers of a claim: the same setting at each scale, but for what that scale changes.

    Parameters
    ----------
    base : mapping
    seeds : sequence of int, or mapping
        Of all tiers, or tier -> its own.
    quick, standard, paper : mapping, optional
        What is set differently there; ``{}`` for nothing, and None for no such tier.

    Raises
    ------
    InvalidInput
        If there is no tier, or a tier without seeds.
    """
    scales = {"quick": quick, "standard": standard, "paper": paper}
    found = {name: {**base, **changes} for name, changes in scales.items() if changes is not None}
    if not found:
        raise InvalidInput("tiers() without a tier: say what one of them changes, as quick={} for nothing")
    own = seeds if isinstance(seeds, Mapping) else dict.fromkeys(found, seeds)
    for missing in found.keys() - own.keys():
        raise InvalidInput(f"tiers() has a tier {missing!r} without seeds; seeds has only {', '.join(own) or 'none'}")
    return {name: Tier(tuple(own[name]), setting) for name, setting in found.items()}
