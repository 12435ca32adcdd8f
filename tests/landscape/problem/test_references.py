"""A loss that reaches into the model sees the parameters that are varied, or is refused."""

from __future__ import annotations

import copy
import functools

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.paths.slices import line_slice
from grokscape.landscape.measures.paths.straight import interpolate
from grokscape.landscape.measures.progress import progress
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.references import attributes_read, references
from tests.landscape.adopted import INPUTS, LABELS, PLAIN, Body, network, plain_loss, problem, trace, true_trace

MODEL = network()
PARAMETERS = list(MODEL.parameters())


def penalty(model: nn.Module) -> torch.Tensor:
    return 0.1 * sum(p.square().sum() for p in model.parameters())


def penalised(outputs, targets):
    return F.cross_entropy(outputs, targets) + penalty(MODEL)


def of(model, outputs, targets):
    return F.cross_entropy(outputs, targets) + penalty(model)


class Penalised:
    def __init__(self, model):
        self.model = model

    def __call__(self, outputs, targets):
        return of(self.model, outputs, targets)


class PenalisedModule(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, outputs, targets):
        return of(self.model, outputs, targets)

    def plain(self, outputs, targets):
        return F.cross_entropy(outputs, targets)


@pytest.mark.parametrize(
    "loss",
    [
        penalised,
        functools.partial(of, MODEL),
        Penalised(MODEL),
        PenalisedModule(MODEL),
        PenalisedModule(MODEL).forward,
        lambda z, y: of(MODEL, z, y),
        lambda z, y, model=MODEL: of(model, z, y),
        lambda z, y: F.cross_entropy(z, y) + sum(penalty(MODEL[i]) for i in (0, 2)),
    ],
    ids=["global", "partial", "object", "module", "method", "nested", "default", "parts"],
)
def test_a_penalty_on_the_model_is_one_on_the_parameters_that_are_varied(loss):
    held = problem(MODEL, loss)
    # 0.1 |theta|^2 has the Hessian 0.2 I.
    assert trace(held) == pytest.approx(PLAIN + 0.2 * held.size, rel=1e-9)
    params = torch.stack([held.start, 1.5 * held.start])
    truth = [float(F.cross_entropy(held.outputs(row, INPUTS), LABELS) + 0.1 * row.square().sum()) for row in params]
    np.testing.assert_allclose(held.evaluate(params)["loss"], truth, rtol=1e-12)
    np.testing.assert_allclose(held.gradients(params)[0], truth, rtol=1e-12)
    with pytest.raises(InvalidInput, match="needs a loss of outputs and targets alone"):
        Curvature(held, kind="gauss_newton").dense()


@pytest.mark.parametrize("wrap", [functools.partial(torch.compile, backend="eager"), nn.DataParallel])
def test_a_penalty_through_a_wrapper_too(wrap):
    wrapped = wrap(network())
    held = problem(wrapped, lambda z, y: of(wrapped, z, y))
    assert trace(held) == pytest.approx(PLAIN + 0.2 * held.size, rel=1e-9)


def test_a_penalty_in_a_tied_weight_s_second_name():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Linear(4, 3)).double()
    model[2].weight = model[0].weight
    truth = true_trace(model, lambda p: plain_loss(model)(p) + 0.1 * p["0.weight"].square().sum())
    found = trace(problem(model, lambda z, y: F.cross_entropy(z, y) + 0.1 * model[2].weight.square().sum()))
    assert found == pytest.approx(truth, rel=1e-9)


