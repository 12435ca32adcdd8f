"""Instruments know where classes lie, and count what counts, if examples have several positions or ignored labels."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.circuits import Neurons, split_by_mask, split_by_pruning
from grokscape.landscape.measures.progress import Context
from grokscape.landscape.measures.progress.kernel import kernel_change
from grokscape.landscape.measures.progress.neurons import effective_sparsity
from grokscape.landscape.measures.progress.outputs import logit_scale
from grokscape.landscape.problem import Problem
from tests.landscape.data import INPUTS, LABELS, Wrapped, accuracy_of, draw, loss_of, network

POSITIONS, CLASSES = draw(8, 3, 4), torch.arange(24).reshape(8, 3) % 3
LAST = Problem(network(), lambda z, y: F.cross_entropy(z.flatten(0, 1), y.flatten()), (POSITIONS, CLASSES))
FIRST = Problem(Wrapped(network(), lambda z: z.movedim(-1, 1)), nn.CrossEntropyLoss(), (POSITIONS, CLASSES))


def test_classes_are_centred_and_compared_along_their_own_axis():
    z = network()(POSITIONS).detach()
    truth = float((z - z.mean(-1, keepdim=True)).square().mean().sqrt())
    assert logit_scale(LAST, LAST.start, Context()) == pytest.approx(truth)
    assert logit_scale(FIRST, FIRST.start, Context()) == pytest.approx(truth)
    sparse = [
        effective_sparsity(problem, problem.start, Context(neurons=Neurons((f"{at}0.weight", 0), (f"{at}2.weight", 1))))
        for problem, at in ((LAST, ""), (FIRST, "module."))
    ]
    assert sparse[0] == sparse[1]


def test_classes_of_several_positions_are_no_numbers_that_a_kernel_could_be_aligned_with():
    assert set(kernel_change(FIRST, FIRST.start, Context())) == {"kernel_norm"}
    ignored = Problem(network(), F.cross_entropy, (INPUTS, LABELS.index_fill(0, torch.tensor([2]), -100)))
    assert set(kernel_change(ignored, ignored.start, Context())) == {"kernel_norm"}


def test_predictions_of_a_lone_output_without_an_axis_of_its_own_are_its_signs():
    flat = Problem(Wrapped(network(1), lambda z: z.squeeze(1)), F.mse_loss, (INPUTS, INPUTS[:, 0]))
    wide = Problem(Wrapped(network(1)), F.mse_loss, (INPUTS, INPUTS[:, :1]))
    context = Context(neurons=Neurons(("module.0.weight", 0), ("module.2.weight", 1)))
    assert effective_sparsity(flat, flat.start, context) == effective_sparsity(wide, wide.start, context)


NEURONS = Neurons([("0.weight", 0), ("0.bias", 0)], ("2.weight", 1))


def test_circuits_score_by_the_weights_of_the_loss_and_the_number_of_examples():
    order, weight = LABELS.argsort(), torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    data = INPUTS[order], LABELS[order]
    problem = Problem(network(), nn.CrossEntropyLoss(weight=weight), data, data, batch_size=4)
    whole = split_by_pruning(problem, NEURONS, keep=1.0).generalising
    together = problem.with_batches(train=[data])
    assert whole.train.loss == pytest.approx(float(together.output_loss(whole.outputs(data[0]), data[1])))
    right = (whole.outputs(data[0]).argmax(1) == data[1]).double().mean()
    assert whole.train.accuracy == pytest.approx(float(right))
    assert accuracy_of(problem) == pytest.approx(float((network()(data[0]).argmax(1) == data[1]).double().mean()))
    assert loss_of(problem) == pytest.approx(loss_of(together))


def test_a_mask_learns_from_the_weighted_mean_of_its_batches():
    weight = torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)
    losses = nn.CrossEntropyLoss(weight=weight)
    cut, whole = (
        split_by_mask(
            Problem(network(), losses, (INPUTS, LABELS), (INPUTS, LABELS), batch_size=size),
            NEURONS,
            objective="training predictions",
            steps=3,
            nulls=1,
        )
        for size in (5, None)
    )
    torch.testing.assert_close(cut.evidence["objective"], whole.evidence["objective"])


def test_circuits_refuse_labels_without_a_class():
    labels = LABELS.index_fill(0, torch.tensor([2]), -100)
    problem = Problem(network(), F.cross_entropy, (INPUTS, LABELS), (INPUTS, labels))
    with pytest.raises(InvalidInput, match="test targets go from -100 to 2, but split_by_pruning needs class indices"):
        split_by_pruning(problem, NEURONS)
