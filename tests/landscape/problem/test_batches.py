"""Examples are taken apart where they can be, in the right order, and else refused with what to do."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.efficiency.degree import homogeneity
from grokscape.landscape.measures.norm_profile.profile import norm_profile
from grokscape.landscape.measures.progress import Context, progress
from grokscape.landscape.problem import Problem
from tests.landscape.data import INPUTS, LABELS, Wrapped, accuracy_of, draw, loss_of, network, per_example

LENGTHS = (2, 3, 5)
POOLED = Wrapped(network(), lambda z: z.mean(1))
RAGGED = [(draw(4, n, 4, seed=n), LABELS[:4]) for n in LENGTHS]


def ragged(indices) -> float:
    """Return the mean loss of single examples of the ragged batches."""
    losses = [F.cross_entropy(POOLED(RAGGED[i // 4][0][i % 4 : i % 4 + 1]), LABELS[i % 4 : i % 4 + 1]) for i in indices]
    return float(torch.stack(losses).mean().detach())


@pytest.mark.parametrize("loss", [F.cross_entropy, per_example, lambda z, y: F.cross_entropy(z, y)])
def test_subsets_of_batches_of_different_lengths_are_taken_within_them(loss):
    problem = Problem(POOLED, loss, RAGGED)
    assert loss_of(problem) == pytest.approx(ragged(range(12)))
    part = problem.subset(torch.tensor([11, 0, 5, 6, 1]))
    assert [tuple(inputs.shape[:2]) for inputs, _ in part.batches["train"]] == [(1, 5), (1, 2), (2, 3), (1, 2)]
    assert loss_of(part) == pytest.approx(ragged([11, 0, 5, 6, 1]))
    assert loss_of(problem.subset(torch.tensor([-1, 3]))) == pytest.approx(ragged([11, 3]))
    with pytest.raises(InvalidInput, match="indices go up to 12, but there are 12 examples"):
        problem.subset(torch.tensor([12]))


def test_what_needs_examples_of_one_shape_says_so():
    problem = Problem(POOLED, F.cross_entropy, RAGGED, RAGGED)
    for use in (
        lambda: problem.all_data("train"),
        lambda: problem.relabelled(LABELS),
        lambda: norm_profile(problem, [1.0], seeds=[0], sizes=[3], steps=1),
    ):
        with pytest.raises(InvalidInput, match=r"shapes \(4, 2, 4\), \(4,\) and \(4, 3, 4\), \(4,\).*pad examples"):
            use()
    assert len(norm_profile(problem, [1.0], seeds=[0], steps=1).losses("train")) == 1  # all examples need no joining


def test_degrees_of_examples_of_different_lengths_are_those_of_each_alone():
    tokens = nn.Sequential(nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 3, bias=False)).double()
    deep = nn.Sequential(tokens, nn.Softplus())  # no longer homogeneous
    batches = [(inputs, inputs[..., :3]) for inputs, _ in RAGGED]
    found = homogeneity(Problem(deep, nn.MSELoss(), batches))
    alone = [
        homogeneity(Problem(deep, nn.MSELoss(), (x[i : i + 1], y[i : i + 1]))).degree[0]
        for x, y in batches
        for i in range(4)
    ]
    assert found.example_degree[0] == pytest.approx(alone)
    exact = homogeneity(Problem(tokens, nn.MSELoss(), batches))
    assert exact.degree == pytest.approx([2.0])
    assert exact.homogeneous.all()


class Recurrent(nn.Module):
    """Reads (positions, sequences, numbers)."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.lstm, self.head = nn.LSTM(4, 5).double(), nn.Linear(5, 3).double()

    def forward(self, x):
        return self.head(self.lstm(x)[0])


SEQUENCES, CLASSES = draw(6, 7, 4), torch.arange(42).reshape(6, 7) % 3


def tokens(outputs, targets):
    return F.cross_entropy(outputs.flatten(0, 1), targets.flatten())


def test_examples_along_the_second_axis_are_measured_in_one_batch_and_not_taken_apart():
    model = Recurrent()
    problem = Problem(model, tokens, (SEQUENCES, CLASSES))
    assert loss_of(problem) == pytest.approx(float(tokens(model(SEQUENCES), CLASSES).detach()))
    assert accuracy_of(problem) == pytest.approx(float((model(SEQUENCES).argmax(-1) == CLASSES).double().mean()))
    found, whole = homogeneity(problem), torch.cat([p.detach().flatten() for p in model.parameters()])
    assert torch.tensor(found.example_degree).isnan().all()
    z, change = torch.autograd.functional.jvp(lambda v: problem.outputs(v, SEQUENCES), whole, whole)
    assert found.degree[0] == pytest.approx(float((z * change).sum() / z.square().sum()))
    with pytest.raises(InvalidInput, match=r"a subset of the data takes examples apart .*batch_first=True"):
        problem.subset(torch.arange(3))
    left_out = progress(problem, {0: problem.start}, context=Context(start=problem.start)).left_out
    assert "not along the first axis" in left_out["kernel_change"]
    for loss in (tokens, lambda z, y: F.cross_entropy(z.movedim(-1, 1), y, reduction="none").mean(1)):
        with pytest.raises(InvalidInput, match=r"batch_size=3 cuts the train data .*batch_first=True"):
            Problem(model, loss, (SEQUENCES, CLASSES), batch_size=3)


def test_a_smaller_last_batch_along_the_second_axis_is_refused():
    batches = [(SEQUENCES[:, :5], CLASSES[:, :5]), (SEQUENCES[:, 5:], CLASSES[:, 5:])]
    with pytest.raises(InvalidInput, match="batches 1 and 2 of the train data differ in shape"):
        Problem(Recurrent(), tokens, batches)
    for loss in (nn.CrossEntropyLoss(), lambda z, y: F.cross_entropy(z, y, reduction="none").mean(1)):
        with pytest.raises(InvalidInput, match=r"differ in more than their first axis, .*batch_first=True"):
            Problem(Wrapped(Recurrent(), lambda z: z.movedim(-1, 1)), loss, batches)


class Insisting(nn.Module):
    def __init__(self, size: int, error: type[Exception] = AssertionError):
        super().__init__()
        self.part, self.size, self.error = network(), size, error

    def forward(self, x):
        if len(x) != self.size:
            raise self.error(f"{len(x)} examples")
        return self.part(x)


@pytest.mark.parametrize("error", [AssertionError, RuntimeError, KeyError])
def test_a_model_that_insists_on_the_size_of_its_batch_is_measured(error):
    truth = float(F.cross_entropy(network()(INPUTS), LABELS).detach())
    for size, options in ((12, {}), (4, {"batch_size": 4})):
        problem = Problem(Insisting(size, error), F.cross_entropy, (INPUTS, LABELS), **options)
        assert problem.vectorised
        assert loss_of(problem) == pytest.approx(truth)
        assert homogeneity(problem).degree == pytest.approx(
            homogeneity(Problem(network(), F.cross_entropy, (INPUTS, LABELS))).degree
        )
    with pytest.raises(InvalidInput, match=f"model fails on batch 3 of the train data .{error.__name__}"):
        Problem(Insisting(5, error), F.cross_entropy, (INPUTS, LABELS), batch_size=5)
    with pytest.raises(InvalidInput, match="or the model fails on them"):
        Problem(Insisting(12, error), F.cross_entropy, (INPUTS, LABELS)).subset(torch.arange(12))