def test_a_second_pass_in_the_loss_runs_as_the_first_and_leaves_the_model_alone():
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(), nn.Linear(5, 3)).double()
    other, before = INPUTS + 0.1, copy.deepcopy(model.state_dict())
    held = problem(model, lambda z, y: (z - model(other)).square().mean())
    still = copy.deepcopy(model).eval()

    def consistency(p):
        first, second = (functional_call(still, p, (x,)) for x in (INPUTS, other))
        return (first - second).square().mean()

    assert trace(held) == pytest.approx(true_trace(model, consistency), rel=1e-9)
    assert all(part.training for part in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(type(p) is nn.Parameter and p.grad is None for p in model.parameters())


@pytest.mark.parametrize("detached", [False, True])
def test_a_function_with_the_parameters_of_a_model_that_its_loss_holds(detached):
    given = {name: p.detach() if detached else p for name, p in MODEL.named_parameters()}
    held = Problem(lambda p, x: functional_call(MODEL, p, (x,)), penalised, (INPUTS, LABELS), parameters=given)
    assert trace(held) == pytest.approx(PLAIN + 0.2 * held.size, rel=1e-9)


def test_a_gradient_penalty_of_the_inputs_is_no_foreign_parameter():
    def slope(model, inputs):
        inputs = inputs.clone().requires_grad_()
        loss = F.cross_entropy(model(inputs), LABELS)
        return torch.autograd.grad(loss, inputs, create_graph=True)[0].square().sum()

    def loss(outputs, targets):
        with torch.enable_grad():
            return F.cross_entropy(outputs, targets) + slope(MODEL, INPUTS)

    def truth(p):
        return plain_loss(MODEL)(p) + slope(lambda x: functional_call(MODEL, p, (x,)), INPUTS)

    assert trace(problem(MODEL, loss)) == pytest.approx(true_trace(MODEL, truth), rel=1e-9)


def test_an_object_that_has_the_model_without_using_it_has_an_ordinary_loss():
    held = problem(MODEL, PenalisedModule(MODEL).plain)
    assert not held.given_loss.holds_model
    assert trace(held) == pytest.approx(PLAIN, rel=1e-9)
    assert Curvature(held, kind="gauss_newton").dense().isfinite().all()


def test_a_penalty_that_is_flat_along_one_direction_is_still_seen():
    model = network()
    nn.init.constant_(model[2].bias, 0.5)  # its spread is the same wherever all biases are moved by one number
    held = problem(model, lambda z, y: F.cross_entropy(z, y) + model[2].bias.var())
    assert held.given_loss.holds_model


STATE = MODEL.state_dict()


class Holder:
    """An object that keeps views of the parameters."""

    def __init__(self):
        self.views = [p.detach().view(-1)[1:] for p in PARAMETERS]

    def loss(self, outputs, targets):
        return F.cross_entropy(outputs, targets) + sum(view.square().sum() for view in self.views)


TRAINABLE = torch.ones(3, dtype=torch.float64, requires_grad=True)


def no_graph(outputs, targets):
    with torch.no_grad():
        return_value = penalty(MODEL)
    return F.cross_entropy(outputs, targets) + return_value


class Keeping(nn.Module):
    """A module that keeps what a loss shall add, as mixtures of experts do."""

    def __init__(self):
        super().__init__()
        self.body, self.extra = network(), 0.0

    def forward(self, x):
        outputs = self.body(x)
        self.extra = outputs.square().mean()
        return outputs


KEEPING, CALLED = Keeping(), Keeping()
CALLED(INPUTS)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: problem(MODEL, lambda z, y: F.cross_entropy(z, y) + sum(p.sum() for p in PARAMETERS)),
            r"the loss uses the model's own parameters \(.*0.weight.*refer to the module",
        ),
        (
            lambda: problem(MODEL, lambda z, y: F.cross_entropy(z, y) + sum(p.data.norm() for p in PARAMETERS)),
            "the loss uses the model's own parameters",
        ),
        (
            lambda: problem(MODEL, lambda z, y: F.cross_entropy(z, y) + sum(v.sum() for v in STATE.values())),
            r"the loss uses the model's own parameters .* clone\(\) what shall stay constant",
        ),
        (lambda: problem(MODEL, Holder().loss), "the loss uses the model's own parameters"),
        (
            lambda: problem(MODEL, lambda z, y: F.cross_entropy(z, y) + MODEL.state_dict()["0.weight"].square().sum()),
            "the gradient is not that of the loss",
        ),
        (lambda: problem(MODEL, no_graph), "the gradient is not that of the loss"),
        (
            lambda: Problem(
                lambda p, x: x[:, :3] * p["w"] * TRAINABLE,
                F.cross_entropy,
                (INPUTS, LABELS),
                parameters={"w": torch.ones(3).double()},
            ),
            "require a gradient and are not varied; give them in parameters=",
        ),
        (lambda: problem(KEEPING, lambda z, y: F.cross_entropy(z, y) + KEEPING.extra), "the loss reads extra of the"),
        (lambda: problem(CALLED, lambda z, y: F.cross_entropy(z, y) + CALLED.extra), "what an earlier call has kept"),
    ],
    ids=["tensors", "data", "state", "views", "state dict", "no graph", "function's own", "kept", "kept before"],
)
def test_what_is_not_varied_is_refused(make, words):
    with pytest.raises(InvalidInput, match=words):
        make()


def test_weights_of_the_losss_own_are_constant():
    own, constant = (
        problem(None, lambda z, y, by=by: F.cross_entropy(z * by, y)) for by in (TRAINABLE, TRAINABLE.detach())
    )
    assert torch.equal(own.gradients(own.start[None])[1], constant.gradients(constant.start[None])[1])


@pytest.mark.parametrize("kind", ["tensor", "list", "module"])
def test_parameters_that_are_not_registered_are_refused_by_name(kind):
    model = Body(lambda self, x: self.body(x) * self.scale)
    model.scale = torch.ones(3, dtype=torch.float64, requires_grad=True)
    if kind == "list":
        model.scale = [model.scale]
        model.function = lambda self, x: self.body(x) * self.scale[0]
    if kind == "module":
        model.scale = [nn.Linear(3, 3).double()]
        model.function = lambda self, x: self.scale[0](self.body(x))
    with pytest.raises(InvalidInput, match=r"the model holds 'scale' of shape .* outside of its parameters"):
        problem(model)


