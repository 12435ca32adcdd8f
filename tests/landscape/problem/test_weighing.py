"""The loss on several batches is the mean over all that counts, whatever a loss divides by on each of them."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.weighing import weighing
from tests.landscape.data import (
    INPUTS,
    LABELS,
    TARGETS,
    Wrapped,
    accuracy_of,
    dense_hessian,
    draw,
    loss_of,
    network,
    per_example,
    summed_cross_entropy,
)

ORDER = LABELS.argsort()
SORTED = INPUTS[ORDER], LABELS[ORDER]
WEIGHT = torch.tensor([1.0, 5.0, 0.3], dtype=torch.float64)
IGNORED = torch.where(torch.arange(12) % 4 == 1, -100, LABELS).index_fill(0, torch.arange(8, 12), -100)


class LogSoftmax(nn.Module):
    def __init__(self):
        super().__init__()
        self.module = network()

    def forward(self, x):
        return self.module(x).log_softmax(1)


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        (network(), nn.CrossEntropyLoss(weight=WEIGHT)),
        (network(), functools.partial(F.cross_entropy, weight=WEIGHT)),
        (network(), functools.partial(functools.partial(F.cross_entropy, weight=WEIGHT * 2), weight=WEIGHT)),
        (LogSoftmax(), nn.NLLLoss(weight=WEIGHT)),
        (LogSoftmax(), functools.partial(F.nll_loss, weight=WEIGHT)),
    ],
)
def test_class_weights_are_summed_over_batches_of_sorted_labels(model, loss):
    problem = Problem(model, loss, SORTED, (SORTED[0], SORTED[1].to(torch.uint8)), batch_size=4)
    truth = summed_cross_entropy(network(), [SORTED], WEIGHT)
    assert loss_of(problem) == pytest.approx(truth, rel=1e-12)
    assert loss_of(problem, "test") == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("kind", ["hessian", "gauss_newton"])
def test_curvature_and_gradient_under_class_weights_are_those_of_all_data_at_once(kind):
    loss = nn.CrossEntropyLoss(weight=WEIGHT)
    problem = Problem(network(), loss, SORTED, batch_size=4)
    whole = Problem(network(), loss, SORTED)
    torch.testing.assert_close(Curvature(problem, kind=kind).dense(), Curvature(whole, kind=kind).dense())
    torch.testing.assert_close(problem.gradients(problem.start[None])[1], whole.gradients(whole.start[None])[1])
    hessian = dense_hessian(whole, loss, SORTED)
    largest = float(top_eigenvalues(problem, 1, tolerance=1e-8).values.squeeze())
    assert largest == pytest.approx(float(torch.linalg.eigvalsh(hessian)[-1]), rel=1e-6)


@pytest.mark.parametrize("loss", [F.cross_entropy, nn.CrossEntropyLoss(), nn.CrossEntropyLoss(label_smoothing=0.1)])
def test_ignored_labels_have_no_weight_and_a_batch_of_them_alone_no_say(loss):
    model = network()
    problem = Problem(model, loss, (INPUTS, IGNORED), batch_size=4)
    counted = IGNORED >= 0
    truth = loss(model(INPUTS[counted]), LABELS[counted])
    assert loss_of(problem) == pytest.approx(float(truth.detach()), rel=1e-12)
    right = model(INPUTS).argmax(1) == LABELS
    assert accuracy_of(problem) == pytest.approx(float(right[counted].double().mean()))
    hessian = dense_hessian(problem, loss, (INPUTS[counted], LABELS[counted]))
    torch.testing.assert_close(Curvature(problem).dense()[0], hessian)


def test_an_ignored_batch_may_come_first_and_another_index_may_be_the_ignored_one():
    labels = IGNORED.flip(0).where(IGNORED.flip(0) >= 0, 7)
    problem = Problem(network(), nn.CrossEntropyLoss(ignore_index=7), (INPUTS, labels), batch_size=4)
    assert loss_of(problem) == pytest.approx(summed_cross_entropy(network(), [(INPUTS, labels)], ignored=7), rel=1e-12)


def test_every_token_weighs_the_same_in_batches_of_different_lengths():
    model = Wrapped(network(), lambda z: z.movedim(-1, 1))
    batches = [(draw(4, n, 4, seed=n), torch.arange(4 * n).reshape(4, n) % 3) for n in (2, 3, 5)]
    batches[1][1][0, 1] = -100
    problem = Problem(model, nn.CrossEntropyLoss(), batches)
    assert loss_of(problem) == pytest.approx(summed_cross_entropy(model, batches), rel=1e-12)
    squares = Problem(network(), nn.MSELoss(), [(x, x[..., :3]) for x, _ in batches])
    every = torch.cat([(network()(x) - x[..., :3]).square().flatten() for x, _ in batches])
    assert loss_of(squares) == pytest.approx(float(every.mean().detach()), rel=1e-12)


def test_one_value_for_each_example_is_averaged_over_all_examples():
    problem = Problem(network(), per_example, (INPUTS, IGNORED), batch_size=5)
    truth = per_example(network()(INPUTS), IGNORED).mean()  # ignored examples are zeros among the others
    assert loss_of(problem) == pytest.approx(float(truth.detach()), rel=1e-12)


def test_subsets_and_new_labels_are_weighed_anew():
    problem = Problem(network(), nn.CrossEntropyLoss(weight=WEIGHT), SORTED, batch_size=4)
    some = torch.tensor([0, 5, 6, 9, 10, 11, 1])
    expected = summed_cross_entropy(network(), [(SORTED[0][some], SORTED[1][some])], WEIGHT)
    assert loss_of(problem.subset(some)) == pytest.approx(expected, rel=1e-12)
    other = (SORTED[1] + 1) % 3
    expected = summed_cross_entropy(network(), [(SORTED[0], other)], WEIGHT)
    assert loss_of(problem.relabelled(other)) == pytest.approx(expected, rel=1e-12)


def test_losses_of_other_kinds_are_told_by_what_they_are():
    class Own(nn.CrossEntropyLoss):
        pass

    hooked = nn.CrossEntropyLoss()
    hooked.register_forward_hook(lambda *_: None)
    for loss in (Own(), hooked, lambda z, y: F.cross_entropy(z, y), functools.partial(F.cross_entropy, reduce=True)):
        assert weighing(loss).loss is None
    assert weighing(F.mse_loss).of((None, torch.zeros(3, 2))) == 6


def unknown(outputs, targets, **options):
    return F.cross_entropy(outputs, targets, **options)


@pytest.mark.parametrize(
    ("loss", "data", "words"),
    [
        (functools.partial(unknown, weight=WEIGHT), SORTED, "is not the mean over the two concatenated"),
        (unknown, (INPUTS, IGNORED), "is not the mean over its halves"),
        (lambda z, y: unknown(z, y, reduction="sum" if len(z) < 4 else "mean"), SORTED, "not the mean over"),
        (lambda z, y: unknown(z @ z.T, torch.arange(len(z))), SORTED, "is not the mean over its halves"),
    ],
    ids=["class weights", "ignored", "a sum on the last batch", "contrast"],
)
def test_an_unknown_loss_that_is_no_mean_over_examples_is_refused_on_several_batches(loss, data, words):
    with pytest.raises(InvalidInput, match=f"{words}.*give the data as one batch.*partial"):
        Problem(network(), loss, data, batch_size=4)


def test_an_unknown_mean_over_examples_is_taken_on_any_batches():
    problem = Problem(network(), unknown, SORTED, (INPUTS, LABELS), batch_size=5)
    assert loss_of(problem) == pytest.approx(summed_cross_entropy(network(), [SORTED]), rel=1e-12)
    alone = [(INPUTS[i : i + 1], LABELS[i : i + 1]) for i in range(12)]
    assert loss_of(Problem(network(), unknown, alone)) == pytest.approx(loss_of(problem), rel=1e-12)


def insistent(*sizes, **options):
    """Return a loss that insists on the size of its batch."""

    def loss(outputs, targets):
        assert len(outputs) in sizes
        return F.cross_entropy(outputs, targets, **options)

    return loss


@pytest.mark.parametrize("size", [1, 4, 6, 7])
def test_a_mean_over_examples_that_insists_on_its_batch_is_taken(size):
    problem = Problem(network(), insistent(size, 12 % size or size), SORTED, batch_size=size)
    assert loss_of(problem) == pytest.approx(summed_cross_entropy(network(), [SORTED]), rel=1e-12)


@pytest.mark.parametrize("size", [6, 7])
@pytest.mark.parametrize(
    ("options", "data"), [({"weight": WEIGHT}, SORTED), ({}, (INPUTS, IGNORED))], ids=["class weights", "ignored"]
)
def test_unequal_weights_of_a_loss_that_insists_on_its_batch_are_refused(size, options, data):
    with pytest.raises(InvalidInput, match=r"after examples have changed places between them.*give the data as one"):
        Problem(network(), insistent(size, 12 - size, **options), data, batch_size=size)


def test_a_loss_that_insists_on_its_examples_is_refused_on_several_batches():
    def loss(outputs, targets):
        assert len(targets) == 6
        assert len(targets.unique()) < 3
        return F.cross_entropy(outputs, targets)

    labels = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 1, 1])
    with pytest.raises(InvalidInput, match=r"fails on other examples than those of batches 1 and 2 of the train data"):
        Problem(network(), loss, (INPUTS, labels), batch_size=6)


@pytest.mark.parametrize(
    "after",
    [lambda z: (z, torch.zeros(2, len(z), 5)), lambda z: (z, z.new_tensor(0.5)), lambda z: (z, None)],
    ids=["a hidden state", "a penalty", "nothing"],
)
def test_what_a_model_returns_beside_its_outputs_does_not_matter(after):
    def loss(outputs, targets):
        return F.cross_entropy(outputs[0], targets)

    problem = Problem(Wrapped(network(), after), loss, SORTED, batch_size=5)
    assert loss_of(problem) == pytest.approx(summed_cross_entropy(network(), [SORTED]), rel=1e-12)


def test_an_unknown_loss_on_batches_of_different_lengths_is_refused():
    batches = [(draw(4, n, 4), torch.zeros(4, n, dtype=torch.long)) for n in (2, 3)]
    with pytest.raises(InvalidInput, match=r"examples of batches 1 and 2 of the train data differ in shape"):
        Problem(network(), lambda z, y: F.cross_entropy(z.flatten(0, 1), y.flatten()), batches)


def test_a_later_batch_without_a_finite_loss_is_refused_by_its_number():
    inputs = INPUTS.clone()
    inputs[9] = torch.inf
    with pytest.raises(InvalidInput, match="not finite at the given weights in batch 3"):
        Problem(network(), unknown, (inputs, LABELS), batch_size=4)
    ignored = LABELS.index_fill(0, torch.arange(4, 8), -100)
    with pytest.raises(InvalidInput, match=r"test loss is not finite .* in batch 2 .*all ignored.*correct the data"):
        Problem(network(), unknown, (INPUTS, LABELS), (INPUTS, ignored), batch_size=4)
    with pytest.raises(InvalidInput, match=r"not finite at the given weights; look for NaN .* earlier checkpoint"):
        Problem(network(), unknown, (INPUTS * torch.nan, LABELS))


def test_data_in_which_nothing_counts_are_refused():
    nothing = torch.full((12,), -100)
    for size in (4, None):
        with pytest.raises(InvalidInput, match="test targets hold none that counts"):
            Problem(network(), F.cross_entropy, (INPUTS, LABELS), (INPUTS, nothing), batch_size=size)
    with pytest.raises(InvalidInput, match="train targets hold none that counts"):
        Problem(network(), F.cross_entropy, (INPUTS, IGNORED)).subset(torch.tensor([8, 9]))


def test_labels_without_a_class_are_refused_in_any_batch():
    labels = LABELS.clone()
    labels[10] = 5
    with pytest.raises(InvalidInput, match="train targets hold 5, expected class indices from 0 to 2"):
        Problem(network(), nn.CrossEntropyLoss(weight=WEIGHT), (INPUTS, labels), batch_size=4)


def test_a_sum_is_refused_even_where_it_is_zero():
    with pytest.raises(InvalidInput, match="it is a sum over examples"):
        Problem(nn.Linear(4, 1).double(), nn.MSELoss(reduction="sum"), (INPUTS * 0, TARGETS * 0))
