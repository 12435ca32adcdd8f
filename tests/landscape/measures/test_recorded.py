"""A recorded plan gives what the function gives, on many kinds of network, or is not used."""

import pytest
import torch
from torch import nn

from landscape.measures.recorded import recorded
from landscape.problem import Problem


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.norm = nn.Embedding(7, 8), nn.LayerNorm(8)
        self.attention, self.head = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 7)

    def forward(self, tokens):
        x = self.embed(tokens)
        return self.head(self.norm(x + self.attention(x, x, x, need_weights=False)[0])[:, -1])


def mlp(dtype=torch.float32):
    model = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 9), nn.ReLU(), nn.Linear(9, 3)).to(dtype)
    inputs = torch.randn(20, 5, generator=torch.Generator().manual_seed(0))
    return Problem(model, nn.MSELoss(), (inputs, inputs[:, :3]))


def convolution():
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 4))
    inputs = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return Problem(model, nn.CrossEntropyLoss(), (inputs, torch.arange(6) % 4))


def attention():
    tokens = torch.randint(7, (12, 3), generator=torch.Generator().manual_seed(0))
    return Problem(Attention(), nn.CrossEntropyLoss(), (tokens, tokens.sum(1) % 7))


def several(problem, networks=3):
    noise = torch.randn(networks, problem.size, generator=torch.Generator().manual_seed(1), dtype=problem.dtype)
    return problem.start + 0.1 * noise


@pytest.mark.parametrize("networks", [1, 3])
@pytest.mark.parametrize("make", [mlp, lambda: mlp(torch.float64), convolution, attention])
def test_a_plan_gives_losses_and_gradients_of_any_rows(make, networks):
    problem = make()
    assert problem.vectorised
    plan = recorded(problem.gradients, several(problem, networks))
    assert plan != problem.gradients
    rows = 2 * several(problem, networks)
    tolerance = 1e-11 if problem.dtype == torch.float64 else 1e-5
    for ours, theirs in zip(plan(rows), problem.gradients(rows), strict=True):
        assert torch.allclose(ours, theirs, rtol=tolerance, atol=tolerance * float(theirs.abs().max()))
        assert not ours.requires_grad


def test_a_function_that_branches_on_numbers_is_left_alone():
    def branching(rows):
        return (rows * 2,) if rows.sum() > 0 else (rows * 3,)

    assert recorded(branching, torch.ones(2, 3)) is branching


def test_a_plan_that_would_freeze_a_number_is_not_used():
    calls = []

    def counting(rows):
        calls.append(0)
        return (rows * len(calls),)

    assert recorded(counting, torch.ones(2, 3)) is counting


def test_a_weights_gradient_is_computed_in_its_own_order():
    """Without a copy of the transposed product, which for a hidden layer costs a third of computing it."""
    problem = mlp()
    plan = recorded(problem.gradients, several(problem))
    graph = next(
        cell.cell_contents for cell in plan.__closure__ if isinstance(cell.cell_contents, torch.fx.GraphModule)
    )
    copies = graph.graph.find_nodes(op="call_function", target=torch.ops.aten.clone.default)
    assert not any(node.args[0].target is torch.ops.aten.transpose.int for node in copies)
