"""Two-layer perceptrons on one-hot or embedded operands."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.fused.feed_forward import FeedForward
from grokscape.landscape.models.model import Model, Network, of_tokens, positions
from grokscape.landscape.tasks import Task

#: May overwrite the argument, which nobody else reads: at 550 examples a training step on a CPU took an eighth less.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu_, "quadratic": torch.square}


class PerceptronNetwork(Network):
    """``logits = V act(sum_i A_i[x_i] + b) + c``, or with ``A_i E[x_i]`` in place of ``A_i[x_i]``.

    A dense layer on concatenated one-hot operands is a sum of looked-up rows, which is how it is computed: the same
    function and gradients at a fraction of the cost.

    Parameters
    ----------
    n_tokens, n_positions, n_classes : int
        Sizes of the task.
    width : int
        Hidden neurons H.
    activation : {"relu", "quadratic"}
    bias : bool
        Whether there are biases b (H,) and c (n_classes,). Without, the network is homogeneous: of degree 2 (ReLU,
        one-hot), 3 (quadratic, or ReLU on embeddings), 5 (quadratic on embeddings).
    embedding : int, optional
        Dimension of an embedding E (n_tokens, embedding) shared by all positions; None for one-hot operands.
    """

    def __init__(
        self,
        *,
        n_tokens: int,
        n_positions: int,
        n_classes: int,
        width: int,
        activation: str = "relu",
        bias: bool = False,
        embedding: int | None = None,
    ) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.n_positions = n_positions
        rows = n_tokens if embedding is None else embedding
        self.embedding = None if embedding is None else nn.Parameter(torch.empty(n_tokens, embedding))
        self.hidden = nn.Parameter(torch.empty(n_positions, rows, width))
        self.output = nn.Parameter(torch.empty(width, n_classes))
        self.hidden_bias = nn.Parameter(torch.empty(width)) if bias else None
        self.output_bias = nn.Parameter(torch.empty(n_classes)) if bias else None

    def standard_deviations(self) -> dict[str, float]:
        """The variance of PyTorch's default dense layers, ``1 / (3 fan_in)``; embeddings 1; biases 0."""
        hidden = (3 * self.hidden.shape[0] * self.hidden.shape[1]) ** -0.5
        output = (3 * self.output.shape[0]) ** -0.5
        return {"embedding": 1.0, "hidden": hidden, "output": output, "hidden_bias": 0.0, "output_bias": 0.0}

    def forward(self, inputs: Tensor) -> Tensor:
        """Map tokens (..., n_positions) to logits (..., n_classes)."""
        # Layers applied to the whole alphabet first: a table of rows to look up for each position.
        tables = self.hidden if self.embedding is None else self.embedding @ self.hidden
        looked_up = zip(positions(inputs, self.n_positions), tables.unbind(0), strict=True)
        hidden = functools.reduce(Tensor.add_, (F.embedding(tokens, table) for tokens, table in looked_up))
        if self.hidden_bias is not None:
            hidden = hidden + self.hidden_bias
        logits = self.activation(hidden) @ self.output
        return logits if self.output_bias is None else logits + self.output_bias


@dataclass(frozen=True, kw_only=True)
class Perceptron(Model, kind="perceptron"):
    """A two-layer perceptron; see `PerceptronNetwork` for the formula and the parameters."""

    width: int = 128
    activation: Literal["relu", "quadratic"] = "relu"
    bias: bool = False
    embedding: int | None = None

    def validate(self) -> None:
        if self.embedding is not None and self.embedding < 1:
            self.refuse("embedding", "at least 1, or None for one-hot operands")
        self.refuse_widths("width", *(["embedding"] if self.embedding is not None else []))

    def build(self, task: Task) -> PerceptronNetwork:
        tokens = of_tokens(task, "Perceptron")
        return PerceptronNetwork(
            n_tokens=tokens.n_tokens,
            n_positions=tokens.n_positions,
            n_classes=tokens.n_classes,
            width=self.width,
            activation=self.activation,
            bias=self.bias,
            embedding=self.embedding,
        )

    def fused(self, task: Task) -> FeedForward | None:  # noqa: ARG002
        return FeedForward(
            weights=("hidden", "output"),
            biases=("hidden_bias", "output_bias") if self.bias else (),
            activation=self.activation,
            tokens=True,
            embedding=None if self.embedding is None else "embedding",
        )

    def multiplications(self, task: Task) -> float:
        # The look-ups move as much memory as a product with 30 columns would take time.
        return self.width * (task.n_outputs + 30.0 * of_tokens(task, "Perceptron").n_positions)

    def activations(self, task: Task) -> int:
        return max(self.width, task.n_outputs)
