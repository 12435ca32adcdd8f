"""Derivatives that are not those of the loss are refused; those of ordinary networks never are."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.gradient_check import wrong_curvature, wrong_slope
from grokscape.landscape.problem.widened import Widened
from tests.landscape.adopted import PLAIN, Body, network, problem, trace


class Reversed(torch.autograd.Function):
    """The identity, with the opposite gradient."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return -gradient


class Forgetful(torch.autograd.Function):
    """The hyperbolic tangent, whose second derivative is left out."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.tanh()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (1 - x.tanh() ** 2).detach()


def middle(function):
    """Run a function on what the network's first layer gives."""
    return lambda self, x: self.body[2](self.body[1](function(self, x)))


def hooked(self, x):
    hidden = self.body[0](x)
    if hidden.requires_grad:
        hidden.register_hook(lambda gradient: 2 * gradient)
    return hidden


def without_gradient(self, x):
    with torch.no_grad():
        return self.body[0](x)


def rounded(levels):
    return lambda self, x: (lambda h: h + (torch.round(h * levels) / levels - h).detach())(self.body[0](x))


def signs(self, x):
    weight = self.body[0].weight
    return F.linear(x, weight + (weight.sign() - weight).detach())


WRONG = {
    "reversal": lambda self, x: Reversed.apply(self.body[0](x)),
    "hook": hooked,
    "no gradient": without_gradient,
    "4 levels": rounded(4),
    "128 levels": rounded(128),
    "signs": signs,
    "stop": lambda self, x: self.body[0](x) + 0.1 * self.body[0](x).detach(),
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", WRONG)
def test_a_gradient_that_is_not_the_loss_s_is_refused(name, dtype):
    with pytest.raises(InvalidInput, match="the gradient is not that of the loss: along a random direction"):
        problem(Body(middle(WRONG[name])).to(dtype))


def test_only_the_second_derivative_is_wrong():
    held = problem(Body(lambda self, x: self.body[2](Forgetful.apply(self.body[0](x)))))
    assert wrong_slope(held) is None
    torch.testing.assert_close(held.gradients(held.start[None]), problem().gradients(held.start[None]))
    with pytest.raises(InvalidInput, match="second derivatives by autograd are not those of the loss"):
        Curvature(held).dense()


@pytest.mark.parametrize("seed", range(4))
def test_spectral_normalisation_that_iterates_is_refused(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(parametrizations.spectral_norm(nn.Linear(4, 3).double()))
    held = problem(model)
    assert torch.isfinite(Curvature(held).dense()).all()
    with pytest.raises(InvalidInput, match="spectral normalisation in training mode"):
        Curvature(problem(model, training_mode=True)).dense()


@pytest.mark.parametrize(
    "register", ["register_full_backward_hook", "register_full_backward_pre_hook", "register_hook"]
)
def test_hooks_on_gradients_have_no_part_in_the_loss(register):
    model, seen = network(), []

    def opposite(*arguments):
        seen.append(arguments)
        gradient = arguments[-1] if register != "register_full_backward_hook" else arguments[1]
        return -gradient if isinstance(gradient, torch.Tensor) else tuple(g if g is None else -g for g in gradient)

    getattr(model[0].weight if register == "register_hook" else model[2], register)(opposite)
    assert trace(problem(model)) == pytest.approx(PLAIN, rel=1e-9)
    assert not seen


class Last(nn.Module):
    """A body, whatever it returns beside its sequence, and a layer on the last step."""

    def __init__(self, body):
        super().__init__()
        self.body, self.head = body, nn.Linear(8, 3)

    def forward(self, x):
        hidden = self.body(x)
        return self.head((hidden[0] if isinstance(hidden, tuple) else hidden)[:, -1])


class Attention(nn.MultiheadAttention):
    def forward(self, x):
        return super().forward(x, x, x)


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def perceptron(activation):
    return nn.Sequential(nn.Linear(6, 16), activation(), nn.Linear(16, 16), activation(), nn.Linear(16, 3))


ACTIVATIONS = (
    *(nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.SELU, nn.CELU, nn.LeakyReLU, nn.PReLU, nn.Softplus),
    *(nn.Softsign, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.ReLU6, nn.Mish, nn.LogSigmoid, nn.Tanhshrink),
    *(nn.Softshrink, nn.Hardshrink, nn.RReLU),
)
Layer = functools.partial(nn.TransformerEncoderLayer, 8, 2, 16, batch_first=True, dropout=0.0)
ZOO = {activation.__name__: (functools.partial(perceptron, activation), "vectors") for activation in ACTIVATIONS}
ZOO |= {
    "wide": (lambda: nn.Sequential(nn.Linear(6, 2000), nn.ReLU(), nn.Linear(2000, 3)), "vectors"),
    "deep": (lambda: nn.Sequential(*(nn.Sequential(nn.Linear(6, 6), nn.ReLU()) for _ in range(20))), "vectors"),
    "pooled": (
        lambda: nn.Sequential(
            *(
                nn.Conv2d(2, 6, 3),
                nn.BatchNorm2d(6),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Conv2d(6, 8, 3, padding=1),
                nn.ReLU(),
            ),
            *(nn.AvgPool2d(3), nn.Flatten(), nn.Linear(8, 3)),
        ),
        "images",
    ),
    "residual": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 8, 3),
            Residual(nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1)),
            *(nn.AdaptiveMaxPool2d(2), nn.Flatten(), nn.Linear(32, 3)),
        ),
        "images",
    ),
    "group norm": (
        lambda: nn.Sequential(nn.Conv2d(2, 8, 3), nn.GroupNorm(4, 8), nn.SiLU(), nn.Flatten(), nn.Linear(288, 3)),
        "images",
    ),
    "instance norm": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 8, 3),
            nn.InstanceNorm2d(8, affine=True),
            nn.ReLU(),
            nn.LPPool2d(2, 2),
            nn.Flatten(),
            nn.Linear(72, 3),
        ),
        "images",
    ),
    "transposed": (
        lambda: nn.Sequential(
            nn.ConvTranspose2d(2, 4, 3),
            nn.ReLU(),
            nn.Upsample(scale_factor=0.5, mode="bilinear"),
            nn.Flatten(),
            nn.Linear(100, 3),
        ),
        "images",
    ),
    "layer norm": (lambda: nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 3)), "vectors"),
    "RMS norm": (lambda: nn.Sequential(nn.Linear(6, 8), nn.RMSNorm(8), nn.ReLU(), nn.Linear(8, 3)), "vectors"),
    "batch norm": (lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)), "vectors"),
    "weight norm": (
        lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(6, 8)), nn.ReLU(), nn.Linear(8, 3)),
        "vectors",
    ),
    "orthogonal": (lambda: nn.Sequential(parametrizations.orthogonal(nn.Linear(6, 6)), nn.Linear(6, 3)), "vectors"),
    "gated": (lambda: nn.Sequential(nn.Linear(6, 16), nn.GLU(), nn.Softmax(-1), nn.Linear(8, 3)), "vectors"),
    "lstm": (lambda: Last(nn.LSTM(8, 8, 2, batch_first=True)), "sequences"),
    "gru": (lambda: Last(nn.GRU(8, 4, batch_first=True, bidirectional=True)), "sequences"),
    "rnn": (lambda: Last(nn.RNN(8, 8, nonlinearity="relu", batch_first=True)), "sequences"),
    "attention": (lambda: Last(Attention(8, 2, batch_first=True)), "sequences"),
    "encoder": (lambda: Last(nn.TransformerEncoder(Layer(), 2, enable_nested_tensor=False)), "sequences"),
    "encoder, norm first": (lambda: Last(Layer(norm_first=True, activation="gelu")), "sequences"),
    "embedding": (lambda: Last(nn.Sequential(nn.Embedding(7, 8), nn.LSTM(8, 8, batch_first=True))), "tokens"),
    "bag": (lambda: nn.Sequential(nn.EmbeddingBag(7, 8), nn.ReLU(), nn.Linear(8, 3)), "tokens"),
}


