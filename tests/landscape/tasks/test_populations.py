"""Catches populations whose labels break their rule, whose draws hang together, or whose filler is not what it says."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks import ParityPopulation, SignOfInput
from grokscape.landscape.tasks.populations import Population, with_labels

POPULATIONS = [ParityPopulation(filler=filler) for filler in ("bits", "normal", "constant")] + [SignOfInput()]


@pytest.mark.parametrize("population", POPULATIONS, ids=repr)
def test_draws_are_of_their_seed_and_name(population: Population) -> None:
    inputs, labels = population.draw(200, seed=3, name="train")
    again, other, test = (population.draw(200, seed, name) for seed, name in ((3, "train"), (4, "train"), (3, "test")))
    assert inputs.shape == (200, population.dimensions)
    assert inputs.dtype == np.float64
    assert set(labels.tolist()) == {-1, 1}
    assert (inputs == again[0]).all()
    assert (labels == again[1]).all()
    for one in (other, test):
        assert (inputs != one[0]).any()
        assert abs(np.mean(labels * one[1])) < 0.25  # about 3.5 standard errors


def test_parity_is_that_of_the_relevant_bits() -> None:
    population = ParityPopulation(relevant=4, spurious=6)
    inputs, labels = population.draw(500, seed=0, name="train")
    product = np.prod(1 - 2 * inputs[:, :4], axis=1)  # 1 if an even number of bits is set
    assert (labels == -product).all()
    assert abs(labels.mean()) < 0.2
    for bit in range(10):  # of single bits it says nothing
        assert abs(np.mean(labels * (1 - 2 * inputs[:, bit]))) < 0.2


def test_filler_is_what_it_says() -> None:
    drawn = {
        name: ParityPopulation(filler=name).draw(2000, seed=1, name="train")[0][:, 3:] for name in ("bits", "normal")
    }  # type: ignore[arg-type]
    assert set(np.unique(drawn["bits"]).tolist()) == {0.0, 1.0}
    assert drawn["bits"].mean() == pytest.approx(0.5, abs=0.02)
    assert drawn["normal"].std() == pytest.approx(1.0, abs=0.02)
    assert not ParityPopulation(filler="constant").draw(50, seed=1, name="train")[0][:, 3:].any()


def test_filler_changes_neither_relevant_bits_nor_labels() -> None:
    bits, normal, none = (population.draw(100, seed=5, name="train") for population in POPULATIONS[:3])
    for other in (normal, none):
        assert (bits[0][:, :3] == other[0][:, :3]).all()
        assert (bits[1] == other[1]).all()


def test_the_sign_is_that_of_a_number_around_nought() -> None:
    inputs, labels = SignOfInput().draw(1000, seed=0, name="train")
    assert (np.sign(inputs[:, 0]) == labels).all()
    assert -0.5 <= inputs.min() < -0.45 < 0.45 < inputs.max() <= 0.5


def test_shuffled_labels_belong_to_other_examples() -> None:
    labels = np.repeat([-1, 1], [30, 70])
    assert with_labels(labels, "true", 0) is labels
    shuffled, again, other = (with_labels(labels, "shuffled", seed) for seed in (0, 0, 1))
    assert sorted(shuffled) == sorted(labels)
    assert (shuffled != labels).any()
    assert (shuffled == again).all()
    assert (shuffled != other).any()


@pytest.mark.parametrize("change", [{"relevant": 0}, {"spurious": -1}, {"filler": "noise"}])
def test_what_no_population_can_be_is_refused_by_its_field(change: dict[str, object]) -> None:
    (field,) = change
    with pytest.raises(InvalidInput, match=rf"ParityPopulation\.{field} is"):
        ParityPopulation(**change)  # type: ignore[arg-type]
