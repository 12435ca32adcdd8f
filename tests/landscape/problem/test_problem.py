"""A problem takes any model, loss and data, leaves them alone, and refuses in one sentence what it cannot use."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.classification import correct
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.initialisation import fresh
from grokscape.landscape.models import Perceptron
from grokscape.landscape.problem import Problem
from grokscape.landscape.tasks import BinaryOperation
from tests.landscape.measures.cases import CASES, case

INPUTS = torch.randn(10, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(10) % 3


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))


def per_example(outputs, targets):
    return F.cross_entropy(outputs, targets, reduction="none")


@pytest.mark.parametrize("loss", [F.cross_entropy, per_example])
@pytest.mark.parametrize(
    "make",
    [
        lambda: (INPUTS, LABELS),
        lambda: [(INPUTS[:7], LABELS[:7]), (INPUTS[7:], LABELS[7:])],
        lambda: torch.utils.data.DataLoader(torch.utils.data.TensorDataset(INPUTS, LABELS), batch_size=3),
        lambda: iter([(INPUTS[:4], LABELS[:4]), (INPUTS[4:], LABELS[4:])]),
        lambda: (INPUTS.double(), LABELS),
        lambda: (INPUTS.numpy(), LABELS.numpy()),
        lambda: [INPUTS, LABELS],
    ],
    ids=["tensors", "list", "loader", "iterator", "another precision", "arrays", "a list as a pair"],
)
def test_the_loss_is_the_mean_over_all_examples_however_they_come(make, loss):
    model = network()
    problem = Problem(model, loss, make())
    losses, gradients = problem.gradients(problem.start[None])
    truth = F.cross_entropy(model(INPUTS), LABELS)
    truth.backward()
    torch.testing.assert_close(losses[0], truth.detach())
    torch.testing.assert_close(gradients[0], torch.cat([p.grad.flatten() for p in model.parameters()]))
    found = problem.evaluate(problem.start[None])
    assert float(found["accuracy"][0]) == pytest.approx(float((model(INPUTS).argmax(1) == LABELS).float().mean()))


@pytest.mark.parametrize("name", CASES)
def test_several_networks_are_as_each_alone(name):
    problem = case(name).problem(batch_size=5)
    params = problem.start * torch.tensor([[1.0], [0.3]], dtype=torch.float64)
    losses, gradients = problem.gradients(params)
    for index in range(2):
        loss, gradient = problem.gradients(params[index : index + 1])
        torch.testing.assert_close(losses[index], loss[0])
        torch.testing.assert_close(gradients[index], gradient[0])
    assert problem.vectorised == (name != "lstm")


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 3)).train()
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    problem = Problem(model, F.cross_entropy, (INPUTS, LABELS))
    problem.gradients(problem.start[None] * 2)
    problem.evaluate(problem.start[None])
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(state, torch.get_rng_state())


class Drifting(nn.Linear):
    """A module that writes into a buffer at every call, also in evaluation."""

    def __init__(self):
        super().__init__(4, 3)
        self.register_buffer("scale", torch.ones(()))

    def forward(self, x):
        self.scale.mul_(1.5)
        return super().forward(x) * self.scale


def test_what_a_module_writes_into_its_buffers_does_not_reach_the_next_evaluation():
    model = Drifting()
    problem = Problem(model, F.cross_entropy, (INPUTS, LABELS))
    truth = F.cross_entropy(1.5 * nn.Linear.forward(model, INPUTS), LABELS).detach()
    for _ in range(3):
        assert float(problem.evaluate(problem.start[None])["loss"]) == pytest.approx(float(truth), rel=1e-6)
    assert float(model.scale) == 1.0


class TwoInputs(nn.Linear):
    def forward(self, x, scale):
        return super().forward(x) * scale


def test_reading_a_loader_keeps_the_global_random_state():
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(INPUTS, LABELS), batch_size=3, shuffle=True)
    state = torch.get_rng_state()
    Problem(network(), F.cross_entropy, loader)
    assert torch.equal(state, torch.get_rng_state())


def test_several_inputs_come_as_a_pair_of_tensors_or_through_a_loader():
    model, scale = TwoInputs(4, 3), torch.linspace(0.5, 2, 10)[:, None]
    examples = [((x, s), y) for x, s, y in zip(INPUTS, scale, LABELS, strict=True)]
    truth = F.cross_entropy(model(INPUTS, scale), LABELS).detach()
    for data in (((INPUTS, scale), LABELS), torch.utils.data.DataLoader(examples, batch_size=4)):
        problem = Problem(model, F.cross_entropy, data)
        assert float(problem.evaluate(problem.start[None])["loss"]) == pytest.approx(float(truth), rel=1e-6)


def test_batch_statistics_are_used_when_asked_for():
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)).train()
    problem = Problem(model, F.cross_entropy, (INPUTS, LABELS), training_mode=True)
    truth = F.cross_entropy(copy.deepcopy(model)(INPUTS), LABELS)
    torch.testing.assert_close(problem.gradients(problem.start[None])[0][0], truth.detach())
    assert int(model[1].num_batches_tracked) == 0
    with pytest.raises(InvalidInput, match="drops out at random"):
        Problem(nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.1)), F.mse_loss, (INPUTS, LABELS), training_mode=True)


def test_frozen_and_chosen_parameters():
    model = network()
    model[0].bias.requires_grad_(False)
    assert Problem(model, F.cross_entropy, (INPUTS, LABELS)).layout.names == ["0.weight", "2.weight", "2.bias"]
    only = Problem(model, F.cross_entropy, (INPUTS, LABELS), only=["2.*"])
    assert only.layout.names == ["2.weight", "2.bias"]
    torch.testing.assert_close(only.outputs(only.start, INPUTS), model(INPUTS))


def test_a_function_with_a_dict_of_parameters():
    parameters = {"w": torch.ones(4, 3), "unused": torch.zeros(0)}
    problem = Problem(lambda p, x: x @ p["w"], F.cross_entropy, (INPUTS, LABELS), parameters=parameters)
    assert problem.size == 12
    torch.testing.assert_close(
        problem.gradients(problem.start[None])[0][0], F.cross_entropy(INPUTS @ torch.ones(4, 3), LABELS)
    )


def test_subsets_and_other_labels():
    problem = Problem(network(), F.cross_entropy, (INPUTS, LABELS), batch_size=4)
    some = torch.tensor([9, 0, 5])
    part = problem.subset(some)
    assert part.count["train"] == 3
    truth = F.cross_entropy(problem.outputs(problem.start, INPUTS[some]), LABELS[some])
    torch.testing.assert_close(part.gradients(part.start[None])[0][0], truth)
    other = problem.relabelled((LABELS + 1) % 3)
    truth = F.cross_entropy(problem.outputs(problem.start, INPUTS), (LABELS + 1) % 3)
    torch.testing.assert_close(other.gradients(other.start[None])[0][0], truth)


def test_accuracy_is_strict_and_undefined_without_classes():
    flat = Problem(lambda p, x: x @ p["w"], F.cross_entropy, (INPUTS, LABELS), parameters={"w": torch.zeros(4, 3)})
    assert float(flat.evaluate(flat.start[None])["accuracy"]) == 0.0  # a tie is not right
    real = Problem(nn.Linear(4, 2), F.mse_loss, (INPUTS, torch.zeros(10, 2)))
    assert np.isnan(float(real.evaluate(real.start[None])["accuracy"]))
    own = Problem(
        nn.Linear(4, 2),
        F.mse_loss,
        (INPUTS, torch.zeros(10, 2)),
        accuracy=lambda z, y: ((z - y).square().mean(1) < 1e9).float(),
    )
    assert float(own.evaluate(own.start[None])["accuracy"]) == 1.0


def test_positions_without_a_class_do_not_count_in_the_accuracy():
    z = torch.eye(3).expand(2, 3, 3)
    assert correct(z, torch.tensor([[0, 2, -100], [0, 1, -100]])).tolist() == [0.5, 1.0]
    assert correct(z, torch.tensor([[0, 1, 2], [-100, 3, -1]])).isnan().tolist() == [False, True]


def test_fresh_parameters_are_those_of_the_module_s_own_initialisation():
    problem = Problem(network(), F.cross_entropy, (INPUTS, LABELS))
    state = torch.get_rng_state()
    drawn = fresh(problem, 1)
    assert torch.equal(state, torch.get_rng_state())
    torch.testing.assert_close(drawn, torch.cat([p.detach().flatten() for p in network().parameters()]))
    assert not torch.equal(drawn, fresh(problem, 2))
    given = fresh(problem, 0, lambda seed: network())
    torch.testing.assert_close(given, drawn)


def test_what_a_module_sets_in_its_parts_is_not_drawn_over():
    """`nn.MultiheadAttention` starts without an output bias, which its output layer alone would draw."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        model = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    problem = Problem(model, F.mse_loss, (INPUTS[:, None], INPUTS[:, None]))
    assert torch.equal(fresh(problem, 4), problem.start)
    assert not problem.layout.tensors(fresh(problem, 5))["self_attn.out_proj.bias"].any()


