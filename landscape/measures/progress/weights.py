"""Measures of the weights alone: norms, distance from the start, sparsity, spectra. None evaluates the loss."""
# ruff: noqa: ARG001  # one signature for all measures

from __future__ import annotations

import fnmatch

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.neurons import Neurons
from grokscape.landscape.measures.progress.context import Context, Spectrum, tensor_named
from grokscape.landscape.measures.progress.spectra import (
    fourier_basis,
    fourier_power,
    gini,
    hoyer,
    inverse_participation_ratio,
    participation,
)
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import as_vector


def weight_norm(problem: Problem, vector: Tensor, context: Context) -> float:
    """Return ``||theta||_2`` of all varied parameters (its square is what Nanda et al. 2023 plot)."""
    return float(vector.double().norm())


def last_layer_norm(problem: Problem, vector: Tensor, context: Context) -> float:
    """Return the norm of the parameters that ``context.last_layer`` names (Thilak et al. 2022, arXiv:2206.04817).

    Raises
    ------
    InvalidInput
        If a pattern matches no varied parameter. `NotApplicable` if none is given.
    """
    patterns = context.need("last_layer", "last_layer_norm")
    names = problem.layout.names
    found: set[str] = set()
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        matches = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
        if not matches:
            raise InvalidInput(f"last_layer={pattern!r} matches no varied parameter; there are {', '.join(names)}")
        found.update(matches)
    tensors = problem.layout.tensors(vector.double())
    return float(torch.cat([tensors[name].flatten() for name in sorted(found)]).norm())


def distance_from_start(problem: Problem, vector: Tensor, context: Context) -> dict[str, float]:
    """Return how far the weights are from ``context.start``.

    ``distance = ||theta - theta_0||_2``; ``relative_distance``, that over ``||theta_0||_2``; ``cosine_with_start =
    <theta, theta_0> / (||theta|| ||theta_0||)``, which decay of the norm leaves at 1 (Lyu et al. 2023,
    arXiv:2311.18817, section 3.2).
    """
    start = as_vector(problem, context.need("start", "distance_from_start"), "start").double()
    now = vector.double()
    distance = float((now - start).norm())
    length = float(start.norm())
    return {
        "distance": distance,
        "relative_distance": distance / length if length else float("nan"),
        "cosine_with_start": float(torch.nn.functional.cosine_similarity(now, start, dim=0, eps=0.0)),
    }


def weight_sparsity(problem: Problem, vector: Tensor, context: Context) -> dict[str, float]:
    """Return how unevenly the squared weights are spread over all varied parameters.

    ``weight_hoyer``, from 0 (even) to 1; ``weight_participation = (sum w^2)^2 / sum w^4``, the number of weights that
    carry the norm; ``weight_l1_over_l2 = ||theta||_1 / ||theta||_2`` (Lyu et al. 2023, arXiv:2311.18817, section 3.2);
    ``weight_entropy = -sum |w| log |w|`` (Golechha 2024, arXiv:2405.12755, section 4), which depends on scale.
    """
    now = vector.double()
    size = now.abs()
    return {
        "weight_hoyer": float(hoyer(now)),
        "weight_participation": float(participation(now)),
        "weight_l1_over_l2": float(size.sum() / now.norm()),
        "weight_entropy": float(torch.special.entr(size).sum()),
    }


def neuron_sparsity(problem: Problem, vector: Tensor, context: Context) -> dict[str, float]:
    """Return how unevenly a layer's norm is spread over its neurons.

    Of the norms r_j of the neurons' incoming tensors: ``neuron_participation = (sum r^2)^2 / sum r^4``, from 1 to their
    number; ``neuron_hoyer`` and ``neuron_gini`` of r.
    """
    neurons: Neurons = context.need("neurons", "neuron_sparsity")
    neurons.count(problem.layout)
    norms = incoming_norms(problem, vector, neurons)
    return {
        "neuron_participation": float(participation(norms)),
        "neuron_hoyer": float(hoyer(norms)),
        "neuron_gini": float(gini(norms)),
    }


def fourier_spectrum(problem: Problem, vector: Tensor, context: Context) -> dict[str, float]:
    """Return how concentrated the Fourier spectrum of the weights along the token axis is.

    With the weights W as (n tokens, columns): ``spectrum_gini`` is Gini's coefficient of the n norms ``||f_k^T W||``
    over the real Fourier basis f, cosines and sines counted apart, the constant included (Nanda et al. 2023,
    arXiv:2301.05217, section 5; whether they fold cosine and sine into one is not said). ``spectrum_ipr`` is the mean
    over columns, or neurons, of the inverse participation ratio of the power at each frequency, without the constant
    (Gromov 2023, arXiv:2301.02679; Doshi et al. 2023, arXiv:2310.13061); columns that are zero are left out.
    ``spectrum_top`` is the largest frequency's share of all power without the constant.

    Raises
    ------
    InvalidInput
        If the tensor or axis does not exist or holds fewer tokens. `NotApplicable` if no spectrum is given.
    """
    spectrum = Spectrum(*context.need("spectrum", "fourier_spectrum"))
    columns = token_weights(problem, vector, spectrum)
    components = (fourier_basis(spectrum.size, columns) @ columns).norm(dim=1)
    power = fourier_power(columns, 0)[:, 1:]
    together = power.sum(0)
    return {
        "spectrum_gini": float(gini(components)),
        "spectrum_ipr": float(inverse_participation_ratio(power).nanmean()),
        "spectrum_top": float(together.max() / together.sum()),
    }


def token_weights(problem: Problem, vector: Tensor, spectrum: Spectrum) -> Tensor:
    """Return the weights of the group's n tokens, float64 of shape (n, columns)."""
    if callable(spectrum.weights):
        tensor, name = spectrum.weights(problem.layout.tensors(vector)), "spectrum"
    else:
        tensor, name = tensor_named(problem, vector, spectrum.weights, "spectrum"), repr(spectrum.weights)
    if not -tensor.ndim <= spectrum.axis < tensor.ndim:
        raise InvalidInput(
            f"spectrum has axis {spectrum.axis}, expected one of the {tensor.ndim} axes of {name}, whose shape is "
            f"{tuple(tensor.shape)}"
        )
    if not 3 <= spectrum.size <= tensor.shape[spectrum.axis]:
        raise InvalidInput(
            f"spectrum has size {spectrum.size}, expected the order of the group: from 3 to the "
            f"{tensor.shape[spectrum.axis]} tokens along axis {spectrum.axis} of {name}"
        )
    return tensor.detach().double().movedim(spectrum.axis, 0)[: spectrum.size].flatten(1)


def incoming_norms(problem: Problem, vector: Tensor, neurons: Neurons) -> Tensor:
    """Return the norm of each neuron's incoming tensors, float64 of shape (neurons,)."""
    return neurons.weights(problem.layout, vector.double(), neurons.incoming).norm(dim=1)