class Experts(nn.Module):
    """Each example goes to one of several experts, whichever its gate is for: the outputs jump between them."""

    def __init__(self):
        super().__init__()
        self.gate, self.experts = nn.Linear(6, 4), nn.ModuleList(nn.Linear(6, 3) for _ in range(4))

    def forward(self, x):
        gates = self.gate(x).softmax(-1)
        best = gates.argmax(-1)
        outputs = torch.zeros(len(x), 3)  # of the default precision, and written into
        outputs = outputs.to(x.dtype)
        for index, expert in enumerate(self.experts):
            outputs[best == index] = expert(x[best == index]) * gates[best == index, index, None]
        return outputs


class Levels(nn.Linear):
    """Inputs in few levels, and only the largest activations."""

    def forward(self, x):
        hidden = super().forward((4 * x).round() / 4)
        return hidden * (hidden >= hidden.topk(2, -1).values[:, -1:]) + hidden.median(-1, keepdim=True).values


class Narrow(nn.Linear):
    """Computes in single precision, by a name that is not noticed."""

    def forward(self, x):
        return super().forward(x).type("torch.FloatTensor")


ZOO |= {
    "experts": (Experts, "vectors"),
    "levels": (lambda: Levels(6, 3), "vectors"),
    "narrow": (lambda: Narrow(6, 3), "vectors"),
}


