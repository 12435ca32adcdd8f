"""Minimising at a fixed norm: against the secular equation, loops with torch.optim, and alone against in a batch."""

import copy

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.initialisation import fresh
from grokscape.landscape.measures.norm_profile.descent import without_denormals
from grokscape.landscape.measures.norm_profile.on_sphere import minimise_at_norm
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.landscape.problem import Problem
from tests.landscape.measures.teacher_student import student, teacher_student

ADAM = AdamW(lr=1e-2, weight_decay=0.0, beta2=0.999)


def regression(n: int = 30, features: int = 6, dtype: torch.dtype = torch.float64) -> Problem:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(n, features, generator=generator, dtype=dtype)
    targets = inputs @ torch.randn(features, 1, generator=generator, dtype=dtype)
    targets += 0.3 * torch.randn(n, 1, generator=generator, dtype=dtype)
    test = torch.randn(n, features, generator=generator, dtype=dtype)
    model = nn.Linear(features, 1, bias=False).to(dtype)
    return Problem(model, nn.MSELoss(), (inputs, targets), (test, test[:, :1]))


def on_the_sphere(problem: Problem, radius: float) -> tuple[np.ndarray, float]:
    """Return the least-squares weights of a given norm and their loss, by the secular equation."""
    inputs, targets = (part.double().numpy() for part in problem.all_data("train"))
    values, vectors = np.linalg.eigh(inputs.T @ inputs)
    pull = vectors.T @ (inputs.T @ targets[:, 0])

    def excess(mu: float) -> float:
        return float(np.linalg.norm(pull / (values + mu)) - radius)

    mu = brentq(excess, -values[0] + 1e-9, 1e9, xtol=1e-12)  # right of the smallest pole: the global minimum
    weights = vectors @ (pull / (values + mu))
    return weights, float(((inputs @ weights - targets[:, 0]) ** 2).mean())


@pytest.mark.parametrize("optimiser", [ADAM, SGD(lr=0.02)], ids=["adam", "sgd"])
def test_linear_regression_at_fixed_norm_agrees_with_the_secular_equation(optimiser):
    problem = regression()
    radii = [0.1, 0.5, 1.0, 2.0, 3.0, 6.0]
    params = torch.stack([fresh(problem, seed) for seed in range(len(radii))])
    ends = minimise_at_norm(problem, params, radii, steps=3000, optimiser=optimiser)
    for row, loss, radius in zip(ends.params, ends.end["train", "loss"], radii, strict=True):
        weights, least = on_the_sphere(problem, radius)
        assert loss == pytest.approx(least, rel=1e-4)
        assert row.numpy() == pytest.approx(weights, abs=1e-2 * radius)
    assert ends.converged.all()
    assert (ends.residual < 1e-2 * ends.end["train", "loss"]).all()


def test_without_the_tangent_adam_comes_to_rest_elsewhere_and_the_residual_tells():
    problem = regression()
    ends = minimise_at_norm(problem, problem.start[None], [0.5], steps=3000, optimiser=ADAM, tangential=False)
    _, least = on_the_sphere(problem, 0.5)
    assert ends.end["train", "loss"][0] > 1.01 * least
    assert ends.residual[0] > 0.1 * least


def by_hand(problem, row, norm, optimiser, steps, tangential):
    """Return parameters and losses of a loop written with torch.optim."""
    module = copy.deepcopy(problem.template)
    nn.utils.vector_to_parameters(row.clone(), module.parameters())
    parameters, losses = list(module.parameters()), []
    optimiser = optimiser(parameters)
    inputs, targets = problem.all_data("train")

    def rescale():
        with torch.no_grad():
            now = nn.utils.parameters_to_vector(parameters).norm()
            for parameter in parameters:
                parameter *= norm / now

    rescale()
    for _ in range(steps):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(module(inputs), targets)
        losses.append(loss.item())
        loss.backward()
        if tangential:
            radial = sum((p * p.grad).sum() for p in parameters) / norm**2
            for parameter in parameters:
                parameter.grad -= radial * parameter.detach()
        optimiser.step()
        rescale()
    return nn.utils.parameters_to_vector(parameters).detach(), losses


