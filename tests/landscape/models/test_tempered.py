"""Catches a temperature that touches anything but the scale of the answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models import Dense, Perceptron, Tempered
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.tasks import BinaryOperation, TeacherStudent
from grokscape.landscape.training.run import Run
from tests.landscape.helpers import train_alone

TASK = BinaryOperation(p=7)
PLAIN = Perceptron(width=9, activation="quadratic")


def network(model, task=TASK, **how):
    made = model.build(task).to(torch.float64)
    made.initialise(seed=3, **how)
    return made


@pytest.mark.parametrize(("model", "task"), [(PLAIN, TASK), (Dense(widths=(5,)), TeacherStudent(examples=20))])
def test_answers_are_divided_and_weights_are_the_same(model, task):
    plain, hot = network(model, task, scale=2.0), network(Tempered(of=model, temperature=2.5), task, scale=2.0)
    assert torch.allclose(hot(task.inputs), plain(task.inputs) / 2.5, rtol=1e-14)
    for (name, weights), (inner, others) in zip(hot.named_parameters(), plain.named_parameters(), strict=True):
        assert name == f"network.{inner}"
        assert torch.equal(weights, others)
    assert hot.standard_deviations().keys() >= {name for name, _ in hot.named_parameters()}


def test_a_homogeneous_network_at_another_norm_is_itself_at_the_temperature_that_undoes_it():
    low, high = network(PLAIN), network(Tempered(of=PLAIN, temperature=1.5**3), scale=1.5)
    assert torch.allclose(low(TASK.inputs), high(TASK.inputs), rtol=1e-12)


def test_temperature_is_part_of_the_description_and_must_be_positive():
    assert Tempered(of=PLAIN, temperature=2).identity != Tempered(of=PLAIN, temperature=3).identity
    with pytest.raises(InvalidInput, match=r"Tempered\.temperature is 0\.0, expected a positive number"):
        Tempered(of=PLAIN, temperature=0)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_trained_at_another_norm_and_its_temperature_a_homogeneous_network_is_the_same_at_a_longer_step(loss):
    """Adam does not see the scale of gradients: norm, temperature and step scaled together change nothing."""
    shared = {"task": TASK, "n_train": 25, "seed": 0, "steps": 60, "loss": loss, "dtype": "float64"}
    adam = AdamW(lr=1e-2, weight_decay=0.0, eps=1e-300)
    low = Run(model=PLAIN, optimiser=adam, fixed_norm=6.0, **shared)
    high = Run(model=Tempered(of=PLAIN, temperature=2.0**3), optimiser=adam.replace(lr=2e-2), fixed_norm=12.0, **shared)
    one, other = (train_alone(run).trajectory.set_index(["quantity", "split", "step"])["value"] for run in (low, high))
    assert np.allclose(other["weight_norm"], 12.0)
    for quantity in ("loss", "accuracy"):
        assert np.allclose(one[quantity], other[quantity], rtol=1e-6)
    assert one["accuracy", "train", 60] > one["accuracy", "train", 0]
