"""What every split owes its user: circuits that run, an untouched model, precision, tables, pictures and refusals."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from torch import nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.circuits import (
    Neurons,
    cyclic,
    split_by_mask,
    split_by_projection,
    split_by_pruning,
    split_by_spectrum,
)
from grokscape.landscape.measures.circuits.circuit import Circuit, scored
from grokscape.landscape.measures.circuits.split import checks
from grokscape.landscape.measures.circuits.units import split_units
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem
from tests.landscape.measures.circuits.planted import NEURONS, plant, rotations

WAYS = {
    "projection": lambda t: split_by_projection(t.problem, cyclic(7, t.inputs, t.labels)),
    "pruning": lambda t: split_by_pruning(t.problem, NEURONS),
    "spectrum": lambda t: split_by_spectrum(t.problem, NEURONS, "first.weight", period=7, level=0.2),
    "mask": lambda t: split_by_mask(t.problem, NEURONS, steps=200),
}


@pytest.fixture(scope="module", params=[torch.float64, torch.float32], ids=str)
def planted(request):
    return plant(*rotations(7), rule=3.0, dtype=request.param, seed=10)


@pytest.mark.parametrize("way", WAYS)
def test_both_precisions_give_the_planted_parts(planted, way):
    split = WAYS[way](planted)
    double = planted.problem.dtype == torch.float64
    close = {"rtol": 1e-9, "atol": 1e-9} if double else {"rtol": 1e-3, "atol": 1e-3}
    inputs = planted.inputs.to(planted.problem.dtype)
    outputs = split.generalising.outputs(inputs)
    assert outputs.dtype == planted.problem.dtype
    assert not outputs.requires_grad
    torch.testing.assert_close(outputs.double(), planted.rule, **close)
    assert split.trust > 0.9
    assert split.memorising.test.accuracy < 0.3
    assert split.residual < 1e-5
    torch.testing.assert_close(split.generalising.outputs(inputs[3:5]), outputs[3:5])


@pytest.mark.parametrize("way", WAYS)
def test_model_mode_gradients_and_random_state_stay(planted, way):
    model, before = planted.model, copy.deepcopy(planted.model.state_dict())
    model.train()
    start, state = planted.problem.start.clone(), torch.get_rng_state()
    split = WAYS[way](planted)
    split.memorising.outputs(planted.inputs)
    assert all((before[name] == tensor).all() for name, tensor in model.state_dict().items())
    assert model.training
    assert all(p.grad is None for p in model.parameters())
    assert (planted.problem.start == start).all()
    assert (torch.get_rng_state() == state).all()


@pytest.mark.parametrize("way", WAYS)
def test_the_same_seed_gives_the_same_split(planted, way):
    one, two = WAYS[way](planted), WAYS[way](planted)
    assert one.to_frame().equals(two.to_frame())
    assert one.checks == two.checks


@pytest.mark.parametrize("way", WAYS)
def test_a_split_is_a_frozen_table_and_a_picture(planted, way):
    split = WAYS[way](planted)
    frame = split.to_frame()
    assert list(frame.columns) == ["circuit", "sample", "split", "loss", "accuracy", "margin", "norm"]
    assert len(frame) == 2 * (3 + len(split.nulls))
    assert split.trust == min(split.checks.values())
    assert split.cost.evaluations >= len(split.nulls)
    assert all(isinstance(values, np.ndarray) for values in split.evidence.values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        split.seed = 1
    _, ax = plt.subplots()
    assert split.plot(ax) is ax
    assert [label.get_text().split("\n")[0] for label in ax.get_xticklabels()] == list(frame["circuit"].unique())
    heights = [bar.get_height() for bar in ax.containers[0]]
    np.testing.assert_allclose(
        heights[:3], [c.train.accuracy for c in (split.whole, split.generalising, split.memorising)]
    )
    plt.close("all")


def test_scores_are_the_problems_own_and_efficiency_is_margin_by_norm():
    t = plant(*rotations(7), seed=10)
    split = split_by_pruning(t.problem, NEURONS)
    _, targets = t.problem.all_data("train")
    logits = t.rule[t.train]
    others = logits.scatter(1, targets[:, None], -torch.inf).amax(1)
    margin = float((logits.gather(1, targets[:, None])[:, 0] - others).mean())
    circuit = split.generalising
    assert circuit.margin == pytest.approx(margin)
    assert circuit.train.loss == pytest.approx(float(nn.functional.cross_entropy(logits, targets)))
    assert circuit.efficiency(3) == pytest.approx(margin / circuit.norm**3)
    nothing = split_by_projection(plant(*rotations(7), rule=0.0).problem, cyclic(7, t.inputs, t.labels)).generalising
    assert np.isnan(nothing.efficiency(2))


def test_batches_make_no_difference():
    t = plant(*rotations(7), seed=10)
    train, test = t.problem.all_data("train"), t.problem.all_data("test")
    cut = Problem(t.model, nn.functional.cross_entropy, train, test, batch_size=5)
    space = cyclic(7, t.inputs, t.labels)
    for split in (lambda p: split_by_projection(p, space, nulls=2), lambda p: split_by_mask(p, NEURONS, steps=20)):
        one, two = split(t.problem), split(cut)
        np.testing.assert_allclose(one.to_frame()[["loss", "norm"]], two.to_frame()[["loss", "norm"]])


def test_frozen_tied_and_empty_parameters_and_functions_are_taken():
    t = plant(*rotations(7), seed=10)
    model = copy.deepcopy(t.model)
    model.again = model.first  # tied
    model.empty = nn.Parameter(torch.zeros(0, dtype=torch.float64))
    model.first.bias.requires_grad_(False)
    data = t.problem.all_data("train"), t.problem.all_data("test")
    some = Neurons(("first.weight", 0), ("second.weight", -1))
    split = split_by_pruning(Problem(model, nn.functional.cross_entropy, *data), some)
    assert (split.members == t.is_rule).all()
    weights = {name: p.detach() for name, p in t.model.named_parameters()}

    def function(weights, x):
        hidden = x @ weights["first.weight"].T + weights["first.bias"]
        return torch.where(t.model.squares, hidden**2, hidden.relu()) @ weights["second.weight"].T

    bare = Problem(function, nn.functional.cross_entropy, *data, parameters=weights)
    assert (split_by_pruning(bare, NEURONS).members == t.is_rule).all()


def test_progress_ends_at_one():
    t = plant(*rotations(7), seed=10)
    for split in (
        lambda told: split_by_projection(t.problem, cyclic(7, t.inputs, t.labels), progress=told),
        lambda told: split_by_mask(t.problem, NEURONS, steps=3, progress=told),
        lambda told: split_by_pruning(t.problem, NEURONS, progress=told),
    ):
        shares = []
        split(shares.append)
        assert shares == sorted(shares)
        assert 0 < shares[-1] <= 1


T = plant(*rotations(7), seed=10)
SPACE = cyclic(7, T.inputs, T.labels)
TRAIN = T.problem.all_data("train")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Neurons([]), "at least one"),
        (lambda: split_by_pruning(T.problem, Neurons(("third", 0))), "neurons name 'third', but the varied"),
        (lambda: split_by_pruning(T.problem, Neurons(("first.bias", 1))), "along axis 1 of 'first.bias'"),
        (
            lambda: split_by_pruning(T.problem, Neurons(("first.bias", 0), ("second.weight", 0))),
            "neurons number 29 along .* 7 along .*the same number",
        ),
        (lambda: split_by_pruning(T.problem, NEURONS, keep=0), "keep is 0, expected a share"),
        (lambda: split_by_pruning(T.problem, NEURONS, nulls=0), "nulls is 0"),
        (
            lambda: split_by_pruning(Problem(T.model, nn.functional.cross_entropy, TRAIN), NEURONS),
            "no test data were given",
        ),
        (
            lambda: split_by_pruning(
                Problem(T.model, nn.functional.mse_loss, (TRAIN[0], T.rule[T.train]), (TRAIN[0], T.rule[T.train])),
                NEURONS,
            ),
            "needs class indices",
        ),
        (
            lambda: split_by_pruning(
                Problem(nn.Linear(2, 1), nn.functional.mse_loss, *[(torch.ones(3, 2), torch.ones(3, 1))] * 2), NEURONS
            ),
            r"outputs have shape \(3, 1\)",
        ),
        (lambda: split_by_spectrum(T.problem, NEURONS, "first.weight", period=4), "period is 4, expected a divisor of"),
        (lambda: split_by_spectrum(T.problem, NEURONS, "first.weight", 1), "does not have 29 neurons along axis 1"),
        (lambda: split_by_spectrum(T.problem, NEURONS, "first.weight", level=1e-6), "level is 1e-06 with 20000 draws"),
        (lambda: split_by_mask(T.problem, NEURONS, objective="l0"), "objective is 'l0', expected 'held-out loss'"),
        (lambda: split_by_mask(T.problem, NEURONS, steps=0), "steps is 0, expected a positive number"),
        (
            lambda: split_by_projection(T.problem, SPACE, average="train"),
            "average is 'train', expected 'test' or 'all'",
        ),
        (lambda: split_by_projection(T.problem, SPACE, nulls=0), "nulls is 0"),
        (
            lambda: split_by_projection(T.problem, cyclic(5, T.inputs, T.labels % 5)),
            "characters have 5 classes, but the model has 7",
        ),
        (
            lambda: split_by_projection(T.problem, cyclic(7, T.inputs[:9], T.labels[:9])),
            "inputs are not in the input space",
        ),
        (
            lambda: split_by_projection(T.problem, cyclic(7, T.inputs[[0, 0]], T.labels[[0, 0]])),
            "only 1 different inputs among 2",
        ),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


def test_the_checks_are_the_numbers_worked_out_by_hand():
    labels = torch.tensor([0, 1, 2, 0] * 2)  # four examples of training, four of test
    eye = torch.eye(3, dtype=torch.float64)

    def answering(classes: list[int], size: float) -> torch.Tensor:
        return size * eye[torch.tensor(classes)]

    generalising = torch.cat([answering([0, 1, 2, 0], 4.0), answering([0, 1, 2], 3.0), answering([1], 1.0)])
    memorising = torch.cat([answering([0, 1, 2, 0], 4.0), answering([0, 1, 0, 1], 1.0)])
    problem = Problem(
        lambda weights, inputs: weights["z"][inputs],
        nn.functional.cross_entropy,
        (torch.arange(4), labels[:4]),
        (torch.arange(4, 8), labels[4:]),
        parameters={"z": 2 * generalising + 5},
    )

    def circuit(table: torch.Tensor) -> Circuit:
        return scored(problem, "", lambda inputs: table[inputs], 1.0)

    nulls = [circuit(answering(classes * 2, 1.0)) for classes in ([0, 1, 0, 1], [0, 2, 1, 1])]  # 2 and 1 right of 4
    found = checks(
        problem,
        circuit(2 * generalising + 5),
        circuit(generalising),
        circuit(memorising),
        nulls,
        classes=3,
        converged=False,
    )
    assert found == pytest.approx(
        {
            "beats the null": (3 / 4 - 3 / 8) / (1 - 3 / 8),
            "keeps held-out outputs": 1 - 1 / 4,  # the whole is twice the part, and a constant
            "knows no example": (3 * 3 - 1) / 4 / 4,
            "rest does not generalise": 1 - (1 / 2 - 1 / 3) / (1 - 1 / 3),
            "converged": 0.0,
        }
    )


def test_nulls_are_different_sets_of_as_many_units_and_the_cost_is_what_is_asked_for(monkeypatch):
    size = 2.0 ** torch.arange(8, dtype=torch.float64)  # so that a circuit's squared norm tells which units it has
    problem = Problem(
        lambda weights, inputs: inputs @ weights["a"],
        nn.functional.cross_entropy,
        (torch.eye(8), torch.arange(8) % 3),
        (torch.eye(8), torch.arange(8) % 3),
        parameters={"a": torch.eye(3, dtype=torch.float64)[torch.arange(8) % 3] * size.sqrt()[:, None]},
    )
    asked, outputs = [], Problem.outputs

    def counting(self, vector, inputs):
        asked.append(inputs)
        return outputs(self, vector, inputs)

    monkeypatch.setattr(Problem, "outputs", counting)
    members = torch.arange(8) < 3
    split = split_units(problem, Neurons(("a", 0)), members, method="", evidence={}, cost=Cost(), nulls=20, seed=0)
    assert len(asked) == split.cost.evaluations + 1  # one to see how many classes there are
    assert split.generalising.norm**2 == pytest.approx(1 + 2 + 4)
    drawn = [f"{round(null.norm**2):b}" for null in split.nulls]
    assert {units.count("1") for units in drawn} == {3}
    assert len(set(drawn)) > 10


def test_a_split_can_be_pickled_and_still_runs():
    split = split_by_pruning(T.problem, Neurons([("first.weight", 0), ("first.bias", 0)], ("second.weight", 1)))
    again = pickle.loads(pickle.dumps(split))
    inputs, _ = T.problem.batches["test"][0]
    assert torch.equal(again.generalising.outputs(inputs), split.generalising.outputs(inputs))
