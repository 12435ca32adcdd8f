"""Multilayer perceptrons on inputs that are vectors of numbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.fused.feed_forward import FeedForward
from grokscape.landscape.models.model import Model, Network
from grokscape.landscape.tasks import Task, TokenTask

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "quadratic": torch.square}


class DenseNetwork(Network):
    """``h_0 = x``, ``h_l = act(h_(l-1) W_l + b_l)``, and no activation after the last layer.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, the width of each hidden layer, outputs.
    activation : {"relu", "tanh", "quadratic"}
    bias : bool
    """

    def __init__(self, *, sizes: tuple[int, ...], activation: str = "relu", bias: bool = True) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.sizes = sizes
        pairs = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(torch.empty(pair) for pair in pairs)
        self.biases = nn.ParameterList(torch.empty(outputs) for _, outputs in pairs) if bias else None

    def standard_deviations(self) -> dict[str, float]:
        """The variance of PyTorch's default dense layers, ``1 / (3 fan_in)``, for weights and biases."""
        names = ("weights", "biases") if self.biases is not None else ("weights",)
        return {f"{name}.{i}": (3 * fan_in) ** -0.5 for name in names for i, fan_in in enumerate(self.sizes[:-1])}

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs (..., sizes[0]) to outputs (..., sizes[-1])."""
        hidden = inputs
        for layer, weight in enumerate(self.weights):
            hidden = (self.activation(hidden) if layer else hidden) @ weight
            if self.biases is not None:
                hidden = hidden + self.biases[layer]
        return hidden


@dataclass(frozen=True, kw_only=True)
class Dense(Model, kind="dense"):
    """A multilayer perceptron on vectors; see `DenseNetwork` for the formula.

    Parameters
    ----------
    widths : tuple of int
        Neurons of each hidden layer.
    activation : {"relu", "tanh", "quadratic"}
    bias : bool
    """

    widths: tuple[int, ...] = (100, 100)
    activation: Literal["relu", "tanh", "quadratic"] = "relu"
    bias: bool = True

    def words(self) -> str:
        return self.called("multilayer perceptron")

    def validate(self) -> None:
        self.refuse_widths("widths")

    def sizes(self, task: Task) -> tuple[int, ...]:
        """Return inputs, widths and outputs."""
        shape = task.input_shape
        if len(shape) != 1 or isinstance(task, TokenTask):
            raise InvalidInput(f"Dense reads vectors of numbers, which the inputs of {task!r} are not")
        return (shape[0], *self.widths, task.n_outputs)

    def build(self, task: Task) -> DenseNetwork:
        return DenseNetwork(sizes=self.sizes(task), activation=self.activation, bias=self.bias)

    def fused(self, task: Task) -> FeedForward:  # noqa: ARG002
        layers = range(len(self.widths) + 1)
        return FeedForward(
            weights=tuple(f"weights.{layer}" for layer in layers),
            biases=tuple(f"biases.{layer}" for layer in layers) if self.bias else (),
            activation=self.activation,
        )

    def multiplications(self, task: Task) -> float:
        # An activation takes as long as a product with a dozen columns.
        return sum((before + 12.0) * after for before, after in itertools.pairwise(self.sizes(task)))

    def activations(self, task: Task) -> int:
        return max(self.sizes(task))
