"""Restricted and excluded loss: the loss with only, and without, a circuit's frequencies."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.progress.context import Context, Estimate, NotApplicable, Space, to_device
from grokscape.landscape.measures.progress.spectra import fourier_power
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.batches import part
from grokscape.landscape.problem.containers import each_tensor
from grokscape.landscape.randomness import generator

#: Examples whose outputs are computed at once.
CHUNK = 4096


def circuit_losses(problem: Problem, vector: Tensor, context: Context) -> dict[str, float | Estimate]:
    """Return the restricted and the excluded loss of the key frequencies, and the null of the restricted loss.

    The logits L (N, classes) of *all* inputs are projected on the directions ``cos(2 pi k g / n)`` and
    ``sin(2 pi k g / n)``, in which g is the element that answers an input. ``restricted_loss``: of the key
    frequencies' projection and each class's mean, over all inputs; ``restricted_loss_test``: over those not trained on.
    ``excluded_loss``: of the logits less that projection, without any mean put back, over the inputs trained on (Nanda
    et al. 2023, arXiv:2301.05217, section 5.1, and their program). Losses are computed in float64.

    The projection averages over all inputs with one answer, which can be correct where the network is not: with
    enough frequencies kept, the restricted loss vanishes without generalisation. Hence ``restricted_loss_null``: the
    same with as many other frequencies, drawn evenly from the sets that have the fewest key frequencies in them. What
    shows a circuit is a restricted loss below half of its null *and* a null that stays above half of chance, ``log
    classes``. The first condition alone does not do: where the null is small, too, losses are exponentially sensitive.
    Of simulated memorisers (p = 23, the 2 to 8 strongest frequencies kept) up to 85 % met it, and at most 5 % both.

    The null is the mean over ``context.draws`` random sets, or over all sets where there are not more; then its
    standard error is 0. The same seed draws the same sets for every network.

    Cost: one evaluation on the whole space, and a loss of given outputs for each set.

    Raises
    ------
    InvalidInput
        If a frequency is not of the group. `NotApplicable` if the space or the frequencies are missing, or outputs are
        not of shape (N, classes).
    """
    space: Space = context.need("space", "circuit_losses")
    keys = sorted({int(k) for k in context.need("frequencies", "circuit_losses")})
    highest = space.order // 2
    if not keys or keys[0] < 1 or keys[-1] > highest:
        raise InvalidInput(f"frequencies are {keys}, expected some from 1 to {highest}, half the order of the group")
    elements = space.elements.to(problem.device)
    targets = to_device(problem, space.elements if space.targets is None else space.targets)
    targets = each_tensor(lambda leaf: leaf.double() if leaf.is_floating_point() else leaf, targets)
    logits = space_logits(problem, vector, space)
    means = element_means(logits, elements, space.order)
    constant = means.mean(0)

    def loss(outputs: Tensor, mask: Tensor | None) -> float:
        chosen = targets if mask is None else each_tensor(lambda leaf: leaf[mask], targets)
        return float(problem.output_loss(outputs if mask is None else outputs[mask], chosen))

    def restricted(frequencies: Sequence[int], mask: Tensor | None = None) -> float:
        return loss((projected(means, frequencies) + constant)[elements], mask)

    sets, every = null_sets(keys, highest, context.draws, context.seed)
    draws = np.array([restricted(frequencies) for frequencies in sets])
    error = 0.0 if every else float(draws.std(ddof=1) / len(draws) ** 0.5)
    found: dict[str, float | Estimate] = {
        "restricted_loss": restricted(keys),
        "restricted_loss_null": Estimate(float(draws.mean()), error, draws),
    }
    if space.training is not None:
        training = space.training.to(problem.device)
        if not training.all():
            found["restricted_loss_test"] = restricted(keys, ~training)
        if training.any():
            found["excluded_loss"] = loss(logits - projected(means, keys)[elements], training)
    return found


@torch.no_grad()
def space_logits(problem: Problem, vector: Tensor, space: Space) -> Tensor:
    """Return the logits of the whole space, float64 of shape (N, classes)."""
    inputs = to_device(problem, space.inputs)
    pieces = []
    for first in range(0, len(space.elements), CHUNK):
        piece = problem.outputs(vector, part(inputs, slice(first, first + CHUNK)))
        if not isinstance(piece, Tensor) or piece.ndim != 2:
            shape = tuple(piece.shape) if isinstance(piece, Tensor) else type(piece).__name__
            raise NotApplicable(f"circuit_losses needs outputs (N, classes), found {shape}")
        pieces.append(piece.double())
    return torch.cat(pieces)


def element_means(logits: Tensor, elements: Tensor, order: int) -> Tensor:
    """Return the mean logits of all inputs with the same element, shape (n, classes)."""
    total = logits.new_zeros(order, logits.shape[1]).index_add_(0, elements, logits)
    return total * (order / len(elements))


def projected(means: Tensor, frequencies: Sequence[int]) -> Tensor:
    """Return the part of some frequencies along the first axis, shape (n, classes)."""
    transform = torch.fft.rfft(means, dim=0)
    kept = torch.zeros_like(transform)
    kept[list(frequencies)] = transform[list(frequencies)]
    return torch.fft.irfft(kept, n=len(means), dim=0)


def key_frequencies(power: Tensor, share: float = 0.1) -> tuple[int, ...]:
    """Return the frequencies, without the constant, whose power exceeds a share of the largest one's.

    Parameters
    ----------
    power : Tensor, shape (..., n // 2 + 1)
        As of `fourier_power`; added up over all axes but the last.
    share : float
        Between 0 and 1.

    Raises
    ------
    InvalidInput
        If the share is out of bounds, or there is no power.
    """
    if not 0 <= share < 1:
        raise InvalidInput(f"share is {share!r}, expected a number in [0, 1)")
    together = power.reshape(-1, power.shape[-1]).sum(0)[1:]
    if not together.numel() or not together.max() > 0:
        raise InvalidInput("power is zero at all frequencies, so none is a key frequency")
    return tuple((torch.nonzero(together > share * together.max()).flatten() + 1).tolist())


def logit_frequencies(problem: Problem, vector: Tensor, space: Space, share: float = 0.1) -> tuple[int, ...]:
    """Return the key frequencies of a network's logits along the element that answers (see `key_frequencies`)."""
    logits = space_logits(problem, vector, space)
    means = element_means(logits, space.elements.to(problem.device), space.order)
    return key_frequencies(fourier_power(means, 0), share)


def null_sets(keys: Sequence[int], highest: int, draws: int, seed: int) -> tuple[list[tuple[int, ...]], bool]:
    """Return sets of as many frequencies with as few of the keys as possible, and whether these are all there are."""
    others = [k for k in range(1, highest + 1) if k not in set(keys)]
    free = min(len(keys), len(others))
    needed = len(keys) - free
    if math.comb(len(others), free) * math.comb(len(keys), needed) <= draws:
        pairs = itertools.product(itertools.combinations(others, free), itertools.combinations(keys, needed))
        return [(*some, *rest) for some, rest in pairs], True
    random = generator(seed, "progress/null frequencies")
    return [
        (*random.choice(others, free, replace=False).tolist(), *random.choice(keys, needed, replace=False).tolist())
        for _ in range(draws)
    ], False
