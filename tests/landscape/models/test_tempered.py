"""Catches a temperature that touches anything but the scale of the answers."""

from __future__ import annotations

import pytest
import torch

from landscape.errors import InvalidInput
from landscape.models import Dense, Perceptron, Tempered
from landscape.tasks import BinaryOperation, TeacherStudent

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
