"""Definitions of efficiency against closed forms, a root finder, and what the claims measure."""

from __future__ import annotations

import copy

import matplotlib as mpl
import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.efficiency.definitions import DEFINITIONS, efficiency_of, margin_per_norm
from grokscape.landscape.measures.efficiency.per_norm import efficiency
from grokscape.landscape.problem import Problem
from tests.landscape.helpers import last_weights, small_run, train_alone, value

mpl.use("Agg")


def fitted(dtype=torch.float64, scale=1.0):
    """A bias-free network that classifies its eight examples."""
    source = torch.Generator().manual_seed(3)
    inputs, labels = torch.eye(8, dtype=dtype), torch.arange(8) % 4
    model = nn.Sequential(nn.Linear(8, 8, bias=False), nn.ReLU(), nn.Linear(8, 4, bias=False)).to(dtype)
    with torch.no_grad():
        noise = torch.randn(8, 8, generator=source, dtype=torch.float64).to(dtype)
        model[0].weight.copy_(scale * (2 * torch.eye(8) + 0.2 * noise))
        model[2].weight.copy_(scale * (torch.eye(4).repeat(1, 2) + 0.1 * noise[:4]))
    return model, (inputs, labels)


def problem(dtype=torch.float64, scale=1.0, **options):
    model, data = fitted(dtype, scale)
    return Problem(model, nn.functional.cross_entropy, data, **options)


def test_a_single_class_has_no_margin():
    one = Problem(nn.Linear(4, 1), nn.functional.cross_entropy, (torch.eye(4), torch.zeros(4, dtype=torch.long)))
    with pytest.raises(InvalidInput, match="outputs of two classes or more"):
        efficiency(one)


def test_the_formula_is_margin_over_norm_to_the_degree():
    assert margin_per_norm(6.0, 2.0, 3.0) == 0.75


def test_every_definition_on_two_examples_by_hand():
    outputs = torch.tensor([[3.0, 1.0, 0.0], [0.5, 2.0, 1.5]], dtype=torch.float64)
    labels, norm, kappa = torch.tensor([0, 1]), 2.0, 2.0
    found = {name: float(efficiency_of(outputs, labels, norm, kappa, name, level=0.1)) for name in DEFINITIONS}
    assert found["margin"] == pytest.approx((2 + 0.5) / 2 / 4)
    assert found["label_logit"] == pytest.approx((5 / 3 + 2 / 3) / 2 / 4)
    assert found["min_margin"] == pytest.approx(0.5 / 4)
    assert found["inverse_norm_at_unit_margin"] == pytest.approx(np.sqrt(1.25) / 2)

    def excess(scale):
        z = scale**kappa * outputs.numpy()
        return np.mean(np.log(np.exp(z).sum(1)) - z[[0, 1], [0, 1]]) - 0.1

    scale = brentq(excess, 0.1, 10, xtol=1e-14)
    assert found["inverse_norm_at_loss"] == pytest.approx(1 / (scale * norm), rel=1e-10)


