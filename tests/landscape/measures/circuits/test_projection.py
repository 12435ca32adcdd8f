"""The projection of logits finds a planted rule and table, and finds nothing where there is nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from grokscape.landscape.measures.circuits import cyclic, split_by_projection, symmetric
from grokscape.landscape.problem import Problem
from tests.landscape.measures.circuits.planted import NEURONS, plant, rotations, standard

SEEDS = range(5)


def centred(logits):
    return logits - logits.mean(1, keepdim=True)


def characters(planted):
    return cyclic(planted.rule.shape[1], planted.inputs, planted.labels)


def planted_norms(planted):
    problem, rule = planted.problem, torch.tensor(planted.is_rule).to(planted.problem.start)
    kept = NEURONS.mask(problem.layout, rule)
    return [float((problem.start * mask).norm()) for mask in (kept, 1 - kept)]


@pytest.mark.parametrize(("p", "frequency"), [(11, 1), (13, 2), (23, 5)])
@pytest.mark.parametrize("labels", ["true", "balanced"])
def test_the_parts_are_the_planted_rule_and_the_planted_table(p, frequency, labels):
    planted = plant(*rotations(p, frequency), labels=labels, seed=p)
    split = split_by_projection(planted.problem, characters(planted))
    torch.testing.assert_close(split.generalising.outputs(planted.inputs), planted.rule)
    torch.testing.assert_close(split.memorising.outputs(planted.inputs), centred(planted.table))
    assert split.trust > 0.99
    assert (split.generalising.test.accuracy, split.memorising.train.accuracy) == (1, 1)
    assert split.memorising.test.accuracy == 0  # silent, not guessing
    assert len({null.test.loss for null in split.nulls}) == len(split.nulls)  # each exchanges labels in its own way


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("labels", ["true", "balanced"])
def test_norms_by_relevance_are_the_planted_norms_within_two_per_cent(seed, labels):
    planted = plant(*rotations(11), labels=labels, seed=seed)
    split = split_by_projection(planted.problem, characters(planted), nulls=1)
    rule, table = planted_norms(planted)
    assert split.generalising.norm == pytest.approx(rule, rel=0.02)
    assert split.memorising.norm == pytest.approx(table, rel=0.02)
    assert np.hypot(split.generalising.norm, split.memorising.norm) == pytest.approx(split.whole.norm)


@pytest.mark.parametrize(("n", "share"), [(3, 0.5), (4, 0.4)])
@pytest.mark.parametrize("matrix_elements", [False, True])
def test_a_planted_representation_of_a_symmetric_group_is_found(n, share, matrix_elements):
    planted = plant(*standard(n), share=share, rule=3.0)
    space = symmetric(n, planted.inputs, planted.labels, matrix_elements=matrix_elements)
    name = f"{n - 1},1"
    split = split_by_projection(planted.problem, space, irreps=[name])
    torch.testing.assert_close(split.generalising.outputs(planted.inputs), planted.rule)
    torch.testing.assert_close(split.memorising.outputs(planted.inputs), centred(planted.table))
    others = split_by_projection(planted.problem, space, irreps=[other for other in space.functions if other != name])
    assert split.trust > 0.6  # chance is high among six elements
    assert others.trust == 0
    assert abs(others.evidence["function"]).max() < 1e-12 * abs(split.evidence["function"]).max()


@pytest.mark.parametrize("seed", SEEDS)
def test_exchanged_labels_find_nothing(seed):
    planted = plant(*rotations(11), seed=seed)
    order = torch.randperm(121, generator=torch.Generator().manual_seed(seed))
    split = split_by_projection(planted.problem, cyclic(11, planted.inputs, planted.labels[order]))
    assert split.trust < 0.1
    assert split.generalising.test.accuracy < 0.3
    real = split_by_projection(planted.problem, characters(planted))
    assert np.mean([null.test.accuracy for null in real.nulls]) < 0.2  # chance is 1 / 11
    assert max(null.test.accuracy for null in real.nulls) < 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_table_alone_has_no_generalising_part(seed):
    planted = plant(*rotations(11), rule=0.0, seed=seed)
    split = split_by_projection(planted.problem, characters(planted))
    assert split.generalising.norm == 0
    assert not split.generalising.outputs(planted.inputs).any()
    assert split.memorising.norm == split.whole.norm
    assert split.trust == 0


def test_over_all_inputs_a_table_of_true_labels_passes_for_a_rule_by_its_share_of_the_inputs():
    planted = plant(*rotations(11), rule=0.0, memory=1.5)
    split = split_by_projection(planted.problem, characters(planted), average="all")
    share = planted.problem.count["train"] / 121
    leak = 1.5 * share * (np.arange(11) == 0)
    np.testing.assert_allclose(split.evidence["function"], leak - leak.mean(), atol=1e-12)
    assert split.generalising.test.accuracy == 1  # the trap
    assert split.trust == 0  # and the guard: nothing of it is in the held-out outputs


@pytest.mark.parametrize("irreps", [None, ["1", "3"]])
def test_over_all_inputs_it_is_the_dense_least_squares_projection(irreps):
    planted = plant(*rotations(7), dense=True)
    space = characters(planted)
    split = split_by_projection(planted.problem, space, irreps=irreps, average="all")
    functions = torch.cat([space.functions[name] for name in irreps or space.functions], 1)
    design = functions[space.element].flatten(0, 1)
    logits = centred(planted.model(planted.inputs).detach()).flatten()
    wanted = design @ torch.linalg.lstsq(design, logits).solution
    found = split.generalising.outputs(planted.inputs)
    torch.testing.assert_close(found.flatten(), wanted)
    rest = split.memorising.outputs(planted.inputs)
    assert abs(float((found * rest).sum())) < 1e-9 * float(found.square().sum())
    torch.testing.assert_close(found + rest, logits.reshape(49, 7))
    assert split.residual < 1e-12


@pytest.mark.parametrize("layers", [2, 3])
def test_relevances_sum_to_the_degree_of_a_homogeneous_network(layers):
    torch.manual_seed(0)
    sizes = [14] + [20] * (layers - 1) + [7]
    parts = [m for i, o in itertools.pairwise(sizes) for m in (nn.Linear(i, o, bias=False), nn.ReLU())]
    model = nn.Sequential(*parts[:-1]).double()
    planted = plant(*rotations(7))
    inputs, targets = planted.problem.all_data("train")
    problem = Problem(model, nn.functional.cross_entropy, (inputs, targets), planted.problem.all_data("test"))
    split = split_by_projection(problem, characters(planted), average="all", nulls=1)
    assert float(split.evidence["degree"]) == pytest.approx(layers)


def test_the_error_of_the_function_is_the_spread_between_inputs():
    planted = plant(*rotations(7), dense=True)
    space = characters(planted)
    split = split_by_projection(planted.problem, space, average="all", nulls=1)
    logits = centred(planted.model(planted.inputs).detach())
    for g in range(7):
        values = logits[space.element == g]
        assert split.evidence["function_error"][g] == pytest.approx(float(values.std() / 7))


def test_one_held_out_example_gives_a_function_without_an_error():
    planted = plant(*rotations(7))
    inputs, labels = planted.problem.all_data("test")
    problem = Problem(
        planted.model, nn.functional.cross_entropy, planted.problem.all_data("train"), (inputs[:1], labels[:1])
    )
    split = split_by_projection(problem, characters(planted))
    assert np.isfinite(split.evidence["function"]).all()
    assert np.isnan(split.evidence["function_error"]).all()
