"""Fresh networks are fresh in every parameter, or the one that is not is named."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.initialisation import fresh, fresh_networks
from grokscape.landscape.measures.norm_profile.profile import norm_profile
from grokscape.landscape.problem import Problem

GENERATOR = torch.Generator().manual_seed(0)
INPUTS, TARGETS = torch.randn(12, 4, generator=GENERATOR), torch.randn(12, 3, generator=GENERATOR)


def problem_of(model: nn.Module, **options: object) -> Problem:
    return Problem(model, F.mse_loss, (INPUTS, TARGETS), (INPUTS, TARGETS), **options)


def old_weight_norm(module: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.weight_norm(module, dim=1)


def old_spectral_norm(module: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.spectral_norm(module)


def drawn(seed: int, make) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def trained(model: nn.Module) -> nn.Module:
    """Return it with weights that no initialisation gives."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(40)
        model(INPUTS)  # before, the weight of a hook is part of a graph and cannot be copied
    return model


@pytest.mark.parametrize("norm", [old_weight_norm, lambda m: parametrizations.weight_norm(m, dim=1)])
def test_weight_normalisation_starts_from_the_fresh_weight(norm):
    def make() -> nn.Module:
        return nn.Sequential(norm(nn.Linear(4, 5)), nn.Tanh(), nn.Linear(5, 3))

    problem = problem_of(trained(drawn(0, make)))
    for seed in (3, 4):
        expected = drawn(seed, make)
        torch.testing.assert_close(fresh(problem, seed), problem.layout.row(dict(expected.named_parameters())).detach())


class Half(nn.Module):
    """A module that draws one of its two parameters."""

    def __init__(self):
        super().__init__()
        self.weight, self.gain = nn.Parameter(torch.randn(4, 3)), nn.Parameter(torch.ones(3))

    def reset_parameters(self):
        nn.init.normal_(self.weight)

    def forward(self, x):
        return x @ self.weight * self.gain


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (Half, "'gain'"),
        (lambda: old_spectral_norm(nn.Linear(4, 3)), "'weight_orig'"),
        (lambda: parametrizations.spectral_norm(nn.Linear(4, 3)), "'parametrizations.weight.original'"),
        (lambda: parametrizations.orthogonal(nn.Linear(4, 3)), "'parametrizations.weight.original'"),
    ],
)
def test_a_parameter_that_keeps_its_values_is_named(make, name):
    with pytest.raises(InvalidInput, match=f"{name} is not drawn by any reset_parameters"):
        fresh(problem_of(drawn(0, make)), 1)


def test_frozen_parameters_stay_and_buffers_start_anew():
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    model[0].requires_grad_(False)
    model.train()(3 * INPUTS + 2)
    own, params = fresh_networks(problem_of(model), [0, 1])
    assert torch.equal(own.carried()["0.weight"], model[0].weight)
    expected = copy.deepcopy(model).eval()
    expected[1].reset_running_stats()
    for name, tensor in own.layout.tensors(params[1]).items():
        expected.get_parameter(name).data.copy_(tensor)
    assert float(own.batch_loss(params[1], INPUTS, TARGETS)) == pytest.approx(
        float(F.mse_loss(expected(INPUTS), TARGETS).detach())
    )


def test_starts_that_are_the_same_or_carry_values_of_their_own_are_refused():
    def make(seed: int) -> nn.Module:
        model = drawn(seed, lambda: nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3)))
        model[0].requires_grad_(False)
        return model

    problem = problem_of(make(0))
    with pytest.raises(InvalidInput, match="seeds 0 and 2 are the same"):
        norm_profile(problem, [1.0], seeds=[0, 2], steps=1, initialise=lambda seed: make(0))
    with pytest.raises(InvalidInput, match=r"the network drawn for seed 0 has values of its own for '0.weight'"):
        norm_profile(problem, [1.0], seeds=[0, 2], steps=1, initialise=lambda seed: make(seed + 1))