def test_the_normalised_margin_of_a_linear_model_is_the_distance_to_the_boundary():
    # Logits (w.x, 0): the largest minimum margin per norm is half the distance between the two points.
    points = torch.tensor([[3.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    labels = torch.tensor([0, 1])

    def linear(parameters, inputs):
        z = (inputs - torch.tensor([1.0, 0.0])) @ parameters["w"]
        return torch.stack([z, torch.zeros_like(z)], -1)

    start = {"w": torch.tensor([0.3, 0.0], dtype=torch.float64)}
    held = Problem(linear, nn.functional.cross_entropy, (points, labels), parameters=start)
    tilted = torch.tensor([[0.3, 0.0], [0.3, 0.2], [-0.1, 0.1]], dtype=torch.float64)
    best, worse, wrong = efficiency(held, params=tilted, definition="min_margin").value
    assert best == pytest.approx(2)
    assert worse == pytest.approx(2 * 0.3 / np.hypot(0.3, 0.2))
    assert wrong < 0


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scaling_a_homogeneous_network_changes_no_definition(definition, dtype):
    held = problem(dtype)
    found = efficiency(held, params=torch.stack([held.start, 3 * held.start]), definition=definition, level=0.05)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-10
    assert found.value[0] == pytest.approx(found.value[1], rel=tolerance)
    assert found.value[0] > 0
    assert found.homogeneous.all()
    assert found.kappa == pytest.approx(2, rel=1e-6)
    np.testing.assert_allclose(found.norm[1], 3 * found.norm[0], rtol=1e-6)


def test_the_norm_at_a_loss_is_that_of_the_network_really_rescaled():
    held = problem()
    found = efficiency(held, definition="inverse_norm_at_loss", level=0.2)
    scale = 1 / (found.value[0] * found.norm[0])
    assert held.evaluate(scale * held.start[None])["loss"].item() == pytest.approx(0.2, rel=1e-9)


def test_agrees_with_the_margin_per_squared_norm_that_the_claims_record():
    run = small_run(steps=300)
    outcome = train_alone(run)
    last = outcome.info["last_step"]
    expected = (
        value(outcome.trajectory, last, "train", "margin") / value(outcome.trajectory, last, "", "weight_norm") ** 2
    )
    network = run.model.build(run.task)
    network.load_state_dict({name: torch.as_tensor(array) for name, array in last_weights(outcome).items()})
    train = run.task.split(run.n_train, seed=run.seed).train
    held = Problem(network, nn.functional.cross_entropy, (run.task.inputs[train], run.task.labels[train]))
    found = efficiency(held)
    assert found.value[0] == pytest.approx(expected, rel=1e-5)
    assert found.homogeneous.all()


def test_the_standard_error_is_that_of_a_mean_over_examples():
    held = problem()
    margins = efficiency(held).margin[0]
    error = margins.std(ddof=1) / np.sqrt(len(margins))
    found = efficiency(held)
    assert found.standard_error[0] == pytest.approx(error / found.norm[0] ** 2)
    power = efficiency(held, definition="inverse_norm_at_unit_margin")
    step = 1e-6
    slope = (np.sqrt(margins.mean() + step) - np.sqrt(margins.mean() - step)) / (2 * step) / found.norm[0]
    assert power.standard_error[0] == pytest.approx(slope * error, rel=1e-6)
    assert np.isnan(efficiency(held, definition="min_margin").standard_error).all()


def test_a_part_with_outputs_and_norm_of_its_own_is_measured_alike():
    model, (inputs, labels) = fitted()
    outputs = model(inputs).detach()
    parts = torch.stack([outputs, 4 * outputs])
    norms = torch.tensor([1.0, 2.0])
    np.testing.assert_allclose(efficiency_of(parts, labels, norms, 2.0), efficiency_of(outputs, labels, 1.0, 2.0))


def test_counting_one_layer_uses_its_norm_and_degree():
    model, _ = fitted()
    held = problem()
    found = efficiency(held, included="2.*")
    assert found.kappa == pytest.approx(1)
    assert found.norm[0] == pytest.approx(model[2].weight.detach().norm().item())


def test_a_degree_that_is_given_is_used_beside_the_estimate():
    held = problem()
    found = efficiency(held, kappa=1.0)
    assert found.value[0] == pytest.approx(found.margin.mean() / found.norm[0])
    assert found.degree[0] == pytest.approx(2)


def test_networks_that_misclassify_have_no_norm_at_a_small_loss():
    held = problem()
    params = torch.stack([held.start, held.start * torch.where(torch.arange(held.size) < 64, 1.0, -1.0)])
    value = efficiency(held, params=params, definition="inverse_norm_at_loss", level=0.05).value
    assert value[0] > 0
    assert np.isnan(value[1])
    with pytest.raises(InvalidInput, match="level is not reached at any scale"):
        efficiency(held, params=params[1:], definition="inverse_norm_at_loss", level=0.05)


def test_batches_give_what_the_whole_gives():
    one, other = efficiency(problem()), efficiency(problem(batch_size=3))
    np.testing.assert_allclose(one.value, other.value)
    np.testing.assert_allclose(one.margin, other.margin)
    np.testing.assert_allclose(one.loss, problem().evaluate(problem().start[None])["loss"])


def test_the_model_and_the_random_state_stay_as_they_are():
    model, data = fitted()
    model.train()
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    efficiency(Problem(model, nn.functional.cross_entropy, data), definition="inverse_norm_at_loss", level=0.1)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())


def test_the_table_and_the_picture_hold_the_values():
    held = problem()
    found = efficiency(held, params=torch.stack([held.start, held.start.flip(0)]))
    frame = found.to_frame()
    np.testing.assert_array_equal(frame["value"], found.value)
    np.testing.assert_allclose(frame["mean_margin"], found.margin.mean(1))
    axes = found.plot()
    np.testing.assert_allclose(axes.collections[-1].get_offsets()[:, 1], found.value)
    mpl.pyplot.close(axes.figure)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"definition": "luck"}, "definition is 'luck', expected one of margin, label_logit"),
        ({"kappa": 0.0}, "kappa is 0.0, expected a positive degree"),
        ({"definition": "inverse_norm_at_loss"}, "level is not given"),
        ({"definition": "inverse_norm_at_loss", "level": -1.0}, "training loss asked for is -1.0, expected a positive"),
        ({"definition": "inverse_norm_at_loss", "level": 9.0}, "outputs scaled to nothing have loss 1.386"),
        ({"included": "9.*"}, r"included='9\.\*' matches no varied parameter"),
        ({"split": "test"}, "no test data were given"),
    ],
)
def test_what_cannot_be_used_is_named(options, message):
    with pytest.raises(InvalidInput, match=message):
        efficiency(problem(), **options)


def test_what_is_no_classifier_is_refused():
    model, (inputs, _) = fitted()
    held = Problem(model, nn.functional.mse_loss, (inputs, torch.zeros(8, 4)))
    with pytest.raises(InvalidInput, match="efficiency needs outputs of shape"):
        efficiency(held)
    with pytest.raises(InvalidInput, match=r"norm is 0\.0, expected positive"):
        efficiency_of(torch.eye(3), torch.arange(3), 0.0, 2.0)


class Weighted(nn.Module):
    """A loss with weights of its own, in single precision."""

    def __init__(self):
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(()))
        self.register_buffer("weights", torch.tensor([0.5, 1.0, 2.0]))

    def forward(self, outputs, targets):
        return nn.functional.cross_entropy(outputs / self.temperature, targets, weight=self.weights)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_loss_may_have_weights_of_its_own(definition):
    problem = Problem(nn.Linear(3, 3, bias=False), Weighted(), (torch.eye(3), torch.arange(3)))
    params = torch.eye(3).reshape(1, -1) * 4
    found = efficiency(problem, params=params, definition=definition, kappa=1.0, level=0.1)
    assert np.isfinite(found.value).all()
    assert found.loss[0] == pytest.approx(float(problem.evaluate(params)["loss"]), rel=1e-6)


def test_targets_that_are_no_class_are_named():
    labels = torch.tensor([0, 1, -100])
    problem = Problem(nn.Linear(3, 3), nn.functional.cross_entropy, (torch.eye(3), labels))
    with pytest.raises(InvalidInput, match="targets hold -100, expected class indices from 0 to 2"):
        efficiency(problem, kappa=1.0)
