"""Long short-term memory on sequences of tokens (Hochreiter and Schmidhuber 1997), read after the last token."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.models.model import DEEPEST, Model, Network, of_tokens
from grokscape.landscape.tasks import Task


class LSTMNetwork(Network):
    """Embedded tokens, layers of LSTM cells, and a linear answer from the last layer's last state.

    Each layer computes, for ``t = 1 ... T`` from ``h_0 = c_0 = 0``,

    ``(i, f, g, o) = x_t W + h_(t-1) U + b``,
    ``c_t = sigmoid(f) c_(t-1) + sigmoid(i) tanh(g)``,
    ``h_t = sigmoid(o) tanh(c_t)``,

    where x is the embedding, or the state h of the layer below. Written out, for `torch.func.vmap` has no rule for
    PyTorch's own LSTM, which has the same cells; its two biases, which are always added, are one here.

    Parameters
    ----------
    n_tokens, n_classes : int
    embedding, width, layers : int
        Size of embedded tokens, of h and c, and how many layers.

    Notes
    -----
    Parameters: ``embed`` (n_tokens, embedding); for each layer ``inputs.<l>`` W, ``recurrent.<l>`` U (width, 4 width)
    and ``biases.<l>`` (4 width); ``output`` (width, n_classes) and ``output_bias``.
    """

    def __init__(self, *, n_tokens: int, n_classes: int, embedding: int = 16, width: int = 16, layers: int = 2) -> None:
        super().__init__()
        self.width = width
        self.embed = nn.Parameter(torch.empty(n_tokens, embedding))
        sizes = [embedding] + [width] * (layers - 1)
        self.inputs = nn.ParameterList(torch.empty(size, 4 * width) for size in sizes)
        self.recurrent = nn.ParameterList(torch.empty(width, 4 * width) for _ in sizes)
        self.biases = nn.ParameterList(torch.empty(4 * width) for _ in sizes)
        self.output = nn.Parameter(torch.empty(width, n_classes))
        self.output_bias = nn.Parameter(torch.empty(n_classes))

    def standard_deviations(self) -> dict[str, float]:
        """Those of PyTorch's default layers: 1 for embeddings, else ``(3 width)^(-1/2)``; biases are sums of two."""
        std = (3 * self.width) ** -0.5
        special = {"embed": 1.0} | {f"biases.{layer}": 2**0.5 * std for layer in range(len(self.biases))}
        return {name: special.get(name, std) for name, _ in self.named_parameters()}

    def forward(self, inputs: Tensor) -> Tensor:
        """Map tokens (..., T) to logits (..., n_classes)."""
        # Time comes first: what each step reads then lies together.
        sequence = F.embedding(inputs.movedim(-1, 0), self.embed)
        for into, recurrent, bias in zip(self.inputs, self.recurrent, self.biases, strict=True):
            driven = (sequence @ into + bias).unbind(0)
            state = memory = torch.zeros_like(driven[0][..., : self.width])
            states = []
            for drive in driven:
                enter, keep, candidate, leave = (drive + state @ recurrent).chunk(4, dim=-1)
                memory = keep.sigmoid() * memory + enter.sigmoid() * candidate.tanh()
                state = leave.sigmoid() * memory.tanh()
                states.append(state)
            sequence = torch.stack(states)
        return state @ self.output + self.output_bias


@dataclass(frozen=True, kw_only=True)
class LSTM(Model, kind="lstm"):
    """Layers of LSTM on tokens; see `LSTMNetwork` for the formula.

    Parameters
    ----------
    embedding, width, layers : int
    """

    embedding: int = 16
    width: int = 16
    layers: int = 2

    def validate(self) -> None:
        self.refuse_widths("embedding", "width")
        if not 1 <= self.layers <= DEEPEST:
            self.refuse("layers", f"at least 1 and at most {DEEPEST}")

    def build(self, task: Task) -> LSTMNetwork:
        tokens = of_tokens(task, "LSTM")
        return LSTMNetwork(
            n_tokens=tokens.n_tokens,
            n_classes=tokens.n_classes,
            embedding=self.embedding,
            width=self.width,
            layers=self.layers,
        )

    def multiplications(self, task: Task) -> float:
        # Cells are small, and five of their functions take longer than a product.
        reads = [self.embedding] + [self.width] * (self.layers - 1)
        cells = sum(4.0 * self.width * (read + self.width + 40) for read in reads)
        return of_tokens(task, "LSTM").n_positions * cells

    def activations(self, task: Task) -> int:
        return of_tokens(task, "LSTM").n_positions * 4 * self.width
