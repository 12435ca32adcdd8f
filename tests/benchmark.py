"""How much faster training and measuring are than what a user would otherwise run: ``python -m tests.benchmark``.

Every comparison takes turns in one process with the same threads, so that whatever else the machine does burdens both
alike; the ratio of medians is what counts. Nothing here is a test: a timed test fails for reasons that are not ours.
"""

from __future__ import annotations

import os

from landscape.training.worker import ENVIRONMENT

os.environ.update(ENVIRONMENT)

import argparse
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from landscape.models import Perceptron, Transformer, TransformerNetwork
from landscape.optimisers import AdamW
from landscape.tasks import BinaryOperation
from landscape.training.run import Run
from landscape.training.trainer import Ensemble
from tests import benchmark_instruments
from tests.landscape.helpers import MemorySession
from tests.references import ReferenceTransformer, torch_optimiser, training_data
from tests.timing import medians


@dataclass
class Loop:
    """What a user would write: one module, ``torch.optim``, full batch."""

    module: nn.Module
    run: Run
    device: str = "cpu"

    def __post_init__(self) -> None:
        self.inputs, self.labels = (tensor.to(self.device) for tensor in training_data(self.run))
        self.module.to(self.device)
        self.optimiser = torch_optimiser(self.run.optimiser, list(self.module.parameters()))

    def step(self) -> None:
        """Take one step."""
        self.optimiser.zero_grad()
        F.cross_entropy(self.module(self.inputs), self.labels).backward()
        self.optimiser.step()


def ensemble(runs: Sequence[Run], *, device: str = "cpu", compile: bool = False) -> Ensemble:
    """Return the ensemble that the trainer would step."""
    session = MemorySession()
    session.device, session.compile = device, compile
    return Ensemble(runs, session)


def transformer(rounds: int) -> None:
    """Compare a step of the paper-scale transformer with the implementation at all positions."""
    task = BinaryOperation(p=113)
    run = Run(task=task, model=Transformer(), n_train=3830, seed=0, steps=1, optimiser=AdamW(lr=1e-3))
    ours, theirs = (run.model.build(task) for _ in range(2))
    for network in (ours, theirs):
        network.initialise(seed=0)
    assert isinstance(theirs, TransformerNetwork)
    reference = ReferenceTransformer(theirs)
    inputs, labels = training_data(run)
    logits = [module(inputs) for module in (ours, reference)]
    gradients = [
        torch.cat([g.flatten() for g in torch.autograd.grad(F.cross_entropy(z, labels), list(m.parameters()))])
        for m, z in zip((ours, theirs), logits, strict=True)
    ]
    left, right = torch.randn(3830, 128), torch.randn(128, 512)
    plain, together = Loop(reference, run), ensemble([run])
    took = medians(
        {"all positions": plain.step, "last position": together.advance, "product": lambda: left @ right}, rounds=rounds
    )
    rate = 2 * 3830 * 128 * 512 / took["product"]
    # Forward and twice backward; W_O W_in, W_O W_U and W_out W_U are multiplied first, so three products are left.
    ours_work = 3 * 2 * 3830 * (128 * 512 + 128 * 113 + 512 * 113)
    theirs_work = 3 * 2 * 3 * 3830 * (4 * 128 * 128 + 2 * 128 * 512 + 128 * 113)
    print("Transformer, p = 113, 3830 examples, full-batch step with AdamW, one thread")
    print(f"  largest difference of logits    {(logits[0] - logits[1]).abs().max():.1e}")
    print(f"  relative difference of gradient {(gradients[0] - gradients[1]).norm() / gradients[1].norm():.1e}")
    for name in ("all positions", "last position"):
        print(f"  {name} {took[name] * 1e3:7.1f} ms")
    ratio = took["all positions"] / took["last position"]
    print(f"  ratio {ratio:.2f}; the matrix products of both alone would give {theirs_work / ours_work:.2f}")
    reached = ours_work / rate / took["last position"]
    print(f"  reaches {reached:.0%} of this machine's rate for its largest product, {rate / 1e9:.0f} GFLOP/s")


def perceptrons(p: int, width: int, fraction: float, rounds: int, *, compile: bool) -> None:
    """Compare an ensemble of 16 perceptrons with 16 loops."""
    task = BinaryOperation(p=p)
    optimiser = AdamW(lr=1e-2)
    runs = [
        Run(
            task=task,
            model=Perceptron(width=width),
            n_train=task.n_train(fraction),
            seed=s,
            steps=1,
            optimiser=optimiser,
        )
        for s in range(16)
    ]
    loops = []
    for run in runs:
        network = run.model.build(task)
        network.initialise(seed=run.seed)
        loops.append(Loop(network, run))

    def ordinary() -> None:
        for loop in loops:
            loop.step()

    steps: dict[str, Callable[[], object]] = {"loops": ordinary, "ensemble": ensemble(runs).advance}
    if compile:
        steps["compiled"] = ensemble(runs, compile=True).advance
    took = medians(steps, rounds=rounds)
    print(f"16 perceptrons, p = {p}, width {width}, {runs[0].n_train} examples, a step of all, one thread")
    for name, seconds in took.items():
        print(f"  {name:9} {seconds * 1e3:7.2f} ms    ratio {took['loops'] / seconds:.2f}")


def cuda(rounds: int) -> None:
    """Compare 256 small runs as one ensemble with the same one after another, on a CUDA device."""
    if not torch.cuda.is_available():
        print("CUDA: no device here, not measured")
        return
    task = BinaryOperation(p=23)
    runs = [Run(task=task, model=Perceptron(width=64), n_train=264, seed=s, steps=1) for s in range(256)]
    loops = []
    for run in runs:
        network = run.model.build(task)
        network.initialise(seed=run.seed)
        loops.append(Loop(network, run, "cuda"))

    def ordinary() -> None:
        for loop in loops:
            loop.step()

    together = {
        "ensemble": ensemble(runs, device="cuda").advance,
        "compiled": ensemble(runs, device="cuda", compile=True).advance,
    }
    took = medians({"loops": ordinary, **together}, rounds=rounds, device="cuda")
    print(f"256 perceptrons, p = 23, width 64, 264 examples, a step of all, {torch.cuda.get_device_name()}")
    for name, seconds in took.items():
        print(f"  {name:9} {seconds * 1e3:8.2f} ms    ratio {took['loops'] / seconds:.1f}")


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30, help="turns of each comparison (%(default)s)")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile")
    parser.add_argument("--instruments", action="store_true", help="the instruments alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", module="torch")
    benchmark_instruments.everything()
    if options.instruments:
        return
    transformer(options.rounds)
    for p, width, fraction in ((23, 64, 0.5), (37, 128, 0.1), (37, 128, 0.5)):
        perceptrons(p, width, fraction, 3 * options.rounds, compile=not options.no_compile)
    cuda(options.rounds)


if __name__ == "__main__":
    main()
