"""Thick-restart Lanczos iteration: the largest eigenvalues of several symmetric matrices side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from grokscape.landscape.measures.curvature.lanczos import lanczos_step, orthogonal_to, random_vectors, unit
from grokscape.landscape.measures.curvature.operator import Operator


@dataclass(frozen=True)
class Ritz:
    """Approximate eigenpairs.

    Attributes
    ----------
    values : Tensor, float64, shape (networks, k)
        Descending.
    vectors : Tensor, shape (networks, k, P)
        Orthonormal rows.
    edges : Tensor, float64, shape (networks, k), or (networks, k, m)
    beyond : Tensor, shape (networks, P), or (networks, m, P)
        The residuals are ``A v - theta v = edge * beyond`` but for rounding: all lie along one vector, or along m.
    matvecs : int
        Products of one matrix with one vector, all matrices together.
    size : Tensor, float64, shape (networks,), optional
        The largest magnitude that any Ritz value had.
    """

    values: Tensor
    vectors: Tensor
    edges: Tensor
    beyond: Tensor
    matvecs: int
    size: Tensor | None = None


def largest(
    operator: Operator,
    start: Tensor,
    k: int,
    *,
    tolerance: float,
    max_matvecs: int,
    basis: int | None = None,
    held: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Ritz:
    """Return the k largest (algebraic) eigenvalues of each matrix and their vectors.

    A multiple eigenvalue is found once for certain, and more often only by rounding, because all vectors come from
    one; see `grokscape.landscape.measures.curvature.completeness` for what finds the others.

    Lanczos with full reorthogonalisation; when the basis is full, the best Ritz vectors are kept and the iteration
    goes on from them (Wu and Simon 2000, "Thick-restart Lanczos method", algorithm 1). Ends when the estimated
    residual ``|A v - theta v|`` of all pairs is below ``tolerance * |theta|``, or when it stops falling because the
    products' own rounding has been reached, or after `max_matvecs` products.

    Parameters
    ----------
    operator : Operator
    start : Tensor, shape (networks, P)
        Unit vectors.
    k : int
        At most P.
    tolerance : float
    max_matvecs : int
        Products of each matrix allowed.
    basis : int, optional
        Vectors kept at most, at least k + 2; memory is ``networks * basis * P`` numbers.
    held : int
        Return so many pairs if that is more than k: the rest are the best known, not converged. Where there are fewer,
        vectors are zero and values those of the last pair.
    progress : callable, optional
        Receives the share of `max_matvecs` that is used.
    """
    count, size = start.shape
    full = min(size, max(k + 2, 2 * k + 40 if basis is None else basis))
    held = min(max(held, k), full)
    best, edges = torch.zeros(2, count, held, dtype=torch.float64)
    largest_seen = torch.zeros(count, dtype=torch.float64)
    best_vectors, beyond = start.new_zeros(count, held, size), start.new_empty(count, size)
    alive = torch.arange(count)
    vectors = start.new_empty(count, full + 1, size)
    vectors[:, 0] = start
    projected = torch.zeros(count, full + 1, full + 1, dtype=torch.float64)
    filled, steps, matvecs = 0, 0, 0
    tiny = torch.finfo(start.dtype).eps
    while True:
        _extend(operator, vectors, projected, filled)
        filled, steps, matvecs = filled + 1, steps + 1, matvecs + len(alive)
        lost = ~torch.isfinite(projected[:, filled - 1, : filled + 1]).all(1)
        if bool(lost.any()):  # a network that cannot be measured takes no other with it
            for part in (best, edges, best_vectors, beyond, largest_seen):
                part[alive[lost].to(part.device)] = torch.nan
            alive, vectors, projected = alive[~lost], vectors[(~lost).to(start.device)], projected[~lost]
            if not len(alive):
                return Ritz(best, best_vectors, edges, beyond, matvecs, largest_seen)
            operator = operator.select((~lost).nonzero()[:, 0].to(start.device))
        if progress is not None:
            progress(min(steps / max_matvecs, 1.0))
        last = filled == size or steps >= max_matvecs
        if filled < k or not (last or filled == full or (filled - k) % 6 == 0):
            continue
        values, weights = torch.linalg.eigh(projected[:, :filled, :filled])
        values, weights = values.flip(1), weights.flip(2)
        edge = projected[:, filled, filled - 1, None] * weights[:, filled - 1, :]
        # No pair can be better than the rounding of a product, which is that of the largest eigenvalue.
        bound = (tolerance * values.abs()).clamp(min=0.25 * tiny * values.abs().amax(1, keepdim=True))
        done = (edge.abs() <= bound)[:, :k].all(1) | last
        # Networks that are finished are dropped once they are half of the batch: it costs the others a new graph.
        if 2 * int(done.sum()) >= len(alive):
            known = min(held, filled)
            largest_seen[alive[done]] = values[done].abs().amax(1)
            best[alive[done]] = values[done][:, torch.arange(held).clamp(max=known - 1)]
            edges[alive[done], :known] = edge[done, :known]
            gone, mine = alive[done].to(start.device), vectors[done.to(start.device)]
            best_vectors[gone, :known] = torch.bmm(weights[done, :, :known].mT.to(mine), mine[:, :filled])
            beyond[gone] = mine[:, filled]
            if bool(done.all()):
                return Ritz(best, best_vectors, edges, beyond, matvecs, largest_seen)
            stay = ~done
            alive, values, weights, edge = alive[stay], values[stay], weights[stay], edge[stay]
            vectors, projected = vectors[stay.to(start.device)], projected[stay]
            operator = operator.select(stay.nonzero()[:, 0].to(start.device))
        if filled == full:
            kept = k + (full - k) // 2
            vectors[:, :kept] = weights[:, :, :kept].mT.to(vectors) @ vectors[:, :filled]
            vectors[:, kept] = vectors[:, filled]
            projected.zero_()
            torch.diagonal(projected, dim1=1, dim2=2)[:, :kept] = values[:, :kept]
            projected[:, kept, :kept] = projected[:, :kept, kept] = edge[:, :kept]
            filled = kept


def _extend(operator: Operator, vectors: Tensor, projected: Tensor, last: int) -> None:
    """Take a step, and note it in the projected matrix; a complete space goes on from a vector outside it."""
    step = lanczos_step(operator, vectors, last)
    projected[:, last, : last + 1] = projected[:, : last + 1, last] = step.along.cpu()
    projected[:, last + 1, last] = projected[:, last, last + 1] = step.length.cpu()
    if bool(step.complete.any()):
        known = vectors[:, : last + 1]
        fresh = unit(orthogonal_to(known, random_vectors(operator, last + 1, "lanczos/fresh")))
        vectors[:, last + 1] = torch.where(step.complete[:, None], fresh, vectors[:, last + 1])
