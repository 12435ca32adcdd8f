"""How high the loss rises between samples of a curve: a barrier's lower and upper bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.paths.curves import Curve
from grokscape.landscape.measures.paths.points import Progress, chunks
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem

#: How far below the lowest curvature seen at an interval the curvature inside may lie, in units of the spread seen.
#: 1 is the smallest value that still covers one kink at any place within the interval (see `lowest_curvature`).
SAFETY = 1.0


@dataclass(frozen=True)
class Bounds:
    """Samples of a curve and the bounds on its barriers; see `paths.straight.Path`."""

    samples: dict[str, np.ndarray]
    barrier: tuple[float, float]
    plain_barrier: tuple[float, float]
    at: float
    tolerance: float
    converged: bool
    cost: Cost


def bound_barriers(
    problem: Problem,
    curve: Curve,
    *,
    points: int,
    tolerance: float,
    refine: int,
    bend: float | None,
    chunk_size: int | None,
    progress: Progress | None,
) -> Bounds:
    """Sample the loss on a curve, more densely where a barrier could hide, until it is bounded from both sides.

    Parameters
    ----------
    points : int
        Samples to begin with, about; knots of the curve are always met.
    tolerance : float
        Wanted distance of the bounds, in units of the range of the losses sampled.
    refine : int
        At most so many further samples.
    bend : float, optional
        A constant K with ``f'' >= -K`` along the whole curve, f the loss as a function of t; estimated if None.
    """
    each = max(2, -(-(points - 1) // curve.pieces) + 1)
    piece = np.repeat(np.arange(curve.pieces), each)
    times = (piece + np.tile(np.linspace(0.0, 1.0, each), curve.pieces)) / curve.pieces
    data, cost = _measure(problem, curve, times, piece, bend is None, chunk_size)
    while True:
        loss, inside = data["train_loss"], np.diff(data["piece"]) == 0
        floor = np.full(len(loss) - 1, -bend) if bend is not None else lowest_curvature(data)
        gap = loss - ((1 - data["t"]) * loss[0] + data["t"] * loss[-1])
        plain = loss - max(loss[0], loss[-1])
        upper = np.stack([highest(height, np.diff(data["t"]), floor) for height in (gap, plain)])
        upper[:, ~inside] = -np.inf  # a knot, sampled once for each of its sides
        lower = np.array([gap.max(), plain.max()])
        rounding = 32 * torch.finfo(problem.dtype).eps * float(np.abs(loss).max())
        allowed = max(tolerance * float(np.ptp(loss)), rounding)
        finite = bool(np.isfinite(loss).all() and np.isfinite(upper[:, inside]).all())
        open_intervals = np.flatnonzero((upper > lower[:, None] + allowed).any(0)) if finite else np.array([], int)
        room = points + refine - len(loss)
        if progress is not None:
            progress(1.0 if not len(open_intervals) or room < 1 else max(0.0, 1 - room / max(refine, 1)) * 0.99)
        if not len(open_intervals) or room < 1:
            break
        worst = np.argsort(-(upper - lower[:, None]).max(0)[open_intervals], kind="stable")[: max(room, 0)]
        split = np.sort(open_intervals[worst])
        middle = (data["t"][split] + data["t"][split + 1]) / 2
        more, spent = _measure(problem, curve, middle, data["piece"][split], bend is None, chunk_size)
        data = {name: np.insert(values, split + 1, more[name]) for name, values in data.items()}
        cost = cost + spent
    highest_of = np.maximum(upper.max(1), lower) if finite else np.full(2, np.inf)
    once = np.flatnonzero(np.append(np.diff(data["t"]) > 0, True))
    return Bounds(
        samples={name: values[once] for name, values in data.items()},
        barrier=(float(lower[0]), float(highest_of[0])),
        plain_barrier=(float(lower[1]), float(highest_of[1])),
        at=float(data["t"][int(np.argmax(gap))]),
        tolerance=allowed,
        converged=finite and not len(open_intervals),
        cost=cost,
    )


def lowest_curvature(data: dict[str, np.ndarray]) -> np.ndarray:
    """Estimate the lowest second derivative within each interval between samples, shape (m - 1,).

    Known are f'' at both ends and, from the slopes, its mean in between. From the lowest of the three the `SAFETY`-fold
    spread of the three is taken. At a kink f'' is infinite and the ends know nothing of it, but the slopes do: the
    bound of `highest` then covers exactly one concave kink between straight lines, wherever it is.
    """
    spacing = np.diff(data["t"])
    mean = np.diff(data["slope"]) / np.where(spacing > 0, spacing, 1.0)
    seen = np.stack([data["curvature"][:-1], mean, data["curvature"][1:]])
    return seen.min(0) - SAFETY * np.ptp(seen, axis=0)


def highest(values: np.ndarray, spacing: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Return the highest that a function can rise within each interval if its second derivative is at least `floor`.

    ``f(t) + K t^2 / 2`` is convex for ``f'' >= -K``, so f lies below its chord plus ``K (t - a) (b - t) / 2`` on
    [a, b]; this returns that parabola's maximum.

    Parameters
    ----------
    values : ndarray, shape (m,)
    spacing, floor : ndarray, shape (m - 1,)
    """
    left, right = values[:-1], values[1:]
    lift = np.maximum(-floor, 0.0) * spacing**2 / 2  # the parabola's height is lift / 4 above the chord's middle
    climb = np.abs(right - left)
    inner = lift > climb  # else the parabola is highest at an end
    safe = np.where(inner, lift, 1.0)
    return np.where(inner, (left + right) / 2 + lift / 4 + climb**2 / (4 * safe), np.maximum(left, right))


def _measure(
    problem: Problem, curve: Curve, times: np.ndarray, piece: np.ndarray, derivatives: bool, chunk_size: int | None
) -> tuple[dict[str, np.ndarray], Cost]:
    """Return losses and accuracies, and, if asked for, slope and second derivative of the training loss in t."""
    data = {"t": times, "piece": piece, "slope": np.full(len(times), np.nan), "curvature": np.full(len(times), np.nan)}
    losses = {
        f"{split}_{name}": np.full(len(times), np.nan) for split in ("train", "test") for name in ("loss", "accuracy")
    }
    cost = Cost()
    for some in chunks(problem, len(times), chunk_size):
        t = torch.as_tensor(times[some]).to(problem.start)
        own = torch.as_tensor(piece[some], device=problem.device)
        params = curve.params(t, own)
        for split in problem.batches:
            for name, values in problem.evaluate(params, split).items():
                losses[f"{split}_{name}"][some] = values.numpy()
        cost = cost + Cost(evaluations=len(params) * len(problem.batches))
        if derivatives:
            _, gradient = problem.gradients(params)
            first, second = curve.motion(t, own)
            curvature = Curvature(problem, params)
            data["slope"][some] = (gradient * first).sum(1).double().cpu().numpy()
            along = (first * curvature.multiply(first)).sum(1) + (gradient * second).sum(1)
            data["curvature"][some] = along.double().cpu().numpy()
            cost = cost + curvature.cost + Cost(gradients=len(params))
    return data | losses, cost
