"""Neurons with a localised spectrum, and all others."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.circuits.circuit import need_classes
from grokscape.landscape.measures.circuits.split import Split
from grokscape.landscape.measures.circuits.units import split_units
from grokscape.landscape.measures.neurons import Neurons
from grokscape.landscape.measures.progress.spectra import fourier_power, inverse_participation_ratio
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem
from grokscape.landscape.randomness import generator


def split_by_spectrum(
    problem: Problem,
    neurons: Neurons,
    tensor: str,
    axis: int = 0,
    *,
    period: int | None = None,
    power: Callable[[Tensor], Tensor] | None = None,
    level: float = 1e-3,
    draws: int = 20_000,
    nulls: int = 8,
    seed: int = 0,
) -> Split:
    """Call neurons with a localised spectrum generalising, and all others memorising.

    With the power P_k of a neuron's weights at each frequency, the inverse participation ratio is
    ``IPR = sum_k (P_k / sum_l P_l)^2``, between 1 / K (all K frequencies alike) and 1 (one frequency). A neuron is
    localised if its IPR is above the ``1 - level`` quantile of neurons of the same size with independent Gaussian
    weights.

    Parameters
    ----------
    problem : Problem
        With class labels and test data.
    neurons : Neurons
        The layer's units.
    tensor, axis
        The weights whose spectrum is taken, and along which of their axes the neurons lie.
    period : int, optional
        Length of one period, such as the number of tokens: a neuron's weights are cut into pieces of this length,
        whose powers are added. By default all of a neuron's weights are one piece.
    power : callable, optional
        ``power(rows)``, (units, pieces, period) -> (units, K), another spectrum. By default that of
        `grokscape.landscape.measures.progress.spectra.fourier_power`, without the constant.
    level : float
        Share of random neurons that are called localised.
    draws : int
        Random neurons drawn for the quantile.
    nulls : int
        Random sets of as many neurons to compare with.
    seed : int
        Draws both.

    Returns
    -------
    Split
        Its evidence is ``ipr``, shape (units,), ``threshold``, shape (), and ``random_ipr``, shape (draws,). Norms of
        circuits are those of the weights kept. Costs no evaluations but those of the scores.

    Raises
    ------
    InvalidInput
        If tensor, axis or period do not fit, or `level` is not in (0, 1) or too small for the number of draws.

    Notes
    -----
    Source of the ratio: Gromov 2023, arXiv:2301.02679; Doshi et al. 2023, arXiv:2310.13061.

    Examples
    --------
    >>> from grokscape.landscape import split_by_spectrum
    >>> from grokscape.landscape.measures.examples import adder  # seven neurons add modulo 7, seven are noise
    >>> problem, neurons, _ = adder()
    >>> split = split_by_spectrum(problem, neurons, "first", 0, period=7)
    >>> print(split.members.astype(int), split.generalising.test.accuracy)
    [1 1 1 1 1 1 1 0 0 0 0 0 0 0] 1.0
    """
    if not 0 < level < 1 or level * draws < 10:
        raise InvalidInput(f"level is {level} with {draws} draws, expected one in (0, 1) that at least 10 draws exceed")
    need_classes(problem, "split_by_spectrum")
    count = neurons.count(problem.layout)
    if Neurons((tensor, axis)).count(problem.layout) != count:
        raise InvalidInput(f"{tensor!r} does not have {count} neurons along axis {axis}; name the neurons' own axis")
    rows = problem.layout.tensors(problem.start)[tensor].movedim(axis, 0).reshape(count, -1).double()
    length = rows.shape[1]
    period = length if period is None else period
    if period < 1 or length % period:
        raise InvalidInput(f"period is {period}, expected a divisor of the {length} weights of a neuron in {tensor!r}")
    power = power_over_pieces if power is None else power
    noise = generator(seed, "random spectra").standard_normal((draws, length))
    random = localisation(power(torch.from_numpy(noise).to(rows).reshape(draws, -1, period)))
    threshold = random.quantile(1 - level)
    ratio = localisation(power(rows.reshape(count, -1, period)))
    evidence = {"ipr": ratio, "threshold": threshold, "random_ipr": random}
    return split_units(
        problem, neurons, ratio > threshold, method="spectrum", evidence=evidence, cost=Cost(), nulls=nulls, seed=seed
    )


def power_over_pieces(rows: Tensor) -> Tensor:
    """Return the power at each frequency but zero, summed over pieces, (units, pieces, period) -> (units, K)."""
    return fourier_power(rows)[..., 1:].sum(1)


def localisation(power: Tensor) -> Tensor:
    """Return the inverse participation ratio of powers (units, K), shape (units,); 0 where there is no power."""
    return inverse_participation_ratio(power).nan_to_num(0.0)
