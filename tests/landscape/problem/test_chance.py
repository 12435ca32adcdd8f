"""A loss that is random, however seldom, or computed with few digits, is refused."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.generators import extremes
from grokscape.landscape.problem.operations import Watched
from tests.landscape.adopted import INPUTS, LABELS, PLAIN, Body, network, problem, trace


def layer_drop(chance, draw=lambda: torch.rand([])):
    """Leave the middle out with a probability."""
    return lambda self, x: self.body[2](self.body[0](x) if draw() < chance else self.body[1](self.body[0](x)))


def drop_path(keep):
    return lambda self, x: self.body(x) * x.new_empty(len(x), 1).bernoulli_(keep) / keep


RANDOM = {
    "layer drop": layer_drop(0.001),
    "drop path": drop_path(0.9999),
    "tiny dropout": lambda self, x: F.dropout(self.body(x), 0.0001),
    "uniform": lambda self, x: self.body(x) * (torch.empty(1).uniform_(2, 3) < 2.999).double(),
    "python": layer_drop(0.3, random.random),
    "numpy": layer_drop(0.3, lambda: np.random.rand()),  # noqa: NPY002
    "noise": lambda self, x: self.body(x) + 1e-12 * torch.randn(3),
}


@pytest.mark.parametrize("name", RANDOM)
def test_what_is_random_is_refused_however_seldom_it_shows(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        with pytest.raises(InvalidInput, match=r"drawn at random|evaluated again at the same weights"):
            problem(Body(RANDOM[name]), training_mode=True)


WITHOUT_EFFECT = {
    "layer drop": layer_drop(0.0),
    "never": layer_drop(2.0, random.random),
    "drop path": drop_path(1.0),
    "noise": lambda self, x: self.body(x) + 0 * torch.randn(3),
    "order": lambda self, x: self.body(x)[(order := torch.randperm(len(x)))][order.argsort()],
}


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_draws_without_effect_are_allowed(name):
    states = torch.get_rng_state(), random.getstate()
    held = problem(Body(WITHOUT_EFFECT[name]), training_mode=True)
    if name != "never":
        assert trace(held) == pytest.approx(PLAIN, rel=1e-9)
    torch.set_rng_state(states[0])
    random.setstate(states[1])


def test_modules_that_could_drop_and_do_not_are_not_said_to_draw():
    model = nn.Sequential(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), nn.Dropout(), nn.Linear(4, 3)).eval()
    with Watched() as watched:
        model(INPUTS.float()[:, None])
    assert not watched.drawn
    with Watched() as watched:
        model.train()(INPUTS.float()[:, None])
    assert watched.drawn


def cast(self, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return self.body(x).float()


@pytest.mark.parametrize("run", [cast, lambda self, x: self.body(x.half().float())], ids=["autocast", "half"])
def test_few_digits_on_the_way_are_refused(run):
    with pytest.raises(InvalidInput, match=r"computes in torch.(bfloat16|float16) internally"):
        Problem(Body(run, network().float()), F.cross_entropy, (INPUTS, LABELS))


RANDOM_OF_ALL = np.random.default_rng(3)

OWN = {
    "generator": lambda: np.random.default_rng(0),
    "random state": lambda: np.random.RandomState(0),
    "python": lambda: random.Random(0),
    "method": lambda: np.random.default_rng(0).random,
}


def draw(generator):
    return generator.random() if hasattr(generator, "random") else generator()


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("chance", [0.002, 0.998, 0.0])
def test_a_generator_that_the_model_holds_is_drawn_from(own, chance):
    model = Body(lambda self, x: self.body(x) * (2.0 if draw(self.generator) < chance else 1.0))
    model.generator = OWN[own]()
    if chance:
        with pytest.raises(InvalidInput, match=r"drawn at random, from .*|evaluated again at the same weights"):
            problem(model)
    else:
        assert trace(problem(model)) == pytest.approx(PLAIN, rel=1e-9)


def test_a_generator_is_named():
    model = Body(lambda self, x: self.body(x) * (2.0 if self.noise.random() < 0.01 else 1.0))
    model.noise = np.random.default_rng(0)
    with pytest.raises(InvalidInput, match="drawn at random, from 'noise'"):
        problem(model)


def test_a_choice_among_whole_numbers_shows_too():
    model = Body(lambda self, x: self.body(x) * (2.0 if self.noise.integers(500) == 0 else 1.0))
    model.noise = np.random.default_rng(0)
    with pytest.raises(InvalidInput, match="drawn at random, from 'noise'"):
        problem(model)


def test_a_generator_that_code_refers_to_is_drawn_from_and_put_back_by_the_search():
    with pytest.raises(InvalidInput, match="from a Generator that the model or the loss refers to"):
        problem(Body(lambda self, x: self.body(x) * (2.0 if RANDOM_OF_ALL.random() < 0.002 else 1.0)))
    closed = np.random.default_rng(4)
    with pytest.raises(InvalidInput, match="from a Generator that the model or the loss refers to"):
        problem(None, lambda z, y: F.cross_entropy(z * (2.0 if closed.random() < 0.002 else 1.0), y))


@pytest.mark.parametrize("own", ["generator", "random state", "python"])
def test_extremes_of_a_generator(own):
    generator = OWN[own]()
    found = [generator.random() for _ in extremes(generator)]
    assert found[0] < 2e-3
    assert found[1] > 1 - 2e-3
