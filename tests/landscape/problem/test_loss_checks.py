"""A loss that compares each output with all targets is refused; one that may compare examples is not."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem import Problem
from tests.landscape.data import INPUTS, LABELS, TARGETS, Wrapped, accuracy_of, draw, loss_of, network

FLAT = TARGETS.squeeze(1)
SQUEEZED = Wrapped(network(1), lambda z: z.squeeze(1))
TRANSPOSED = Wrapped(network(1), lambda z: z.T)
ELEMENTWISE = {
    "mse": F.mse_loss,
    "l1": nn.L1Loss(),
    "smooth l1": F.smooth_l1_loss,
    "huber": nn.HuberLoss(),
    "by hand": lambda z, y: ((z - y) ** 2).mean(),
    "logistic by hand": lambda z, y: F.softplus(-z * y.sign()).mean(),
    "rows": lambda z, y: ((z - y) ** 2).flatten(1).mean(1) if (z - y).ndim > 1 else (z - y) ** 2,
}


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize(
    ("model", "targets"),
    [(network(1), FLAT), (SQUEEZED, TARGETS), (TRANSPOSED, TARGETS)],
    ids=["(N, 1) and (N,)", "(N,) and (N, 1)", "(1, N) and (N, 1)"],
)
def test_shapes_that_broadcast_are_refused(name, model, targets):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sizes = (12,), (5, 7), (1, 11)
        for data in ([*zip(INPUTS.split(size), targets.split(size), strict=True)] for size in sizes):
            with pytest.raises(InvalidInput, match=r"targets of all, because shapes broadcast .*same shape"):
                Problem(model, ELEMENTWISE[name], data)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize(("model", "targets"), [(network(1), TARGETS), (SQUEEZED, FLAT)])
def test_shapes_that_fit_are_measured(name, model, targets):
    single = [float(ELEMENTWISE[name](model(x[None]).detach(), y[None])) for x, y in zip(INPUTS, targets, strict=True)]
    assert loss_of(Problem(model, ELEMENTWISE[name], (INPUTS, targets))) == pytest.approx(sum(single) / 12)


def test_broadcasting_inside_the_loss_and_on_equal_outputs_is_seen():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InvalidInput, match="because shapes broadcast"):
            Problem(network(1), lambda z, y: F.mse_loss(z.squeeze(), y), (INPUTS, TARGETS))
        silent = network(1)
        nn.init.zeros_(silent[2].weight)
        nn.init.zeros_(silent[2].bias)
        with pytest.raises(InvalidInput, match="because shapes broadcast"):
            Problem(silent, F.mse_loss, (INPUTS, FLAT))


@pytest.mark.parametrize(
    "loss",
    [
        lambda z, y: ((z - y) ** 2 * torch.tensor([1.0, 2.0, 3.0])).mean(),
        lambda z, y: (z.mean(0) - y.mean(0)).square().sum(),
        lambda z, y: F.cross_entropy(z @ y.T, torch.arange(len(z))),
        lambda z, y: F.cross_entropy(z @ y.T, torch.arange(len(z)), reduction="none"),
        lambda z, y: z.square().mean(),
        lambda z, y: ((z - y[0]) ** 2).mean(),
    ],
    ids=["weights of outputs", "means", "contrast", "contrast of each", "no targets", "one target"],
)
def test_losses_that_broadcast_or_compare_on_purpose_are_measured(loss):
    problem = Problem(network(), loss, (INPUTS, INPUTS[:, :3]))
    truth = loss(network()(INPUTS), INPUTS[:, :3]).mean()
    assert loss_of(problem) == pytest.approx(float(truth.detach()), rel=1e-12)


SQUARE = draw(4, 4)
AXES = {
    "as many classes as examples": (network(4), INPUTS[:4], draw(4, seed=2)),
    "as many positions as examples": (network(4), INPUTS[:4], draw(4, 4, 1, seed=2)),
    "axes of an example in another order": (network(1), draw(6, 5, 4), draw(6, 1, 5, seed=2)),
    "axes of the only example": (network(1), draw(1, 5, 4), draw(1, 1, 5, seed=2)),
}


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if name != "rows"])
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_axes_that_meet_by_broadcasting_and_are_not_the_same_are_refused(axes, name):
    model, inputs, targets = AXES[axes]
    with pytest.raises(InvalidInput, match=r"targets that are not theirs, because shapes broadcast .*same shape"):
        Problem(model, ELEMENTWISE[name], (inputs, targets))


def test_axes_that_meet_wrongly_are_seen_in_values_for_each_example_and_in_a_loss_that_insists_on_its_batch():
    def insistent(z, y):
        assert len(z) == 12
        return (z - y).square().mean()

    with pytest.raises(InvalidInput, match="because shapes broadcast"):
        Problem(network(4), lambda z, y: (z - y).square().mean(1), (INPUTS[:4], draw(4, seed=2)))
    with pytest.raises(InvalidInput, match="because shapes broadcast"):
        Problem(network(1), insistent, (INPUTS, FLAT))


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (lambda z, y: (z.T - y).square().mean(), SQUARE[0]),
        (lambda z, y: (z - y[:, None]).square().mean(), SQUARE[0]),
        (lambda z, y: (z - y.mean(0)).square().mean(), SQUARE),
        (lambda z, y: (z - y[0]).square().mean(), SQUARE),
        (lambda z, y: (SQUARE[1] * (z - y).square().mean(1)).mean(), SQUARE),
        (lambda z, y: (z[:, :, None] - y[:, None]).square().mean(), draw(4, 7)),
        (lambda z, y: (z[:, :, None] - y).square().mean(), draw(4, 1, 7)),
        (lambda z, y: (z - y).square().mean(), draw(4, 1)),
    ],
    ids=["transposed", "an axis added", "mean", "one target", "weights", "all quantiles", "an axis given", "one each"],
)
def test_a_square_of_outputs_may_be_broadcast_on_purpose(loss, targets):
    problem = Problem(network(4), loss, (INPUTS[:4], targets))
    assert loss_of(problem) == pytest.approx(float(loss(network(4)(INPUTS[:4]), targets).detach()), rel=1e-12)


def test_values_that_are_not_one_for_each_example_are_refused():
    with pytest.raises(InvalidInput, match=r"shape \(12,\) on 12 examples and \(12,\) on 6 of them"):
        Problem(network(12), lambda z, y: (z - F.one_hot(y, 12)).square().mean(0), (INPUTS, LABELS))


@pytest.mark.parametrize("length", [3, 5], ids=["as many positions as classes", "more positions"])
@pytest.mark.parametrize(
    ("after", "loss"),
    [
        (lambda z: z.movedim(-1, 1), nn.CrossEntropyLoss()),
        (lambda z: z.movedim(-1, 1), F.cross_entropy),
        (lambda z: z.movedim(-1, 1), lambda z, y: F.cross_entropy(z, y)),
        (lambda z: z, lambda z, y: F.cross_entropy(z.flatten(0, 1), y.flatten())),
        (lambda z: z, lambda z, y: F.cross_entropy(z.movedim(-1, 1), y, reduction="none").mean(1)),
    ],
)
def test_classes_lie_where_the_loss_has_them(length, after, loss):
    inputs, labels = draw(8, length, 4), torch.arange(8 * length).reshape(8, length) % 3
    problem = Problem(Wrapped(network(), after), loss, (inputs, labels))
    right = sum(int(network()(inputs[i, j]).argmax() == labels[i, j]) for i in range(8) for j in range(length))
    assert accuracy_of(problem) == pytest.approx(right / (8 * length))


def test_accuracy_is_undefined_where_classes_can_lie_along_two_axes():
    inputs, labels = draw(8, 3, 4), torch.arange(24).reshape(8, 3) % 3

    def squares(outputs, targets):
        return F.mse_loss(outputs, F.one_hot(targets, 3).double())

    assert accuracy_of(Problem(network(), squares, (inputs, labels))) != accuracy_of(
        Problem(network(), squares, (inputs, labels), accuracy=lambda z, y: (z.argmax(-1) == y).double().mean(1))
    )
    assert torch.tensor(accuracy_of(Problem(network(), squares, (inputs, labels)))).isnan()


def test_one_ignored_example_has_no_say_in_the_accuracy():
    labels = LABELS.index_fill(0, torch.tensor([3]), -100)
    right = (network()(INPUTS).argmax(1) == labels)[labels >= 0].double().mean()
    assert accuracy_of(Problem(network(), F.cross_entropy, (INPUTS, labels))) == pytest.approx(float(right))
    assert accuracy_of(Problem(network(), F.cross_entropy, (INPUTS, labels), batch_size=2)) == pytest.approx(
        float(right)
    )


def test_a_class_that_the_loss_ignores_has_no_say_in_the_accuracy():
    right = (network()(INPUTS).argmax(1) == LABELS)[LABELS > 0].double().mean()
    found = Problem(network(), nn.CrossEntropyLoss(ignore_index=0), (INPUTS, LABELS), batch_size=5)
    assert accuracy_of(found) == pytest.approx(float(right))


def test_an_accuracy_of_one_s_own_has_one_value_for_each_example():
    data = (INPUTS, LABELS)
    mean = Problem(
        network(), F.cross_entropy, data, batch_size=5, accuracy=lambda z, y: (z.argmax(1) == y).double().mean()
    )
    assert accuracy_of(mean) == pytest.approx(accuracy_of(Problem(network(), F.cross_entropy, data)))
    with pytest.raises(InvalidInput, match=r"accuracy returned shape \(12, 12\) on 12 examples"):
        Problem(network(1), F.mse_loss, (INPUTS, TARGETS), accuracy=lambda z, y: ((z - y.squeeze()) < 1).double())
    with pytest.raises(InvalidInput, match="accuracy fails on the first batch"):
        Problem(network(), F.cross_entropy, data, accuracy=lambda z, y: z.nothing)
