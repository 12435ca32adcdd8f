"""Neurons against hooks and loops over masks; the tangent kernel against a dense Jacobian and linear models."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn
from torch.func import jacrev
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.progress import Context, Neurons, NotApplicable
from grokscape.landscape.measures.progress.kernel import (
    kernel_alignment,
    kernel_change,
    kernel_distance,
    tangent_kernel,
)
from grokscape.landscape.measures.progress.neurons import attribution, effective_sparsity, saliency
from grokscape.landscape.measures.progress.spectra import gini
from grokscape.landscape.problem import Problem
from tests.landscape.measures.progress.networks import adder, steps_of

NEURONS = Neurons(incoming=("0.weight", 0), outgoing=("2.weight", 1))


def net(width: int = 10, outputs: int = 3, seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, outputs)).double()


def data(count: int = 40, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((count, 4)))


def classify(module: nn.Module, count: int = 40, batch_size: int | None = None) -> Problem:
    inputs = data(count)
    labels = (inputs[:, 0] > 0).long() + (inputs[:, 1] > 0).long()
    return Problem(module, nn.CrossEntropyLoss(), (inputs, labels), batch_size=batch_size)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("batch_size", [None, 7])
def test_effective_sparsity_is_the_first_mask_that_keeps_all_predictions(outputs: int, batch_size: int | None) -> None:
    module, inputs = net(outputs=outputs), data(200)  # more than are looked at first
    loss = (lambda z, y: z.square().mean()) if outputs == 1 else nn.CrossEntropyLoss()
    targets = inputs[:, :1] if outputs == 1 else torch.zeros(len(inputs), dtype=torch.long)
    problem = Problem(module, loss, (inputs, targets), batch_size=batch_size)

    def predictions(hidden: Tensor) -> Tensor:
        answers = module[2](hidden)
        return answers.argmax(1) if outputs > 1 else (answers > 0).squeeze(1)

    hidden = module[1](module[0](inputs))
    order = module[0].weight.norm(dim=1).argsort(descending=True)
    for k in range(1, 11):
        mask = torch.zeros(10, dtype=torch.float64)
        mask[order[:k]] = 1
        if torch.equal(predictions(hidden * mask), predictions(hidden)):
            break
    assert effective_sparsity(problem, problem.start, Context(neurons=NEURONS)) == k


def test_effective_sparsity_counts_the_neurons_that_were_planted() -> None:
    module = net(width=40)
    with torch.no_grad():
        module[0].weight[:, :] *= 1e-3
        module[0].weight[5:8] = 3 * torch.eye(4, dtype=torch.float64)[:3]
        module[0].bias.zero_()
        module[2].weight[:, 5:8] = 3 * torch.eye(3, dtype=torch.float64)
        module[2].bias.copy_(torch.tensor([0.3, 0.2, 0.1]))
    problem = classify(module)
    assert effective_sparsity(problem, problem.start, Context(neurons=NEURONS)) == 3


def test_saliency_is_the_mean_of_activation_times_gradient() -> None:
    module = net()
    problem = classify(module, batch_size=7)
    inputs, labels = problem.all_data("train")
    hidden = module[1](module[0](inputs)).detach().requires_grad_()
    (slope,) = torch.autograd.grad(F.cross_entropy(module[2](hidden), labels), hidden)
    expected = (hidden * slope).sum(0).abs().detach()
    found = saliency(problem, problem.start, Context(neurons=NEURONS))
    assert found["saliency_mean"] == pytest.approx(float(expected.mean()))
    assert found["saliency_median"] == pytest.approx(np.median(expected))
    assert found["saliency_upper"] == pytest.approx(np.quantile(expected, 0.9))
    assert found["saliency_gini"] == pytest.approx(float(gini(expected)))
    assert found["saliency_skewness"] == pytest.approx(stats.skew(expected))


@pytest.mark.parametrize("examples", [5, 500])
def test_attribution_is_the_contribution_to_the_labels_centred_logit(examples: int) -> None:
    module = net()
    problem = classify(module)
    context = Context(neurons=NEURONS, examples=examples, seed=3)
    inputs, labels = context.sample(problem)
    assert len(labels) == min(examples, 40)
    weight = module[2].weight.detach()
    hidden = module[1](module[0](inputs)).detach()
    expected = (hidden * (weight - weight.mean(0))[labels]).abs().mean(0)
    found = attribution(problem, problem.start, context)
    assert found["attribution_mean"] == pytest.approx(float(expected.mean()))
    assert found["attribution_gini"] == pytest.approx(float(gini(expected)))
    assert found["attribution_skewness"] == pytest.approx(stats.skew(expected))


def test_the_sample_is_chosen_by_the_seed_alone() -> None:
    problem = classify(net())
    context = Context(examples=9, seed=4)
    again = dataclasses.replace(context, draws=7).sample(problem)
    other = dataclasses.replace(context, seed=5).sample(problem)
    assert torch.equal(context.sample(problem)[0], again[0])
    assert not torch.equal(context.sample(problem)[0], other[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_tangent_kernel_is_that_of_the_dense_jacobian(dtype: torch.dtype) -> None:
    _, problem, _ = adder(dtype)
    inputs, _ = problem.all_data("train")
    jacobian = jacrev(lambda row: problem.outputs(row, inputs))(problem.start).double()
    expected = torch.einsum("icp,jcp->ij", jacobian, jacobian)
    found = tangent_kernel(problem, problem.start, inputs)
    assert found.dtype == torch.float64
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance * float(expected.abs().max()))


def test_the_kernel_of_a_linear_model_is_its_gram_matrix_and_never_changes() -> None:
    inputs = data(12)
    problem = Problem(nn.Linear(4, 3).double(), nn.MSELoss(), (inputs, inputs[:, :3] ** 2))
    kernel = tangent_kernel(problem, problem.start, inputs)
    torch.testing.assert_close(kernel, 3 * (inputs @ inputs.T + 1))
    checkpoints = steps_of(problem)
    assert float((checkpoints[30] - checkpoints[0]).norm()) > 0.1
    for row in checkpoints.values():
        found = kernel_change(problem, row, Context(start=problem.start))
        assert found["kernel_distance"] == pytest.approx(0, abs=1e-12)
        assert found["kernel_norm"] == pytest.approx(float(kernel.norm()) / 12)


def test_kernel_distance_of_known_matrices() -> None:
    first = torch.diag(torch.tensor([1.0, 0.0], dtype=torch.float64))
    second = torch.diag(torch.tensor([0.0, 2.0], dtype=torch.float64))
    assert kernel_distance(first, second) == 1
    assert kernel_distance(first, 5 * first) == pytest.approx(0)
    assert kernel_distance(first, torch.eye(2, dtype=torch.float64)) == pytest.approx(1 - 2**-0.5)
    with pytest.raises(InvalidInput, match=r"shapes \(2, 2\) and \(3, 3\)"):
        kernel_distance(first, torch.eye(3))


def test_alignment_of_one_output_is_the_quotient_of_kumar_and_one_for_the_labels_own_kernel() -> None:
    inputs, labels = data(12), data(12, seed=1)[:, 0]
    kernel = inputs @ inputs.T
    expected = labels @ kernel @ labels / (kernel.norm() * labels.square().sum())
    assert kernel_alignment(kernel, labels) == pytest.approx(float(expected))
    assert kernel_alignment(torch.outer(labels, labels), labels) == pytest.approx(1)


def test_class_labels_are_aligned_as_centred_one_hot_rows() -> None:
    problem = classify(net(), count=12)
    inputs, labels = problem.all_data("train")
    found = kernel_change(problem, problem.start, Context(examples=12))
    assert set(found) == {"kernel_norm", "kernel_alignment"}
    kernel = tangent_kernel(problem, problem.start, inputs)
    rows = F.one_hot(labels, 3).double() - 1 / 3
    gram = rows @ rows.T
    assert found["kernel_alignment"] == pytest.approx(float((kernel * gram).sum() / kernel.norm() / gram.norm()))


def test_a_module_without_a_rule_for_vmap_is_measured_too() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.out = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 2)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.out(self.cell(inputs[:, None])[0][:, -1])

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = Recurrent().double()
    problem = Problem(module, nn.CrossEntropyLoss(), (data(6), torch.arange(6) % 2))
    jacobian = torch.autograd.functional.jacobian(lambda row: problem.outputs(row, data(6)), problem.start)
    expected = torch.einsum("icp,jcp->ij", jacobian, jacobian)
    torch.testing.assert_close(tangent_kernel(problem, problem.start, data(6)), expected)


def test_refusals_say_what_is_wrong() -> None:
    problem = classify(net())
    for measure in (effective_sparsity, saliency, attribution):
        with pytest.raises(NotApplicable, match=f"{measure.__name__} needs neurons"):
            measure(problem, problem.start, Context())
        with pytest.raises(InvalidInput, match=r"number 4 along '0\.weight' axis 1, 10 along '2\.weight' axis 1"):
            measure(problem, problem.start, Context(neurons=Neurons(("0.weight", 1), ("2.weight", 1))))
        with pytest.raises(InvalidInput, match="neurons name 'no', but the varied parameters are"):
            measure(problem, problem.start, Context(neurons=Neurons(("no", 1), ("2.weight", 1))))
        with pytest.raises(InvalidInput, match=r"neurons lie along axis 2 of '0\.weight'"):
            measure(problem, problem.start, Context(neurons=Neurons(("0.weight", 2), ("2.weight", 1))))
        with pytest.raises(InvalidInput, match=f"{measure.__name__} needs both what feeds them and what they feed"):
            measure(problem, problem.start, Context(neurons=Neurons(("0.weight", 0))))
    regression = Problem(net(), nn.MSELoss(), (data(), data()[:, :3]))
    with pytest.raises(NotApplicable, match="targets that are class indices"):
        attribution(regression, regression.start, Context(neurons=NEURONS))
