"""Whether a curve over norms is an L, a U, or neither, and where its minimum is."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

Kind = Literal["L", "U", "flat", "neither"]
Side = Literal["rises", "flat", "unclear"]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a curve over norms looks like, and how surely.

    Attributes
    ----------
    kind : {"L", "U", "flat", "neither"}
        "L" falls, then is flat over at least two norms; "U" rises on both sides of an interior minimum; "flat" does
        neither; all else, and whatever the seeds do not settle, is "neither".
    reason : str
        In words, from these numbers.
    left, right : tuple of (ratio, low, high)
        Loss at the smallest and the largest norm used, over that at the minimum: geometric mean over seeds, and its
        interval.
    ratios : array, shape (2, seeds)
        The same for each seed, left and right.
    agreement : float
        Share of seeds that show this shape by themselves.
    argmin : float
        Scale of the minimum of the geometric mean over seeds; NaN if no curve is left.
    argmin_low, argmin_high : float
        Least and largest scale at which the other seeds' mean has its minimum, each seed left out in turn.
    used : array of bool, shape (scales,)
        The scales at which every seed converged; no other takes part.
    """

    kind: Kind
    reason: str
    left: tuple[float, float, float]
    right: tuple[float, float, float]
    ratios: np.ndarray
    agreement: float
    argmin: float
    argmin_low: float
    argmin_high: float
    used: np.ndarray


def classify(
    scales: np.ndarray,
    losses: np.ndarray,
    converged: np.ndarray | None = None,
    *,
    zero_loss: float = 1e-5,
    rise: float = 2.0,
    confidence: float = 0.95,
) -> Shape:
    """Name the shape of a curve over norms from several seeds.

    All is done in log loss, clipped from below at `zero_loss`. For each seed k, the other seeds' mean curve says where
    the minimum is, and seed k says how far the loss rises from there to either end; so the choice of the minimum does
    not flatter the rise, which under pure noise has mean zero. A side *rises* if the t interval of the seeds' log
    ratios lies above ``log(rise)``, is *flat* if it lies below, and is unclear otherwise.

    Parameters
    ----------
    scales : array, shape (scales,)
        Increasing.
    losses : array, shape (scales, seeds)
    converged : array of bool, shape (scales, seeds), optional
        A scale at which a seed did not converge is left out for all, so that no seed's curve is compared with a mean
        of others; the reason says so. Losses that are not finite count as not converged.
    zero_loss : float
        The loss that counts as zero.
    rise : float
        The ratio of losses from which a side counts as rising.
    confidence : float
        Of the two-sided t intervals.
    """
    scales, losses = np.asarray(scales, dtype=float), np.asarray(losses, dtype=float)
    good = np.isfinite(losses) if converged is None else np.isfinite(losses) & np.asarray(converged, dtype=bool)
    used = good.all(1)
    curves = np.log(np.maximum(losses[used], zero_loss))
    seeds = losses.shape[1]
    note = "" if used.all() else f"; {_listed(scales[~used])} left out, not every seed converged there"
    if used.sum() < 3 or seeds < 2:
        why = f"{seeds} seed" if seeds < 2 else f"{used.sum()} scales at which every seed converged"
        return _undecided(f"{why}: too few to decide a shape{note}", seeds, used)
    kept = scales[used]
    total = curves.sum(1)
    lows = [_middle_argmin(total - curves[:, seed]) for seed in range(seeds)]
    bottoms = np.array([curves[low, seed] for seed, low in enumerate(lows)])
    rises = np.stack([curves[0] - bottoms, curves[-1] - bottoms])
    intervals = [_interval(one, confidence) for one in rises]
    bound = float(np.log(rise))
    left, right = (_side(low, high, bound) for _, low, high in intervals)
    centre = _middle_argmin(total)
    plateau = int((total / seeds <= total.min() / seeds + bound).sum())
    kind = _kind(left, right, plateau=plateau)
    mine = [_kind(*(_side(one, one, bound) for one in pair), plateau=plateau) for pair in rises.T]
    ratios = [tuple(float(np.exp(min(value, 700.0))) for value in interval) for interval in intervals]
    words = ", ".join(
        f"{name} side {side} ({ratio[0]:.3g} times the minimum, {ratio[1]:.3g} to {ratio[2]:.3g})"
        for name, side, ratio in zip(("left", "right"), (left, right), ratios, strict=True)
    )
    return Shape(
        kind=kind,
        reason=words + (", one scale alone at the bottom" if plateau < 2 and right == "flat" else "") + note,
        left=ratios[0],  # type: ignore[arg-type]
        right=ratios[1],  # type: ignore[arg-type]
        ratios=np.exp(rises),
        agreement=float(np.mean([one == kind for one in mine])),
        argmin=float(kept[centre]),
        argmin_low=float(kept[min(lows)]),
        argmin_high=float(kept[max(lows)]),
        used=used,
    )


