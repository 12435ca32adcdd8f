"""What is timed in PyTorch: the trainer, its general path, a plain loop, and matrix products alone."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.models import TransformerNetwork
from grokscape.landscape.training.arithmetic import SWITCH
from grokscape.landscape.training.network_ensemble import NetworkEnsemble
from grokscape.landscape.training.run import Run
from tests.benchmark.comparisons import Product, numbers
from tests.benchmark.numbers import Parameters
from tests.landscape.helpers import MemorySession
from tests.references import ReferenceTransformer, torch_optimiser


def _wait(device: str) -> None:
    """Wait until a device has done what it was asked."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


class Trainer:
    """The trainer's ensemble.

    Parameters
    ----------
    runs : sequence of Run
    device : str
    compile : bool
        With ``torch.compile``.
    """

    def __init__(self, runs: Sequence[Run], device: str = "cpu", compile: bool = False) -> None:
        self.device = device
        self.ensemble = NetworkEnsemble(runs, MemorySession(device=device, compile=compile))

    def advance(self, steps: int) -> None:
        """Take some steps, and wait until they are taken."""
        self.ensemble.advance(steps)
        _wait(self.device)

    def weights(self) -> Parameters:
        """Return the parameters of all runs."""
        found = [self.ensemble.weights(row) for row in range(len(self.ensemble.logs))]
        return {name: np.stack([weights[name] for weights in found]) for name in found[0]}


def general(runs: Sequence[Run]) -> Trainer:
    """Return the trainer without compiled code: the path that anyone's module takes."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "0"  # which an ensemble looks at when it is made
    try:
        return Trainer(runs)
    finally:
        os.environ.pop(SWITCH) if before is None else os.environ.update({SWITCH: before})


class Records(Trainer):
    """The trainer's ensemble, of which records are taken instead of steps."""

    def advance(self, steps: int) -> None:
        for _ in range(steps):
            self.ensemble.measure()
        _wait(self.device)


class Loop:
    """What a user would write: a module for each run, ``torch.optim``, the full batch, one run after another.

    Parameters
    ----------
    runs : sequence of Run
    device : str
    """

    def __init__(self, runs: Sequence[Run], device: str = "cpu") -> None:
        self.device = device
        data = numbers(runs)
        self.loss = F.cross_entropy if data.loss == "cross_entropy" else F.mse_loss
        labels = torch.from_numpy(data.labels).to(device)
        # Classes are given as such, as everyone does.
        self.labels = labels.argmax(-1) if data.loss == "cross_entropy" else labels
        self.inputs = torch.from_numpy(data.inputs).to(device)
        self.modules: list[nn.Module] = []
        for row, run in enumerate(runs):
            network = run.model.build(run.task).to(labels.dtype)
            network.load_state_dict({name: torch.from_numpy(value[row]) for name, value in data.parameters.items()})
            module = ReferenceTransformer(network) if isinstance(network, TransformerNetwork) else network
            self.modules.append(module.to(device))
        self.optimisers = [
            torch_optimiser(run.optimiser, list(module.parameters()))
            for run, module in zip(runs, self.modules, strict=True)
        ]

    def advance(self, steps: int) -> None:
        """Take some steps, and wait until they are taken."""
        everything = zip(self.modules, self.optimisers, self.inputs, self.labels, strict=True)
        for module, optimiser, inputs, labels in everything:
            for _ in range(steps):
                optimiser.zero_grad()
                self.loss(module(inputs), labels).backward()
                optimiser.step()
        _wait(self.device)

    def weights(self) -> Parameters:
        """Return the parameters of all runs."""
        found = [{name: p.detach().cpu().numpy() for name, p in m.named_parameters()} for m in self.modules]
        return {name: np.stack([weights[name] for weights in found]) for name in found[0]}


class Products:
    """The matrix products of a step and nothing else, every matrix on a 64-byte boundary: what no trainer undercuts.

    Parameters
    ----------
    runs : int
    layers : sequence of (int, int, int, bool)
    """

    def __init__(self, runs: int, layers: Sequence[Product]) -> None:
        self.calls: list[tuple[Tensor, Tensor, Tensor]] = []  # left, right, result
        for examples, before, after, passed_on in layers:
            inputs, gradient = aligned(runs, examples, before), aligned(runs, examples, after)
            weights = aligned(runs, before, after)
            self.calls.append((inputs, weights, aligned(runs, examples, after)))
            self.calls.append((inputs.mT, gradient, aligned(runs, before, after)))
            if passed_on:
                self.calls.append((gradient, weights.mT, aligned(runs, examples, before)))

    def advance(self, steps: int) -> None:
        """Take the products of some steps."""
        for _ in range(steps):
            for left, right, result in self.calls:
                torch.bmm(left, right, out=result)

    def weights(self) -> Parameters:
        """Return nothing, for nothing is trained."""
        return {}


def aligned(runs: int, rows: int, columns: int) -> Tensor:
    """Return random matrices, each on a 64-byte boundary."""
    size = rows * columns
    whole = torch.randn(runs, 16 * math.ceil(size / 16))
    return whole[:, :size].unflatten(1, (rows, columns))
