"""Data are read once, copied, and told apart by what fits; what cannot be read is refused by name."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem import Problem, reading
from tests.landscape.data import INPUTS, LABELS, Wrapped, draw, loss_of, network

TRUTH = float(F.cross_entropy(network()(INPUTS), LABELS).detach())


def reusing():
    """Yield every batch in the same two buffers, as loaders do that save memory."""
    inputs, labels = torch.empty(4, 4, dtype=torch.float64), torch.empty(4, dtype=torch.long)
    for first in (0, 4, 8):
        inputs.copy_(INPUTS[first : first + 4])
        labels.copy_(LABELS[first : first + 4])
        yield inputs, labels


def reusing_arrays():
    for inputs, labels in reusing():
        yield inputs.numpy(), labels.numpy()


@pytest.mark.parametrize("loader", [reusing, reusing_arrays])
def test_batches_are_copied_as_they_are_read(loader):
    problem = Problem(network(), F.cross_entropy, loader())
    assert torch.equal(problem.all_data("train")[0], INPUTS)
    assert loss_of(problem) == pytest.approx(TRUTH, rel=1e-12)


@pytest.mark.parametrize("as_given", [lambda t: t, lambda t: t.numpy()])
def test_what_becomes_of_the_data_later_does_not_reach_the_problem(as_given):
    inputs, labels = INPUTS.clone(), LABELS.clone()
    problem = Problem(network(), F.cross_entropy, (as_given(inputs), as_given(labels)), batch_size=5)
    inputs.zero_()
    labels.zero_()
    assert loss_of(problem) == pytest.approx(TRUTH, rel=1e-12)


@pytest.mark.parametrize("limit", [1, 8, 12, 20])
@pytest.mark.parametrize("batch_size", [None, 3])
def test_a_limit_ends_what_has_no_end(limit, batch_size):
    endless = itertools.cycle([(INPUTS[:5], LABELS[:5]), (INPUTS[5:], LABELS[5:])])
    problem = Problem(network(), F.cross_entropy, endless, (INPUTS, LABELS), limit=limit, batch_size=batch_size)
    assert problem.count == {"train": limit, "test": min(limit, 12)}
    index = torch.arange(limit) % 12
    assert loss_of(problem) == pytest.approx(float(F.cross_entropy(network()(INPUTS[index]), LABELS[index]).detach()))


def test_data_without_an_end_are_refused_with_the_number_read(monkeypatch):
    monkeypatch.setattr(reading, "MOST_EXAMPLES", 100)
    monkeypatch.setattr(reading, "MOST_EMPTY", 50)
    with pytest.raises(InvalidInput, match=r"not ended after 108 examples .*at most 100 .*limit="):
        Problem(network(), F.cross_entropy, itertools.cycle([(INPUTS, LABELS)]))
    with pytest.raises(InvalidInput, match=r"not ended after 0 examples and 50 empty batches in a row"):
        Problem(network(), F.cross_entropy, itertools.cycle([(INPUTS[:0], LABELS[:0])]))
    empty = [(INPUTS, LABELS)], itertools.cycle([(INPUTS[:0], LABELS[:0])])
    with pytest.raises(InvalidInput, match=r"not ended after 12 examples"):
        Problem(network(), F.cross_entropy, itertools.chain(*empty), limit=20)
    assert Problem(network(), F.cross_entropy, [(INPUTS, LABELS)] * 10).count["train"] == 120  # a list has an end
    monkeypatch.setattr(reading, "MOST_EXAMPLES", 10**6)
    monkeypatch.setattr(reading, "MOST_BYTES", 1000)
    with pytest.raises(InvalidInput, match=r"not ended after 36 examples"):
        Problem(network(), F.cross_entropy, itertools.cycle([(INPUTS, LABELS)]))


class Pair(nn.Module):
    """Two inputs, two outputs."""

    def __init__(self):
        super().__init__()
        self.part = network()

    def forward(self, x, z):
        return self.part(x) + z, self.part(x * 2)


def both(outputs, targets):
    return F.mse_loss(outputs[0], targets[0]) + F.mse_loss(outputs[1], targets[1])


def test_two_pairs_are_read_as_what_model_and_loss_run_on():
    z = draw(12, 3, seed=3)
    for data in (((INPUTS, z), (z, z + 1)), [(INPUTS, z), (z, z + 1)], [[INPUTS, z], [z, z + 1]]):
        problem = Problem(Pair(), both, data)
        assert problem.count["train"] == 12
        assert loss_of(problem) == pytest.approx(float(both(Pair()(INPUTS, z), (z, z + 1)).detach()))
    for cut in (6, 7):
        halves = (INPUTS[:cut], LABELS[:cut]), (INPUTS[cut:], LABELS[cut:])
        for data in (halves, list(halves), [list(half) for half in halves]):
            problem = Problem(network(), F.cross_entropy, data)
            assert len(problem.batches["train"]) == 2
            assert loss_of(problem) == pytest.approx(TRUTH, rel=1e-12)


def test_two_pairs_that_run_both_ways_are_refused_unless_said_how():
    model = Wrapped(network(4), before=lambda *x: x[0])

    def loss(outputs, targets):
        return F.mse_loss(outputs, targets[0] if isinstance(targets, tuple) else targets)

    data = (INPUTS, INPUTS), (INPUTS + 1, INPUTS)
    with pytest.raises(InvalidInput, match=r"can be read as two batches, .* iter\(data\) .* \[data\]"):
        Problem(model, loss, data)
    assert Problem(model, loss, iter(data)).count["train"] == 24
    assert Problem(model, loss, [data]).count["train"] == 12


class Examples(torch.utils.data.IterableDataset):
    def __iter__(self):
        return iter(zip(INPUTS, INPUTS, strict=True))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (Examples(), "through a DataLoader"),
        ([{"ids": INPUTS, "labels": LABELS}] * 3, r"hold dict .*\[\(batch\['ids'\], batch\['labels'\]\) for batch in"),
        ([{"ids": INPUTS, "labels": LABELS}] * 2, "hold dict .*expected pairs"),
        (torch.utils.data.DataLoader(torch.utils.data.TensorDataset(INPUTS), 4), "hold list .*expected pairs"),
        ([(INPUTS, INPUTS, LABELS)], r"hold tuple .*\[\(\(a, b\), c\) for a, b, c in loader\]"),
        (INPUTS, "hold Tensor .*expected pairs"),
        (({"x": INPUTS, "name": ["a"] * 12}, LABELS), "hold a str, 'a', expected tensors"),
        ((INPUTS, np.array(["a"] * 12)), "array of <U1, which PyTorch does not know"),
        (
            (torch.nested.nested_tensor([INPUTS[:2], INPUTS[:3]], layout=torch.jagged), LABELS[:2]),
            "nested tensor, .*pad them",
        ),
        ((INPUTS.to("meta"), LABELS), "device 'meta', which has a shape and no numbers"),
        (([1.0, 2.0], [0, 1]), "a number without dimensions"),
    ],
)
def test_what_is_no_pair_of_examples_is_refused_by_name(data, words):
    with pytest.raises(InvalidInput, match=words):
        Problem(network(), F.cross_entropy, data)


def breaking():
    yield INPUTS, LABELS
    raise OSError("no such file")


def test_a_loader_that_fails_is_told_by_batch():
    with pytest.raises(InvalidInput, match=r"train data fail as batch 2 is read \(OSError: no such file\)"):
        Problem(network(), F.cross_entropy, breaking())
    ragged = torch.utils.data.DataLoader([(INPUTS[0], 0), (INPUTS[0, :3], 1)], batch_size=2)
    with pytest.raises(InvalidInput, match=r"train data fail as batch 1 is read \(RuntimeError"):
        Problem(network(), F.cross_entropy, ragged)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_numbers_that_make_a_later_loss_infinite_are_refused(bad):
    inputs = INPUTS.clone()
    inputs[9, 1] = bad
    model = Wrapped(network(), before=lambda x: x * 2)
    if bad == torch.inf:
        model.module[1] = nn.Identity()  # which does not bound it
    with pytest.raises(InvalidInput, match="not finite at the given weights in batch 3, whose data hold NaN or inf"):
        Problem(model, F.cross_entropy, (inputs, LABELS), batch_size=4)
    mended = Wrapped(network(), before=lambda x: x.nan_to_num(0.0, 0.0))
    assert loss_of(Problem(mended, F.cross_entropy, (inputs, LABELS), batch_size=4)) > 0


@pytest.mark.parametrize("limit", [0, -3, True, 2.5])
def test_a_limit_is_a_number_of_examples(limit):
    with pytest.raises(InvalidInput, match=f"limit is {limit!r}, expected a number of examples"):
        Problem(network(), F.cross_entropy, (INPUTS, LABELS), limit=limit)


def test_empty_batches_are_left_out_and_targets_may_be_missing():
    problem = Problem(
        network(), F.cross_entropy, [(INPUTS[some], LABELS[some]) for some in (slice(5), slice(0), slice(5, 12))]
    )
    assert loss_of(problem) == pytest.approx(TRUTH, rel=1e-12)
    free = Problem(network(), lambda z, y: z.square().mean(1), (INPUTS, None), batch_size=5)
    assert loss_of(free) == pytest.approx(float(network()(INPUTS).square().mean().detach()))


class Sparse(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(draw(4, 3, seed=2))

    def forward(self, x):
        return torch.sparse.mm(x, self.weight)


def test_sparse_inputs_are_taken_whole_and_not_cut():
    model = Sparse()
    truth = float(F.cross_entropy(INPUTS @ model.weight, LABELS).detach())
    assert loss_of(Problem(model, F.cross_entropy, (INPUTS.to_sparse(), LABELS))) == pytest.approx(truth)
    with pytest.raises(InvalidInput, match="sparse_coo, of which examples cannot be taken apart"):
        Problem(model, F.cross_entropy, (INPUTS.to_sparse(), LABELS), batch_size=4)
