"""Two-layer perceptrons with a LayerNorm in front of the output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from grokscape.landscape.models.model import of_tokens
from grokscape.landscape.models.perceptron import Perceptron, PerceptronNetwork
from grokscape.landscape.tasks import Task


class NormalisedPerceptronNetwork(PerceptronNetwork):
    """``logits = V LN(act(sum_i A_i[x_i] + b)) + c``: the hidden layer of a `PerceptronNetwork`, normalised.

    LayerNorm (Ba, Kiros and Hinton 2016, arXiv:1607.06450) without gain and bias: every example's hidden layer has mean
    0 and variance 1, whatever the scale of the weights before it; of all weights only V scales the logits.
    """

    def __init__(self, **sizes: Any) -> None:
        super().__init__(**sizes)
        self.activation = then_normalise(self.activation)


def then_normalise(activation: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return the activation followed by LayerNorm over the last dimension."""
    return lambda hidden: F.layer_norm(activation(hidden), hidden.shape[-1:])


@dataclass(frozen=True, kw_only=True)
class NormalisedPerceptron(Perceptron, kind="normalised_perceptron"):
    """A two-layer perceptron with a LayerNorm in front of the output; see `NormalisedPerceptronNetwork`."""

    def build(self, task: Task) -> NormalisedPerceptronNetwork:
        tokens = of_tokens(task, "NormalisedPerceptron")
        return NormalisedPerceptronNetwork(
            n_tokens=tokens.n_tokens,
            n_positions=tokens.n_positions,
            n_classes=tokens.n_classes,
            width=self.width,
            activation=self.activation,
            bias=self.bias,
            embedding=self.embedding,
        )

    def fused(self, task: Task) -> None:  # noqa: ARG002
        """Offer nothing: compiled code for a `Perceptron` leaves the normalisation out."""
        return
