"""Thick-restart Lanczos iteration for several symmetric matrices side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from landscape import randomness


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


@dataclass(frozen=True)
class Ritz:
    """Approximate eigenpairs.

    Attributes
    ----------
    values : Tensor, float64, shape (networks, k)
        Descending.
    vectors : Tensor, shape (networks, k, P)
        Orthonormal rows.
    steps : int
        Products of each matrix with a vector.
    """

    values: Tensor
    vectors: Tensor
    steps: int


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
    progress: Callable[[float], None] | None = None,
) -> Ritz:
    """Return the k largest (algebraic) eigenvalues of each matrix and their vectors.

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
    progress : callable, optional
        Told the share of `most` that is used.
    """
    count, size = start.shape
    full = min(size, max(k + 2, 2 * k + 40 if basis is None else basis))
    vectors = start.new_zeros(count, full + 1, size)
    vectors[:, 0] = start
    projected = torch.zeros(count, full + 1, full + 1, dtype=torch.float64)
    filled, steps = 0, 0
    tiny = torch.finfo(start.dtype).eps
    while True:
        _extend(operator, vectors, projected, filled)
        filled, steps = filled + 1, steps + 1
        if progress is not None:
            progress(min(steps / most, 1.0))
        exhausted = filled == size
        ready = filled >= k and (exhausted or filled == full or steps >= most or (filled - k) % 6 == 0)
        if not ready:
            continue
        values, weights = torch.linalg.eigh(projected[:, :filled, :filled])
        values, weights = values.flip(1), weights.flip(2)
        coupling = projected[:, filled, filled - 1, None]
        residuals = (coupling * weights[:, filled - 1, :]).abs()
        scale = values.abs().amax(1, keepdim=True)
        # No pair can be better than the rounding of a product, which is that of the largest eigenvalue.
        bound = (tolerance * values.abs()).clamp(min=0.25 * tiny * scale)[:, :k]
        if exhausted or steps >= most or bool((residuals[:, :k] <= bound).all()):
            chosen = weights[:, :, :k].mT.to(vectors)
            return Ritz(values[:, :k].clone(), chosen @ vectors[:, :filled], steps)
        if filled == full:
            kept = k + (full - k) // 2
            chosen = weights[:, :, :kept].mT.to(vectors)
            vectors[:, :kept] = chosen @ vectors[:, :filled]
            vectors[:, kept] = vectors[:, filled]
            projected.zero_()
            torch.diagonal(projected, dim1=1, dim2=2)[:, :kept] = values[:, :kept]
            edge = coupling * weights[:, filled - 1, :kept]
            projected[:, kept, :kept] = projected[:, :kept, kept] = edge
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
    part = torch.bmm(known, vectors[:, :, None])
    return torch.baddbmm(vectors[:, :, None], known.mT, part, alpha=-1)[:, :, 0], part[:, :, 0]


def _fresh(known: Tensor) -> Tensor:
    """Return unit vectors orthogonal to a basis, by a fixed draw."""
    count, filled, size = known.shape
    draw = torch.from_numpy(randomness.generator(filled, "lanczos/fresh").standard_normal(size)).to(known)
    fresh = draw.expand(count, -1)
    for _ in range(2):
        fresh = fresh - (known.mT @ (known @ fresh[:, :, None]))[:, :, 0]
    return fresh / fresh.norm(dim=1, keepdim=True).clamp(min=torch.finfo(known.dtype).tiny)
