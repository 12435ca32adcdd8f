"""Curves of low loss between two networks (Garipov et al. 2018; Draxler et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.paths.curves import Curve, CurveKind
from grokscape.landscape.measures.paths.points import Progress, chunks
from grokscape.landscape.measures.paths.straight import Path, measured, names, straight
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.optimisers import AdamW, Optimiser
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import Network
from grokscape.landscape.randomness import generator

#: Deviation of the first pivots from the straight line, in units of its length: breaks the tie of a symmetric ridge.
JITTER = 0.01

#: At so many fixed points the mean loss is compared between moments of the training.
FIXED = 16


@dataclass(frozen=True, kw_only=True)
class LowLossPath(Path):
    """A path whose inner pivots were trained for a low mean loss.

    Attributes
    ----------
    history : ndarray, shape (steps,)
        The mean training loss along the path at each step, at that step's random points.
    mean_loss : ndarray, shape (3,)
        The same at 16 fixed points, evenly spaced: at the start, after four fifths of the steps, and at the end.
    settled : bool
        Whether, in the last fifth of the steps, `mean_loss` changed by less than 2 % of its whole fall; steady progress
        would give 4 %, because the step size falls to zero. It says that training came to rest, not that no lower path
        exists.
    seed : int
    """

    history: np.ndarray
    mean_loss: np.ndarray
    settled: bool


@plain_arguments
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def low_loss_path(
    problem: Problem,
    a: Network,
    b: Network,
    *,
    bends: int = 1,
    curve: CurveKind = "bezier",
    steps: int = 500,
    optimiser: Optimiser | None = None,
    samples: int = 4,
    seed: int = 0,
    fixed_norm: float | None = None,
    points: int = 51,
    tolerance: float = 0.01,
    refine: int = 200,
    chunk_size: int | None = None,
    progress: Progress | None = None,
) -> LowLossPath:
    """Search for a path of low loss from a to b, and measure the loss along it.

    Minimises ``int_0^1 L(gamma(t)) dt`` over the inner pivots of gamma (Garipov et al. 2018, arXiv:1802.10026, equation
    2). Each step takes the gradient at one random t in each of `samples` equal parts of [0, 1]. The step size falls
    linearly to zero. A low mean is what is trained; a short, sharp barrier may remain, which the bounds show.

    Costs ``steps * samples`` gradients and 48 evaluations, then a point costs an evaluation, a gradient and a product.

    Parameters
    ----------
    problem : Problem
    a, b : network
        Vectors (P,), modules of the problem's architecture, or their tensors by name; buffers in which they differ are
        interpolated linearly along the curve, see `grokscape.landscape.measures.paths.straight.interpolate`.
    bends : int
        How many inner pivots are trained, at least 1. They start evenly along the straight line, with a deviation of
        1 % of its length at random.
    curve : {"bezier", "chain"}
        One smooth curve of degree ``bends + 1``, or ``bends + 1`` straight segments.
    steps : int
    optimiser : Optimiser, optional
        By default AdamW at rate 0.01 without weight decay.
    samples : int
    seed : int
        Of the random t and the deviation.
    fixed_norm : float, optional
        Keep the whole path at this distance from the origin, as if trained under that constraint; a and b must have it.
    points, tolerance, refine, chunk_size
        As in `grokscape.landscape.measures.paths.straight.interpolate`; the upper bound is estimated.
    progress : callable, optional
        Called with the share done.

    Raises
    ------
    InvalidInput
        If an argument does not fit, or the loss on the path stops being finite.

    Examples
    --------
    >>> import torch
    >>> from grokscape.landscape import low_loss_path
    >>> from grokscape.landscape.measures.examples import ring  # L = (a^2 + b^2 - 1)^2, whose minima are a circle
    >>> found = low_loss_path(ring(), torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0]), bends=3, steps=200)
    >>> found.barrier_bound < 0.1  # on the straight line it is 1
    True
    """
    if curve not in get_args(CurveKind):
        raise InvalidInput(f"curve is {curve!r}, expected 'bezier' or 'chain'")
    for name, number in {"bends": bends, "steps": steps, "samples": samples}.items():
        if number < 1:
            raise InvalidInput(f"{name} is {number}, expected at least 1")
    wide, line = straight(problem, a, b)
    ends, varied = line.pivots, problem.size
    if fixed_norm is not None:
        if line.carried:
            raise InvalidInput(
                f"fixed_norm is {fixed_norm}, but a and b also differ in {', '.join(names(wide, line))}, which have no "
                "part in the norm; leave it out, or give networks that share them"
            )
        _need_norm(ends, fixed_norm)
    first = _start(ends, varied, bends, seed)
    inner, history, means = _trained(
        wide, varied, ends, first, curve, steps, optimiser, samples, seed, fixed_norm, chunk_size, progress
    )
    trained = Curve(torch.cat([ends[:1], inner, ends[1:]]), curve, fixed_norm, line.carried)
    fields = measured(
        wide,
        trained,
        points=points,
        tolerance=tolerance,
        refine=refine,
        chunk_size=chunk_size,
        progress=None if progress is None else lambda share: progress(0.9 + 0.1 * share),
    )
    fields["cost"] += Cost(gradients=steps * samples, evaluations=3 * FIXED)
    fall, late = means[0] - means[2], abs(means[1] - means[2])
    return LowLossPath(**fields, seed=seed, history=history, mean_loss=means, settled=bool(late <= 0.02 * fall))


def _start(ends: Tensor, varied: int, bends: int, seed: int) -> Tensor:
    """Return the first inner pivots: those of the straight line, the varied parameters with a deviation."""
    inner = Curve(ends).params(torch.arange(1, bends + 1).to(ends) / (bends + 1))
    noise = torch.from_numpy(generator(seed, "pivots").standard_normal((bends, varied))).to(ends)
    scale = JITTER * torch.linalg.vector_norm(ends[1, :varied] - ends[0, :varied]) / varied**0.5
    inner[:, :varied] += scale * noise
    return inner


def _trained(
    problem: Problem,
    varied: int,
    ends: Tensor,
    inner: Tensor,
    kind: CurveKind,
    steps: int,
    optimiser: Optimiser | None,
    samples: int,
    seed: int,
    norm: float | None,
    chunk_size: int | None,
    progress: Progress | None,
) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Return the trained inner pivots, the mean loss at each step (steps,) and at three moments (3,).

    Only the varied parameters are trained, which come first.
    """
    optimiser = AdamW(lr=0.01, weight_decay=0.0) if optimiser is None else optimiser
    rates = optimiser.rates([optimiser] * len(inner), inner)
    state, first_rate = optimiser.initial_state(inner), rates["lr"]
    draw = generator(seed, "times")
    fixed = (torch.arange(FIXED).to(inner) + 0.5) / FIXED
    history, means, carried = np.empty(steps), np.empty(3), inner[:, varied:].clone()

    def along(pivots: Tensor) -> Curve:
        return Curve(torch.cat([ends[:1], pivots, ends[1:]]), kind, norm)

    def mean_loss() -> float:
        now = along(inner)
        losses = [problem.evaluate(now.params(fixed[some]))["loss"] for some in chunks(problem, FIXED, chunk_size)]
        return float(torch.cat(losses).mean())

    means[0] = mean_loss()
    for step in range(steps):
        if step == steps * 4 // 5:
            means[1] = mean_loss()
        times = torch.from_numpy((np.arange(samples) + draw.random(samples)) / samples).to(inner)
        leaf = inner.clone().requires_grad_()
        params = along(leaf).params(times)
        losses, gradients = problem.gradients(params.detach())
        history[step] = float(losses.mean())
        if not np.isfinite(history[step]):
            raise InvalidInput(f"the loss on the path is {history[step]} at step {step}; give a smaller lr")
        (gradient,) = torch.autograd.grad(params, leaf, gradients / samples)
        rates["lr"] = first_rate * (1 - step / steps)
        optimiser.step(inner, gradient, state, rates, inner.new_tensor(step + 1.0))
        inner[:, varied:] = carried
        if progress is not None:
            progress(0.9 * (step + 1) / steps)
    means[2] = mean_loss()
    return inner, history, means


def _need_norm(ends: Tensor, fixed_norm: float) -> None:
    for name, row in zip(("a", "b"), ends, strict=True):
        found = float(torch.linalg.vector_norm(row))
        if not abs(found - fixed_norm) <= 1e-3 * fixed_norm:
            raise InvalidInput(
                f"fixed_norm is {fixed_norm:.6g}, but {name} has norm {found:.6g}; expected both ends at that norm"
            )
