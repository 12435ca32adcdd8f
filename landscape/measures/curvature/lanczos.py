"""One step of the Lanczos iteration for several symmetric matrices side by side: all that iterate share it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.measures.curvature.operator import Operator


@dataclass(frozen=True)
class Step:
    """What one product added to a Krylov basis.

    Attributes
    ----------
    along : Tensor, float64, shape (networks, n)
        The image's parts along the n basis vectors so far; the last is the diagonal entry of the projected matrix.
    length : Tensor, float64, shape (networks,)
        Length of what is orthogonal to them, the next off-diagonal entry; 0 where the space is complete.
    complete : Tensor of bool, shape (networks,)
        Whether only rounding is left: the space is invariant, and the vector appended is zero.
    image : Tensor, shape (networks,)
        Length of the image itself.
    """

    along: Tensor
    length: Tensor
    complete: Tensor
    image: Tensor


def lanczos_step(
    operator: Operator,
    vectors: Tensor,
    last: int,
    *,
    deflated: Tensor | None = None,
    largest_image: Tensor | None = None,
) -> Step:
    """Multiply with the last basis vector, and append what is orthogonal to the basis, in place.

    Orthogonalised in full. The last two basis vectors hold nearly all of what is to be removed, and removing them first
    is cheap; then one pass over the whole basis is enough, unless it took a good part away (Daniel et al. 1976).

    Parameters
    ----------
    operator : Operator
    vectors : Tensor, shape (networks, steps + 1, P)
        Orthonormal rows up to `last`; the next row is written.
    last : int
    deflated : Tensor, shape (networks, h, P), optional
        Orthonormal vectors that are taken out of the matrix.
    largest_image : Tensor, shape (networks,), optional
        The longest image of former steps, where rounding is judged by that and not by this image alone.
    """
    known = vectors[:, : last + 1]
    image = operator.matvec(vectors[:, last])
    size = image.norm(dim=1)
    if largest_image is not None:
        size = torch.maximum(size, largest_image)
    if deflated is not None:
        image = orthogonal_to(deflated, image)
    along = torch.zeros(len(image), last + 1, dtype=image.dtype, device=image.device)
    first = max(last - 1, 0)
    image, along[:, first:] = _remove(known[:, first:], image)
    rest = image.norm(dim=1)
    for _ in range(3):
        before = rest
        image, part = _remove(known, image)
        along, rest = along + part, image.norm(dim=1)
        if bool((rest > 0.7 * before).all()):
            break
    if deflated is not None:
        image = orthogonal_to(deflated, image)
        rest = image.norm(dim=1)
    complete = rest <= 8 * torch.finfo(image.dtype).eps * size
    rest = rest.masked_fill(complete, 0.0)
    image = image / rest.masked_fill(complete, 1.0)[:, None]
    vectors[:, last + 1] = image.masked_fill(complete[:, None], 0.0)
    return Step(along.double(), rest.double(), complete, size)


def start_vectors(operator: Operator, seed: int) -> Tensor:
    """Return one random unit vector, the same for every matrix, shape (networks, P)."""
    vectors = random_vectors(operator, seed, "lanczos")
    return (vectors / vectors[0].norm()).clone()


def random_vectors(operator: Operator, seed: int, name: str) -> Tensor:
    """Return standard normal draws, the same for every matrix, shape (networks, P)."""
    draw = torch.from_numpy(randomness.generator(seed, name).standard_normal(operator.size))
    return draw.to(operator.device, operator.dtype).expand(operator.count, -1)


def unit(vectors: Tensor) -> Tensor:
    """Return vectors (networks, P) at length 1; zero stays zero."""
    return vectors / vectors.norm(dim=1, keepdim=True).clamp(min=torch.finfo(vectors.dtype).tiny)


def orthogonal_to(known: Tensor, vectors: Tensor) -> Tensor:
    """Return vectors (networks, P) less their parts along orthonormal ones (networks, n, P)."""
    for _ in range(2):  # once is not enough to be orthogonal to rounding
        vectors, _part = _remove(known, vectors)
    return vectors


def _remove(known: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Return vectors (networks, P) less their parts along orthonormal ones (networks, n, P), and those parts."""
    # As rows times matrices: with columns, batched products took fifteen times as long.
    part = torch.bmm(vectors[:, None], known.mT)
    return torch.baddbmm(vectors[:, None], part, known, alpha=-1)[:, 0], part[:, 0]
