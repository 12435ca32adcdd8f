"""Small networks on which progress measures are tested."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.measures.progress import Context, Neurons, Space, Spectrum
from grokscape.landscape.problem import Problem

GROUP = 7


class Adder(nn.Module):
    """Embeds two tokens with one table, adds, one ReLU layer; tied, frozen and empty parameters among its own."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.embed = nn.Embedding(GROUP + 1, 6)
        self.same = self.embed
        self.into = nn.Linear(6, width)
        self.out = nn.Linear(width, GROUP, bias=False)
        self.frozen = nn.Parameter(torch.ones(()), requires_grad=False)
        self.empty = nn.Parameter(torch.ones(0))

    def forward(self, tokens: Tensor) -> Tensor:
        added = self.embed(tokens[..., 0]) + self.same(tokens[..., 1])
        return self.out(F.relu(self.into(added)) * self.frozen)


def adder(dtype: torch.dtype = torch.float64, batch_size: int | None = None) -> tuple[Adder, Problem, Context]:
    """Return a module, its problem of addition modulo 7, and a context in which nothing is missing but a start."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = Adder().to(dtype)
    tokens = torch.cartesian_prod(torch.arange(GROUP), torch.arange(GROUP))
    labels = tokens.sum(1) % GROUP
    training = torch.rand(len(labels), generator=torch.Generator().manual_seed(0)) < 0.6
    split = [(tokens[chosen], labels[chosen]) for chosen in (training, ~training)]
    problem = Problem(module, nn.CrossEntropyLoss(), *split, batch_size=batch_size)
    context = Context(
        last_layer="out.*",
        spectrum=Spectrum("embed.weight", axis=0, size=GROUP),
        space=Space(inputs=tokens, elements=labels, training=training),
        neurons=Neurons(incoming=("into.weight", 0), outgoing=("out.weight", 1)),
    )
    return module, problem, context


def steps_of(problem: Problem, count: int = 3, rate: float = 0.5) -> dict[int, Tensor]:
    """Return the weights after so many steps of gradient descent, ten at a time."""
    params = problem.start[None].clone()
    found = {0: params[0].clone()}
    for step in range(1, 10 * count + 1):
        params = params - rate * problem.gradients(params)[1]
        if step % 10 == 0:
            found[step] = params[0].clone()
    return found