@pytest.mark.parametrize("tangential", [True, False])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ADAM, lambda p: torch.optim.Adam(p, lr=1e-2)),
        (AdamW(weight_decay=0.3), lambda p: torch.optim.AdamW(p, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.3)),
        (SGD(lr=0.1, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    ],
    ids=["adam", "adamw", "sgd"],
)  # fmt: skip
def test_every_step_is_that_of_a_loop_with_torch_optim(ours, theirs, tangential):
    problem = teacher_student(width=20, dtype=torch.float64)
    start, norm, steps = fresh(problem, 0), 3.0, 40
    expected, losses = by_hand(problem, start, norm, theirs, steps, tangential)
    for count in (1, 2, 7, steps):
        ends = minimise_at_norm(
            problem, start[None], [norm], steps=count, optimiser=ours, tangential=tangential, stop_loss=0.0
        )
        if count < steps:
            assert ends.end["train", "loss"][0] == pytest.approx(losses[count], rel=1e-9)
    assert torch.allclose(ends.params[0], expected, rtol=1e-9, atol=1e-11)
    assert ends.best["train", "loss"][0] == pytest.approx(min([*losses, ends.end["train", "loss"][0]]), rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_network_does_not_depend_on_its_batch(dtype):
    problem = teacher_student(width=16, dtype=dtype)
    params = torch.stack([fresh(problem, seed) for seed in range(5)])
    norms = np.array([0.5, 1.0, 2.0, 4.0, 8.0])
    options = {"steps": 60, "optimiser": ADAM}
    together = minimise_at_norm(problem, params, norms, **options)
    for index in (0, 2, 4):
        alone = minimise_at_norm(problem, params[index : index + 1], norms[index : index + 1], **options)
        pair = minimise_at_norm(problem, params[[index, 0]], norms[[index, 0]], **options)
        tolerance = 1e-3 if dtype == torch.float32 else 1e-10
        for other in (alone, pair):
            assert other.end["test", "loss"][0] == pytest.approx(together.end["test", "loss"][index], rel=tolerance)


def test_networks_that_are_done_leave_and_the_others_go_on_as_if_alone():
    problem = regression()
    inputs, _ = problem.all_data("train")
    exact = problem.relabelled(inputs @ torch.full((6, 1), 0.5, dtype=torch.float64))  # fitted at norm 1.22 alone
    fits = float(np.sqrt(6 * 0.25))
    params = torch.stack([fresh(problem, seed) for seed in range(6)])
    norms = [fits, 0.5, fits, fits, 3.0, fits]
    ends = minimise_at_norm(exact, params, norms, steps=2000, optimiser=ADAM, record_every=50, stop_loss=1e-9)
    fitted = np.array([True, False, True, True, False, True])
    assert ((ends.steps < 2000) == fitted).all()
    assert (ends.end["train", "loss"][fitted] <= 1e-9).all()
    alone = minimise_at_norm(
        exact, params[[1, 4]], [0.5, 3.0], steps=2000, optimiser=ADAM, record_every=50, stop_loss=1e-9
    )
    assert torch.allclose(ends.params[[1, 4]], alone.params, rtol=1e-8)
    # Those that are done are stepped on until the others are packed anew.
    assert ends.steps.sum() + 6 <= ends.cost.gradients <= 6 * 2001


def test_the_cost_is_what_the_problem_was_asked_for(monkeypatch):
    asked = {"gradients": 0, "evaluate": 0}

    def count(name):
        plain = getattr(Problem, name)

        def counting(self, params, *split):
            asked[name] += len(params)
            return plain(self, params, *split)

        monkeypatch.setattr(Problem, name, counting)

    count("gradients")
    count("evaluate")
    whole = regression()
    inputs, _ = whole.all_data("train")
    exact = inputs @ torch.full((6, 1), 0.5, dtype=torch.float64)
    problem = Problem(whole.template, nn.MSELoss(), [(inputs[:20], exact[:20]), (inputs[20:], exact[20:])])
    params = torch.stack([fresh(problem, seed) for seed in range(6)])
    norms = [np.sqrt(1.5), *[0.5] * 5]  # one fits and leaves, and is not worth packing anew
    ends = minimise_at_norm(problem, params, norms, steps=600, optimiser=ADAM, record_every=50, stop_loss=1e-6)
    assert ends.steps[0] < 600
    assert asked == {"gradients": ends.cost.gradients, "evaluate": ends.cost.evaluations}


def test_norms_hold_to_rounding_and_only_for_the_counted_tensors():
    problem = teacher_student(width=10)
    params = torch.stack([fresh(problem, seed) for seed in range(3)])
    norms = np.array([0.7, 2.0, 9.0])
    ends = minimise_at_norm(problem, params, norms, steps=30, optimiser=ADAM)
    assert ends.params.norm(dim=1).numpy() == pytest.approx(norms, rel=1e-5)
    part = minimise_at_norm(problem, params, norms, steps=30, optimiser=ADAM, included="*.weight", frozen="2.bias")
    spans = problem.layout.slices()
    weights = torch.cat([part.params[:, spans[f"{i}.weight"]] for i in (0, 2, 4)], 1)
    assert weights.norm(dim=1).numpy() == pytest.approx(norms, rel=1e-5)
    assert torch.equal(part.params[:, spans["2.bias"]], params[:, spans["2.bias"]])
    assert not torch.equal(part.params[:, spans["0.bias"]], params[:, spans["0.bias"]])


def test_fixed_tensors_stay_even_under_weight_decay_and_are_not_counted():
    problem = teacher_student(width=10)
    params = torch.stack([fresh(problem, seed) for seed in range(2)])
    ends = minimise_at_norm(
        problem, params, [1.0, 5.0], steps=20, optimiser=AdamW(lr=1e-2, weight_decay=1.0), frozen="0.*"
    )
    spans = problem.layout.slices()
    for name in ("0.weight", "0.bias"):
        assert torch.equal(ends.params[:, spans[name]], params[:, spans[name]])
    rest = torch.cat([ends.params[:, span] for name, span in spans.items() if not name.startswith("0.")], 1)
    assert rest.norm(dim=1).numpy() == pytest.approx([1.0, 5.0], rel=1e-5)


def test_each_network_can_have_its_own_examples():
    problem = teacher_student(width=10, dtype=torch.float64)
    params = torch.stack([fresh(problem, seed) for seed in range(3)])
    examples = torch.stack([torch.randperm(100, generator=torch.Generator().manual_seed(i))[:20] for i in range(3)])
    ends = minimise_at_norm(problem, params, [2.0] * 3, steps=50, optimiser=ADAM, examples=examples)
    for index in range(3):
        alone = minimise_at_norm(
            problem.subset(examples[index]), params[index : index + 1], [2.0], steps=50, optimiser=ADAM
        )
        for key, values in alone.end.items():
            assert ends.end[key][index] == pytest.approx(values[0], rel=1e-8, nan_ok=True)


def test_several_batches_give_what_one_gives():
    whole = teacher_student(width=10, dtype=torch.float64)
    (train, test) = (whole.all_data(split) for split in ("train", "test"))
    cut = Problem(whole.template, nn.MSELoss(), train, test, batch_size=30)
    params = torch.stack([fresh(whole, seed) for seed in range(2)])
    one, several = (minimise_at_norm(p, params, [1.0, 4.0], steps=40, optimiser=ADAM) for p in (whole, cut))
    assert torch.allclose(one.params, several.params, rtol=1e-9, atol=1e-12)


def test_modules_that_vmap_cannot_run_are_minimised_one_by_one():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells, self.head = nn.LSTM(2, 4, batch_first=True), nn.Linear(4, 1)

        def forward(self, inputs):
            return self.head(self.cells(inputs)[0][:, -1])

    inputs = torch.randn(10, 3, 2, generator=torch.Generator().manual_seed(0))
    problem = Problem(Recurrent(), nn.MSELoss(), (inputs, inputs[:, 0, :1]))
    assert not problem.vectorised
    params = torch.stack([fresh(problem, seed) for seed in range(2)])
    ends = minimise_at_norm(problem, params, [2.0, 2.0], steps=30, optimiser=ADAM)
    assert (ends.end["train", "loss"] < ends.best["train", "loss"] + 1e-3).all()
    assert np.isnan(ends.end["test", "loss"]).all()  # no test data, no test loss


def test_a_network_that_leaves_the_finite_numbers_is_marked_and_hurts_no_other():
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(20, 3, generator=generator)

    def explosive(parameters, inputs):
        return torch.exp(inputs @ parameters["weights"].abs())

    problem = Problem(
        explosive, nn.MSELoss(), (inputs, torch.ones(20)), parameters={"weights": torch.full((3,), 0.1)}
    )  # fmt: skip
    ends = minimise_at_norm(problem, torch.ones(3, 3), [0.1, 1e4, 0.2], steps=50, optimiser=ADAM)
    assert ends.diverged.tolist() == [False, True, False]
    assert not ends.converged[1]
    alone = minimise_at_norm(problem, torch.ones(2, 3), [0.1, 0.2], steps=50, optimiser=ADAM)
    assert ends.end["train", "loss"][[0, 2]] == pytest.approx(alone.end["train", "loss"], rel=1e-5)


def test_an_optimisation_cut_short_is_not_called_converged():
    problem = teacher_student(width=20)
    ends = minimise_at_norm(problem, fresh(problem, 0)[None], [3.0], steps=60, optimiser=ADAM)
    assert not ends.converged[0]
    assert abs(ends.change[0]) > 0.05


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_model_gradients_random_state_and_arithmetic_are_left_as_found(dtype):
    model = student(8).to(dtype).train()
    before = copy.deepcopy(model.state_dict())
    inputs = torch.randn(10, 5, dtype=dtype)
    problem = Problem(model, nn.MSELoss(), (inputs, inputs))
    state = torch.random.get_rng_state()
    shares = []
    params = torch.stack([problem.start, problem.start])
    ends = minimise_at_norm(problem, params, [1.0, 2.0], steps=20, optimiser=ADAM, progress=shares.append)
    assert ends.params.dtype == dtype
    assert torch.equal(params[0], problem.start)
    assert torch.equal(state, torch.random.get_rng_state())
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert float(torch.tensor([1e-40]) * 1.0) > 0  # denormal numbers are numbers again


def test_denormals_stay_flushed_for_those_who_want_it():
    torch.set_flush_denormal(True)
    try:
        with without_denormals():
            pass
        assert not (torch.tensor([1e-40]) * 1.0 > 0).any()
    finally:
        torch.set_flush_denormal(False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"norms": [1.0, 0.0]}, "norms hold 0, expected finite positive"),
        ({"norms": [1.0, -2.0]}, "norms hold -2, expected finite positive"),
        ({"norms": [1.0, float("nan")]}, "norms hold nan"),
        ({"norms": [1.0]}, "norms are 1, expected one for each of the 2 networks"),
        ({"params": torch.ones(2, 3)}, r"params have shape \(2, 3\), expected"),
        ({"params": torch.zeros(2, 6)}, "no direction"),
        ({"params": torch.full((2, 6), torch.inf)}, "params hold NaN or infinite"),
        ({"steps": 0}, "steps is 0, expected at least 1"),
        ({"record_every": 0}, "record_every is 0, expected at least 1"),
        ({"zero_loss": -1.0}, "zero_loss is -1.0, expected a number that is not negative"),
        ({"stop_loss": -1.0}, "stop_loss is -1.0, expected a number that is not negative"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"included": "bias"}, "included='bias' matches no varied parameter; there are weight"),
        ({"frozen": ["*.x"]}, r"frozen='\*.x' matches no varied parameter"),
        ({"frozen": "weight"}, "no included parameter is left"),
        ({"frozen": "weight", "included": "weight"}, "'weight' is both included and frozen"),
        ({"examples": torch.zeros(3, 4, dtype=torch.int64)}, r"examples have shape \(3, 4\), expected \(2, n\)"),
    ],
)
def test_what_cannot_be_used_is_refused(options, message):
    problem = regression()
    options = {"params": torch.ones(2, 6), "norms": [1.0, 2.0], "steps": 2} | options
    with pytest.raises(InvalidInput, match=message):
        minimise_at_norm(problem, options.pop("params"), options.pop("norms"), **options)
