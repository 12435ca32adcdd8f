"""Unbiased estimators of the traces of matrices known by their products, each with an honest standard error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from grokscape.landscape.measures.curvature.lanczos import random_vectors
from grokscape.landscape.measures.curvature.operator import Operator

#: Number of a probe -> standard normal draws, shape (networks, P).
Draw = Callable[[int], Tensor]

#: Called when one more product of every matrix is done.
Tick = Callable[[], None]


@dataclass(frozen=True)
class Estimate:
    """Estimated traces, all float64.

    Attributes
    ----------
    value, standard_error, degrees_of_freedom : Tensor, shape (networks,)
        The interval is ``value +- t(degrees_of_freedom) * standard_error``.
    samples : Tensor, shape (networks, n)
        Their mean is the value. Independent, given the subspace, for Hutchinson and Hutch++; exchangeable for XTrace.
    """

    value: Tensor
    standard_error: Tensor
    degrees_of_freedom: Tensor
    samples: Tensor


def draws(operator: Operator, seed: int) -> Draw:
    """Return probes that are the same for every network, so that no estimate depends on the other networks."""

    def draw(number: int) -> Tensor:
        return random_vectors(operator, seed, f"trace/{number}")

    return draw


def hutchinson(operator: Operator, draw: Draw, budget: int, tick: Tick) -> Estimate:
    """Mean of ``w^T A w`` over random signs w (Hutchinson 1989); error ``|A - diag A|_F sqrt(2 / budget)``."""
    samples = []
    for number in range(budget):
        probe = draw(number).sign()
        samples.append((probe.double() * operator.matvec(probe).double()).sum(1))
        tick()
    return independent(torch.stack(samples, 1))


def hutch_plus_plus(operator: Operator, draw: Draw, budget: int, tick: Tick) -> Estimate:
    """Exact trace on a sketched subspace, sampled trace on what is orthogonal to it (Meyer et al. 2021, algorithm 1).

    Thirds of the budget make the sketch Y = A S, its basis Q and the samples. A sample's probe is uniform on the
    sphere of radius ``sqrt(P - rank Q)`` in the complement of Q, which does not lose to a flat spectrum.
    """
    third = budget // 3
    sketch = _matvecs(operator, torch.stack([draw(number) for number in range(third)], 2), tick)
    basis = torch.linalg.qr(sketch)[0]
    images = _matvecs(operator, basis, tick)
    inside = (basis * images).sum((1, 2))
    samples = []
    for number in range(third, budget - third):
        probe = draw(number).double()[:, :, None]
        for _ in range(2):  # once more, because a single projection leaves rounding in large directions
            probe = probe - basis @ (basis.mT @ probe)
        probe = probe * (operator.size - third) ** 0.5 / probe.norm(dim=1, keepdim=True)
        samples.append(inside + (probe * _matvecs(operator, probe, tick)).sum((1, 2)))
    return independent(torch.stack(samples, 1))


def independent(samples: Tensor) -> Estimate:
    """Return the mean of independent samples (networks, n) with its standard error."""
    n = samples.shape[1]
    value = samples.mean(1)
    rounding = torch.finfo(samples.dtype).eps * value.abs()
    error = (samples.var(1) / n + rounding.square()).sqrt()
    return Estimate(value, error, torch.full_like(value, n - 1), samples)


def xtrace(operator: Operator, draw: Draw, budget: int, tick: Tick) -> Estimate:
    """Estimate by Hutch++ with every probe in turn held out of the sketch (Epperly, Tropp and Webber 2024, section 2).

    From k = budget / 2 probes w_i, uniform on a sphere, ``Y = A W = Q R``. Sample i is the exact trace on the range of
    Y without column i, plus the quadratic form of w_i projected on the complement of that range and rescaled to the
    length ``sqrt(P - k + 1)`` (their normalisation). The value is the mean of the samples.

    Their error estimate, the samples' standard deviation by ``sqrt(k)``, is too small, because the samples share the
    other probes: on spectra of networks its 95 % intervals covered the trace in 82 to 93 % of trials. The variance of
    the mean is ``s^2 / k + c``, with s^2 the expected sample variance and c the covariance of two samples. Let
    ``d_ij`` be the change of sample i when w_j also leaves its sketch. Given all probes but w_i, sample i is unbiased,
    with w_j in its sketch and without; hence ``c = E[d_ij d_ji]`` exactly, and the mean over pairs estimates it
    without bias and without one more product. Satterthwaite's rule gives the degrees of freedom. Known limit: where a
    spectrum drops at exactly the k-th eigenvalue to a thousandth, errors have heavy tails and 95 % covers about 90 %.
    """
    k, size = budget // 2, operator.size
    probes = torch.stack([draw(number) for number in range(k)], 2)
    probes = probes * size**0.5 / probes.norm(dim=1, keepdim=True)
    sketch = _matvecs(operator, probes, tick)
    probes = probes.double()
    basis, triangle = torch.linalg.qr(sketch)
    projected = basis.mT @ _matvecs(operator, basis, tick)
    held_out = _HeldOut(
        compression=(projected + projected.mT) / 2,
        triangle=triangle,
        coordinates=basis.mT @ probes,
        quadratic=(probes * sketch).sum(1),
        lengths=probes.square().sum(1),
        size=size,
    )
    alone = _normals(triangle)
    samples = torch.stack([held_out.sample(i, alone[:, :, i : i + 1])[:, 0] for i in range(k)], 1)
    change = torch.stack([held_out.changes(i, alone, samples[:, i]) for i in range(k)], 1)
    shared = (change * change.mT).sum(2) / (k - 1)
    covariance = shared.mean(1).clamp(min=0.0)
    own = samples.var(1) / k
    # A product is rounded in the precision of the network, and nothing here can see that.
    rounding = torch.finfo(operator.dtype).eps * sketch.norm(dim=(1, 2))
    variance = own + covariance + rounding.square()
    # Each part with its own degrees of freedom; the covariance is worth one at least, as any square is.
    noise = own.square() / (k - 1) + torch.minimum(2 * shared.var(1) / k, covariance.square())
    freedom = (variance.square() / noise.clamp(min=torch.finfo(torch.float64).tiny)).clamp(1.0, k - 1.0)
    return Estimate(samples.mean(1), variance.sqrt(), freedom, samples)


@dataclass(frozen=True)
class _HeldOut:
    """Samples of XTrace from small matrices alone, each with a leading dimension (networks,).

    Attributes
    ----------
    compression : Tensor, shape (networks, k, k)
        ``Q^T A Q``.
    triangle : Tensor, shape (networks, k, k)
        ``R = Q^T A W``.
    coordinates : Tensor, shape (networks, k, k)
        ``Q^T W``.
    quadratic, lengths : Tensor, shape (networks, k)
        ``w^T A w`` and ``w^T w``.
    """

    compression: Tensor
    triangle: Tensor
    coordinates: Tensor
    quadratic: Tensor
    lengths: Tensor
    size: int

    def sample(self, i: int, first: Tensor, second: Tensor | None = None) -> Tensor:
        """Return samples of probe i, its sketch without one or two unit normals, shape (networks, n).

        Parameters
        ----------
        first, second : Tensor, shape (networks, k, n)
            Orthogonal directions, in coordinates of Q, by which the sketch is smaller than the range of Q.
        """
        kept = self.triangle.shape[1] - 1
        trace = self.compression.diagonal(dim1=1, dim2=2).sum(1, keepdim=True)
        seen = self.coordinates[:, :, i : i + 1]
        for normal in (first,) if second is None else (first, second):
            trace = trace - (normal * (self.compression @ normal)).sum(1)
            seen = seen - normal * (normal * seen).sum(1, keepdim=True)
        kept -= second is not None
        rest = self.quadratic[:, i, None] - 2 * (seen * self.triangle[:, :, i : i + 1]).sum(1)
        rest = rest + (seen * (self.compression @ seen)).sum(1)
        return trace + (self.size - kept) * rest / (self.lengths[:, i, None] - seen.square().sum(1))

    def changes(self, i: int, alone: Tensor, sample: Tensor) -> Tensor:
        """Return the change of sample i when probe j leaves its sketch too, shape (networks, k); 0 at j = i."""
        first = alone[:, :, i : i + 1]
        second = alone - first * (first * alone).sum(1, keepdim=True)
        length = second.norm(dim=1, keepdim=True)
        # Parallel normals: the matrix has rank k - 1, every sample is exact, and so the two share no error.
        lost = length < 1e-7
        change = sample[:, None] - self.sample(i, first.expand_as(second), second / length.masked_fill(lost, 1.0))
        return change.masked_fill(lost[:, 0], 0.0)


def _normals(triangle: Tensor) -> Tensor:
    """Return unit vectors, column i orthogonal to all columns of a triangular matrix but the i-th; (networks, k, k)."""
    diagonal = triangle.diagonal(dim1=1, dim2=2)
    least = torch.finfo(triangle.dtype).eps * diagonal.abs().amax(1, keepdim=True)
    least = least.masked_fill(least == 0, 1.0)
    lift = torch.where(diagonal.abs() < least, least - diagonal, torch.zeros_like(diagonal))
    identity = torch.eye(triangle.shape[1]).to(triangle).expand_as(triangle)
    inverse = torch.linalg.solve_triangular((triangle + torch.diag_embed(lift)).mT, identity, upper=False)
    return inverse / inverse.norm(dim=1, keepdim=True)


def _matvecs(operator: Operator, vectors: Tensor, tick: Tick) -> Tensor:
    """Multiply with vectors (networks, P, n), one after the other; float64."""
    columns = []
    for vector in vectors.unbind(2):
        columns.append(operator.matvec(vector.to(operator.dtype).contiguous()).double())
        tick()
    return torch.stack(columns, 2)
