"""What norm memorising and generalising need as data grow, and the data size at which they need the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.fits.two_curves import crossing_size, norm_needed
from grokscape.landscape.initialisation import Initialise, fresh_networks
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.efficiency.at_loss import AT_NORM, ascending
from grokscape.landscape.measures.efficiency.degree import networks
from grokscape.landscape.measures.efficiency.frontier_result import EfficiencyFrontier
from grokscape.landscape.measures.efficiency.random_labels import example_order, with_random_labels
from grokscape.landscape.measures.norm_profile.on_sphere import Minima, minimise_at_norm
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.optimisers import Optimiser
from grokscape.landscape.problem import Problem


@plain_arguments
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def efficiency_frontier(
    problem: Problem,
    sizes: Sequence[int],
    norms: Sequence[float] | np.ndarray,
    *,
    level: float,
    generalising: Tensor | None = None,
    seeds: Sequence[int] = (0, 1, 2, 3, 4, 5),
    steps: int = 2000,
    optimiser: Optimiser = AT_NORM,
    initialise: Initialise | None = None,
    included: str | Sequence[str] | None = None,
    gate: float = 0.9,
    confidence: float = 0.95,
    progress: Callable[[float], None] | None = None,
) -> EfficiencyFrontier:
    """Measure how much norm memorising and generalising need as functions of data size, and where they cross.

    Varma et al. 2023 (arXiv:2309.02390, section 4): memorising more examples needs more norm, generalising does not;
    where both need the same norm lies the critical data size. Here both are held at a fixed norm R and optimised:

    - the *memorising twin*: fresh networks on D examples with uniformly random labels, so that nothing can generalise;
    - the *generalising circuit*: networks on all training data with their true labels, started from `generalising`;
      their loss is read on the same D examples.

    Each gives a curve of training loss against R. The norms at which the curves come down to `level` are compared.

    Parameters
    ----------
    problem : Problem
        Targets are class indices, and examples lie along the first axis. Its training data are what the generalising
        networks see and the D examples are drawn from; its test data, if any, are held out and only decide whether they
        generalise.
    sizes : sequence of int
        Ascending D, at most the number of training examples. Those of one seed are nested.
    norms : sequence of float
        Ascending R.
    level : float
        Training loss at which norms are compared, positive.
    generalising : Tensor, shape (seeds, P), optional
        One network that generalises for each seed. By default fresh ones are trained at each norm.
    seeds : sequence of int
        Of the fresh networks, the choice of examples and the random labels. Six give an interval by exact order
        statistics, fewer one by Student's t.
    steps : int
        Of the optimiser at every norm.
    optimiser : Optimiser
    initialise : callable, optional
        ``initialise(seed)``, a fresh module or its parameters by name; needed if the model is a function.
    included : str or sequence of str, optional
        Glob patterns of the tensors whose norm counts; by default all.
    gate : float
        Accuracy on the held-out data from which on a network counts as generalising.
    confidence : float
        Of the crossing's interval.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    EfficiencyFrontier
        At a cost of ``seeds * norms * steps * (sizes + 1)`` gradients, all norms and seeds of a size side by side.

    Raises
    ------
    InvalidInput
        If sizes exceed the training data, targets are no class indices (ignored ones included), the model does not run
        on some of a batch, the number of generalising networks is not that of seeds, or an option does not fit.

    Examples
    --------
    >>> from grokscape.landscape import AdamW, efficiency_frontier
    >>> from grokscape.landscape.measures.examples import table_and_rule
    >>> found = efficiency_frontier(
    ...     table_and_rule(),
    ...     sizes=[2, 4, 8, 16],
    ...     norms=[0.5, 1.0, 2.0, 4.0, 8.0],
    ...     level=0.3,
    ...     seeds=(0, 1),
    ...     steps=60,
    ...     optimiser=AdamW(lr=0.3, weight_decay=0.0),
    ... )
    >>> print(found.generalising_norm[0].round(1))  # whatever the size
    [1.9 1.9 1.9 1.9]
    >>> found.crossing.side, 5.5 < found.crossing.estimate < 7.5
    ('within', True)
    """
    grid, seeds = ascending("norms", norms), tuple(seeds)
    numbers = ascending("sizes", sizes).astype(int)
    n_classes = _checked(problem, numbers, seeds, level, gate)
    # Fresh networks have fresh buffers; those of networks that are given are the problem's.
    own, starts = fresh_networks(problem, seeds, initialise)
    problem, good = (own, starts) if generalising is None else (problem, networks(problem, generalising))
    if len(good) != len(seeds):
        raise InvalidInput(f"generalising holds {len(good)} networks, expected one for each of the {len(seeds)} seeds")
    order = example_order(problem.count["train"], seeds)
    whole = len(numbers) + 1

    def minimise(data: Problem, params: Tensor, examples: Tensor | None, part: int) -> Minima:
        return minimise_at_norm(
            data,
            params.repeat_interleave(len(grid), 0),
            np.tile(grid, len(params)),
            steps=steps,
            optimiser=optimiser,
            included=included,
            examples=None if examples is None else examples.repeat_interleave(len(grid), 0),
            zero_loss=level / 100,
            progress=None if progress is None else lambda share: progress((part + share) / whole),
        )

    shape = (len(seeds), len(grid))
    circuits = minimise(problem, good, None, 0)
    gate_split = "test" if "test" in problem.batches else "train"
    accuracy = circuits.end[gate_split, "accuracy"].reshape(shape)
    true_loss = _losses_on(problem, circuits.params, order.repeat_interleave(len(grid), 0), numbers)
    twins_problem = with_random_labels(own, seeds, n_classes)
    offset = problem.count["train"] * torch.arange(len(seeds))[:, None]
    twins = [minimise(twins_problem, starts, order[:, :d] + offset, part) for part, d in enumerate(numbers, start=1)]

    memorising = np.stack([twin.end["train", "loss"].reshape(shape) for twin in twins], 1)
    generalises = accuracy >= gate
    generalising_loss = np.moveaxis(true_loss.reshape(*shape, len(numbers)), 2, 1)
    counts = generalises[:, None] | (generalising_loss > level)
    reached = (generalises[:, None] & (generalising_loss <= level)).any(2)
    generalising_norm = _needed(grid, np.where(counts, generalising_loss, np.nan), level)
    generalising_norm[~reached & ~counts.all(2)] = np.nan
    memorising_norm = _needed(grid, memorising, level)
    return EfficiencyFrontier(
        sizes=numbers,
        norms=grid,
        seeds=seeds,
        level=level,
        memorising_loss=memorising,
        generalising_loss=generalising_loss,
        converged=np.stack([twin.converged.reshape(shape) for twin in twins], 1),
        generalising_converged=circuits.converged.reshape(shape),
        accuracy=accuracy,
        generalises=generalises,
        counts=counts,
        gate=gate,
        gate_split=gate_split,
        memorising_norm=memorising_norm,
        generalising_norm=generalising_norm,
        crossing=crossing_size(numbers, memorising_norm, generalising_norm, confidence=confidence),
        cost=sum((twin.cost for twin in twins), circuits.cost + Cost(evaluations=len(circuits.params))),
    )


def _needed(norms: np.ndarray, losses: np.ndarray, level: float) -> np.ndarray:
    """Return the norm that each curve (..., norms) needs for the level."""
    return np.apply_along_axis(lambda curve: norm_needed(norms, curve, level), -1, losses)


def _checked(problem: Problem, sizes: np.ndarray, seeds: Sequence[int], level: float, gate: float) -> int:
    """Refuse what cannot be used; return the number of classes."""
    n = problem.count["train"]
    if sizes[-1] > n:
        raise InvalidInput(f"sizes go up to {sizes[-1]}, but there are {n} training examples; choose at most {n}")
    if not len(seeds) or len(set(seeds)) < len(seeds):
        raise InvalidInput(f"seeds are {list(seeds)}, expected at least one, and all different")
    if not level > 0:
        raise InvalidInput(f"level is {level}, expected a positive training loss")
    if not 0 < gate <= 1:
        raise InvalidInput(f"gate is {gate}, expected an accuracy in (0, 1]")
    problem.need_examples("efficiency_frontier")
    _, inputs, targets = next(problem.shares("train"))
    with torch.no_grad():
        outputs: Any = problem.outputs(problem.start, inputs)
    class_indices = isinstance(targets, Tensor) and targets.ndim == 1 and not targets.is_floating_point()
    if not class_indices or not isinstance(outputs, Tensor) or outputs.ndim != 2:
        raise InvalidInput("a memorising twin needs outputs of shape (n, n_classes) and n class indices as targets")
    n_classes = int(outputs.shape[1])
    _, labels = problem.all_data("train")
    if wrong := labels[(labels < 0) | (labels >= n_classes)].tolist():
        raise InvalidInput(
            f"train targets hold {wrong[0]}, expected class indices from 0 to {n_classes - 1}; leave examples without "
            "a class out of the data"
        )
    return n_classes


@torch.no_grad()
def _losses_on(problem: Problem, params: Tensor, order: Tensor, sizes: np.ndarray) -> np.ndarray:
    """Return each network's loss on its own first D examples, for every size D, shape (networks, sizes)."""
    inputs, targets = problem.all_data("train")
    losses = np.empty((len(params), len(sizes)))
    for network, (outputs, examples) in enumerate(zip(problem.outputs_of(params, inputs), order, strict=True)):
        for column, size in enumerate(sizes):
            own = examples[:size].to(outputs.device)
            losses[network, column] = float(problem.output_loss(outputs[own], targets[own]))
    return losses
