"""Paths between two networks, the loss along them, and their barriers from both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.paths.barriers import bound_barriers
from grokscape.landscape.measures.paths.curves import Curve
from grokscape.landscape.measures.paths.points import Progress, split_frame
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import Network, on_one_path


@dataclass(frozen=True, kw_only=True)
class Path(Result):
    """The loss ``f(t) = L(gamma(t))`` along a path gamma from a (t = 0) to b (t = 1).

    Two barriers are in use. `barrier` is ``max_t f(t) - ((1 - t) f(0) + t f(1))``, the rise above the ends' losses
    interpolated (Entezari et al. 2022, arXiv:2110.06296; Frankle et al. 2020, arXiv:1912.05671, take the ends' mean
    instead, which is the same if they are equal); it is 0, up to rounding, if the loss is convex on a straight path.
    `plain_barrier` is ``max_t f(t) - max(f(0), f(1))``.
    Both are at least 0, because the ends belong to the path. Each is measured at the points sampled, hence a LOWER
    bound. The UPPER bounds add what may lie between: f lies below its chord plus ``K (t - a) (b - t) / 2`` if
    ``f'' >= -K`` on [a, b]. `rigorous` says whether K was proved (from a given `smoothness`; up to rounding) or is
    ESTIMATED from slopes and ``f'' = gamma'^T H gamma' + gradient . gamma''`` at both ends of each interval. The
    estimate can be too low where the loss changes on a scale finer than the first `points`: for 100 random sums of
    twelve waves of equal weight it failed once from 9 points, and never from 17.

    Attributes
    ----------
    kind : {"bezier", "chain"}
        A straight path is a chain of two pivots.
    pivots : ndarray, shape (pivots, P)
        The control points; the first is a, the last b. `params` gives any point of the path.
    carried : tuple of str
        Names of the buffers and frozen parameters in which a and b differ. They change along the path, too: each
        linearly in t, whatever the `kind`; at the ends they are those of a and b. `pivots` do not hold them.
    fixed_norm : float or None
        If set, every point is rescaled to this norm.
    t : ndarray, shape (points,)
        Increasing, denser where a barrier had to be excluded.
    train_loss, train_accuracy, test_loss, test_accuracy : ndarray, shape (points,)
        NaN without test data, and where accuracy is undefined.
    barrier, barrier_bound : float
        Lower and upper bound on the training loss's barrier; the bound is infinite if a loss is not finite.
    plain_barrier, plain_barrier_bound : float
    barrier_at : float
        The t at which `barrier` was found.
    largest_rise : float
        ``max_{s < t} f(t) - f(s)`` over the points sampled: 0 if the path never rises between a and b.
    tolerance : float
        The distance between lower and upper bound that was asked for, in units of the loss.
    converged : bool
        Whether both upper bounds lie within `tolerance` of the lower ones.
    rigorous : bool
    length, distance : float
        Of the polygon through the sampled points (exact for chains), and from a to b on the straight line.
    seed : int or None
        None where nothing was drawn.
    cost : Cost
    """

    kind: Literal["bezier", "chain"]
    pivots: np.ndarray
    carried: tuple[str, ...]
    fixed_norm: float | None
    t: np.ndarray
    train_loss: np.ndarray
    train_accuracy: np.ndarray
    test_loss: np.ndarray
    test_accuracy: np.ndarray
    barrier: float
    barrier_bound: float
    barrier_at: float
    plain_barrier: float
    plain_barrier_bound: float
    largest_rise: float
    tolerance: float
    converged: bool
    rigorous: bool
    length: float
    distance: float
    seed: int | None
    cost: Cost

    @property
    def non_increasing(self) -> bool:
        """Whether the training loss, as sampled, never rises by more than `tolerance` between a and b."""
        return self.largest_rise <= self.tolerance

    def params(self, t: np.ndarray | None = None) -> np.ndarray:
        """Return the networks at some t (by default those sampled), shape (len(t), P)."""
        curve = Curve(torch.from_numpy(self.pivots), self.kind, self.fixed_norm)
        times = np.asarray(self.t if t is None else t, dtype=self.pivots.dtype)
        return curve.params(torch.from_numpy(np.atleast_1d(times))).numpy()

    def to_frame(self) -> pd.DataFrame:
        """Return the columns t, split, loss and accuracy."""
        return split_frame(self, {"t": self.t})


@plain_arguments
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def interpolate(
    problem: Problem,
    a: Network,
    b: Network,
    *,
    points: int = 51,
    tolerance: float = 0.01,
    refine: int = 200,
    smoothness: float | None = None,
    chunk_size: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Measure the loss on the straight line from a to b; a point costs an evaluation, a gradient and a product.

    At the ends it is that of the networks themselves, in evaluation mode. Between them, buffers in which a and b differ
    (running statistics of batch normalisation) are interpolated as the weights are. Statistics of the mean network
    differ from the mean of the statistics, and barriers are lower with its own (Jordan et al. 2023, arXiv:2211.08403):
    for batch statistics at every point make the problem with ``training_mode=True``.

    Parameters
    ----------
    problem : Problem
    a, b : network
        Vectors (P,), modules of the problem's architecture, or their tensors by name (``state_dict()``). Vectors, and
        mappings without buffers (``named_parameters()``), have those of the problem's model.
    points : int
        Evenly spaced samples to begin with, at least 3.
    tolerance : float
        How closely the upper bound shall follow the barrier, as a share of the range of the losses sampled.
    refine : int
        At most so many further samples, where a barrier could still hide.
    smoothness : float, optional
        A number M such that no eigenvalue of the Hessian on the segment lies below -M (a Lipschitz constant of the
        gradient is one): makes the upper bound rigorous, with ``K = M ||b - a||^2``, and needs no products. ReLU
        networks have none.
    chunk_size : int, optional
        How many networks are held side by side.
    progress : callable, optional

    Raises
    ------
    InvalidInput
        If an argument does not fit, or a and b are the same.

    Examples
    --------
    >>> import torch
    >>> from grokscape.landscape import interpolate
    >>> from grokscape.landscape.measures.examples import ring  # L = (a^2 + b^2 - 1)^2
    >>> found = interpolate(ring(), torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0]))
    >>> print(round(found.barrier, 3), round(found.barrier_bound, 3), found.converged)
    1.0 1.0 True
    """
    wide, curve = straight(problem, a, b)
    if smoothness is not None and not 0 <= smoothness < float("inf"):
        raise InvalidInput(f"smoothness is {smoothness}, expected a number that is not negative")
    if smoothness is not None and curve.carried:
        raise InvalidInput(
            f"smoothness is {smoothness}, which bounds nothing where a and b also differ in "
            f"{', '.join(names(wide, curve))}; leave it out, or give networks that share them"
        )
    bend = (
        None if smoothness is None else smoothness * float((curve.pivots[1] - curve.pivots[0]).double().square().sum())
    )
    fields = measured(
        wide,
        curve,
        bend=bend,
        points=points,
        tolerance=tolerance,
        refine=refine,
        chunk_size=chunk_size,
        progress=progress,
    )
    return Path(**fields, seed=None)


