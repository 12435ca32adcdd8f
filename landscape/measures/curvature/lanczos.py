"""Thick-restart Lanczos iteration for several symmetric matrices side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from grokscape.landscape import randomness


class Operator(Protocol):
    """Symmetric matrices, one for each network, known by their products alone."""

    @property
    def size(self) -> int:
        """P, the order of each matrix."""

    @property
    def count(self) -> int:
        """Number of matrices."""

    def matvec(self, vectors: Tensor) -> Tensor:
        """Multiply each matrix with its own vector, shapes (networks, P)."""

    def select(self, networks: Tensor) -> Operator:
        """Return some of the matrices alone, by index."""

    def dense(self) -> Tensor:
        """Return the matrices, shape (networks, P, P)."""


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
    products : int
        Products of one matrix with one vector, all matrices together.
    size : Tensor, float64, shape (networks,), optional
        The largest magnitude that any Ritz value had.
    """

    values: Tensor
    vectors: Tensor
    edges: Tensor
    beyond: Tensor
    products: int
    size: Tensor | None = None


def start_vectors(operator: Operator, like: Tensor, seed: int) -> Tensor:
    """Return one random unit vector, the same for every matrix, shape (networks, P)."""
    draw = torch.from_numpy(randomness.generator(seed, "lanczos").standard_normal(operator.size)).to(like)
    return (draw / draw.norm()).expand(operator.count, -1).clone()


def largest(
    operator: Operator,
    start: Tensor,
    k: int,
    *,
    tolerance: float,
    most: int,
    basis: int | None = None,
    held: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Ritz:
    """Return the k largest (algebraic) eigenvalues of each matrix and their vectors.

    A multiple eigenvalue is found once for certain, and more often only by rounding, because all vectors come from
    one; see `grokscape.landscape.measures.completeness` for what finds the others.

    Lanczos with full reorthogonalisation; when the basis is full, the best Ritz vectors are kept and the iteration
    goes on from them (Wu and Simon 2000, "Thick-restart Lanczos method", algorithm 1). Ends when the estimated
    residual ``|A v - theta v|`` of all pairs is below ``tolerance * |theta|``, or when it stops falling because the
    products' own rounding has been reached, or after `most` products.

    Parameters
    ----------
    operator : Operator
    start : Tensor, shape (networks, P)
        Unit vectors.
    k : int
        At most P.
    tolerance : float
    most : int
        Products of each matrix allowed.
    basis : int, optional
        Vectors kept at most, at least k + 2; memory is ``networks * basis * P`` numbers.
    held : int
        Return so many pairs if that is more than k: the rest are the best known, not converged. Where there are fewer,
        vectors are zero and values those of the last pair.
    progress : callable, optional
        Told the share of `most` that is used.
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
    filled, steps, products = 0, 0, 0
    tiny = torch.finfo(start.dtype).eps
    while True:
        _extend(operator, vectors, projected, filled)
        filled, steps, products = filled + 1, steps + 1, products + len(alive)
        lost = ~torch.isfinite(projected[:, filled - 1, : filled + 1]).all(1)
        if bool(lost.any()):  # a network that cannot be measured takes no other with it
            for part in (best, edges, best_vectors, beyond, largest_seen):
                part[alive[lost].to(part.device)] = torch.nan
            alive, vectors, projected = alive[~lost], vectors[(~lost).to(start.device)], projected[~lost]
            if not len(alive):
                return Ritz(best, best_vectors, edges, beyond, products, largest_seen)
            operator = operator.select((~lost).nonzero()[:, 0].to(start.device))
        if progress is not None:
            progress(min(steps / most, 1.0))
        last = filled == size or steps >= most
        if filled < k or not (last or filled == full or (filled - k) % 6 == 0):
            continue
        values, weights = torch.linalg.eigh(projected[:, :filled, :filled])
        values, weights = values.flip(1), weights.flip(2)
        edge = projected[:, filled, filled - 1, None] * weights[:, filled - 1, :]
        # No pair can be better than the rounding of a product, which is that of the largest eigenvalue.
        bound = (tolerance * values.abs()).clamp(min=0.25 * tiny * values.abs().amax(1, keepdim=True))
        done = (edge.abs() <= bound)[:, :k].all(1) | last
        # Networks that are finished leave, once they are half of the company: to leave costs the others a new graph.
        if 2 * int(done.sum()) >= len(alive):
            known = min(held, filled)
            largest_seen[alive[done]] = values[done].abs().amax(1)
            best[alive[done]] = values[done][:, torch.arange(held).clamp(max=known - 1)]
            edges[alive[done], :known] = edge[done, :known]
            gone, mine = alive[done].to(start.device), vectors[done.to(start.device)]
            best_vectors[gone, :known] = torch.bmm(weights[done, :, :known].mT.to(mine), mine[:, :filled])
            beyond[gone] = mine[:, filled]
            if bool(done.all()):
                return Ritz(best, best_vectors, edges, beyond, products, largest_seen)
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
    """Multiply with the last basis vector, and append what is orthogonal to the basis, in place."""
    known = vectors[:, : last + 1]
    image = operator.matvec(vectors[:, last])
    size = image.norm(dim=1)
    along = torch.zeros(len(image), last + 1, dtype=image.dtype, device=image.device)
    # The last two basis vectors hold nearly all of what is to be removed, and removing them first is cheap; then one
    # pass over the whole basis is enough, unless it took a good part away (Daniel et al. 1976).
    first = max(last - 1, 0)
    image, along[:, first:] = _remove(known[:, first:], image)
    rest = image.norm(dim=1)
    for _ in range(3):
        before = rest
        image, part = _remove(known, image)
        along, rest = along + part, image.norm(dim=1)
        if bool((rest > 0.7 * before).all()):
            break
    projected[:, last, : last + 1] = projected[:, : last + 1, last] = along.double().cpu()
    # An invariant subspace is complete: what is left is rounding, and no direction.
    done = rest <= 8 * torch.finfo(image.dtype).eps * size
    rest = rest.masked_fill(done, 0.0)
    projected[:, last + 1, last] = projected[:, last, last + 1] = rest.double().cpu()
    image = image / rest.masked_fill(done, 1.0)[:, None]
    if bool(done.any()):
        image = torch.where(done[:, None], _fresh(known), image)
    vectors[:, last + 1] = image


def _remove(known: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Return vectors (networks, P) less their parts along orthonormal ones (networks, n, P), and those parts."""
    # As rows times matrices: with columns, batched products took fifteen times as long.
    part = torch.bmm(vectors[:, None], known.mT)
    return torch.baddbmm(vectors[:, None], part, known, alpha=-1)[:, 0], part[:, 0]


def _fresh(known: Tensor) -> Tensor:
    """Return unit vectors orthogonal to a basis, by a fixed draw."""
    count, filled, size = known.shape
    draw = torch.from_numpy(randomness.generator(filled, "lanczos/fresh").standard_normal(size)).to(known)
    fresh = draw.expand(count, -1)
    for _ in range(2):
        fresh = fresh - (known.mT @ (known @ fresh[:, :, None]))[:, :, 0]
    return fresh / fresh.norm(dim=1, keepdim=True).clamp(min=torch.finfo(known.dtype).tiny)
