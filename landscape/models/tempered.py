"""Any network with its answers divided by a fixed temperature."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from grokscape.landscape.models.model import Model, Network
from grokscape.landscape.tasks import Task


class TemperedNetwork(Network):
    """``z(x) / T``: the answers of another network divided by a temperature that is no parameter.

    Dividing by T changes the scale of the logits without changing the weights or their norm, which no rescaling of
    the weights can do (Truong 2026, arXiv:2606.18465, section 3).

    Parameters
    ----------
    network : Network
        What is divided.
    temperature : float
        T.
    """

    def __init__(self, network: Network, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature

    def standard_deviations(self) -> dict[str, float]:
        """Those of the network inside."""
        return {f"network.{name}": std for name, std in self.network.standard_deviations().items()}

    def initialise(self, *, seed: int, scale: float = 1.0) -> None:
        """Draw the parameters as the network inside would: one seed starts all temperatures from the same weights."""
        self.network.initialise(seed=seed, scale=scale)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs to what the network inside answers, divided by the temperature."""
        answers: Tensor = self.network(inputs)
        return answers / self.temperature


@dataclass(frozen=True, kw_only=True)
class Tempered(Model, kind="tempered"):
    """Another model at a temperature; see `TemperedNetwork`.

    Parameters
    ----------
    of : Model
    temperature : float
        Above 1 the answers shrink, below 1 they grow.
    """

    of: Model
    temperature: float = 1.0

    def validate(self) -> None:
        if self.temperature <= 0:
            self.refuse("temperature", "a positive number")

    def build(self, task: Task) -> TemperedNetwork:
        return TemperedNetwork(self.of.build(task), self.temperature)

    def multiplications(self, task: Task) -> float:
        return self.of.multiplications(task) + task.n_outputs

    def activations(self, task: Task) -> int:
        return self.of.activations(task)