@dataclass(frozen=True, kw_only=True)
class CriticalNorm:
    """Where a curve over norms is lowest.

    Attributes
    ----------
    seeds : array, shape (seeds,)
        Of each seed: the vertex of the parabola through its lowest point and the two beside it, in log loss and log
        norm. NaN where the lowest point is at an end of the norms, which says only that the minimum is not inside.
    inside : float
        Share of seeds with the minimum inside.
    estimate, low, high : float
        Geometric mean over the seeds with the minimum inside, and its t interval; NaN if that is not all of them,
        because the rest would bias it.
    """

    seeds: np.ndarray
    inside: float
    estimate: float
    low: float
    high: float


def critical_norm(
    norms: np.ndarray,
    losses: np.ndarray,
    converged: np.ndarray | None = None,
    *,
    zero_loss: float = 1e-5,
    confidence: float = 0.95,
) -> CriticalNorm:
    """Return the norm of the least loss, from several seeds.

    Parameters
    ----------
    norms : array, shape (scales,) or (scales, seeds)
        Increasing along the first axis; the result is in their unit.
    losses, converged : arrays, shape (scales, seeds)
        Points that did not converge are left out, seed by seed.
    zero_loss, confidence : float
        As for `classify`.
    """
    losses = np.asarray(losses, dtype=float)
    norms = np.asarray(norms, dtype=float)
    norms = np.broadcast_to(norms if norms.ndim == 2 else norms[:, None], losses.shape)
    good = np.isfinite(losses) if converged is None else np.isfinite(losses) & np.asarray(converged, dtype=bool)
    found = np.full(losses.shape[1], np.nan)
    for seed in range(losses.shape[1]):
        x, y = np.log(norms[good[:, seed], seed]), np.log(np.maximum(losses[good[:, seed], seed], zero_loss))
        if len(y) and 0 < (low := _middle_argmin(y)) < len(y) - 1:
            found[seed] = np.exp(_vertex(x[low - 1 : low + 2], y[low - 1 : low + 2]))
    inside = np.isfinite(found)
    mean, low_end, high_end = _interval(np.log(found), confidence) if inside.all() else (np.nan,) * 3
    return CriticalNorm(
        seeds=found,
        inside=float(inside.mean()),
        estimate=float(np.exp(mean)),
        low=float(np.exp(low_end)),
        high=float(np.exp(high_end)),
    )


def _kind(left: Side, right: Side, *, plateau: int) -> Kind:
    if (left, right) == ("rises", "rises"):
        return "U"
    if (left, right) == ("rises", "flat") and plateau >= 2:
        return "L"
    return "flat" if (left, right) == ("flat", "flat") else "neither"


def _side(low: float, high: float, bound: float) -> Side:
    if low > bound:
        return "rises"
    return "flat" if high < bound else "unclear"


def _interval(values: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Return mean and t interval; unbounded for a single value."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, -np.inf, np.inf
    half = _quantile(confidence, len(values) - 1) * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean, mean - half, mean + half


@functools.cache
def _quantile(confidence: float, degrees: int) -> float:
    return float(stats.t.ppf((1 + confidence) / 2, degrees))


def _middle_argmin(curve: np.ndarray) -> int:
    """Return the index of the minimum: the middle one where several points share it, as at `zero_loss`."""
    lowest = np.flatnonzero(curve <= curve.min())
    return int(lowest[len(lowest) // 2])


def _vertex(x: np.ndarray, y: np.ndarray) -> float:
    """Return where the parabola through three points is lowest; the middle one is the least of the three."""
    before, after = x[1] - x[0], x[2] - x[1]
    slopes = (y[1] - y[0]) / before, (y[2] - y[1]) / after
    bend = slopes[1] - slopes[0]
    return float(x[1]) if bend <= 0 else float(x[1] - (slopes[0] * after + slopes[1] * before) / (2 * bend))


def _listed(scales: np.ndarray) -> str:
    return "scale " + ", ".join(f"{scale:.3g}" for scale in scales)


def _undecided(reason: str, seeds: int, used: np.ndarray) -> Shape:
    nothing = (np.nan, 0.0, np.inf)
    return Shape(
        kind="neither",
        reason=reason,
        left=nothing,
        right=nothing,
        ratios=np.full((2, seeds), np.nan),
        agreement=np.nan,
        argmin=np.nan,
        argmin_low=np.nan,
        argmin_high=np.nan,
        used=used,
    )
