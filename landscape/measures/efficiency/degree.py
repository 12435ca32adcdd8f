"""Whether a network is homogeneous in its parameters, and of which degree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.norm_profile.sphere import Sphere
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import as_params


@dataclass(frozen=True, kw_only=True)
class Homogeneity(Result):
    """The degree kappa with ``z(c theta) = c^kappa z(theta)``, and how nearly that holds.

    Attributes
    ----------
    degree : array, shape (networks,)
        By Euler's theorem, ``J theta = kappa z``: the least-squares kappa over all outputs of all examples. NaN for a
        network whose outputs are all zero or not finite.
    spread : array, shape (networks,)
        Standard deviation over examples of their own degrees; 0 in a homogeneous network.
    example_degree : array, shape (networks, n)
        ``<z_i, (J theta)_i> / |z_i|^2`` for each example; NaN where its outputs are zero, and everywhere (with
        `spread`) where examples are not along the first axis, or the model compares them.
    scaling_degree : array, shape (networks,)
        ``log(|z(c theta)| / |z(theta)|) / log c``, the same by finite scaling with the `factor` c.
    residual : array, shape (networks,)
        ``|J theta - kappa z| / (max(|kappa|, 1) |z|)``, norms over all examples.
    scaling_residual : array, shape (networks,)
        ``|z(c theta) - c^kappa z| / |c^kappa z|``.
    homogeneous : array of bool, shape (networks,)
        Whether both residuals are within the `tolerance`.
    norm : array, shape (networks,)
        L2 norm of the parameters that are included.
    breaking : tuple of str
        Counted one-dimensional tensors (biases, gains) without which all networks that have a degree would be
        homogeneous; empty if they are, or if vectors are not what breaks it.
    included : tuple of str
        Names of the tensors that are scaled, and whose norm counts; all others stay as they are.
    factor, tolerance : float
    split : str
    cost : Cost
    """

    degree: np.ndarray
    spread: np.ndarray
    example_degree: np.ndarray
    scaling_degree: np.ndarray
    residual: np.ndarray
    scaling_residual: np.ndarray
    homogeneous: np.ndarray
    norm: np.ndarray
    breaking: tuple[str, ...]
    included: tuple[str, ...]
    factor: float
    tolerance: float
    split: str
    cost: Cost

    @property
    def converged(self) -> np.ndarray:
        """Whether the degree is finite, shape (networks,): nothing is iterated."""
        return np.isfinite(self.degree)

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each network."""
        names = ("degree", "spread", "scaling_degree", "residual", "scaling_residual", "homogeneous", "norm")
        columns = {name: getattr(self, name) for name in names}
        return pd.DataFrame({"network": np.arange(len(self.degree))} | columns)


@plain_arguments
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def homogeneity(
    problem: Problem,
    *,
    params: Tensor | None = None,
    split: str = "train",
    included: str | Sequence[str] | None = None,
    factor: float = 2.0,
    tolerance: float = 1e-3,
) -> Homogeneity:
    """Estimate and check the degree of homogeneity of one or several networks.

    A network is homogeneous of degree kappa in its (included) parameters if ``z(c theta) = c^kappa z(theta)`` for every
    c > 0; then ``J theta = kappa z`` with the Jacobian J of the outputs (Euler). A bias-free ReLU perceptron of L
    layers has degree L. J theta is one Jacobian-vector product, by reverse mode twice, which every module supports;
    the second, finite test sees what happens far from the present scale.

    Parameters
    ----------
    problem : Problem
        Its outputs must be one tensor, shape (n, ...).
    params : Tensor, shape (networks, P), optional
        By default the network that the problem starts from.
    split : {"train", "test"}
    included : str or sequence of str, optional
        Glob patterns of the tensors that are scaled; by default all that the problem varies.
    factor : float
        c of the scaling test; a power of two is exact in floating point.
    tolerance : float
        Largest residual of a network that counts as homogeneous.

    Returns
    -------
    Homogeneity
        At a cost of about two gradients and two evaluations a network, and once more for each vector tried in
        `breaking`.

    Raises
    ------
    InvalidInput
        If a pattern matches nothing, all outputs of all networks are zero (then kappa is not defined), outputs are not
        one tensor, or an option is out of range.

    Examples
    --------
    >>> from grokscape.landscape import homogeneity
    >>> from grokscape.landscape.measures.examples import classifier  # linear, without biases
    >>> found = homogeneity(classifier())
    >>> print(found.degree.round(6), found.homogeneous)
    [1.] [ True]
    """
    if not (factor > 0 and factor != 1):
        raise InvalidInput(f"factor is {factor}, expected a positive number other than 1, such as 2")
    if not tolerance > 0:
        raise InvalidInput(f"tolerance is {tolerance}, expected a positive number such as 1e-3")
    if split == "test":
        problem.need_test("homogeneity on the test split")
    params = networks(problem, params)
    sphere = Sphere(problem, included)
    mask = sphere.included
    at = _degrees(problem, params, mask, split, factor)
    fine = (at["residual"] <= tolerance) & (at["scaling_residual"] <= tolerance)
    known = torch.from_numpy(np.isfinite(at["degree"])).to(params.device)
    silent = at.pop("size") == 0
    undefined = np.flatnonzero(silent)
    if len(undefined) and not np.isfinite(at["degree"]).any():
        raise InvalidInput(
            f"kappa is not defined: all outputs of network {undefined[0]} on the {split} split are zero; train it, or "
            "measure where it responds"
        )
    names = tuple(name for name, span in problem.layout.slices().items() if mask[span].all())
    breaking, tried = (
        ((), 0)
        if fine[known.cpu().numpy()].all()
        else _breaking(problem, params[known], mask, names, split, factor, tolerance)
    )
    passes = (1 + tried) * len(params)
    return Homogeneity(
        **at,
        homogeneous=fine,
        norm=sphere.norm(params.double()).squeeze(1).cpu().numpy(),
        breaking=breaking,
        included=names,
        factor=factor,
        tolerance=tolerance,
        split=split,
        cost=Cost(evaluations=2 * passes, gradients=2 * passes),
    )


