"""The part of the logits that follows a group's rule, and what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.circuits.characters import Characters
from grokscape.landscape.measures.circuits.circuit import Run, centred, need_classes, scored
from grokscape.landscape.measures.circuits.split import Split, checks, residual
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.containers import each_tensor, tensors
from grokscape.landscape.randomness import generator


@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def split_by_projection(
    problem: Problem,
    characters: Characters,
    *,
    irreps: Iterable[str] | None = None,
    average: Literal["test", "all"] = "test",
    nulls: int = 8,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Split:
    """Split the logits into a function of the task's group element and the rest.

    With logits z centred over classes, ``f(g) = mean z(x, c)`` over inputs x, with c the class for which g(x, c) = g;
    projected on the chosen characters it is the generalising part ``z_g(x, c) = f(g(x, c))``, and the memorising part
    is ``z_m = z - z_g``. For addition modulo p, f is a function of (a + b - c) mod p.

    Parameters
    ----------
    problem : Problem
        With class labels and test data.
    characters : Characters
        The whole input space and the group's functions: `cyclic`, `symmetric` or `group`.
    irreps : iterable of str, optional
        Only these frequencies or representations.
    average : {"test", "all"}
        The inputs over which the mean is taken. Over all of them it is the orthogonal projection (Varma et al. 2023,
        arXiv:2309.02390, appendix B); but a table of D true labels out of N inputs then passes for a rule of strength
        D / N, because a correct answer looks alike however it is done. Where the network was not trained, a
        table has nothing to say, so the mean over the test inputs is not misled.
    nulls : int
        How often the analysis is repeated with the labels of the inputs exchanged at random, which keeps the dimension.
    seed : int
        Draws them.
    progress : callable, optional
        Receives the share of circuits done.

    Returns
    -------
    Split
        Outputs have no weights of their own, so norms are attributed by relevance. With ``S_g = |z_g|^2 / 2`` over
        all inputs and ``R_i = theta_i dS_g / dtheta_i`` (which sum to ``kappa |z_g|^2`` if outputs are homogeneous of
        degree kappa, by Euler's theorem), weight i belongs to the generalising part by the share
        ``r_i = |R_i^g| / (|R_i^g| + |R_i^m|)``, and ``norm_g^2 = sum_i r_i theta_i^2``; the two squared norms add up
        to the whole's. A weight without influence is counted with the memorising part. It is an attribution, not a
        subnetwork: a weight that serves both parts is divided, and where the memorising weights are spread over the
        same directions as the rule's, much of their norm goes to the generalising part. The trust does not judge it.

        The evidence is ``function`` and ``function_error``, f by group element and its standard error before the
        projection, shape (G,); ``share``, r, shape (P,); and ``degree``, ``sum_i R_i / |z|^2`` over both parts,
        shape (). Costs two gradients for each circuit, on all inputs.

    Raises
    ------
    InvalidInput
        If the characters do not fit the problem, or its data are not in the input space.

    Examples
    --------
    >>> from grokscape.landscape import cyclic, split_by_projection
    >>> from grokscape.landscape.measures.examples import adder  # modulo 7, by a rule
    >>> problem, _, inputs = adder()
    >>> split = split_by_projection(problem, cyclic(7, inputs))
    >>> print(split.generalising.test.accuracy, split.memorising.test.accuracy, round(split.trust, 2))
    1.0 0.0 1.0
    """
    if average not in ("test", "all"):
        raise InvalidInput(f"average is {average!r}, expected 'test' or 'all'")
    if nulls < 1:
        raise InvalidInput(f"nulls is {nulls}, expected at least 1 analysis with exchanged labels to compare with")
    classes = need_classes(problem, "split_by_projection")
    if characters.element.shape[1] != classes:
        raise InvalidInput(
            f"characters have {characters.element.shape[1]} classes, but the model has {classes} outputs"
        )
    space = _Space(problem, characters)
    used = torch.ones(space.size, dtype=torch.bool, device=problem.device)
    if average == "test":
        used = torch.zeros_like(used)
        used[torch.cat([space.find(inputs) for inputs, _ in problem.batches["test"]])] = True
    projector = characters.projector(irreps).to(problem.start)
    element = characters.element.to(problem.device)
    part = _part(problem, space, element, used, projector)
    square = problem.start.double().square()
    norm, rest = (float((share * square).sum().sqrt()) for share in (part.share, 1 - part.share))

    def whole(inputs: Any) -> Tensor:
        return centred(problem.outputs(problem.start, inputs))

    def remainder(inputs: Any) -> Tensor:
        outputs = whole(inputs)
        return _snapped(outputs - part.run(inputs), part.scale)

    everything = scored(problem, "whole", whole, float(square.sum().sqrt()))
    generalising = scored(problem, "generalising", part.run, norm)
    memorising = scored(problem, "memorising", remainder, rest)
    rivals = []
    for number in range(nulls):
        order = torch.from_numpy(generator(seed, f"null characters {number}").permutation(space.size))
        null = _part(problem, space, element[order.to(element.device)], used, projector)
        rivals.append(scored(problem, "null", null.run, float((null.share * square).sum().sqrt())))
        if progress is not None:
            progress((number + 1) / nulls)
    return Split(
        method="projection",
        whole=everything,
        generalising=generalising,
        memorising=memorising,
        nulls=tuple(rivals),
        checks=checks(problem, everything, generalising, memorising, rivals, classes=classes, converged=True),
        residual=residual(problem, everything, [generalising, memorising]),
        evidence={
            "function": part.function.cpu().numpy(),
            "function_error": part.error.cpu().numpy(),
            "share": part.share.cpu().numpy(),
            "degree": part.degree.cpu().numpy(),
        },
        seed=seed,
        cost=Cost(evaluations=2 * (3 + nulls) + 8, gradients=2 * (1 + nulls)),
    )


class _Part(NamedTuple):
    run: Run
    function: Tensor
    error: Tensor
    share: Tensor
    degree: Tensor
    scale: float


def _part(problem: Problem, space: _Space, element: Tensor, used: Tensor, projector: Tensor) -> _Part:
    """Return the part of the logits that is a function of the element, and each weight's share in it."""
    leaf = problem.start.clone().requires_grad_()
    logits = centred(problem.outputs(leaf, space.inputs))
    aligned = logits.gather(1, element.argsort(1))[used]  # by element instead of class
    function = projector @ aligned.mean(0)
    ruled = function[element]
    relevance = []
    for outputs in (ruled, logits - ruled):
        (slope,) = torch.autograd.grad(outputs.square().sum() / 2, leaf, retain_graph=True)
        relevance.append((leaf.detach() * slope).double())
    sizes = [values.abs() for values in relevance]
    share = torch.where(sizes[0] > 0, sizes[0] / (sizes[0] + sizes[1]), 0.0)
    whole, scale = logits.detach().double().square().sum(), float(logits.detach().abs().max())
    found = _snapped(function.detach(), scale)
    return _Part(
        run=_Looked(space, element, found),
        function=found,
        error=aligned.detach().var(0, correction=0).div(len(aligned) - 1).sqrt(),  # NaN from one input alone
        share=share,
        degree=(relevance[0] + relevance[1]).sum() / whole if whole else whole,
        scale=scale,
    )


def _snapped(values: Tensor, scale: float) -> Tensor:
    """Set to zero what is only the rounding of numbers of that size, or a silent part would seem to choose classes."""
    return torch.where(values.abs() > 64 * torch.finfo(values.dtype).eps * scale, values, 0.0)


class _Space:
    """The whole input space, in which inputs can be looked up."""

    def __init__(self, problem: Problem, characters: Characters) -> None:
        def move(leaf: Tensor) -> Tensor:
            return leaf.to(problem.device, problem.dtype if leaf.is_floating_point() else leaf.dtype)

        self.inputs = each_tensor(move, characters.inputs)
        keys = _keys(self.inputs)
        self.size = len(keys)
        self._keys, self._numbers = torch.unique(keys, dim=0, return_inverse=True)
        if len(self._keys) < self.size:
            raise InvalidInput(f"the input space holds only {len(self._keys)} different inputs among {self.size}")
        self._where = self._numbers.argsort()

    def find(self, inputs: Any) -> Tensor:
        """Return the number of each input, shape (n,)."""
        keys = _keys(inputs)
        both, numbers = torch.unique(torch.cat([self._keys, keys]), dim=0, return_inverse=True)
        if len(both) > self.size:
            raise InvalidInput(f"{len(both) - self.size} inputs are not in the input space of the characters; give all")
        return self._where[numbers[self.size :]]


@dataclass(frozen=True)
class _Looked:
    """Logits that are a function of the element, looked up for inputs of the space."""

    space: _Space
    element: Tensor
    function: Tensor

    def __call__(self, inputs: Any) -> Tensor:
        return self.function[self.element[self.space.find(inputs)]]


def _keys(inputs: Any) -> Tensor:
    return torch.cat([leaf.reshape(len(leaf), -1).double() for leaf in tensors(inputs)], 1)