def data(kind: str, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    draw = functools.partial(torch.randn, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    inputs = {
        "vectors": lambda: draw(20, 6),
        "images": lambda: draw(20, 2, 8, 8),
        "sequences": lambda: draw(20, 5, 8),
        "tokens": lambda: torch.arange(100).reshape(20, 5) ** 2 % 7,
    }[kind]()
    if kind in ("vectors", "images"):
        inputs[3], inputs[:, :1] = 0, 0  # padding, where a ReLU without a bias is at its kink
    return (inputs.to(dtype) if inputs.is_floating_point() else inputs), torch.arange(20) % 3


def ordinary(name: str, seed: int, dtype: torch.dtype) -> tuple[nn.Module, tuple[torch.Tensor, torch.Tensor]]:
    make, kind = ZOO[name]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make().to(dtype), data(kind, dtype)


@pytest.mark.parametrize("training_mode", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ZOO)
def test_no_ordinary_network_is_refused(name, dtype, training_mode):
    if training_mode and name == "RReLU":
        pytest.skip("is random in training mode")
    for seed in range(3):
        model, examples = ordinary(name, seed, dtype)
        assert not wrong_curvature(Problem(model, F.cross_entropy, examples, training_mode=training_mode))


@pytest.mark.parametrize("size", [0.0, 1e-4, 100.0])
@pytest.mark.parametrize("name", ["ReLU", "Hardtanh", "pooled", "lstm", "encoder", "batch norm"])
def test_nor_are_weights_that_vanish_or_saturate(name, size):
    for dtype in (torch.float32, torch.float64):
        model, examples = ordinary(name, 0, dtype)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(size)
        assert not wrong_curvature(Problem(model, F.cross_entropy, examples))


def test_nor_are_half_dead_networks_and_losses_of_any_size_or_kind():
    for loss in (
        lambda z, y: 1e-9 * F.cross_entropy(z, y),
        lambda z, y: 1e9 * F.cross_entropy(z, y),
        lambda z, y: F.multi_margin_loss(z, y),
        lambda z, y: F.l1_loss(z, F.one_hot(y, 3).to(z.dtype)),
        nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0])),
        lambda z, y: 0 * z.sum(),
    ):
        model, examples = ordinary("ReLU", 0, torch.float32)
        with torch.no_grad():
            model[0].bias[:8] = -100
        assert not wrong_curvature(Problem(model, loss, examples))


def test_a_converged_network_has_a_gradient_of_rounding_alone_and_is_not_refused():
    model = nn.Linear(4, 3).double()
    with torch.no_grad():
        model.weight.copy_(60 * torch.eye(4)[:3])
        model.bias.zero_()
    held = Problem(model, F.cross_entropy, (torch.eye(4)[:3], torch.arange(3)))
    assert float(held.gradients(held.start[None])[1].norm()) < 1e-20
    assert not wrong_curvature(held)


def test_single_precision_inside_is_widened_and_tensors_of_the_loss_too():
    weight = torch.tensor([1.0, 2.0, 3.0])
    with Widened():
        x = torch.randn(3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        assert (x.float() * weight).dtype == torch.float64
        assert torch.zeros(3, dtype=torch.float32).dtype == torch.float64
        assert F.cross_entropy(x[None], torch.tensor([1]), weight).dtype == torch.float64
        assert torch.equal(x.float(), x)
        assert torch.arange(3).dtype == torch.int64
    assert weight.dtype == torch.float32