class Bare(nn.Module):
    """A module that cannot draw its parameters anew."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return x[:, :3] * self.scale


def broken() -> nn.Module:
    module = network()
    module[0].weight.data[0, 0] = torch.nan
    return module


class Counting(nn.Linear):
    """A module that remembers how often it was called."""

    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x) * self.calls


class Noisy(nn.Linear):
    def forward(self, x):
        return F.dropout(super().forward(x), 0.5)


def frozen() -> nn.Module:
    return network().requires_grad_(False)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Problem(network(), lambda z, y: z, (INPUTS, LABELS)), r"loss returned shape \(10, 3\)"),
        (lambda: Problem(network(), lambda z, y: 3.0, (INPUTS, LABELS)), "loss returned 3.0"),
        (lambda: Problem(network(), None, (INPUTS, LABELS)), "loss is None"),
        (lambda: Problem(Counting(4, 3), F.cross_entropy, (INPUTS, LABELS)), "evaluated again at the same weights"),
        (lambda: Problem(Noisy(4, 3), F.cross_entropy, (INPUTS, LABELS)), "evaluated again at the same weights"),
        (lambda: Problem(network(), nn.CrossEntropyLoss(reduction="sum"), (INPUTS, LABELS)), "it is a sum over"),
        (
            lambda: Problem(network(), F.cross_entropy, (INPUTS[:, :3], LABELS)),
            "the model fails .* train data .*shapes",
        ),
        (lambda: Problem(network().bfloat16(), F.cross_entropy, (INPUTS, LABELS)), "parameters are torch.bfloat16"),
        (
            lambda: Problem(
                lambda p, x: (x @ p["w"]).abs(),
                F.cross_entropy,
                (INPUTS, LABELS),
                parameters={"w": torch.ones(4, 3) * 1j},
            ),
            "no parameter requires a gradient",
        ),
        (lambda: Problem(network(), F.cross_entropy, (INPUTS, LABELS + 1)), "the loss fails .* train data .*out of"),
        (lambda: Problem(network(), F.cross_entropy, (INPUTS, LABELS), (INPUTS[:, :3], LABELS)), "of the test data"),
        (lambda: Problem(frozen(), F.cross_entropy, (INPUTS, LABELS)), "no parameter requires a gradient"),
        (lambda: Problem(broken(), F.cross_entropy, (INPUTS, LABELS)), "'0.weight' holds NaN"),
        (lambda: Problem(network(), F.cross_entropy, (INPUTS[:0], LABELS[:0])), "train data are empty"),
        (lambda: Problem(network(), F.cross_entropy, []), "train data are empty"),
        (lambda: Problem(network(), F.cross_entropy, None), "train data are None"),
        (
            lambda: Problem(network(), F.cross_entropy, torch.utils.data.TensorDataset(INPUTS, LABELS)),
            "through a DataLoader",
        ),
        (lambda: Problem(network(), F.cross_entropy, (INPUTS, LABELS), []), "test data are empty"),
        (lambda: Problem(network(), F.cross_entropy, (INPUTS, LABELS[:5])), "5 and 10 examples"),
        (lambda: Problem(network(), F.cross_entropy, [INPUTS]), r"(?s)train data hold Tensor .* expected pairs"),
        (lambda: Problem(network(), F.cross_entropy, (INPUTS, LABELS), only="head*"), "only='head[*]' matches no"),
        (lambda: Problem(network(), F.cross_entropy, (INPUTS, LABELS), batch_size=0), "batch_size is 0"),
        (lambda: Problem(network(), F.cross_entropy, (INPUTS, LABELS), batch_size=2.5), "batch_size is 2.5, expected"),
        (lambda: Problem(7, F.cross_entropy, (INPUTS, LABELS)), "model is 7, expected an nn.Module"),
        (lambda: Problem(network(), F.cross_entropy, (INPUTS, LABELS), parameters={}), "beside a module"),
        (lambda: Problem(network(), F.cross_entropy, (INPUTS, LABELS)).need_test("it"), "no test data were given"),
        (lambda: fresh(Problem(Bare(), F.mse_loss, (INPUTS, INPUTS[:, :3])), 0), "no reset_parameters method"),
        (
            lambda: fresh(Problem(network(), F.cross_entropy, (INPUTS, LABELS)), 0, lambda s: {}),
            "nothing for parameter '0.weight'",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(make, words):
    with pytest.raises(InvalidInput, match=words):
        make()


def test_whether_vmap_runs_does_not_depend_on_who_asks_first():
    problem = Problem(network(), F.cross_entropy, (INPUTS, LABELS))
    problem.evaluate(problem.start.expand(2, -1))  # asks without gradients
    assert problem.vectorised


def test_a_loss_that_has_lost_its_way_to_the_parameters_is_refused():
    with pytest.raises(InvalidInput, match=r"does not depend on the parameters that are varied \(0.weight"):
        Problem(network(), lambda z, y: F.cross_entropy(z.detach(), y), (INPUTS, LABELS))
    model = nn.ModuleDict({"used": nn.Linear(4, 3), "unused": nn.Linear(2, 2)})
    model.forward = lambda x: model["used"](x)
    with torch.no_grad(), pytest.raises(InvalidInput, match=r"does not depend .*\(unused.weight, unused.bias\)"):
        Problem(model, F.cross_entropy, (INPUTS, LABELS), only="unused.*")


def test_a_loss_that_weighs_examples_by_their_batch_needs_all_data_in_one_batch():
    weight = torch.tensor([1.0, 5.0, 1.0])

    def weighted(outputs, targets):  # of which nothing is known
        return F.cross_entropy(outputs, targets, weight=weight)

    Problem(network(), weighted, (INPUTS, LABELS))
    with pytest.raises(InvalidInput, match="is not the mean over its halves"):
        Problem(network(), weighted, (INPUTS, LABELS), batch_size=5)


def test_subsets_are_cut_like_the_whole():
    problem = Problem(network(), F.cross_entropy, (INPUTS, LABELS), batch_size=4)
    assert [len(inputs) for inputs, _ in problem.subset(torch.arange(9)).batches["train"]] == [4, 4, 1]
    assert [len(inputs) for inputs, _ in problem.relabelled(LABELS.flip(0)).batches["train"]] == [4, 4, 2]
    with pytest.raises(InvalidInput, match="5 and 10 examples"):
        problem.relabelled(LABELS[:5])


def test_networks_of_the_project_start_as_their_runs_do():
    task = BinaryOperation(p=5)
    made = Perceptron(width=8).build(task)
    made.initialise(seed=0)
    problem = Problem(made, F.cross_entropy, (task.inputs, task.labels))
    other = Perceptron(width=8).build(task)
    other.initialise(seed=7)
    assert torch.equal(fresh(problem, 7), problem.layout.row(dict(other.named_parameters())).detach())
