"""The frontier of a lookup table beside a rule, where the crossing of memorising and generalising is known."""

from __future__ import annotations

import copy

import matplotlib as mpl
import numpy as np
import pytest
import torch
from torch import nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.efficiency.frontier import efficiency_frontier
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.problem import Problem
from grokscape.landscape.randomness import integers, permutation

mpl.use("Agg")

SIZES = np.array([10, 20, 40, 80, 160])
N, HELD_OUT, LEVEL = 64, 8, 0.05
#: Norm per unit margin of the rule; memorising one example costs 1, so D examples cost sqrt(D).
RULE = 8.0
FAST = AdamW(lr=0.1, weight_decay=0.0, beta2=0.98, eps=1e-6)


def table_and_rule(parameters, inputs):
    """Logits (s, 0) with ``s_i = t_i + g y_i / RULE``: an entry to memorise each example, and one rule for all."""
    s = parameters["table"][inputs] + parameters["rule"] * (1 - 2 * (inputs % 2)) / RULE
    return torch.stack([s, torch.zeros_like(s)], -1)


def drawn(seed):
    table = torch.randn(N + HELD_OUT, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return {"table": 0.1 * table, "rule": torch.zeros(1, dtype=torch.float64)}


def lookup(dtype=torch.float64, **options):
    start = {name: tensor.to(dtype) for name, tensor in drawn(0).items()}
    everything = torch.arange(N + HELD_OUT)
    train, test = everything[:N], everything[N:]
    return Problem(
        table_and_rule,
        nn.functional.cross_entropy,
        (train, train % 2),
        options.get("test", (test, test % 2)),
        parameters=start,
    )


def knowing(problem, seeds):
    row = torch.zeros_like(problem.start)
    row[-1] = 1
    return row.repeat(seeds, 1)


def frontier(problem, seeds=range(6), **options):
    settings = {
        "generalising": knowing(problem, len(seeds)),
        "steps": 300,
        "level": LEVEL,
        "initialise": drawn,
        "optimiser": FAST,
    }
    sizes, norms = options.pop("sizes", [12, 24, 48]), options.pop("norms", np.geomspace(8, 24, 5))
    return efficiency_frontier(problem, sizes, norms, seeds=seeds, **(settings | options))


@pytest.fixture(scope="module")
def found():
    return frontier(lookup())


def chance_agreement(found):
    """S, by how much each seed's random labels for its D examples agree with the rule, shape (seeds, sizes)."""
    agreements = []
    for seed in found.seeds:
        order = permutation(N, seed, "frontier/examples")
        labels = integers(N, 2, seed, "frontier/labels")
        agrees = (1 - 2 * labels[order]) * (1 - 2 * (order % 2))
        agreements.append(np.cumsum(agrees)[found.sizes - 1])
    return np.array(agreements)


def test_the_norms_needed_are_those_of_the_closed_forms(found):
    # Table and rule share the work: |(t, g)| is least with every margin m. For the true labels of all N examples,
    # |(t, g)|^2 = m^2 / (1 / RULE^2 + 1 / N); for random ones, m^2 (D - S^2 / (RULE^2 + D)).
    margin = -np.log(np.expm1(LEVEL))
    np.testing.assert_allclose(found.generalising_norm, margin / np.sqrt(1 / RULE**2 + 1 / N), rtol=0.005)
    memorising = margin * np.sqrt(found.sizes - chance_agreement(found) ** 2 / (RULE**2 + found.sizes))
    np.testing.assert_allclose(found.memorising_norm, memorising, rtol=0.02)


def test_the_planted_crossing_is_found(found):
    planted = 1 / (1 / RULE**2 + 1 / N)
    # Chance agreement makes memorising a little cheaper, so that it holds out for a few examples more.
    longest = planted + (chance_agreement(found) ** 2 / (RULE**2 + found.sizes)).max()
    assert found.crossing.method == "order"
    assert 0.999 * planted <= found.crossing.seed_lower.min()  # interpolated between norms
    assert found.crossing.seed_lower.max() <= longest
    assert found.crossing.estimate == pytest.approx(planted, rel=0.03)
    assert found.generalises.all()
    assert found.gate_split == "test"


def test_on_many_examples_the_rule_is_cheaper_at_every_size_measured():
    small = frontier(lookup(), seeds=(0, 1), sizes=[48, 60], norms=np.geomspace(12, 28, 4))
    assert small.crossing.side == "below"
    assert (small.crossing.seed_upper == 48).all()


def test_networks_that_do_not_generalise_take_no_part():
    # Held-out labels contradict the rule.
    test = torch.arange(N, N + HELD_OUT)
    found = frontier(lookup(test=(test, 1 - test % 2)), seeds=(0, 1), steps=100)
    assert (found.accuracy == 0).all()
    assert not found.generalises.any()
    assert (found.generalising_loss[..., -1] < LEVEL).all()
    assert np.array_equal(found.counts, found.generalising_loss > LEVEL)
    assert np.isnan(found.generalising_norm).all()
    assert found.crossing.side == "unknown"


def test_single_precision_and_no_held_out_data():
    problem = lookup(torch.float32)
    del problem.batches["test"]
    found = frontier(problem, seeds=(0, 1), sizes=[12, 48], norms=[7, 12, 24])
    assert found.gate_split == "train"
    assert found.crossing.side == "within"
    assert found.crossing.method == "t"


def test_fresh_networks_serve_where_none_is_given(found):
    fresh = frontier(lookup(), seeds=(0, 1), sizes=[12, 48], steps=400, generalising=None)
    assert fresh.generalises.all()
    np.testing.assert_allclose(fresh.generalising_norm[:, 0], found.generalising_norm[0, 0], rtol=0.05)


def test_the_same_seeds_give_the_same_numbers_and_examples_are_nested():
    options = {"seeds": (3, 4), "sizes": [5, 10], "norms": [5, 10], "steps": 20}
    one, other = frontier(lookup(), **options), frontier(lookup(), **options)
    np.testing.assert_array_equal(one.memorising_loss, other.memorising_loss)
    third = frontier(lookup(), **(options | {"seeds": (4, 5)}))
    np.testing.assert_allclose(one.memorising_loss[1], third.memorising_loss[0], rtol=1e-12)
    assert not np.allclose(one.memorising_loss[0], third.memorising_loss[1])


def test_the_table_and_the_pictures_hold_the_frontier(found):
    frame = found.to_frame()
    assert len(frame) == 2 * found.memorising_loss.size
    some = frame.query("circuit == 'memorising' and seed == 2 and size == 24")
    np.testing.assert_array_equal(some["loss"], found.memorising_loss[2, 1])
    assert (some["needed"] == found.memorising_norm[2, 1]).all()
    right = found.plot()
    assert len(right.figure.axes) == 2
    assert "crossing at" in right.get_title()
    mpl.pyplot.close(right.figure)
    figure, alone = mpl.pyplot.subplots()
    assert found.plot(alone) is alone
    assert len(figure.axes) == 1
    mpl.pyplot.close(figure)


def test_progress_and_cost():
    told = []
    found = frontier(lookup(), seeds=(0, 1), sizes=[5, 10], norms=[5, 10], steps=20, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert found.cost.gradients == 3 * 4 * 21


def test_the_model_and_the_random_state_stay_as_they_are():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Linear(3, 2, bias=False)
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    data = (torch.eye(3).repeat(2, 1), torch.arange(6) % 2)
    efficiency_frontier(
        Problem(model, nn.functional.cross_entropy, data), [1, 2], [1, 2], level=0.3, seeds=[0], steps=9
    )
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": [20, 300]}, "sizes go up to 300, but there are 64 training examples; choose at most 64"),
        ({"sizes": [20]}, r"sizes are \[20.0\], expected at least two ascending"),
        ({"norms": [0.0, 1.0]}, "norms are .*, expected at least two ascending positive"),
        ({"level": 0.0}, "level is 0.0, expected a positive training loss"),
        ({"gate": 1.5}, r"gate is 1.5, expected an accuracy in \(0, 1\]"),
        ({"seeds": (1, 1)}, r"seeds are \[1, 1\], expected at least one, and all different"),
        (
            {"generalising": torch.ones(3, N + HELD_OUT + 1)},
            "generalising holds 3 networks, expected one for each of the 6",
        ),
        ({"initialise": None}, "a function has no initialisation of its own"),
    ],
)
def test_what_cannot_be_used_is_named(options, message):
    with pytest.raises(InvalidInput, match=message):
        frontier(lookup(), **options)


