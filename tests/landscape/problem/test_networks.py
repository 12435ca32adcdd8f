"""Networks as modules, by name and as vectors: each with its own buffers, frozen parts and ties, or refused by name."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.paths.bent import low_loss_path
from grokscape.landscape.measures.paths.slices import line_slice, plane_slice
from grokscape.landscape.measures.paths.straight import interpolate
from grokscape.landscape.measures.progress import Context, progress
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import as_vector, network_of

GENERATOR = torch.Generator().manual_seed(0)
INPUTS = torch.randn(40, 4, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.randint(3, (40,), generator=GENERATOR)


def normed(seed: int) -> nn.Sequential:
    """Return a network with batch normalisation whose running statistics have seen data of its own."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3)).double()
        for _ in range(5):
            model(torch.randn(64, 4).double() * (seed + 1) + seed)
    return model.eval()


def frozen(seed: int) -> nn.Sequential:
    """Return a network whose first layer is frozen, and its own."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    model[0].requires_grad_(False)
    return model


class Scaled(nn.Module):
    """A network with a buffer of its own, and one that is no part of its state dict."""

    def __init__(self, seed: int):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.layer = nn.Linear(4, 3).double()
        with torch.no_grad():
            self.layer.weight.copy_(torch.randn(3, 4, generator=generator))
        self.register_buffer("scale", torch.rand(3, generator=generator).double() + 0.5)
        self.register_buffer("shift", torch.randn(3, generator=generator).double(), persistent=False)

    def forward(self, x):
        return self.layer(x) * self.scale + self.shift


class Autoencoder(nn.Module):
    """Two layers that share a weight, or do not."""

    def __init__(self, seed: int, *, tied: bool, swapped: bool = False):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.first, self.second = nn.Linear(4, 4).double(), nn.Linear(4, 4).double()
        if tied:
            self.second.weight = self.first.weight
        if swapped:  # the other name comes first
            self._modules = dict(reversed(self._modules.items()))

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


@torch.no_grad()
def loss_of(model: nn.Module, targets: torch.Tensor = LABELS) -> float:
    return float(F.cross_entropy(copy.deepcopy(model).eval()(INPUTS), targets))


def problem_of(model: nn.Module, **options: object) -> Problem:
    return Problem(model, F.cross_entropy, (INPUTS, LABELS), **options)


PAIRS = {"batch norm": (normed(1), normed(2)), "frozen": (frozen(1), frozen(2)), "buffers": (Scaled(1), Scaled(2))}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("batch_size", [None, 13])
def test_a_path_ends_at_the_losses_of_the_networks_themselves(pair, batch_size):
    a, b = PAIRS[pair]
    for template in (a, b):
        found = interpolate(problem_of(template, batch_size=batch_size), a, b, points=5, refine=0)
        np.testing.assert_allclose(found.train_loss[[0, -1]], [loss_of(a), loss_of(b)], rtol=1e-12)
    bent = low_loss_path(problem_of(a, batch_size=batch_size), a, b, steps=2, points=5, refine=0)
    np.testing.assert_allclose(bent.train_loss[[0, -1]], [loss_of(a), loss_of(b)], rtol=1e-12)
    assert bent.pivots.shape == (3, problem_of(a).size)
    assert bent.carried == found.carried != ()


def test_between_the_ends_buffers_are_interpolated_as_the_weights_are():
    a, b = PAIRS["batch norm"]
    found = interpolate(problem_of(a), a.state_dict(), b.state_dict(), points=5, refine=0)
    middle = copy.deepcopy(a)
    for t, loss in zip(found.t, found.train_loss, strict=True):
        for name, tensor in middle.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.lerp(a.state_dict()[name], b.state_dict()[name], float(t)))
        assert loss == pytest.approx(loss_of(middle), rel=1e-12)


@pytest.mark.parametrize("pair", PAIRS)
def test_the_bound_of_a_barrier_knows_how_buffers_change_the_loss(pair):
    a, b = PAIRS[pair]
    coarse = interpolate(problem_of(a), a, b, points=5, tolerance=1e-4)
    fine = interpolate(problem_of(a), a, b, points=2001, refine=0)
    assert coarse.converged
    assert coarse.barrier - 1e-12 <= fine.barrier <= coarse.barrier_bound + 1e-12
    assert coarse.distance == pytest.approx(float((as_vector(problem_of(a), b) - problem_of(a).start).norm()))


def test_batch_statistics_take_the_place_of_running_ones_in_training_mode():
    a, b = PAIRS["batch norm"]
    found = interpolate(problem_of(a, training_mode=True), a, b, points=5, refine=0)
    with torch.no_grad():
        expected = [float(F.cross_entropy(copy.deepcopy(model).train()(INPUTS), LABELS)) for model in (a, b)]
    np.testing.assert_allclose(found.train_loss[[0, -1]], expected, rtol=1e-12)
    assert found.carried == ()


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("form", ["module", "state dict"])
def test_slices_and_checkpoints_are_those_of_the_networks_themselves(pair, form):
    a, b = PAIRS[pair]
    if form == "state dict" and pair == "buffers":
        b = copy.deepcopy(b)
        b.shift.copy_(a.shift)  # which a state dict does not hold
    given = b if form == "module" else b.state_dict()
    problem = problem_of(a)
    assert line_slice(problem, 0, around=given, points=3).train_loss[1] == pytest.approx(loss_of(b))
    assert plane_slice(problem, around=given, points=3).train_loss[1, 1] == pytest.approx(loss_of(b))
    found = progress(problem, {5: given, 0: a}, measures=["performance", "kernel_change"])
    np.testing.assert_allclose(found.values["train_loss"], [loss_of(a), loss_of(b)])
    kernel = progress(problem_of(b), {5: b}, measures=["kernel_change"], context=Context(start=a))
    np.testing.assert_allclose(kernel.values["kernel_distance"], found.values["kernel_distance"][1:])


def test_networks_in_training_are_left_as_they_are_and_not_followed():
    a, b = (copy.deepcopy(model).train() for model in PAIRS["batch norm"])
    before = copy.deepcopy(b.state_dict())
    own, row = network_of(problem_of(a), b)
    with torch.no_grad():
        for tensor in b.state_dict().values():
            tensor.add_(1)
    assert b.training
    assert float(own.batch_loss(row, INPUTS, LABELS)) == pytest.approx(loss_of(PAIRS["batch norm"][1]))
    assert all(torch.equal(before[name] + 1, tensor) for name, tensor in b.state_dict().items())


def test_a_tied_and_an_untied_network_lie_on_one_path_of_the_untied_problem():
    tied, free = Autoencoder(1, tied=True), Autoencoder(2, tied=False)
    found = interpolate(problem_of(free), tied, free, points=5, refine=0)
    np.testing.assert_allclose(found.train_loss[[0, -1]], [loss_of(tied), loss_of(free)], rtol=1e-12)
    with pytest.raises(InvalidInput, match=r"b has different values for 'first.weight' and 'second.weight', which are"):
        interpolate(problem_of(tied), tied, free)


@pytest.mark.parametrize("form", [lambda m: m, lambda m: m.state_dict(), lambda m: dict(m.named_parameters())])
def test_a_tie_under_another_name_is_the_same_tie(form):
    one, other = Autoencoder(1, tied=True), Autoencoder(2, tied=True, swapped=True)
    assert next(iter(dict(other.named_parameters()))) == "second.weight"
    with torch.no_grad():
        expected = float(F.cross_entropy(other.second(torch.tanh(other.first(INPUTS))), LABELS))
    own, row = network_of(problem_of(one), form(other))
    assert float(own.batch_loss(row, INPUTS, LABELS)) == pytest.approx(expected)


def test_a_module_that_differs_in_more_than_its_tensors_is_refused():
    a, b = PAIRS["batch norm"]
    other = copy.deepcopy(b)
    other[2] = nn.ReLU()
    with pytest.raises(InvalidInput, match=r"around has loss .* differ in more than parameters and buffers"):
        line_slice(problem_of(a), 0, around=other)


def test_integer_buffers_that_decide_the_loss_have_no_path_between():
    class Power(nn.Module):
        def __init__(self, power):
            super().__init__()
            self.layer = nn.Linear(4, 3).double()
            self.register_buffer("power", torch.tensor(power))

        def forward(self, x):
            return self.layer(x) ** self.power

    a, b = Power(1), Power(2)
    assert line_slice(problem_of(a), 0, around=b, points=3).train_loss[1] == pytest.approx(loss_of(b))
    with pytest.raises(InvalidInput, match=r"b has loss .* at its end of the path"):
        interpolate(problem_of(a), a, b)


A, STATE = PAIRS["batch norm"][0], PAIRS["batch norm"][1].state_dict()


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (STATE | {"extra": torch.ones(1)}, "b holds 'extra', which the problem's model does not have"),
        (
            {k: v for k, v in STATE.items() if k != "3.bias"},
            r"b has nothing for parameter '3.bias', expected shape \(3,\)",
        ),
        ({k: v for k, v in STATE.items() if "var" not in k}, "b has nothing for parameter '1.running_var'"),
        ({f"body.{k}": v for k, v in STATE.items()}, "unknown names, such as 'body.0.bias'"),
        (STATE | {"3.bias": torch.ones(4)}, r"b has \(4,\) for parameter '3.bias'"),
        (STATE | {"3.bias": "zero"}, r"b\['3.bias'\] is 'zero'"),
        (STATE | {"3.bias": torch.ones(3, dtype=torch.cfloat)}, "holds torch.complex64, expected real numbers"),
        (STATE | {"3.bias": torch.full((3,), torch.nan)}, "b holds NaN"),
        ("weights.pt", "b is 'weights.pt', expected a row"),
        (torch.ones(4), r"b has shape \(4,\), expected one row of P = 53 numbers"),
    ],
)
def test_what_is_no_network_of_the_problem_is_refused_by_name(network, message):
    with pytest.raises(InvalidInput, match=message):
        interpolate(problem_of(A), A, network)


def test_rows_do_not_share_memory_with_what_was_given():
    problem = problem_of(A)
    given = problem.start.clone()
    as_vector(problem, given).zero_()
    as_vector(problem, given.numpy()).zero_()
    assert torch.equal(given, problem.start)


def test_norms_and_smoothness_do_not_speak_of_buffers():
    a, b = PAIRS["batch norm"]
    with pytest.raises(
        InvalidInput, match=r"smoothness is 1.0, which bounds nothing where a and b also differ in 1.run"
    ):
        interpolate(problem_of(a), a, b, smoothness=1.0)
    with pytest.raises(InvalidInput, match=r"fixed_norm is 1.0, but a and b also differ in 1.running_mean"):
        low_loss_path(problem_of(a), a, b, fixed_norm=1.0)


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "module._orig_mod."])
def test_state_dicts_of_wrapped_modules_are_taken(prefix):
    a, b = normed(0), normed(1)
    path = interpolate(problem_of(a), a, {prefix + name: tensor for name, tensor in b.state_dict().items()})
    assert path.train_loss[-1] == pytest.approx(loss_of(b))


def test_a_name_that_is_missing_because_of_a_tie_is_told_so():
    tied, untied = Autoencoder(0, tied=True), Autoencoder(1, tied=False)
    with pytest.raises(InvalidInput, match="give its state_dict"):
        as_vector(problem_of(untied, accuracy=None), dict(tied.named_parameters()))


class Doubled(nn.BatchNorm1d):
    """Batch normalisation with a forward pass of its own."""

    def forward(self, inputs):
        return 2 * super().forward(inputs)


def test_a_subclass_of_a_normalisation_keeps_its_own_forward_pass_on_a_path():
    networks = []
    for seed in (0, 1):
        model = normed(seed)
        own = Doubled(5).double().eval()
        own.load_state_dict(model[1].state_dict())
        model[1] = own
        networks.append(model)
    path = interpolate(problem_of(networks[0]), *networks)
    assert path.train_loss[-1] == pytest.approx(loss_of(networks[1]))
