"""Whether the derivatives that autograd gives are those of the loss, by differences of it.

A backward pass can be anything: hooks on gradients, gradient reversal, straight-through estimators, parts under
`no_grad`, kernels with a wrong second derivative. So along random directions the slope is compared with a difference of
losses, and a product with the Hessian with a difference of gradients. Both are taken in float64, on few examples, near
the given weights and not at them, where a ReLU may sit at its kink. A difference over a finite step need not be a
derivative (there are kinks, jumps, rounding), so derivatives are called wrong only if they differ at all steps along
all directions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from grokscape.landscape.embeddings import padding_rows
from grokscape.landscape.problem.batches import Batch, part
from grokscape.landscape.problem.containers import each_tensor
from grokscape.landscape.problem.operations import Watched
from grokscape.landscape.problem.widened import Widened

if TYPE_CHECKING:
    from grokscape.landscape.problem import Problem

#: Examples that are looked at.
EXAMPLES = 16

#: How far from the given weights derivatives are compared, relative to the size of each parameter.
AWAY = 0.01

#: Steps relative to the size of each parameter: for losses, and for gradients, which jump at every kink.
SLOPE_STEPS = (1e-6, 1e-7, 1e-8, 1e-9, 1e-5)
CURVATURE_STEPS = (1e-8, 1e-7, 1e-9, 1e-6)

#: Share of the size of a slope, or of a product, by which it may differ from a difference.
SLOPE_TOLERANCE, CURVATURE_TOLERANCE = 1e-3, 1e-2

#: Directions, and the step that shows how much a value is rounded.
DIRECTIONS, JITTER = 2, 1e-13

#: A loss of the parameters, and a sign for the outputs.
Loss = Callable[[Tensor, int], Tensor]


@torch.inference_mode(False)
def wrong_slope(problem: Problem) -> tuple[float, float] | None:
    """Return a slope by autograd and by differences where they clearly differ, otherwise None."""
    with _loss(problem) as found:
        if found is None:
            return None
        loss, place, scales = found

        def value(point: Tensor, sign: int = 1) -> Tensor:
            with torch.no_grad():
                return loss(point, sign)[None]

        gradient = _gradient(loss, place)
        different: list[tuple[float, float]] = []
        for number in range(DIRECTIONS):
            direction = _draw(scales, number + 1)
            claimed = (gradient @ direction)[None]
            size = float((gradient * scales).norm())
            measured = _clearly_other(value, place, direction, claimed, SLOPE_STEPS, SLOPE_TOLERANCE, size)
            if measured is None:
                return None
            different.append((float(claimed), float(measured)))
        return None if _narrows(loss, place) else different[0]


@torch.inference_mode(False)
@torch.enable_grad()
def wrong_curvature(problem: Problem) -> bool:
    """Whether products with the Hessian clearly differ from differences of gradients."""
    with _loss(problem) as found:
        if found is None:
            return False
        loss, place, scales = found

        def slope(point: Tensor, sign: int = 1) -> Tensor:
            return _gradient(loss, point, sign) * scales

        for number in range(DIRECTIONS):
            direction = _draw(scales, number + 1)
            try:
                claimed = _product(loss, place, direction) * scales
            except Exception:  # who asks for products is told the reason then
                return False
            if _clearly_other(slope, place, direction, claimed, CURVATURE_STEPS, CURVATURE_TOLERANCE) is None:
                return False
        return not _narrows(loss, place)


def _clearly_other(
    function: Callable[..., Tensor],
    place: Tensor,
    direction: Tensor,
    claimed: Tensor,
    steps: tuple[float, ...],
    tolerance: float,
    size: float = 0.0,
) -> Tensor | None:
    """Return the difference quotient at the first step if those at all steps differ from a claimed derivative."""
    if not torch.isfinite(claimed).all():
        return None
    rounding, first = None, None
    for step in steps:
        ahead, behind = (function(torch.add(place, direction, alpha=sign * step)) for sign in (1, -1))
        measured = (ahead - behind) / (2 * step)
        allowed = tolerance * max(size, float(claimed.norm()), float(measured.norm()))
        differ = float((measured - claimed).norm())
        if not differ > allowed:
            return None
        if rounding is None:
            values = torch.stack([function(torch.add(place, direction, alpha=k * JITTER)) for k in range(8)])
            rounding = float((values - values[0]).norm(dim=1).max())
            rounding += (
                100 * torch.finfo(torch.float64).eps * max(float(values.norm(dim=1).max()), _size_of(function, place))
            )
        if not differ > allowed + 10 * rounding / step:
            return None
        first = measured if first is None else first
    return first


def _narrows(loss: Loss, place: Tensor) -> bool:
    """Whether a loss loses digits internally, in spite of all: then small steps show nothing."""
    with torch.no_grad(), Watched() as watched:
        loss(place, 1)
    return watched.narrowed


def _size_of(function: Callable[..., Tensor], place: Tensor) -> float:
    """Return how large a function is where outputs are wrong: what has converged is a difference of such numbers."""
    try:
        size = float(function(place, -1).norm())
    except Exception:  # a loss may need outputs of one sign
        return 0.0
    return size if size < torch.inf else 0.0


@contextlib.contextmanager
def _loss(problem: Problem) -> Iterator[tuple[Loss, Tensor, Tensor] | None]:
    """Yield the loss of few training examples in float64, a place near the start, and the size of each parameter.

    None if it does not run in float64, or is not finite there.
    """
    scales = _scales(problem)
    place = _draw(scales, 0).mul_(AWAY).add_(problem.start)
    inputs, targets = each_tensor(_double, few_examples(problem))

    def loss(vector: Tensor, sign: int = 1) -> Tensor:
        if sign == 1:
            return problem.batch_loss(vector, inputs, targets).double()
        outputs = each_tensor(lambda leaf: sign * leaf, problem.outputs(vector, inputs))
        return problem.raw_loss(outputs, targets, vector).mean().double()

    with Widened():
        try:
            runs = bool(torch.isfinite(loss(place)))
        except Exception:  # whatever somebody else's model can raise
            runs = False
        yield (loss, place, scales) if runs else None


def elsewhere(problem: Problem) -> Tensor:
    """Return other weights, where a loss that depends on any of them is another."""
    scales = _scales(problem)
    return (problem.start.double() + 0.1 * _draw(scales, 0)).to(problem.dtype)


def _scales(problem: Problem) -> Tensor:
    """Return the size of each parameter, as it is in the tensor that holds it; 0 for rows that stand for padding."""
    start = problem.start.double()
    sizes = [shape.numel() for shape in problem.layout.shapes.values()]
    scales = torch.cat([_size(piece, start) for piece in start.split(sizes)])
    if problem.template is not None:
        tensors = problem.layout.tensors(scales)  # views
        for name, row in padding_rows(problem.template):
            if name in tensors:
                tensors[name][row] = 0.0
    return scales


def _size(part: Tensor, whole: Tensor) -> Tensor:
    """Return the root mean square of a tensor for each of its numbers; of all tensors if it is zero."""
    size = part.square().mean().sqrt() if part.numel() and part.any() else whole.square().mean().sqrt()
    return (size if size > 0 else torch.full_like(size, 0.1)).expand_as(part)


def _draw(scales: Tensor, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(scales), generator=generator, dtype=torch.float64).to(scales.device).mul_(scales)


def few_examples(problem: Problem) -> Batch:
    """Return few training examples, or the whole first batch if the model insists on it."""
    _, *first = next(problem.shares("train"))
    batch = first[0], first[1]
    try:
        few = part(batch, slice(EXAMPLES))  # of a sparse tensor none can be taken
        with torch.no_grad():
            return few if torch.isfinite(problem.batch_loss(problem.start, *few)) else batch
    except Exception:  # whatever somebody else's model can raise
        return batch


def _double(leaf: Tensor) -> Tensor:
    return leaf.double() if leaf.is_floating_point() else leaf


def _gradient(loss: Loss, place: Tensor, sign: int = 1) -> Tensor:
    with torch.enable_grad():
        leaf = place.detach().clone().requires_grad_()
        value = loss(leaf, sign)
        found = torch.autograd.grad(value, leaf, allow_unused=True)[0] if value.requires_grad else None
    return torch.zeros_like(leaf) if found is None else found


def _product(loss: Loss, place: Tensor, direction: Tensor) -> Tensor:
    leaf = place.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf, 1), leaf, create_graph=True)
    (product,) = torch.autograd.grad(gradient, leaf, direction)
    return product
