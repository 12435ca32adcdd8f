"""How far the loss can rise within a ball or a box around the parameters, by ascent from several starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import optimize
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.measures.finite import need_finite
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem

#: A rise of which rounding may be more than this share cannot be distinguished from none.
LOST = 0.1


@dataclass(frozen=True)
class Rise:
    """Highest losses found, each array of shape (networks,).

    Attributes
    ----------
    value : array
        Loss there less loss at the centre: a lower bound of the maximum.
    gap : array
        By how much more the loss would rise within the set if it were linear at the point found; 0 at a maximum.
    loss : array
        Loss at the centre.
    cost : Cost
    """

    value: np.ndarray
    gap: np.ndarray
    loss: np.ndarray
    cost: Cost

    def converged(self, tolerance: float, eps: float) -> np.ndarray:
        """Return whether the gap is within a share of the rise, or the rounding of the loss, if that is small."""
        rounding = self.rounding(eps)
        seen = (rounding <= LOST * np.abs(self.value)) | (self.gap == 0)
        return seen & (self.gap <= tolerance * np.abs(self.value) + rounding)

    def rounding(self, eps: float) -> np.ndarray:
        """Return what rounding makes of the difference of two losses."""
        return 8 * eps * np.abs(self.loss)


def step_in_ball(problem: Problem, params: Tensor, scale: Tensor, radius: float, split: str) -> Rise:
    """Go to the end of the ball along the gradient, and no further.

    The ball is ``|u| <= radius`` about ``theta + scale * u``; all tensors are (networks, P).
    """
    loss, gradient = problem.gradients(params, split)
    if len(params) == 1:
        need_finite(problem, params, gradient, "first derivatives")
    point = _onto(gradient * scale, radius)
    there, slope = _scaled(problem, params, scale, point, split)
    lost = there.isinf()  # the loss has overflowed: nothing is known, and nothing has converged
    gap = _gap(point, slope, radius).masked_fill(lost, torch.inf)
    return _rise(loss, there.masked_fill(lost, torch.nan), gap, Cost(gradients=2 * len(params)))


def ascend_in_ball(
    problem: Problem,
    params: Tensor,
    scale: Tensor,
    radius: float,
    split: str,
    *,
    iterations: int,
    tolerance: float,
    seed: int,
) -> Rise:
    """Projected gradient ascent from the gradient's end of the ball and from a random one; the higher of the two.

    At a minimum the gradient shows no direction, which is why there is a random start. Steps double while the loss
    rises, so that on a quadratic the ascent turns into the power iteration.
    """
    loss, gradient = problem.gradients(params, split)
    if len(params) == 1:
        need_finite(problem, params, gradient, "first derivatives")
    lost = ~(torch.isfinite(loss) & torch.isfinite(gradient).all(1))
    if bool(lost.any()):  # there is no ascent from where nothing is known
        params, scale = params[~lost], scale[~lost]
        nothing = torch.full_like(loss, torch.nan)
        if not len(params):
            return _rise(nothing, nothing, nothing, Cost(gradients=len(loss)))
        options = {"iterations": iterations, "tolerance": tolerance, "seed": seed}
        found = ascend_in_ball(problem, params, scale, radius, split, **options)  # type: ignore[arg-type]
        parts = {name: nothing.double().cpu().numpy().copy() for name in ("value", "gap", "loss")}
        for name, part in parts.items():
            part[~lost.cpu().numpy()] = getattr(found, name)
        return Rise(**parts, cost=found.cost + Cost(gradients=len(loss)))
    draw = torch.from_numpy(randomness.generator(seed, "worst case/ball").standard_normal(problem.size)).to(params)
    best, gap, used = loss.clone(), torch.full_like(loss, torch.inf), len(params)
    for start in (gradient * scale, draw.expand_as(params)):
        point = _onto(start, radius)
        there, left, count = _ascend(problem, params, scale, point, radius, split, loss, iterations, tolerance)
        used += count
        higher = (there > best) | gap.isinf()
        best, gap = torch.where(higher, there, best), torch.where(higher, left, gap)
    return _rise(loss, best, gap, Cost(gradients=used))


def _ascend(
    problem: Problem,
    params: Tensor,
    scale: Tensor,
    point: Tensor,
    radius: float,
    split: str,
    centre: Tensor,
    iterations: int,
    tolerance: float,
) -> tuple[Tensor, Tensor, int]:
    """Return the losses reached, the gaps left, and how many gradients it took."""
    eps = torch.finfo(params.dtype).eps
    height, slope = _scaled(problem, params, scale, point, split)
    used = len(params)
    while bool((lost := height.isinf()).any()):  # the centre, where the loss is finite, is near after some halvings
        point = torch.where(lost[:, None], point / 2, point)
        height, slope = _scaled(problem, params, scale, point, split)
        used += len(params)
    length = radius / slope.norm(dim=1, keepdim=True).clamp(min=torch.finfo(params.dtype).tiny)
    for _ in range(iterations):
        stuck = (length * slope).norm(dim=1) < eps * radius
        done = (_gap(point, slope, radius) <= tolerance * (height - centre).abs()) | stuck
        if bool(done.all()):
            break
        live = (~done).nonzero()[:, 0]
        trial = _into(point[live] + length[live] * slope[live], radius)
        trial_height, trial_slope = _scaled(problem, params[live], scale[live], trial, split)
        used += len(live)
        higher = trial_height > height[live]
        length[live] = torch.where(higher[:, None], 2 * length[live], length[live] / 4)
        up, live = higher.nonzero()[:, 0], live[higher]
        height[live], point[live], slope[live] = trial_height[up], trial[up], trial_slope[up]
    return height, _gap(point, slope, radius), used


def _gap(point: Tensor, slope: Tensor, radius: float) -> Tensor:
    """Return how much more a linear function would rise within the ball, shape (networks,)."""
    return radius * slope.norm(dim=1) - (slope * point).sum(1)


def ascend_in_box(
    problem: Problem,
    params: Tensor,
    half_width: float,
    split: str,
    *,
    subspace: int | None,
    iterations: int,
    seed: int,
) -> Rise:
    """L-BFGS-B within ``|y_i| <= half_width (|(A^+ theta)_i| + 1)`` about ``theta + A y``; the higher of two starts.

    A is the identity, or has `subspace` columns of standard normal entries. The starts are the corner to which the
    gradient points and a random point of the box; the centre is no start, since at a minimum nothing leads away.
    """
    generator = randomness.generator(seed, "worst case/box")
    directions = None
    if subspace is not None:
        directions = torch.from_numpy(generator.standard_normal((problem.size, subspace))).to(params)
    uniform = generator.uniform(-1, 1, problem.size if subspace is None else subspace)
    losses, values, gaps, used = [], [], [], 0
    for row in params:

        def lowered(y: np.ndarray, row: Tensor = row) -> tuple[float, np.ndarray]:
            nonlocal used
            used += 1
            shift = torch.from_numpy(y).to(row)
            shift = shift if directions is None else directions @ shift
            loss, gradient = problem.gradients((row + shift)[None], split)
            slope = gradient[0] if directions is None else directions.mT @ gradient[0]
            return -float(loss), -slope.double().cpu().numpy()

        centre, slope = lowered(np.zeros_like(uniform))
        known = np.isfinite(centre) and np.isfinite(slope).all()
        if not known and len(params) == 1:
            need_finite(problem, params, problem.gradients(params, split)[1], "first derivatives")
        if not known:  # there is no ascent from where nothing is known
            losses.append(np.nan)
            values.append(np.nan)
            gaps.append(np.nan)
            continue
        own = row if directions is None else torch.linalg.lstsq(directions, row[:, None]).solution[:, 0]
        reach = half_width * (own.abs().double().cpu().numpy() + 1)
        ends = []
        for start in (-reach * np.sign(slope), reach * uniform):
            found = optimize.minimize(
                lowered,
                start,
                jac=True,
                method="L-BFGS-B",
                bounds=list(zip(-reach, reach, strict=True)),
                options={"maxiter": iterations, "ftol": 0.0, "gtol": 0.0},
            )
            height, descent = lowered(found.x)
            ends.append((-height, float(reach @ np.abs(descent) + descent @ found.x)))
        best, gap = max(ends)
        losses.append(-centre)
        values.append(best + centre)
        gaps.append(gap)
    return Rise(np.array(values), np.array(gaps), np.array(losses), Cost(gradients=used))


def _scaled(problem: Problem, params: Tensor, scale: Tensor, point: Tensor, split: str) -> tuple[Tensor, Tensor]:
    """Return losses and gradients in the coordinates of the ball."""
    loss, gradient = problem.gradients(params + scale * point, split)
    # Where the loss overflows there is nothing to go by, and it does not count as higher.
    return loss.nan_to_num(nan=-torch.inf, posinf=-torch.inf), (gradient * scale).nan_to_num(0.0, 0.0, 0.0)


def _onto(vectors: Tensor, radius: float) -> Tensor:
    return radius * vectors / vectors.norm(dim=1, keepdim=True).clamp(min=torch.finfo(vectors.dtype).tiny)


def _into(vectors: Tensor, radius: float) -> Tensor:
    return vectors * (radius / vectors.norm(dim=1, keepdim=True).clamp(min=radius))


def _rise(loss: Tensor, there: Tensor, gap: Tensor, cost: Cost) -> Rise:
    value, left, centre = (part.double().cpu().numpy() for part in (there.double() - loss.double(), gap, loss))
    return Rise(value, left, centre, cost)
