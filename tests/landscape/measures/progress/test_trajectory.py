"""Weights' closed forms, the loss curve's spectrum, and all measures along a trajectory."""

from __future__ import annotations

import copy
import dataclasses
import random

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from torch import Tensor, nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.progress import (
    MEASURES,
    Context,
    Neurons,
    NotApplicable,
    Progress,
    Spectrum,
    loss_oscillation,
    progress,
)
from grokscape.landscape.measures.progress import weights as measures_of_weights
from grokscape.landscape.measures.progress.outputs import logit_scale
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem
from tests.landscape.measures.progress.networks import GROUP, adder, steps_of


def numbers(**values: list[float]) -> Problem:
    """Return a problem whose parameters are the numbers given; its loss is their mean square."""
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}
    rows = (torch.ones(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    return Problem(lambda w, x: sum(w[n].sum() for n in w) * x, nn.MSELoss(), rows, parameters=tensors)


def test_norms_of_known_weights() -> None:
    problem = numbers(first=[3.0, 0.0], head=[4.0], head_bias=[12.0])
    context = Context(last_layer="head*")
    assert measures_of_weights.weight_norm(problem, problem.start, context) == 13
    assert measures_of_weights.last_layer_norm(problem, problem.start, context) == pytest.approx(160**0.5)
    one = Context(last_layer=["head"])
    assert measures_of_weights.last_layer_norm(problem, problem.start, one) == 4


def test_distance_from_a_known_start() -> None:
    problem = numbers(w=[3.0, 4.0])
    found = measures_of_weights.distance_from_start(problem, problem.start, Context(start=torch.tensor([0.0, 2.0])))
    assert found == pytest.approx(
        {"distance": 13**0.5, "relative_distance": 13**0.5 / 2, "cosine_with_start": 0.8}
    )  # fmt: skip


def test_decay_alone_keeps_the_cosine() -> None:
    _, problem, _ = adder()
    context = Context(start=problem.start)
    found = measures_of_weights.distance_from_start(problem, 0.3 * problem.start, context)
    assert found["cosine_with_start"] == pytest.approx(1)
    assert found["relative_distance"] == pytest.approx(0.7)


def test_sparsity_of_known_weights() -> None:
    problem = numbers(w=[0.5, 0.5, 0.0, 0.0])
    found = measures_of_weights.weight_sparsity(problem, problem.start, Context())
    root = 2**0.5
    assert found == pytest.approx(
        {
            "weight_hoyer": 2 - root,
            "weight_participation": 2,
            "weight_l1_over_l2": root,
            "weight_entropy": np.log(2),
        }
    )


def test_neurons_of_known_norms() -> None:
    problem = numbers(into=[[3.0, 4.0], [0.0, 5.0], [0.0, 0.0]], out=[[1.0, 1.0, 1.0]])
    context = Context(neurons=Neurons(("into", 0), ("out", 1)))
    found = measures_of_weights.neuron_sparsity(problem, problem.start, context)
    hoyer = (3**0.5 - 2**0.5) / (3**0.5 - 1)
    assert found == pytest.approx({"neuron_participation": 2, "neuron_hoyer": hoyer, "neuron_gini": 1 / 3})


def test_the_spectrum_of_planted_waves_is_one_frequency_and_of_one_token_flat() -> None:
    n = 11
    x = torch.arange(n, dtype=torch.float64)
    waves = torch.stack([torch.cos(2 * torch.pi * 4 * x / n), torch.sin(2 * torch.pi * 4 * x / n + 0.3)], 1)
    table = torch.cat([waves, torch.full((1, 2), 9.0, dtype=torch.float64)])  # a twelfth token, "=", is left out
    problem = numbers(embed=table.tolist())
    found = measures_of_weights.fourier_spectrum(
        problem, problem.start, Context(spectrum=Spectrum("embed", axis=0, size=n))
    )
    assert found["spectrum_ipr"] == pytest.approx(1)
    assert found["spectrum_top"] == pytest.approx(1)
    assert found["spectrum_gini"] > 1 - 2.5 / n
    problem = numbers(embed=[[1.0] + [0.0] * (n - 1)])
    found = measures_of_weights.fourier_spectrum(
        problem, problem.start, Context(spectrum=Spectrum(lambda w: 2 * w["embed"], axis=1, size=n))
    )
    assert found["spectrum_ipr"] == pytest.approx(1 / 5)
    assert found["spectrum_top"] == pytest.approx(1 / 5)


def test_columns_of_zeros_have_no_part_in_the_mean() -> None:
    problem = numbers(embed=[[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    found = measures_of_weights.fourier_spectrum(problem, problem.start, Context(spectrum=("embed", 0, 5)))
    assert found["spectrum_ipr"] == pytest.approx(1 / 2)


def test_logit_scale_ignores_what_softmax_ignores_and_counts_batches_by_size() -> None:
    logits = torch.tensor([[1.0, -1.0], [2.0, -2.0], [0.0, 0.0]], dtype=torch.float64)
    pair = (torch.arange(3), torch.zeros(3, dtype=torch.long))

    def scale(table: Tensor, **options: int) -> float:
        problem = Problem(lambda w, i: w["t"][i], nn.CrossEntropyLoss(), pair, parameters={"t": table}, **options)
        return logit_scale(problem, problem.start, Context())

    assert scale(logits) == pytest.approx((10 / 6) ** 0.5)
    assert scale(logits + torch.tensor([[5.0], [7.0], [-9.0]]), batch_size=2) == pytest.approx((10 / 6) ** 0.5)


@pytest.mark.parametrize("cycles", [3, 40])
def test_a_sinusoid_has_its_own_energy_and_frequency(cycles: int) -> None:
    t = np.arange(400)
    found = loss_oscillation(5 + 0.3 * np.sin(2 * np.pi * cycles * t / 400), degree=0, logarithmic=False)
    assert found.activity == pytest.approx(0.3**2 / 2)
    assert found.mobility == pytest.approx(2 * np.pi * cycles / 400)
    assert found.complexity == pytest.approx(2 * np.pi * cycles / 400)
    assert found.frequencies[found.power.argmax()] == pytest.approx(cycles / 400)


@pytest.mark.parametrize("count", [255, 256])
def test_activity_is_the_residuals_variance_and_the_trend_does_not_count(count: int) -> None:
    t = np.linspace(-1, 1, count)
    noise = np.random.default_rng(0).standard_normal(count)
    plain = loss_oscillation(np.exp(0.01 * noise))
    assert plain.activity == pytest.approx(plain.residual.var())
    assert plain.power.sum() == pytest.approx(plain.activity)
    scaled = loss_oscillation(7 * np.exp(0.01 * noise - 4 * t + t**3))
    assert scaled.activity == pytest.approx(plain.activity)
    assert scaled.mobility == pytest.approx(plain.mobility)


def test_only_the_window_counts_and_a_smooth_curve_has_no_frequency() -> None:
    t = np.arange(1000)
    losses = np.exp(-t / 300)
    losses[400:] *= 1 + 0.5 * np.sin(t[400:])
    found = loss_oscillation(losses)
    assert found.activity < 1e-25
    assert np.isnan(found.mobility)
    assert loss_oscillation(losses, steps=1000).activity > 0.01


def test_a_refused_loss_curve_says_why() -> None:
    with pytest.raises(InvalidInput, match="3 entries, expected at least 5"):
        loss_oscillation([1.0, 2.0, 3.0])
    with pytest.raises(InvalidInput, match="not positive; cut the curve before it, or pass logarithmic=False"):
        loss_oscillation([1.0, 2.0, 0.0, 1.0, 2.0])
    with pytest.raises(InvalidInput, match="not finite; cut the curve"):
        loss_oscillation([1.0, 2.0, np.nan, 1.0, 2.0], logarithmic=False)
    with pytest.raises(InvalidInput, match="one loss for each step"):
        loss_oscillation(np.ones((2, 9)))
    with pytest.raises(InvalidInput, match="degree is -1"):
        loss_oscillation(np.ones(9), degree=-1)


@pytest.fixture(scope="module")
def measured() -> Progress:
    _, problem, context = adder()
    return progress(problem, steps_of(problem), context=context)


def test_all_measures_come_out_for_every_checkpoint(measured: Progress) -> None:
    assert measured.left_out == {}
    assert list(measured.quantities) == list(MEASURES)
    assert measured.steps.tolist() == [0, 10, 20, 30]
    frame = measured.to_frame()
    assert len(frame) == 4 * len(measured.values)
    assert np.isfinite(frame["value"]).all()
    assert measured.values["distance"][0] == 0
    assert measured.values["kernel_distance"][0] == pytest.approx(0, abs=1e-12)
    assert (np.diff(measured.values["train_loss"]) < 0).all()
    assert set(measured.standard_errors) == {"restricted_loss_null"}
    assert measured.draws["restricted_loss_null"].shape[0] == 4
    assert measured.cost.gradients > 0


def test_each_value_is_that_of_the_function_alone(measured: Progress) -> None:
    _, problem, context = adder()
    row = steps_of(problem)[20]
    context = dataclasses.replace(context, start=problem.start, frequencies=measured.frequencies)
    for name, measure in MEASURES.items():
        found = measure.function(problem, row, context)
        found = found if isinstance(found, dict) else {name: found}
        assert tuple(found) == measured.quantities[name]
        for quantity, value in found.items():
            number = value if isinstance(value, float) else value.value
            assert number == pytest.approx(measured.values[quantity][2], rel=1e-9, abs=1e-12), quantity


def test_batches_and_the_form_of_checkpoints_make_no_difference(measured: Progress) -> None:
    module, problem, context = adder(batch_size=5)
    checkpoints = steps_of(problem)
    as_tensors = {step: problem.layout.tensors(row) for step, row in checkpoints.items()}
    module.load_state_dict(as_tensors[30], strict=False)
    again = progress(problem, as_tensors | {30: module}, context=context)  # type: ignore[operator]
    for quantity, values in measured.values.items():
        np.testing.assert_allclose(again.values[quantity], values, rtol=1e-8, atol=1e-12, err_msg=quantity)


def test_float32_agrees_with_float64(measured: Progress) -> None:
    _, double, _ = adder()
    _, problem, context = adder(torch.float32)
    found = progress(problem, {s: r.float() for s, r in steps_of(double).items()}, context=context)
    for quantity, values in measured.values.items():
        np.testing.assert_allclose(found.values[quantity], values, rtol=2e-4, atol=1e-6, err_msg=quantity)


def test_the_model_and_the_worlds_randomness_stay_as_they_are() -> None:
    module, problem, context = adder()
    module.train()
    before = copy.deepcopy(module.state_dict())
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    start = problem.start.clone()
    progress(problem, {0: problem.start, 1: 2 * problem.start}, context=context)
    assert module.training
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())
    assert torch.equal(start, problem.start)
    assert not problem.start.requires_grad
    assert torch.equal(states[0], torch.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])  # noqa: NPY002
    assert states[2] == random.getstate()


def test_what_the_context_does_not_allow_is_left_out_and_said() -> None:
    _, problem, _ = adder()
    told: list[float] = []
    found = progress(problem, {5: problem.start}, progress=told.append)
    assert set(found.left_out) == {
        "last_layer_norm", "fourier_spectrum", "circuit_losses", "neuron_sparsity", "effective_sparsity", "saliency",
        "attribution", "distance_from_start",
    }  # fmt: skip
    assert found.left_out["distance_from_start"].startswith("distance_from_start needs start, which the context")
    assert found.quantities["kernel_change"] == ("kernel_norm", "kernel_alignment")
    assert found.frequencies is None
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_measure_of_ones_own_stands_beside_the_others() -> None:
    _, problem, context = adder()

    def largest_weight(problem: Problem, row: Tensor, context: Context) -> float:
        return float(row.abs().max())

    found = progress(problem, {0: problem.start}, measures=["weight_norm", largest_weight], context=context)
    assert found.quantities == {"weight_norm": ("weight_norm",), "largest_weight": ("largest_weight",)}
    assert found.values["largest_weight"][0] == float(problem.start.abs().max())
    assert found.cost == Cost()
    with pytest.raises(InvalidInput, match="gives the quantity 'weight_norm', which another measure gives"):
        progress(problem, {0: problem.start}, measures=["weight_norm", lambda p, r, c: {"weight_norm": 1.0}])


def test_cost_counts_what_was_evaluated() -> None:
    _, problem, context = adder()
    count, space = problem.count["train"], len(context.space.elements)
    few = dataclasses.replace(context, examples=10)
    rows = {0: problem.start, 1: 2 * problem.start}

    def cost(name: str) -> Cost:
        return progress(problem, rows, measures=[name], context=few).cost

    assert cost("performance") == Cost(evaluations=4)
    assert cost("saliency") == Cost(gradients=2)
    assert cost("circuit_losses") == Cost(evaluations=3 * -(-space // count))
    assert cost("kernel_change") == Cost(gradients=3 * -(-10 * GROUP // count))


def test_refusals_say_what_is_wrong() -> None:
    _, problem, _ = adder()
    row = {0: problem.start}
    refused = [
        ({}, {}, "expected a mapping of steps to weights"),
        ({0: problem.start[1:]}, {}, "checkpoint 0 has shape"),
        ({0: problem.start * np.nan}, {}, "checkpoint 0 holds NaN"),
        (row, {"measures": ["norm"]}, "measures hold 'norm', expected some of performance, weight_norm"),
        (row, {"measures": []}, "measures are empty"),
        (row, {"context": Context(last_layer="no")}, "last_layer='no' matches no varied parameter"),
        (row, {"context": Context(spectrum=("no", 0, 5))}, "spectrum names the parameter 'no'"),
        (row, {"context": Context(spectrum=("embed.weight", 2, 5))}, "spectrum has axis 2"),
        (row, {"context": Context(spectrum=("embed.weight", 0, 9))}, "from 3 to the 8 tokens"),
    ]
    for checkpoints, options, message in refused:
        with pytest.raises(InvalidInput, match=message):
            progress(problem, checkpoints, **options)
    with pytest.raises(NotApplicable, match="last_layer_norm needs last_layer"):
        progress(problem, row, measures=["last_layer_norm"])
    for field in ("examples", "draws", "seed"):
        with pytest.raises(InvalidInput, match=f"{field} is -1, expected an integer of at least"):
            Context(**{field: -1})


def test_pictures_show_what_was_measured(measured: Progress) -> None:
    first = measured.plot(quantities=["restricted_loss", "weight_norm"])
    panels = first.figure.axes
    assert [panel.get_title() for panel in panels] == ["restricted loss", "weight norm"]
    np.testing.assert_array_equal(panels[1].lines[0].get_ydata(), measured.values["weight_norm"])
    np.testing.assert_array_equal(first.lines[1].get_ydata(), measured.values["restricted_loss_null"])
    _, ax = plt.subplots()
    assert measured.plot(ax, quantities=["weight_norm"]) is ax
    assert (ax.lines[0].get_ydata().min(), ax.lines[0].get_ydata().max()) == (0, 1)
    assert len(measured.plot().figure.axes) == len(MEASURES) - 1
    with pytest.raises(InvalidInput, match="quantities hold 'no'"):
        measured.plot(quantities=["no"])
    curve = loss_oscillation(2 + np.sin(np.arange(50)))
    assert len(curve.plot().patches) == len(curve.to_frame())
    plt.close("all")
