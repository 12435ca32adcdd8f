"""Pruning, spectrum and mask find the planted neurons; random neurons and networks without a rule do not pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from grokscape.landscape.measures.circuits import Neurons, split_by_mask, split_by_pruning, split_by_spectrum
from grokscape.landscape.measures.circuits.spectrum import localisation, power_over_pieces
from grokscape.landscape.measures.circuits.units import split_units
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem
from tests.landscape.measures.circuits.planted import NEURONS, plant, rotations, standard

SEEDS = [10, 11, 12]  # none of those on which the mask's penalty was chosen

WAYS = {
    "pruning": split_by_pruning,
    "spectrum": lambda problem, neurons: split_by_spectrum(problem, neurons, "first.weight", period=11),
    "mask, held-out loss": split_by_mask,
    "mask, training predictions": lambda problem, neurons: split_by_mask(
        problem, neurons, objective="training predictions"
    ),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("labels", ["true", "balanced"])
@pytest.mark.parametrize("way", WAYS)
def test_the_planted_neurons_and_norms_are_found_exactly(way, labels, seed):
    planted = plant(*rotations(11), labels=labels, seed=seed)
    split = WAYS[way](planted.problem, NEURONS)
    assert (split.members == planted.is_rule).all()
    kept = NEURONS.mask(planted.problem.layout, torch.tensor(planted.is_rule).double())
    assert split.generalising.norm == pytest.approx(float((planted.problem.start * kept).norm()))
    assert split.memorising.norm == pytest.approx(float((planted.problem.start * (1 - kept)).norm()))
    torch.testing.assert_close(split.generalising.outputs(planted.inputs), planted.rule)
    torch.testing.assert_close(split.memorising.outputs(planted.inputs), planted.table)
    assert split.trust > 0.95
    assert split.residual < 1e-12
    assert np.mean([null.test.accuracy for null in split.nulls]) < 0.25


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("way", ["pruning", "spectrum"])
def test_a_table_spread_over_dense_random_neurons_is_told_from_the_rule(way, seed):
    planted = plant(*rotations(11), dense=True, seed=seed)
    split = WAYS[way](planted.problem, NEURONS)
    assert (split.members == planted.is_rule).all()
    assert split.trust > 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mask_tells_a_dense_table_from_the_rule_but_for_a_few_neurons(seed):
    planted = plant(*rotations(11), dense=True, seed=seed)
    split = split_by_mask(planted.problem, NEURONS)
    assert split.members[planted.is_rule].all()
    assert split.members[~planted.is_rule].mean() <= 0.05  # of 88


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("way", WAYS)
def test_a_table_alone_is_not_trusted(way, seed):
    planted = plant(*rotations(11), rule=0.0, seed=seed)
    split = WAYS[way](planted.problem, NEURONS)
    assert split.trust == 0
    assert split.generalising.test.accuracy == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_random_neurons_of_the_same_number_are_not_trusted(seed):
    planted = plant(*rotations(11), seed=seed)
    order = torch.randperm(len(planted.is_rule), generator=torch.Generator().manual_seed(seed))
    members = order < int(planted.is_rule.sum())
    split = split_units(
        planted.problem, NEURONS, members, method="chance", evidence={}, cost=Cost(), nulls=8, seed=seed
    )
    assert split.trust < 0.3


@pytest.mark.parametrize("way", ["mask, held-out loss", "mask, training predictions"])
def test_the_mask_finds_a_representation_of_s4(way):
    planted = plant(*standard(4), rule=2.0, seed=10)
    split = WAYS[way](planted.problem, NEURONS)
    assert (split.members == planted.is_rule).all()
    assert split.trust > 0.95


def test_a_redundant_rule_is_pruned_further_and_the_trust_says_so():
    """Of a standard representation of S_3, part of the neurons suffices on the training examples, but not beyond."""
    planted = plant(*standard(3), rule=8.0)
    split = split_by_pruning(planted.problem, NEURONS)
    assert split.members[~planted.is_rule].sum() == 0
    assert split.members.sum() < planted.is_rule.sum()
    assert split.trust < 0.5


def test_the_smallest_sufficient_set_is_the_one_found_by_trying_every_size():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(5, 12), nn.Tanh(), nn.Linear(12, 3))
    data = torch.randn(40, 5), torch.randint(3, (40,))
    neurons = Neurons([("0.weight", 0), ("0.bias", 0)], ("2.weight", 1))
    split = split_by_pruning(Problem(model, nn.functional.cross_entropy, data, data), neurons, keep=0.8)
    first, second = model[0], model[2]
    squares = first.weight.square().sum(1) + first.bias.square() + second.weight.square().sum(0)
    order = squares.argsort(descending=True)
    shares = []
    for k in range(13):
        kept = torch.zeros(12)
        kept[order[:k]] = 1
        outputs = second(torch.tanh(first(data[0])) * kept)
        shares.append(float((outputs.argmax(1) == model(data[0]).argmax(1)).double().mean()))
    k = next(size for size, share in enumerate(shares) if share >= 0.8)
    assert set(np.flatnonzero(split.members)) == set(order[:k].tolist())
    np.testing.assert_allclose(split.evidence["kept"], shares[: k + 1])
    np.testing.assert_allclose(split.evidence["norm"], squares.detach().sqrt(), rtol=1e-6)
    assert split.shared_norm == pytest.approx(float(second.bias.detach().norm()))
    squared = split.generalising.norm**2 + split.memorising.norm**2 - split.shared_norm**2
    assert squared == pytest.approx(split.whole.norm**2, rel=1e-6)


def test_the_participation_ratio_of_a_wave_is_one_and_of_a_point_is_flat():
    wave = torch.cos(2 * torch.pi * 3 * torch.arange(11).double() / 11 + 0.4)
    point = torch.eye(11).double()[4]
    rows = torch.stack([wave, point, torch.ones(11).double(), torch.zeros(11).double()])[:, None]
    ratios = localisation(power_over_pieces(rows))
    torch.testing.assert_close(ratios[:2], torch.tensor([1, 1 / 5]).double())
    assert ratios[3] == 0


def test_a_share_of_level_of_random_neurons_is_called_localised():
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(22, 4000), nn.ReLU(), nn.Linear(4000, 11)).double()
    nn.init.normal_(model[0].weight)
    planted = plant(*rotations(11))
    problem = Problem(
        model, nn.functional.cross_entropy, planted.problem.all_data("train"), planted.problem.all_data("test")
    )
    neurons = Neurons([("0.weight", 0), ("0.bias", 0)], ("2.weight", 1))
    split = split_by_spectrum(problem, neurons, "0.weight", period=11, level=0.05, nulls=1)
    assert split.members.mean() == pytest.approx(0.05, abs=4 * (0.05 * 0.95 / 4000) ** 0.5)
    assert split.trust < 0.1


def test_the_mask_minimises_the_objective_that_it_names():
    planted = plant(*rotations(11), seed=10)
    split = split_by_mask(planted.problem, NEURONS, objective="training predictions", penalty=0.5)
    inputs, _ = planted.problem.all_data("train")
    vector = planted.problem.start * NEURONS.mask(planted.problem.layout, torch.tensor(split.evidence["mask"]))
    predictions = planted.model(inputs).argmax(1)
    value = nn.functional.cross_entropy(planted.problem.outputs(vector, inputs), predictions)
    value = float(value) + 0.5 * split.evidence["mask"].mean()
    assert split.evidence["objective"][-1] == pytest.approx(value, rel=1e-3)
    assert split.evidence["objective"][-1] < split.evidence["objective"][0]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mask_over_weights_fits_its_few_examples_without_the_rule_and_the_trust_says_so(seed):
    planted = plant(*rotations(7), seed=seed)
    split = split_by_mask(planted.problem)
    weights = NEURONS.mask(planted.problem.layout, torch.tensor(planted.is_rule).double()).numpy() > 0
    found = split.members & (planted.problem.start.abs().numpy() > 1e-12)
    assert (found & weights).sum() / found.sum() >= 0.95  # nothing of the table is kept
    assert split.evidence["objective"][-1] < 0.2  # and its half of the test data is fitted, but not the other
    assert split.generalising.test.accuracy < 0.7
    assert split.trust == 0


def test_the_half_of_the_test_data_that_the_mask_learns_from_does_not_judge_it():
    planted = plant(*rotations(11), seed=10)
    split = split_by_mask(planted.problem, NEURONS, steps=5)
    inputs, targets = planted.problem.all_data("test")
    right = planted.model(inputs).argmax(1) == targets
    half = len(targets) - len(targets) // 2
    assert right.all()
    assert split.whole.test.accuracy == 1
    assert (split.generalising.test.accuracy * half) % 1 == pytest.approx(0, abs=1e-9)
    assert not split.converged
    assert split.trust == 0
