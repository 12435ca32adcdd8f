"""Graph networks whose messages pass through matrices that the bonds choose (Gilmer et al. 2017, arXiv:1704.01212)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models.model import Model, Network
from grokscape.landscape.tasks import Molecules, Task
from grokscape.landscape.tasks.task import MOST_NUMBERS


class EdgeNetworkModule(Network):
    """Edge-conditioned convolutions over padded graphs, a sum over atoms, and a small perceptron.

    With node features ``x_i``, bond features ``e_ij`` and neighbours j of i, each convolution computes
    ``x'_i = relu(x_i R + b + sum_j x_j A(e_ij))``, where the matrix ``A(e) = sum_k h_k(e) A_k + A_0`` is linear in
    ``h(e) = relu(e U + u)``; e says which kind of bond it is, by a 1 at its place. The answer is
    ``relu(s V + v) W + w`` with ``s = sum_i x_i`` over the atoms that exist.

    Parameters
    ----------
    features : tuple of int
        Node features before the first convolution and after each.
    edges : int
        Kinds of bonds.
    edge_width : int
        Length of h.
    readout : int
        Neurons of the last hidden layer.
    outputs : int
    """

    def __init__(
        self, *, features: tuple[int, ...], edges: int, edge_width: int = 32, readout: int = 16, outputs: int = 1
    ) -> None:
        super().__init__()
        self.features, self.edges = features, edges
        self._fan_in: dict[str, int] = {}
        for layer, (before, after) in enumerate(itertools.pairwise(features)):
            self._dense(f"edge{layer}", edges, edge_width)
            self._dense(f"message{layer}", edge_width, before * after)
            self._dense(f"root{layer}", before, after)
        self._dense("readout", features[-1], readout)
        self._dense("output", readout, outputs)

    def _dense(self, name: str, inputs: int, outputs: int) -> None:
        """Add the weight and bias of a dense layer."""
        self.register_parameter(f"{name}_weight", nn.Parameter(torch.empty(inputs, outputs)))
        self.register_parameter(f"{name}_bias", nn.Parameter(torch.empty(outputs)))
        self._fan_in |= {f"{name}_weight": inputs, f"{name}_bias": inputs}

    def standard_deviations(self) -> dict[str, float]:
        """The variance of PyTorch's default dense layers, ``1 / (3 fan_in)``, for weights and biases."""
        return {name: (3 * fan_in) ** -0.5 for name, fan_in in self._fan_in.items()}

    def _apply_dense(self, name: str, values: Tensor) -> Tensor:
        return values @ getattr(self, f"{name}_weight") + getattr(self, f"{name}_bias")

    def forward(self, inputs: Tensor) -> Tensor:
        """Map graphs packed as `Molecules` does, (..., atoms, features + edges * atoms + 1), to (..., outputs)."""
        atoms = inputs.shape[-2]
        nodes, packed, mask = inputs.split([self.features[0], self.edges * atoms, 1], dim=-1)
        # A bond has one feature, its kind, so that there are few different matrices: the neighbours of each kind are
        # summed first, (..., kinds, atoms, atoms) @ (..., 1, atoms, features), and share their kind's matrix.
        kinds = packed.unflatten(-1, (atoms, self.edges)).movedim(-1, -3)
        for layer, (before, after) in enumerate(itertools.pairwise(self.features)):
            hidden = (getattr(self, f"edge{layer}_weight") + getattr(self, f"edge{layer}_bias")).relu()
            matrices = self._apply_dense(f"message{layer}", hidden).reshape(self.edges * before, after)
            gathered = (kinds @ nodes[..., None, :, :]).movedim(-3, -2).flatten(-2)
            nodes = (gathered @ matrices + self._apply_dense(f"root{layer}", nodes)).relu() * mask
        pooled = nodes.sum(-2)
        return self._apply_dense("output", self._apply_dense("readout", pooled).relu())


@dataclass(frozen=True, kw_only=True)
class EdgeNetwork(Model, kind="edge_network"):
    """A network on molecules; see `EdgeNetworkModule` for the formula.

    Parameters
    ----------
    widths : tuple of int
        Node features after each convolution.
    edge_width : int
        Neurons of the networks that turn bonds into matrices.
    readout : int
        Neurons of the last hidden layer.
    """

    widths: tuple[int, ...] = (32, 16)
    edge_width: int = 32
    readout: int = 16

    def validate(self) -> None:
        self.refuse_widths("widths", "edge_width", "readout")
        if self.edge_width * max(self.widths) ** 2 > MOST_NUMBERS:
            self.refuse("widths", f"matrices of at most {MOST_NUMBERS:.0g} numbers for all kinds of bonds")

    def build(self, task: Task) -> EdgeNetworkModule:
        task = _molecules(task)
        return EdgeNetworkModule(
            features=(task.node_features, *self.widths),
            edges=task.edge_features,
            edge_width=self.edge_width,
            readout=self.readout,
            outputs=task.n_outputs,
        )

    def multiplications(self, task: Task) -> float:
        atoms, features = _molecules(task).inputs.shape[1], (Molecules.node_features, *self.widths)
        convolutions = sum(
            Molecules.edge_features * before * (atoms**2 + atoms * after) + atoms * before * after
            for before, after in itertools.pairwise(features)
        )
        return float(convolutions + (features[-1] + task.n_outputs) * self.readout)

    def activations(self, task: Task) -> int:
        atoms = _molecules(task).inputs.shape[1]
        return int(atoms * Molecules.edge_features * max(atoms, Molecules.node_features, *self.widths))


def _molecules(task: Task) -> Molecules:
    if not isinstance(task, Molecules):
        raise InvalidInput(f"EdgeNetwork reads molecules, which the inputs of {task!r} are not; take a Dense model")
    return task
