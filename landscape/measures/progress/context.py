"""What some measures need besides a network: where it began, which tensors hold tokens and neurons, the whole space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.neurons import Neurons
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.batches import Batch, alike
from grokscape.landscape.problem.containers import each_tensor, leaves
from grokscape.landscape.problem.networks import Network
from grokscape.landscape.randomness import permutation


class NotApplicable(InvalidInput):
    """A measure needs something that the context or the problem does not have."""


class Estimate(NamedTuple):
    """A mean over independent draws.

    Attributes
    ----------
    value : float
    standard_error : float
        0 where every possible draw was taken.
    draws : ndarray, shape (draws,)
    """

    value: float
    standard_error: float
    draws: np.ndarray

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return Student's interval around the mean, lower and upper end."""
        from scipy import stats  # takes over a second to load

        half = float(stats.t.ppf((1 + level) / 2, len(self.draws) - 1)) * self.standard_error
        return self.value - half, self.value + half


#: What a measure returns: one number, or several by name.
Values = float | Mapping[str, float | Estimate]
#: What every measure is: a function of the problem, one network's parameters (P,) and the context.
MeasureFunction = Callable[[Problem, Tensor, "Context"], Values]


class Spectrum(NamedTuple):
    """Weights with one row for each token of a cyclic group.

    Attributes
    ----------
    weights : str or callable
        Name of the tensor, or a function of the dict of all varied tensors, as ``lambda w: w["embed"] @ w["into"]``.
    axis : int
        Along which the tokens are counted.
    size : int
        n, the order of the group; tokens beyond it (a sign for "=") are left out.
    """

    weights: str | Callable[[dict[str, Tensor]], Tensor]
    axis: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Space:
    """All inputs of a finite task whose answer is an element of the cyclic group Z_n.

    Attributes
    ----------
    inputs : Tensor, or tuple of Tensor, each of N examples
    elements : Tensor of int64, shape (N,)
        The element g of each input, as ``(a + b) % n``; each occurs equally often.
    targets : Tensor of N examples, optional
        What the loss is taken against; by default `elements`.
    training : Tensor of bool, shape (N,), optional
        Which inputs are trained on.

    Raises
    ------
    InvalidInput
        If lengths differ, or some elements occur more often than others.
    """

    inputs: Any
    elements: Tensor
    targets: Any = None
    training: Tensor | None = None

    def __post_init__(self) -> None:
        elements = self.elements
        if not isinstance(elements, Tensor) or elements.ndim != 1 or elements.is_floating_point() or not len(elements):
            raise InvalidInput(f"elements are {elements!r:.60}, expected integers, one for each input: shape (N,)")
        others = {"inputs": self.inputs, "targets": self.targets, "training": self.training}
        for field, data in others.items():
            for leaf in leaves(data):
                if leaf is not None and len(leaf) != len(elements):
                    raise InvalidInput(f"{field} hold {len(leaf)} examples, expected {len(elements)}, as in elements")
        if self.training is not None and self.training.dtype != torch.bool:
            raise InvalidInput(f"training has {self.training.dtype}, expected a mask of torch.bool")
        counts = torch.bincount(elements) if int(elements.min()) >= 0 else elements.new_tensor([0, 1])
        if len(counts.unique()) > 1:
            raise InvalidInput(
                f"elements 0 to {len(counts) - 1} occur between {int(counts.min())} and {int(counts.max())} times, "
                "expected each equally often; give all inputs of the task"
            )

    @property
    def order(self) -> int:
        """The order n of the group."""
        return int(self.elements.max()) + 1


@dataclass(frozen=True, kw_only=True)
class Context:
    """What some measures need; give what you have, and the measures that miss something are left out.

    Attributes
    ----------
    start : network, optional
        The weights before training. `progress` takes the checkpoint of step 0, if there is one.
    last_layer : str or sequence of str, optional
        Glob patterns of the last layer's parameters.
    spectrum : Spectrum, optional
    space : Space, optional
    frequencies : sequence of int, optional
        Key frequencies of the circuit, between 1 and n / 2. `progress` takes those of the last checkpoint's logits;
        values at earlier checkpoints then use what is known only later: they describe, and predict nothing.
    neurons : Neurons, optional
        Of one layer, with what feeds them and what they feed.
    examples : int
        How many training examples the tangent kernel and the attribution use.
    draws : int
        How many random sets of frequencies stand for the null of the restricted loss.
    seed : int
        Chooses both.
    start_kernel : Tensor, shape (examples, examples), optional
        Tangent kernel of `start`; `progress` fills it in, so that it is computed once.
    """

    start: Network | None = None
    last_layer: str | Sequence[str] | None = None
    spectrum: Spectrum | tuple[str, int, int] | None = None
    space: Space | None = None
    frequencies: Sequence[int] | None = None
    neurons: Neurons | None = None
    examples: int = 32
    draws: int = 64
    seed: int = 0
    start_kernel: Tensor | None = None

    def __post_init__(self) -> None:
        for field, least in (("examples", 2), ("draws", 2), ("seed", 0)):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise InvalidInput(f"{field} is {value!r}, expected an integer of at least {least}")

    def need(self, field: str, measure: str) -> Any:
        """Return a field, or say which measure misses it."""
        value = getattr(self, field)
        if value is None:
            raise NotApplicable(f"{measure} needs {field}, which the context does not have; pass Context({field}=...)")
        return value

    def examples_of(self, problem: Problem) -> int:
        """Return how many training examples `sample` gives."""
        return min(self.examples, problem.count["train"])

    def sample(self, problem: Problem) -> Batch:
        """Return the training examples that this seed chooses, all if there are not more, as (inputs, targets)."""
        chosen = permutation(problem.count["train"], self.seed, "progress/examples")[: self.examples]
        if not problem.separable or not alike(problem.batches["train"]):
            raise NotApplicable(
                "single examples are needed, but they differ in shape, or are not along the first axis, or the model "
                "compares them or insists on its batch"
            )
        return problem.subset(torch.from_numpy(np.sort(chosen))).all_data("train")


def tensor_named(problem: Problem, vector: Tensor, name: str, field: str) -> Tensor:
    """Return one named tensor of a network, or refuse a name that is not there."""
    if name not in problem.layout.shapes:
        raise InvalidInput(
            f"{field} names the parameter {name!r}, expected one that is varied: {', '.join(problem.layout.names)}"
        )
    return problem.layout.tensors(vector)[name]


def to_device(problem: Problem, data: Any) -> Any:
    """Return data on the problem's device; numbers with a fraction take its precision."""

    def move(leaf: Tensor) -> Tensor:
        return leaf.detach().to(problem.device, problem.dtype if leaf.is_floating_point() else leaf.dtype)

    return each_tensor(move, data)