def networks(problem: Problem, params: Tensor | None) -> Tensor:
    """Return networks to measure, shape (networks, P): those given, or the one the problem starts from."""
    return as_params(problem, params)


def _degrees(problem: Problem, params: Tensor, mask: Tensor, split: str, factor: float) -> dict[str, np.ndarray]:
    """Return degrees and residuals of every network, both ways; NaN where all outputs are zero."""
    scaled_params = torch.where(mask, params * factor, params)
    pieces, shapes = [], []
    for inputs, _ in problem.batches[split]:
        z, change = _euler(problem, params, params * mask, inputs)
        shapes.append(str(tuple(z.shape[1:])))
        with torch.no_grad():
            scaled = problem.outputs_of(scaled_params, inputs)
        pieces.append(
            [part.double().flatten(2) if part.ndim > 2 else part.double()[..., None] for part in (z, change, scaled)]
        )
    widest = max(piece[0].shape[2] for piece in pieces)  # examples may differ in their number of positions
    pieces = [[F.pad(part, (0, widest - part.shape[2])) for part in piece] for piece in pieces]
    z, change, scaled = (torch.cat(parts, 1) for parts in zip(*pieces, strict=True))
    size = z.norm(dim=(1, 2))
    degree = (z * change).sum((1, 2)) / size**2
    example = (z * change).sum(2) / z.square().sum(2)
    expected = factor ** degree[:, None, None] * z
    if not problem.separable:
        example = torch.full_like(example, torch.nan)
    results = {
        "size": size,
        "degree": degree,
        "spread": (example - example.nanmean(1, keepdim=True)).square().nanmean(1).sqrt(),
        "example_degree": example,
        "scaling_degree": (scaled.norm(dim=(1, 2)) / size).log() / np.log(factor),
        "residual": (change - degree[:, None, None] * z).norm(dim=(1, 2)) / (degree.abs().clamp(min=1) * size),
        "scaling_residual": (scaled - expected).norm(dim=(1, 2)) / expected.norm(dim=(1, 2)),
    }
    return {name: values.cpu().numpy() for name, values in results.items()}


def _euler(problem: Problem, params: Tensor, directions: Tensor, inputs: object) -> tuple[Tensor, Tensor]:
    """Return outputs and their rate of change along a direction of each network, both (networks, n, ...)."""
    leaf = params.clone().requires_grad_()
    outputs = problem.outputs_of(leaf, inputs)
    if not isinstance(outputs, Tensor):
        raise InvalidInput(
            f"homogeneity needs outputs that are one tensor, found {type(outputs).__name__}; let the model return the "
            "one whose degree is meant"
        )
    still = torch.zeros_like(outputs)
    if not outputs.requires_grad:
        return outputs, still
    dummy = torch.zeros_like(outputs, requires_grad=True)
    (pulled,) = torch.autograd.grad(outputs, leaf, dummy, create_graph=True)
    (pushed,) = torch.autograd.grad(pulled, dummy, directions, allow_unused=True)
    return outputs.detach(), still if pushed is None else pushed


def _breaking(
    problem: Problem, params: Tensor, mask: Tensor, names: Sequence[str], split: str, factor: float, tolerance: float
) -> tuple[tuple[str, ...], int]:
    """Return a smallest set of vectors whose removal leaves homogeneous networks, and how many sets were tried."""
    slices = problem.layout.slices()
    culprits = [name for name in names if len(problem.layout.shapes[name]) <= 1]
    tried = 0

    def without(removed: Sequence[str]) -> bool:
        nonlocal tried
        tried += 1
        rest = params.clone()
        for name in removed:
            rest[:, slices[name]] = 0
        at = _degrees(problem, rest, mask, split, factor)
        return bool(((at["residual"] <= tolerance) & (at["scaling_residual"] <= tolerance)).all())

    if not culprits or not without(culprits):
        return (), tried
    for name in tuple(culprits):  # what can come back without harm is no culprit
        rest = [other for other in culprits if other != name]
        if without(rest):
            culprits = rest
    return tuple(culprits), tried