def straight(problem: Problem, a: Network, b: Network) -> tuple[Problem, Curve]:
    """Return the straight line between two networks, and the problem on which it lies."""
    wide, ends = on_one_path(problem, {"a": a, "b": b})
    if torch.equal(ends[0], ends[1]):
        raise InvalidInput("a and b are the same network, expected two that differ")
    return wide, Curve(ends, carried=wide.size - problem.size)


def names(wide: Problem, curve: Curve) -> tuple[str, ...]:
    """Return the names of what a curve carries besides the varied parameters."""
    spans = wide.layout.slices()
    return tuple(name for name in wide.layout.names if spans[name].start >= wide.size - curve.carried)


def measured(
    problem: Problem,
    curve: Curve,
    *,
    bend: float | None = None,
    points: int,
    tolerance: float,
    refine: int,
    chunk_size: int | None,
    progress: Progress | None,
) -> dict[str, Any]:
    """Return every field of a `Path` along a curve but its seed."""
    if points < 3:
        raise InvalidInput(f"points is {points}, expected at least 3")
    if not tolerance > 0:
        raise InvalidInput(f"tolerance is {tolerance}, expected a positive share of the range of losses")
    if refine < 0:
        raise InvalidInput(f"refine is {refine}, expected the number of further samples, not negative")
    found = bound_barriers(
        problem,
        curve,
        points=points,
        tolerance=tolerance,
        refine=refine,
        bend=bend,
        chunk_size=chunk_size,
        progress=progress,
    )
    loss, times, path = found.samples["train_loss"], found.samples["t"], curve.of_parameters()
    return {
        "kind": curve.kind,
        "pivots": path.pivots.detach().cpu().numpy().copy(),
        "carried": names(problem, curve) if curve.carried else (),
        "fixed_norm": curve.norm,
        "t": times,
        **{name: found.samples[name] for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy")},
        "barrier": found.barrier[0],
        "barrier_bound": found.barrier[1],
        "barrier_at": found.at,
        "plain_barrier": found.plain_barrier[0],
        "plain_barrier_bound": found.plain_barrier[1],
        "largest_rise": float((loss - np.minimum.accumulate(loss)).max()),
        "tolerance": found.tolerance,
        "converged": found.converged,
        "rigorous": bend is not None,
        "length": path.length(torch.as_tensor(times).to(curve.pivots)),
        "distance": float(torch.linalg.vector_norm(path.pivots[-1] - path.pivots[0])),
        "cost": found.cost,
    }