def test_a_forward_that_runs_on_the_original_is_refused():
    model = network()
    forward = model.forward
    model.forward = lambda x: 2 * forward(x)
    with pytest.raises(InvalidInput, match="runs on the original's parameters"):
        problem(model)


def test_what_code_refers_to():
    found = list(references(penalised))
    assert any(thing is MODEL and itself for thing, itself in found)
    assert not any(thing is MODEL and itself for thing, itself in references(Penalised(MODEL)))
    assert {"square", "sum", "parameters"} <= attributes_read(penalised)
    assert list(references(F.cross_entropy)) == []


def test_copies_of_the_parameters_are_constants_of_a_loss():
    anchor = [p.detach().clone() for p in PARAMETERS]

    def loss(outputs, targets):
        moved = sum((p - a).square().sum() for p, a in zip(MODEL.parameters(), anchor, strict=True))
        return F.cross_entropy(outputs, targets) + 0.1 * moved

    held = problem(MODEL, loss)
    assert trace(held) == pytest.approx(PLAIN + 0.2 * held.size, rel=1e-9)


class Scaled(nn.Module):
    """A network with a scale of its own, and a counter of calls."""

    def __init__(self, scale, seed):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.body = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float64))
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.body(x) * self.scale


def normalised(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3)).double()
        for _ in range(5):
            model(torch.randn(30, 4).double() * (1 + seed) + seed)
    return model.eval()


PAIRS = {"scale": (Scaled(1.0, 0), Scaled(2.0, 1)), "norm": (normalised(0), normalised(1))}
TERMS = {
    "second pass": lambda model: model(INPUTS[:5] + 0.1).square().mean(),
    "part": lambda model: model[1](model[0](INPUTS[:5])).square().mean(),
    "buffer": lambda model: model[1].running_mean.square().sum(),
}


@pytest.mark.parametrize("wrap", [lambda m: m, functools.partial(torch.compile, backend="eager"), nn.DataParallel])
@pytest.mark.parametrize(
    ("pair", "term"), [("scale", "second pass"), ("norm", "second pass"), ("norm", "part"), ("norm", "buffer")]
)
def test_a_second_pass_has_the_buffers_of_the_network_that_is_measured(pair, term, wrap):
    one, other = PAIRS[pair]
    extra, wrapped = TERMS[term], wrap(one)
    inner = wrapped if term == "second pass" else one
    before = copy.deepcopy(one.state_dict())
    held = problem(wrapped, lambda z, y: F.cross_entropy(z, y) + extra(inner))
    with torch.no_grad():
        truth = [float(F.cross_entropy(m(INPUTS), LABELS) + extra(m)) for m in (one, other)]
    calls = getattr(one, "calls", 0)
    np.testing.assert_allclose(progress(held, {0: one, 1: other}).values["train_loss"], truth, rtol=1e-9)
    np.testing.assert_allclose(interpolate(held, one, other, points=3, refine=0).train_loss[[0, -1]], truth, rtol=1e-9)
    around = line_slice(held, 0, around=other, points=3)
    assert around.train_loss[1] == pytest.approx(truth[1], rel=1e-9)
    assert all(torch.equal(before[name], value) for name, value in one.state_dict().items())
    assert getattr(one, "calls", 0) == calls
    assert all("forward" not in vars(part) for part in one.modules())


def test_a_layer_without_parameters_has_the_buffers_of_the_network_too():
    one, other = (nn.Sequential(m[0], nn.BatchNorm1d(5, affine=False).double(), *m[2:]).eval() for m in PAIRS["norm"])
    one[1].running_mean.fill_(0.5)
    held = problem(
        one, lambda z, y, layer=one[1]: F.cross_entropy(z, y) + layer(INPUTS[:, :1].expand(-1, 5)).exp().mean()
    )
    truth = F.cross_entropy(other(INPUTS), LABELS) + other[1](INPUTS[:, :1].expand(-1, 5)).exp().mean()
    assert float(progress(held, {0: one, 1: other}).values["train_loss"][1]) == pytest.approx(truth.item(), rel=1e-9)


def test_a_loss_of_buffers_alone_is_one_of_outputs_and_targets():
    one, _ = PAIRS["norm"]
    held = problem(one, lambda z, y: F.cross_entropy(z, y) + one[1].running_mean.square().sum())
    assert Curvature(held, kind="gauss_newton").dense().isfinite().all()


def test_a_buffer_by_itself_is_not_that_of_another_network():
    one, other = PAIRS["norm"]
    mean = one[1].running_mean
    held = problem(one, lambda z, y: F.cross_entropy(z, y) + mean.square().sum())
    assert held.evaluate(held.start[None])["loss"].isfinite().all()
    with pytest.raises(InvalidInput, match=r"another buffer '1.running_mean' .* whose tensor the loss uses by itself"):
        progress(held, {0: one, 1: other})
