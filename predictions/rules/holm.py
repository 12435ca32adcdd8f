"""Correction for asking several questions at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's step-down adjusted p-values (Holm 1979), in the order given.

    Rejecting where the adjusted value is at most alpha keeps the chance of any false rejection in the family at
    alpha, whatever the dependence between the tests.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    adjusted = np.minimum(1.0, np.maximum.accumulate(p[order] * factors))
    result = np.empty_like(p)
    result[order] = adjusted
    return result.tolist()


def largest_rejected(others: Sequence[float], size: int, alpha: float) -> float:
    """Return the largest p-value that Holm's correction at alpha rejects beside those of others.

    Parameters
    ----------
    others : sequence of float
    size : int
        Of the family, itself included; those of it that are not among `others` count as p = 1.
    alpha : float
    """
    rejected = 0
    for p in sorted(others):
        if p * (size - rejected) > alpha:
            break
        rejected += 1
    return alpha / max(size - rejected, 1)
