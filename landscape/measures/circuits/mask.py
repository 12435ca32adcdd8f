"""The fewest neurons or weights that keep a loss low, found by a learned mask, and all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.circuits.circuit import need_classes
from grokscape.landscape.measures.circuits.split import Split
from grokscape.landscape.measures.circuits.units import split_units, spread
from grokscape.landscape.measures.neurons import Neurons
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem
from grokscape.landscape.randomness import generator

#: The sigmoid's temperature falls from 1 to this, so that the mask ends near 0 and 1.
COLDEST = 0.1


@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def split_by_mask(
    problem: Problem,
    neurons: Neurons | None = None,
    *,
    objective: Literal["held-out loss", "training predictions"] = "held-out loss",
    penalty: float = 1.0,
    steps: int = 400,
    lr: float = 0.1,
    nulls: int = 8,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Split:
    """Learn which neurons or weights are needed; call those generalising, and all others memorising.

    A mask ``m = sigmoid(s / T)``, one number for each neuron or weight, multiplies the weights, and Adam minimises
    ``L(m theta) + penalty mean(m)`` over s, while T falls from 1 to 0.1 (continuous sparsification, Savarese et al.
    2020, arXiv:1912.04427). Units with m > 1/2 are kept.

    Parameters
    ----------
    problem : Problem
        With class labels and test data.
    neurons : Neurons, optional
        One number of the mask for each of them; by default one for each weight. To choose among many weights is as
        good as training them: such a mask can fit the examples that it learns from without any rule. Then the held-out
        half shows it, and the trust falls.
    objective : {"held-out loss", "training predictions"}
        What L is. The problem's loss on a random half of the test data; then the other half alone counts as test
        data, in the scores and in the trust. Or the problem's loss on the training inputs, with the whole network's
        own predictions as targets, which uses no test data.
    penalty : float
        Price of keeping everything, in units of the loss.
    steps, lr
        Of Adam; there is no randomness in it.
    nulls : int
        Random sets of as many units to compare with.
    seed : int
        Draws them, and the halves of the test data.
    progress : callable, optional
        Receives the share of steps done.

    Returns
    -------
    Split
        Its evidence is ``mask``, shape (units,), and ``objective``, shape (steps,). It has converged if at least 99 of
        100 units are settled: m > 0.9 where more of the unit would lower the objective, or m < 0.1 where it would
        raise it. Norms of circuits are those of the weights kept. Costs `steps` gradients.

    Raises
    ------
    InvalidInput
        If a parameter is out of range, neurons do not fit the model, or test data or class labels are missing.

    Examples
    --------
    >>> from grokscape.landscape import split_by_mask
    >>> from grokscape.landscape.measures.examples import adder  # seven neurons add modulo 7, seven are noise
    >>> problem, neurons, _ = adder()
    >>> split = split_by_mask(problem, neurons)
    >>> print(split.members.astype(int)[7:], split.memorising.test.accuracy)
    [0 0 0 0 0 0 0] 0.0
    """
    if objective not in ("held-out loss", "training predictions"):
        raise InvalidInput(f"objective is {objective!r}, expected 'held-out loss' or 'training predictions'")
    for name, number in (("penalty", penalty), ("steps", steps), ("lr", lr)):
        if not number > 0:
            raise InvalidInput(f"{name} is {number}, expected a positive number")
    need_classes(problem, "split_by_mask")
    units = problem.size if neurons is None else neurons.count(problem.layout)
    data, judged = _data(problem, objective, seed)
    shared = list(problem.with_batches(train=data).shares("train"))

    def value_of(mask: Tensor) -> Tensor:
        vector = problem.start * spread(problem, neurons, mask)
        losses = [share * problem.batch_loss(vector, inputs, targets) for share, inputs, targets in shared]
        return torch.stack(losses).sum() + penalty * mask.mean()

    scores = torch.full((units,), 2.0, dtype=problem.dtype, device=problem.device, requires_grad=True)
    adam = torch.optim.Adam([scores], lr=lr)
    values = []
    for step in range(steps):
        value = value_of(torch.sigmoid(scores / COLDEST ** (step / max(1, steps - 1))))
        (scores.grad,) = torch.autograd.grad(value, [scores])
        adam.step()
        values.append(float(value.detach()))
        if progress is not None:
            progress((step + 1) / steps)
    mask = torch.sigmoid(scores.detach() / COLDEST).requires_grad_()
    (slope,) = torch.autograd.grad(value_of(mask), [mask])
    mask = mask.detach()
    settled = ((mask > 0.9) & (slope <= 0)) | ((mask < 0.1) & (slope >= 0))
    return split_units(
        judged,
        neurons,
        mask > 0.5,
        method=f"mask ({objective})",
        evidence={"mask": mask, "objective": torch.tensor(values, dtype=torch.float64)},
        cost=Cost(gradients=steps + 1),
        nulls=nulls,
        seed=seed,
        converged=float(settled.double().mean()) >= 0.99,
    )


def _data(problem: Problem, objective: str, seed: int) -> tuple[list[tuple[Any, Tensor]], Problem]:
    """Return the batches that the mask learns from, and the problem on which the split is judged."""
    if objective == "training predictions":
        with torch.no_grad():
            own = [(x, problem.outputs(problem.start, x).argmax(-1)) for x, _ in problem.batches["train"]]
        return own, problem
    count = problem.count["test"]
    if count < 2:
        raise InvalidInput(
            f"there is {count} test example, expected at least 2: one half to learn from, one to judge by"
        )
    order = torch.from_numpy(generator(seed, "halves of the test data").permutation(count)).to(problem.device)
    held = problem.with_batches(train=problem.batches["test"])
    learned, rest = (held.subset(half).batches["train"] for half in (order[: count // 2], order[count // 2 :]))
    return learned, problem.with_batches(test=rest)
