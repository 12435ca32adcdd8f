"""The smallest set of large neurons that keeps the training predictions, and all others."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.circuits.circuit import need_classes
from grokscape.landscape.measures.circuits.split import Split
from grokscape.landscape.measures.circuits.units import split_units
from grokscape.landscape.measures.neurons import Neurons
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem

#: Pruned networks that are run side by side.
TOGETHER = 16


def split_by_pruning(
    problem: Problem,
    neurons: Neurons,
    *,
    keep: float = 1.0,
    nulls: int = 8,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Split:
    """Prune a layer by the norm of its neurons as far as the training predictions allow.

    Kept are the k neurons of largest norm, with the smallest k at which the share `keep` of the training examples is
    given the same class as by the whole network. They are called generalising because a rule needs fewer neurons than
    a table does. Test data have no part in the choice, so that the split's trust is a fair test of that.

    Parameters
    ----------
    problem : Problem
        With class labels and test data.
    neurons : Neurons
        The layer's units.
    keep : float
        Share of the training predictions to keep.
    nulls : int
        Random sets of k neurons to compare with.
    seed : int
        Draws them.
    progress : callable, optional
        Receives the share of neurons gone through.

    Returns
    -------
    Split
        Its evidence is ``norm``, the L2 norm of each neuron, shape (units,), and ``kept``, the share of predictions
        kept by the largest 0, 1, ... k neurons. Norms of circuits are those of the weights kept. Costs about k
        evaluations.

    Raises
    ------
    InvalidInput
        If neurons do not fit the model, `keep` is not in (0, 1], or test data or class labels are missing.

    Examples
    --------
    >>> from grokscape.landscape import split_by_pruning
    >>> from grokscape.landscape.measures.examples import adder  # seven neurons add modulo 7, seven are noise
    >>> problem, neurons, _ = adder()
    >>> split = split_by_pruning(problem, neurons)
    >>> print(split.members.astype(int), split.generalising.test.accuracy)
    [1 1 1 1 1 1 1 0 0 0 0 0 0 0] 1.0
    """
    if not 0 < keep <= 1:
        raise InvalidInput(f"keep is {keep}, expected a share in (0, 1] of the training predictions")
    need_classes(problem, "split_by_pruning")
    count = neurons.count(problem.layout)
    norms = neurons.norms(problem.layout, problem.start)
    rank = torch.empty(count, dtype=torch.int64, device=problem.device)
    rank[norms.argsort(descending=True, stable=True)] = torch.arange(count, device=problem.device)
    sizes = torch.arange(count + 1, device=problem.device)
    with torch.no_grad():
        whole = [problem.outputs(problem.start, inputs).argmax(-1) for inputs, _ in problem.batches["train"]]
    shares: list[float] = []
    for some in sizes.split(TOGETHER):
        kept = (rank < some[:, None]).to(problem.start)
        shares += _agreement(problem, problem.start * neurons.mask(problem.layout, kept), whole)
        if progress is not None:
            progress(min(1.0, len(shares) / (count + 1)))
        if max(shares) >= keep:
            break
    k = next(size for size, share in enumerate(shares) if share >= keep)
    evidence = {"norm": norms, "kept": torch.tensor(shares[: k + 1], dtype=torch.float64)}
    cost = Cost(evaluations=len(shares) + 1)
    return split_units(
        problem, neurons, rank < k, method="pruning", evidence=evidence, cost=cost, nulls=nulls, seed=seed
    )


@torch.no_grad()
def _agreement(problem: Problem, params: Tensor, whole: list[Tensor]) -> list[float]:
    """Return for each network the share of training examples that it puts into the whole network's class."""
    same = torch.zeros(len(params), dtype=torch.int64, device=params.device)
    for (inputs, _), classes in zip(problem.batches["train"], whole, strict=True):
        same += (problem.outputs_of(params, inputs).argmax(-1) == classes).sum(1)
    return [int(number) / problem.count["train"] for number in same]
