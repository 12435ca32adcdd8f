"""The one-layer decoder-only transformer of the grokking literature, read at the last position."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.fused.transformer import FusedTransformer
from grokscape.landscape.models.model import Model, Network, of_tokens, positions
from grokscape.landscape.tasks import Task


class TransformerNetwork(Network):
    """One causal attention layer and one ReLU layer on tokens followed by "=", without LayerNorm.

    Only the logits at the last position are computed, and only what they depend on. There, the query is one vector
    (every sequence ends in "="), and keys and values depend on a token and its position alone; so attention scores
    and values are looked up in small tables, and one position instead of n + 1 passes through the dense layers.

    Parameters
    ----------
    n_tokens, n_positions, n_classes : int
        Sizes of the task; "=" is one token and one position more.
    width, heads, hidden : int
        Size d of the residual stream, number h of heads (each of size d / h), neurons of the ReLU layer.
    bias : bool
        Whether the ReLU layer has biases.

    Notes
    -----
    Parameters: ``embed`` (n_tokens + 1, d), ``position`` (n_positions + 1, d), ``query``, ``key``, ``value``
    (d, h, d / h), ``attended`` (d, d), ``into`` (d, hidden), ``out`` (hidden, d), ``unembed`` (d, n_classes). The
    architecture is that of Nanda et al. 2023 (arXiv:2301.05217, section 3) and Varma et al. 2023 (appendix A).
    """

    def __init__(
        self,
        *,
        n_tokens: int,
        n_positions: int,
        n_classes: int,
        width: int = 128,
        heads: int = 4,
        hidden: int = 512,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.n_positions, self.heads = n_positions, heads
        self.embed = nn.Parameter(torch.empty(n_tokens + 1, width))
        self.position = nn.Parameter(torch.empty(n_positions + 1, width))
        self.query = nn.Parameter(torch.empty(width, heads, width // heads))
        self.key = nn.Parameter(torch.empty(width, heads, width // heads))
        self.value = nn.Parameter(torch.empty(width, heads, width // heads))
        self.attended = nn.Parameter(torch.empty(width, width))
        self.into = nn.Parameter(torch.empty(width, hidden))
        self.out = nn.Parameter(torch.empty(hidden, width))
        self.unembed = nn.Parameter(torch.empty(width, n_classes))
        self.into_bias = nn.Parameter(torch.empty(hidden)) if bias else None
        self.out_bias = nn.Parameter(torch.empty(width)) if bias else None

    def standard_deviations(self) -> dict[str, float]:
        """``1 / sqrt(d)`` for every matrix (Nanda et al. 2023), 0 for biases."""
        std = self.embed.shape[1] ** -0.5
        return {name: 0.0 if name.endswith("bias") else std for name, _ in self.named_parameters()}

    def forward(self, inputs: Tensor) -> Tensor:
        """Map tokens (..., n_positions) to logits at the last position (..., n_classes)."""
        last = self.embed[-1] + self.position[-1]
        size = self.query.shape[2]
        query = torch.einsum("d,dhk->hk", last, self.query) / size**0.5
        # Tables over (positions, tokens): scores (heads), and values less the value of "=" itself (d). Attention
        # weights add up to one, so that the result is the value of "=", the same for all, and weighted differences.
        stream = self.embed[:-1] + self.position[:-1, None]
        to_score = torch.einsum("dhk,hk->dh", self.key, query)
        to_value = self.value.flatten(1)
        value = last @ to_value
        score_tables, value_tables = (stream @ to_score).unbind(0), (stream @ to_value - value).unbind(0)
        tokens = positions(inputs, self.n_positions)
        scores = [F.embedding(token, table) for token, table in zip(tokens, score_tables, strict=True)]
        scores.append((last @ to_score).expand_as(scores[0]))
        weights = torch.stack(scores).softmax(0).unbind(0)  # (..., heads) for each position and "="
        looked_up = [F.embedding(token, table) for token, table in zip(tokens, value_tables, strict=True)]
        weighted = [
            (weight[..., None] * difference.unflatten(-1, (self.heads, size))).flatten(-2)
            for weight, difference in zip(weights, looked_up, strict=False)
        ]
        mixed = functools.reduce(torch.add, weighted)
        constant = last + value @ self.attended
        # Products of neighbouring matrices first: that spares every example a pass through the residual stream.
        threshold = constant @ self.into if self.into_bias is None else constant @ self.into + self.into_bias
        neurons = (mixed @ (self.attended @ self.into)).add_(threshold).relu_()
        if self.out_bias is not None:
            constant = constant + self.out_bias
        logits = mixed @ (self.attended @ self.unembed) + constant @ self.unembed
        return logits.add_(neurons @ (self.out @ self.unembed))


@dataclass(frozen=True, kw_only=True)
class Transformer(Model, kind="transformer"):
    """The one-layer transformer; see `TransformerNetwork` for its parameters."""

    width: int = 128
    heads: int = 4
    hidden: int = 512
    bias: bool = True

    def validate(self) -> None:
        self.refuse_widths("width", "hidden")
        if self.heads < 1 or self.width % self.heads:
            self.refuse("heads", f"a divisor of the width {self.width}")

    def build(self, task: Task) -> TransformerNetwork:
        tokens = of_tokens(task, "Transformer")
        return TransformerNetwork(
            n_tokens=tokens.n_tokens,
            n_positions=tokens.n_positions,
            n_classes=tokens.n_classes,
            width=self.width,
            heads=self.heads,
            hidden=self.hidden,
            bias=self.bias,
        )

    def fused(self, task: Task) -> FusedTransformer:  # noqa: ARG002
        return FusedTransformer(heads=self.heads, bias=self.bias)

    def multiplications(self, task: Task) -> float:
        return self.width * (self.width + 2.0 * self.hidden + task.n_outputs)

    def activations(self, task: Task) -> int:
        return max(self.hidden, self.width * (of_tokens(task, "Transformer").n_positions + 1))
