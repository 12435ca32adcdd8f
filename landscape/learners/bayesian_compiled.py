"""Mean-field Bayesian networks in compiled code, each computed by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.experiment import Session
from grokscape.landscape.fused.memory import BOUNDARY, Room, integers
from grokscape.landscape.layout import Layout
from grokscape.landscape.learners.bayesian_ensemble import BayesianEnsemble
from grokscape.landscape.training.arithmetic import COMPILED, difference, proven

if TYPE_CHECKING:
    from grokscape.landscape.learners.bayesian_network import BayesianNetwork

#: Examples of which a record computes so many at once.
BLOCK = 64


class CompiledPosteriors(BayesianEnsemble):
    """An ensemble in compiled code, one network after another: batch-invariant.

    A network is a row of both layers, the second turned; each begins on a boundary.
    """

    arithmetic = COMPILED

    def __init__(self, networks: Sequence[BayesianNetwork]) -> None:
        from grokscape.landscape.fused import bayesian_network

        self.kernel: Any = bayesian_network
        super().__init__(networks)
        self._lay()

    def _lay(self) -> None:
        """Lay layers in rows, of which they become views, and make room for what is computed of one network."""
        from grokscape.landscape.fused.blas import product_address

        upper, lower = self.layers[0], self.layers[1].mT
        self.layout = Layout({"upper": upper.shape[1:], "lower": lower.shape[1:]}, boundary=BOUNDARY)
        self.rows = self.layout.rows({"upper": u, "lower": v} for u, v in zip(upper, lower, strict=True))
        self.layers = self._layers(self.rows)
        self.slope, self.bits = torch.zeros_like(self.rows[0]), self.inputs[0].to(upper.dtype).contiguous()
        (ins, hidden, outputs), n, room = self.sizes, max(BLOCK, self.batch), Room()
        of_hidden, of_outputs = [n * (hidden + 1)] * 2, [n * outputs] * 2
        sizes = [(ins + 1) * 2 * hidden, 2 * outputs * (hidden + 1), n * (ins + 1), n * 2 * hidden, *of_hidden]
        places = integers([room.take(size) for size in (*sizes, *of_outputs, n * 2 * hidden)])
        start, work = self.layout.slices()["lower"].start, room.vector(upper.dtype)
        self.how = (product_address(upper.dtype), ins + 1, hidden, outputs, start, places, work)

    def _layers(self, rows: Tensor) -> list[Tensor]:
        tensors = self.layout.tensors(rows)
        return [tensors["upper"], tensors["lower"].mT]

    def keep(self, staying: list[int]) -> None:
        super().keep(staying)
        self._lay()

    def _rates(self, row: int) -> tuple[Any, Any]:
        """Return one network's learning rate and weight of the divergence, in the kind of numbers of its parameters."""
        lr, kl = (tensor[row].to(self.rows.dtype).flatten().numpy()[0] for tensor in (self.lr, self.kl / self.number))
        return lr, kl

    def gradient_of(self, row: int, chosen: Tensor, noise: Tensor) -> list[Tensor]:
        """Return the gradient of one network's loss on some examples, given their indices and noise, as of a layer."""
        values, slope, inputs = (tensor.numpy() for tensor in (self.rows[row], self.slope, self.bits))
        data = (inputs, self.labels[row].numpy(), chosen.numpy(), noise.numpy())
        self.kernel.gradient(values, slope, *data, self._rates(row)[1], self.how)
        return self._layers(self.slope)

    def advance(self) -> None:
        self.epoch += 1
        inputs, slope = self.bits.numpy(), self.slope.numpy()
        for row, (split, seed) in enumerate(zip(self.splits, self.seeds, strict=True)):
            order = split["train"].numpy()[randomness.permutation(self.number, seed, f"epoch/{self.epoch}")]
            noise = self.standard_normal(self.noise[row : row + 1], self.number)[0].numpy()
            lr, kl = self._rates(row)
            data = (inputs, self.labels[row].numpy(), order, noise)
            self.kernel.epoch(self.rows[row].numpy(), slope, *data, self.batch, lr, kl, self.how)

    def look(self, split: str) -> dict[str, np.ndarray]:
        found, inputs = np.zeros((len(self.seeds), 4)), self.bits.numpy()
        for row, of_run in enumerate(self.splits):
            order = of_run[split].numpy()
            noise = self.standard_normal(self.looking[row : row + 1], len(order))[0].numpy()
            data = (inputs, self.labels[row].numpy(), order, noise)
            self.kernel.look(self.rows[row].numpy(), *data, BLOCK, self.how, found[row])
            found[row] /= len(order)
        return dict(zip(("loss", "error", "sampled loss", "sampled error"), found.T, strict=True))

    def divergence(self) -> tuple[Tensor, Tensor]:
        parts = [self.kernel.divergence(row.numpy(), self.how) for row in self.rows]
        means, deviations = torch.tensor(parts, dtype=torch.float64).T / self.number
        return means, deviations


def chosen(networks: Sequence[BayesianNetwork], session: Session) -> BayesianEnsemble:
    """Return networks in compiled code where there is one, else in PyTorch; note why."""

    def complaint(seed: int) -> str:
        some = [dataclasses.replace(networks[0], seed=seed)]
        plain, compiled = BayesianEnsemble(some), CompiledPosteriors(some)
        few = plain.splits[0]["train"][: plain.batch]
        inputs, squares = plain.inputs[:, few]
        noise = plain.standard_normal(plain.noise, len(few))
        expected = plain.gradient(inputs[None], squares[None], plain.labels[:, few], noise)
        found = compiled.gradient_of(0, few, noise[0])
        flat, wanted = (torch.cat([slope.flatten() for slope in slopes]) for slopes in (found, expected))
        return difference("gradient", flat, wanted)

    first = networks[0]
    shape = f"{first.task.canonical} {first.n_train} {first.width} {first.batch}"
    made = proven(type(first).__name__, shape, complaint, lambda: CompiledPosteriors(networks), session)
    return made or BayesianEnsemble(networks, session.device)