def test_targets_that_are_no_classes_are_refused():
    problem = Problem(nn.Linear(3, 2), nn.functional.mse_loss, (torch.eye(3), torch.zeros(3, 2)))
    with pytest.raises(InvalidInput, match="a memorising twin needs outputs of shape"):
        efficiency_frontier(problem, [1, 2], [1, 2], level=0.3, seeds=[0])


class Insistent(nn.Linear):
    """A layer that insists on batches of six."""

    def forward(self, inputs):
        assert len(inputs) == 6
        return super().forward(inputs)


def test_a_model_that_insists_on_its_batch_is_refused_by_name():
    inputs, labels = torch.eye(12), torch.arange(12) % 3
    problem = Problem(Insistent(12, 3), nn.functional.cross_entropy, (inputs, labels), batch_size=6)
    with pytest.raises(InvalidInput, match=r"efficiency_frontier takes examples apart .* the model fails on them"):
        efficiency_frontier(problem, [4, 8], [1, 2], level=0.3, seeds=[0])


@pytest.mark.parametrize("ignored", [torch.tensor([7]), torch.arange(6)], ids=["one", "all of the first batch"])
def test_ignored_targets_get_no_random_labels(ignored):
    labels = (torch.arange(12) % 3).index_fill(0, ignored, -100)
    problem = Problem(nn.Linear(12, 3), nn.functional.cross_entropy, (torch.eye(12), labels), batch_size=6)
    with pytest.raises(InvalidInput, match="targets hold -100, expected class indices from 0 to 2; leave examples"):
        efficiency_frontier(problem, [4, 8], [1, 2], level=0.3, seeds=[0])
