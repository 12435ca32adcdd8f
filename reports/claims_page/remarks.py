"""What is said on the page beside verdicts: that one is stale, or whether it reproduces another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Remarks:
    """Sentences beside what the verdicts say themselves.

    Attributes
    ----------
    preface : tuple of str
        On all of them, at the top.
    claims : mapping
        Id -> sentences on one claim.
    """

    preface: tuple[str, ...] = ()
    claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def beside(self, id: str) -> tuple[str, ...]:
        """Return the sentences on a claim."""
        return self.claims.get(id, ())
