"""What a module keeps of a call may not reach another."""

from __future__ import annotations

import logging
import random
import types
from collections import deque

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.paths.straight import interpolate
from grokscape.landscape.problem.attributes import Attributes
from tests.landscape.adopted import INPUTS, LABELS, PLAIN, Body, network, problem, trace


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


def late(model):
    """Return a module that doubles its outputs from the 21st call on, counted in some place."""
    model.function = lambda self, x: self.body(x) * (2.0 if count(self) > 20 else 1.0)
    return model


def count(self) -> float:
    if isinstance(self.place, list):
        self.place[0] += 1
        return self.place[0]
    if isinstance(self.place, deque):
        self.place.append(1)
        return len(self.place)
    if isinstance(self.place, dict):
        self.place["calls"].append(1)
        return len(self.place["calls"])
    if isinstance(self.place, types.SimpleNamespace):
        self.place.n += 1
        return self.place.n
    if isinstance(self.place, (np.ndarray, torch.Tensor)):
        self.place += 1
        return float(self.place.sum())
    self.place = self.place + 1
    return self.place


PLACES = {
    "number": lambda: 0,
    "list": lambda: [0],
    "deque": deque,
    "dict of lists": lambda: {"calls": []},
    "object": lambda: types.SimpleNamespace(n=0),
    "array": lambda: np.zeros(1),
    "tensor": lambda: torch.zeros(()),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_evaluation_is_that_of_the_module_as_it_was_given(place):
    model = body(None)
    model.place = PLACES[place]()
    held = problem(late(model))
    plain = float(problem().evaluate(held.start[None])["loss"][0])
    found = [float(held.evaluate(held.start[None])["loss"][0]) for _ in range(40)]
    np.testing.assert_allclose(found, plain, rtol=1e-12)
    assert trace(held) == pytest.approx(PLAIN, rel=1e-9)


def test_what_grows_with_every_call_does_not_grow():
    model = body(counted)
    held = problem(model)
    for _ in range(3):
        held.evaluate(held.start[None])
    assert len(held.template.store["inputs"]) == 1
    assert model.store == {}
    assert not hasattr(model, "calls")


def test_a_module_without_changes_is_not_put_back():
    model = body(lambda self, x: self.body(x))
    model.store["mask"] = torch.ones(3)
    assert not problem(model).puts_back


def test_a_copy_that_is_made_for_a_path_begins_with_what_was_given():
    def model(k):
        made = body(None)
        made.place = 0
        made.register_buffer("k", torch.tensor(k, dtype=torch.float64))
        made.function = lambda self, x: self.k * self.body(x) * (2.0 if count(self) > 20 else 1.0)
        return made

    one, other = model(1.0), model(2.0)
    found = interpolate(problem(one), one, other, points=25, refine=0)
    truth = [float(F.cross_entropy(k * one.body(INPUTS).detach(), LABELS)) for k in (1.0, 2.0)]
    np.testing.assert_allclose(found.train_loss[[0, -1]], truth, rtol=1e-9)


def test_attributes_are_put_back_with_what_they_held():
    model = body(None)
    model.store = {"a": [1, {2}], "b": (np.zeros(2), torch.zeros(2))}
    kept = Attributes(model)
    model.store["a"][1].add(3)
    model.store["b"][0][0], model.store["b"][1][0], model.new = 1, 1, True
    assert set(kept.changed()) == {"store", "new"}
    kept.restore()
    assert model.store["a"] == [1, {2}]
    assert not model.store["b"][0].any()
    assert not model.store["b"][1].any()
    assert not hasattr(model, "new")
    assert kept.changed() == []


def test_what_belongs_to_the_whole_program_is_left_alone():
    model = body(None)
    model.log, model.draw = logging.getLogger("a test's own"), random.Random(0)
    kept, model.log.level = Attributes(model), logging.ERROR
    first = model.draw.random()
    kept.restore()
    assert model.log.level == logging.ERROR
    assert model.draw.random() != first
    model.log.setLevel(logging.NOTSET)
