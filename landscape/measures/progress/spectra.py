"""Spectra over a cyclic group, and how unevenly a vector's weight is spread."""

from __future__ import annotations

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput


def fourier_basis(size: int, like: Tensor | None = None) -> Tensor:
    """Return the real orthonormal Fourier basis of Z_n, one vector a row, shape (n, n).

    Rows: the constant; then ``cos(2 pi k x / n)`` and ``sin(2 pi k x / n)`` in turn for k = 1, 2, ...; for even n, the
    alternating vector last. Each is of unit length (Nanda et al. 2023, arXiv:2301.05217, section 4).

    Parameters
    ----------
    size : int
        n, at least 1.
    like : Tensor, optional
        Gives precision and device; by default float64 on the CPU.

    Raises
    ------
    InvalidInput
        If the size is not positive.
    """
    if size < 1:
        raise InvalidInput(f"size is {size}, expected the order of a group, at least 1")
    x = torch.arange(size, dtype=torch.float64)
    rows = [torch.ones(size, dtype=torch.float64)]
    for k in range(1, (size - 1) // 2 + 1):
        angle = 2 * torch.pi * ((k * x) % size) / size
        rows += [angle.cos(), angle.sin()]
    if size % 2 == 0:
        rows.append(1 - 2 * (x % 2))
    basis = torch.stack(rows)
    basis /= basis.norm(dim=1, keepdim=True)
    return basis if like is None else basis.to(like)


def fourier_power(values: Tensor, dim: int = -1) -> Tensor:
    """Return the power of each frequency along one axis, shape (..., n // 2 + 1), frequencies last.

    ``P_k = |c_k . v|^2 + |s_k . v|^2`` with the unit vectors of `fourier_basis`; so the powers add up to ``||v||^2``
    (Parseval), and a cosine or sine has all of its power at one frequency, whatever its phase. Index k is the
    frequency; 0 is the constant, which ``[..., 1:]`` leaves out.

    Parameters
    ----------
    values : Tensor of floats
    dim : int
        The axis of length n along which tokens are counted; the other axes keep their order.
    """
    moved = values.movedim(dim, -1)
    size = moved.shape[-1]
    power = torch.fft.rfft(moved, norm="ortho").abs().square()
    twice = torch.full_like(power[..., 0, None], 2.0).expand_as(power).clone()
    twice[..., 0] = 1
    if size % 2 == 0:
        twice[..., -1] = 1
    return power * twice


def inverse_participation_ratio(power: Tensor, dim: int = -1) -> Tensor:
    """Return ``IPR = sum_k P_k^2 / (sum_k P_k)^2`` along one axis: 1 / n if spread evenly, 1 if all is in one place.

    For amplitudes v give ``v**2``: then it is ``(||v||_4 / ||v||_2)^4`` (Gromov 2023, arXiv:2301.02679; Doshi et al.
    2023, arXiv:2310.13061, equation 3). Of `fourier_power`, a lone cosine has 1. Doshi et al. take the squares of
    ``|rfft|``, in which the constant counts twice as much, relative to the others, as here; without the constant, and
    for odd n, both agree. NaN where all is zero.

    Parameters
    ----------
    power : Tensor of non-negative floats
    dim : int
    """
    share = power / power.sum(dim, keepdim=True)
    return share.square().sum(dim)


def gini(values: Tensor, dim: int = -1) -> Tensor:
    """Return the Gini coefficient of absolute values along one axis: 0 if all are equal, 1 - 1 / n for one alone.

    ``G = 1 - 2 sum_j (x_(j) / ||x||_1) (n - j + 1/2) / n`` with x sorted upwards (Hurley and Rickard 2009,
    arXiv:0811.4706). It does not depend on scale. NaN where all is zero.

    Parameters
    ----------
    values : Tensor of floats
    dim : int
    """
    ordered = values.abs().movedim(dim, -1).sort(-1).values
    n = ordered.shape[-1]
    weight = (n - torch.arange(1, n + 1, dtype=ordered.dtype, device=ordered.device) + 0.5) / n
    return 1 - 2 * (ordered * weight).sum(-1) / ordered.sum(-1)


def hoyer(values: Tensor, dim: int = -1) -> Tensor:
    """Return Hoyer's sparsity along one axis: 0 if all absolute values are equal, 1 for one alone.

    ``(sqrt(n) - ||x||_1 / ||x||_2) / (sqrt(n) - 1)`` (Hoyer 2004, section 3.1). NaN where all is zero, or n = 1.

    Parameters
    ----------
    values : Tensor of floats
    dim : int
    """
    root = values.shape[dim] ** 0.5
    ratio = values.abs().sum(dim) / torch.linalg.vector_norm(values, dim=dim)
    return (root - ratio) / (root - 1) if root != 1 else torch.full_like(ratio, torch.nan)


def participation(values: Tensor, dim: int = -1) -> Tensor:
    """Return ``(sum x^2)^2 / sum x^4`` along one axis: how many entries carry the squared weight, from 1 to n.

    The inverse of `inverse_participation_ratio` of the squares. NaN where all is zero.

    Parameters
    ----------
    values : Tensor of floats
    dim : int
    """
    return 1 / inverse_participation_ratio(values.square(), dim)


def skewness(values: Tensor, dim: int = -1) -> Tensor:
    """Return the third standardised moment along one axis, ``E (x - mean)^3 / sd^3``; NaN where all are equal.

    Parameters
    ----------
    values : Tensor of floats
    dim : int
    """
    centred = values - values.mean(dim, keepdim=True)
    return centred.pow(3).mean(dim) / centred.square().mean(dim).pow(1.5)
