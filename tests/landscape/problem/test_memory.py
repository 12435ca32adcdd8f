"""What a module keeps of a call may not reach another."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from landscape.errors import InvalidInput
from tests.landscape.adopted import PLAIN, Body, network, problem, trace


class Recurrent(nn.Module):
    """A recurrent layer that goes on from where the last call ended."""

    def __init__(self):
        super().__init__()
        self.layer, self.state = nn.RNN(4, 3, batch_first=True).double(), None

    def forward(self, x):
        outputs, state = self.layer(x[:, None], self.state)
        self.state = state.detach()
        return outputs[:, -1]


def cached(self, x):
    if not hasattr(self, "scaled"):
        self.scaled = 2 * self.body[0].weight.detach()
    return self.body(x) + (x @ self.scaled.T)[:, :3]


def cached_by_name(self, x):
    if "weight" not in self.store:
        self.store["weight"] = 2 * self.body[0].weight.detach()
    return self.body(x) + (x @ self.store["weight"].T)[:, :3]


def in_place(self, x):
    with torch.no_grad():
        self.body[0].weight.mul_(0.5)
    return self.body(x)


def replaced(self, x):
    self.body[0].weight = nn.Parameter(self.body[0].weight.detach())
    return self.body(x)


def body(function) -> nn.Module:
    model = Body(function)
    model.store = {}
    return model


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Recurrent, "evaluated again at the same weights"),
        (lambda: body(cached), r"after a call at other weights, which the model keeps something of \(scaled\)"),
        (lambda: body(cached_by_name), r"which the model keeps something of \(store\)"),
        (lambda: body(in_place), "evaluated again at the same weights|the gradient of the loss fails"),
        (lambda: body(replaced), "the gradient is not that of the loss"),
    ],
    ids=["state", "cache", "cache by name", "in place", "replaced"],
)
def test_a_module_that_remembers_is_refused(make, words):
    with pytest.raises(InvalidInput, match=words):
        problem(make())


def counted(self, x):
    self.calls = getattr(self, "calls", 0) + 1
    self.store.setdefault("inputs", []).append(x.shape)
    self.last = self.body(x)
    return self.last


def test_what_is_kept_without_effect_is_allowed():
    assert trace(problem(body(counted))) == pytest.approx(PLAIN, rel=1e-9)
    assert network().training
