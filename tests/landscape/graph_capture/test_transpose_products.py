"""A captured plan gives what the function gives, on many kinds of network, or is not used."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx

from grokscape.landscape.graph_capture import captured, different_inputs, transpose_products
from grokscape.landscape.problem import Problem


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.norm = nn.Embedding(7, 8), nn.LayerNorm(8)
        self.attention, self.head = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 7)

    def forward(self, tokens):
        x = self.embed(tokens)
        return self.head(self.norm(x + self.attention(x, x, x, need_weights=False)[0])[:, -1])


def recorded(function, rows):
    return captured(function, rows, simplify=transpose_products, check_on=different_inputs(rows))


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


def signs(rows):
    """Weights of one size, with signs that leave the graph as NumPy arrays and come back as constants."""
    return (rows.abs().sqrt() * torch.from_numpy(np.sign(rows.detach().numpy())),)


def choice(rows):
    return (rows * (2 if rows.tolist()[0][0] > 0 else 3),)


def noise(rows):
    return (rows + 0.1 * torch.randn_like(rows),)


def numpy_noise(rows):
    return (rows + 0.1 * torch.from_numpy(np.random.default_rng().standard_normal(rows.shape)),)


@pytest.mark.parametrize("function", [signs, choice, noise, numpy_noise])
def test_a_function_with_what_no_plan_can_hold_is_left_alone(function):
    rows = torch.randn(2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.random.fork_rng():
        assert recorded(function, rows) is function


def test_buffers_written_in_evaluation_are_written_anew_by_a_plan():
    class Written(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(5, 3)
            self.register_buffer("mean", torch.zeros(3))

        def forward(self, x):
            z = self.layer(x)
            self.mean.mul_(0.5).add_(0.5)
            return z - self.mean

    inputs = torch.randn(20, 5, generator=torch.Generator().manual_seed(0))
    problem = Problem(Written(), nn.MSELoss(), (inputs, inputs[:, :3]))
    plan = recorded(problem.gradients, several(problem))
    rows = 2 * several(problem)
    for _ in range(2):
        for ours, theirs in zip(plan(rows), problem.gradients(rows), strict=True):
            torch.testing.assert_close(ours, theirs)


def test_numbers_that_are_undefined_at_other_signs_do_not_forbid_a_plan():
    def root(rows):
        return (rows.sqrt(),)

    rows = torch.rand(2, 3, generator=torch.Generator().manual_seed(0))
    plan = recorded(root, rows)
    assert plan is not root
    torch.testing.assert_close(plan(rows + 1), root(rows + 1))


@pytest.mark.parametrize(("rows", "columns", "copies"), [(30, 3, 0), (8, 8, 0), (3, 30, 1)])
def test_a_product_is_turned_only_where_that_is_no_slower(rows, columns, copies):
    """Copying a square transposed product costs a third of computing it; long flat products are quicker as they are."""
    draw = torch.Generator().manual_seed(0)
    first, second = torch.randn(4, rows, 5, generator=draw), torch.randn(4, 5, columns, generator=draw)

    def turned(scale):
        return ((scale * first @ second).mT.contiguous(),)

    plan = make_fx(turned)(torch.tensor(2.0))
    transpose_products(plan)
    assert len(plan.graph.find_nodes(op="call_function", target=torch.ops.aten.clone.default)) == copies
    assert torch.allclose(plan(torch.tensor(3.0))[0], turned(torch.tensor(3.0))[0], rtol=1e-5, atol=1e-5)
