"""What every model description offers: a fresh network for a task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from grokscape.landscape import randomness
from grokscape.landscape.description import Description
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.fused import Fused
from grokscape.landscape.tasks import Task, TokenTask


class Network(nn.Module, ABC):
    """A network from a task's inputs to its outputs, initialised only through `initialise`."""

    @abstractmethod
    def standard_deviations(self) -> dict[str, float]:
        """Return the standard deviation at which each parameter is drawn, by name; 0 leaves it at zero."""

    @torch.no_grad()
    def initialise(self, *, seed: int, scale: float = 1.0) -> None:
        """Draw all parameters from centred normal distributions and multiply them by `scale`.

        Drawn in float64 and rounded, so that float32 and float64 networks of one seed start alike.
        """
        for name, parameter in self.named_parameters():
            std = self.standard_deviations()[name]
            draw = randomness.generator(seed, f"init/{name}").standard_normal(tuple(parameter.shape))
            parameter.copy_(torch.from_numpy(scale * std * draw))


#: Neurons of a layer, and layers, at most: far more than can be trained, and few enough to count their products.
WIDEST, DEEPEST = 10**7, 1000


@dataclass(frozen=True, kw_only=True)
class Model(Description, ABC):
    """The frozen description of an architecture."""

    def refuse_widths(self, *fields: str) -> None:
        """Refuse widths (a number, or several in a tuple) that no layer can have."""
        for name in fields:
            value = getattr(self, name)
            widths = value if isinstance(value, tuple) else (value,)
            if not 1 <= len(widths) <= DEEPEST or min(widths) < 1:
                self.refuse(
                    name,
                    f"at least one width, each at least 1, and at most {DEEPEST}" if widths is value else "at least 1",
                )
            if max(widths) > WIDEST:
                self.refuse(name, f"at most {WIDEST} neurons in a layer")

    @abstractmethod
    def build(self, task: Task) -> Network:
        """Return a network of this architecture for `task`, its parameters not yet initialised."""

    def fused(self, task: Task) -> Fused | None:  # noqa: ARG002
        """Return how compiled code computes networks of this architecture, or None: then PyTorch does it alone."""
        return None

    @abstractmethod
    def multiplications(self, task: Task) -> float:
        """Return roughly how many multiplications one example costs in a forward pass (for estimates of time)."""

    @abstractmethod
    def activations(self, task: Task) -> int:
        """Return how many numbers the widest layer holds for one example."""


def of_tokens(task: Task, model: str) -> TokenTask:
    """Return a task whose inputs are tokens; refuse any other, naming the model that needs them."""
    if not isinstance(task, TokenTask):
        raise InvalidInput(f"{model} reads tokens, but the inputs of {task!r} are numbers; take a Dense model")
    return task


def positions(inputs: Tensor, expected: int) -> tuple[Tensor, ...]:
    """Split inputs of shape (..., n_positions) into one tensor of tokens per position."""
    if inputs.shape[-1] != expected:
        raise ValueError(f"inputs have {inputs.shape[-1]} positions, expected {expected}")
    return inputs.unbind(-1)
