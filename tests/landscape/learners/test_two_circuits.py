"""Catches a toy model that descends another loss than the written one, or reports another.

Its end state is held against the theorem, its steps against automatic differentiation.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.learners import TwoCircuits
from grokscape.landscape.learners.two_circuits import _State
from grokscape.landscape.training.schedule import Schedule
from tests.landscape.helpers import assert_same_bits, train, train_alone, value


def written_loss(toy: TwoCircuits, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The training loss and the penalty, from the module's docstring."""
    gen, mem = first * second
    strength = {"alpha": toy.alpha, "alpha/2": toy.alpha / 2}[toy.reading]
    cross_entropy = torch.log(torch.exp(gen + mem) + toy.classes - 1) - (gen + mem)
    norms = (toy.norm_gen * gen.abs() ** (1 / toy.kappa)) ** 2 + (toy.norm_mem * mem.abs() ** (1 / toy.kappa)) ** 2
    return cross_entropy + strength * norms


@pytest.mark.parametrize("reading", ["alpha/2", "alpha"])
@pytest.mark.parametrize("kappa", [0.6, 1.0, 1.2, 1.9])
def test_a_step_descends_the_written_loss(reading: Any, kappa: float) -> None:
    toys = [
        TwoCircuits(reading=reading, kappa=kappa, alpha=alpha, norm_gen=0.7, norm_mem=2.5, classes=classes, lr=lr)
        for alpha, classes, lr in ((0.3, 5, 0.1), (0.0, 113, 0.02), (2.0, 3, 1.0))
    ]
    source = np.random.default_rng(3)
    for _ in range(5):
        state = _State(toys)
        state.first, state.second = source.normal(size=(2, 2, len(toys)))
        before = state.first.copy(), state.second.copy()
        state.advance()
        for index, toy in enumerate(toys):
            first, second = (torch.tensor(array[:, index], requires_grad=True) for array in before)
            written_loss(toy, first, second).backward()
            for old, new in ((first, state.first), (second, state.second)):
                assert old.grad is not None
                expected = (old - toy.lr * old.grad).detach().numpy()
                assert np.abs(new[:, index] - expected).max() <= 1e-13 * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("reading", ["alpha/2", "alpha"])
@pytest.mark.parametrize(("kappa", "norm_mem"), [(1.2, 1.5), (0.5, 3.0), (1.0, 2.0)])
def test_weights_end_in_the_ratio_of_the_theorem(reading: Any, kappa: float, norm_mem: float) -> None:
    toy = TwoCircuits(
        kappa=kappa,
        norm_mem=norm_mem,
        reading=reading,
        start_gen=0.5,
        alpha=0.05,
        lr=0.05,
        steps=30_000,
        record=Schedule(per_decade=1, every=30_000),
    )
    trajectory = train_alone(toy).trajectory
    gen, mem = (value(trajectory, toy.steps, "", f"weight_{name}") for name in ("gen", "mem"))
    assert toy.predicted_ratio == pytest.approx(norm_mem ** (2 * kappa / (2 - kappa)))
    assert gen / mem == pytest.approx(toy.predicted_ratio, rel=1e-6)


def test_records_are_the_written_formulas() -> None:
    toy = TwoCircuits(steps=900, classes=7, start_gen=0.3, record=Schedule(per_decade=5, every=100))
    trajectory = train_alone(toy).trajectory
    assert sorted(set(trajectory["step"])) == toy.record.steps(900)
    assert len(trajectory) == 4 * len(toy.record.steps(900))
    for step in toy.record.steps(900):
        gen, mem = (value(trajectory, step, "", f"weight_{name}") for name in ("gen", "mem"))
        # The right class has logit gen + mem in training; in the test, gen, and the memory's wrong class mem.
        train_loss = math.log(math.exp(gen + mem) + 6) - (gen + mem)
        test_loss = math.log(math.exp(gen) + math.exp(mem) + 5) - gen
        assert value(trajectory, step, "train", "loss") == pytest.approx(train_loss, rel=1e-12)
        assert value(trajectory, step, "test", "loss") == pytest.approx(test_loss, rel=1e-12)
    assert value(trajectory, 0, "train", "loss") == value(trajectory, 0, "test", "loss") == pytest.approx(math.log(7))
    assert value(trajectory, 900, "", "weight_gen") > value(trajectory, 0, "", "weight_gen") == 0


def test_large_weights_do_not_overflow_the_record() -> None:
    state = _State([TwoCircuits()])
    state.first, state.second = np.full((2, 1), 30.0), np.full((2, 1), 30.0)
    measured = state.measure()
    assert measured["train", "loss"][0] == pytest.approx(0.0, abs=1e-12)
    assert measured["test", "loss"][0] == pytest.approx(math.log(2), rel=1e-12)


def test_the_batch_does_not_change_a_single_bit() -> None:
    """Members differ in all fields but the schedule, and leave at different steps; some in the middle of a vector."""
    source = np.random.default_rng(8)
    toys = [
        TwoCircuits(
            norm_gen=source.uniform(0.5, 2),
            norm_mem=source.uniform(1, 4),
            start_gen=source.uniform(0.001, 1),
            kappa=source.uniform(0.3, 1.9),
            alpha=source.uniform(0, 0.1),
            reading="alpha" if index % 2 else "alpha/2",
            classes=int(source.integers(3, 200)),
            lr=source.uniform(0.005, 0.05),
            steps=int(source.integers(150, 400)),
            record=Schedule(per_decade=10, every=50),
        )
        for index in range(19)
    ]
    assert len({toy.batch_key for toy in toys}) == 1
    alone = {toy.identity: train_alone(toy) for toy in toys}
    for batch in (toys, toys[::-1], toys[3:10], toys[:2]):
        outcomes = train(batch)
        assert set(outcomes) == {toy.identity for toy in batch}
        for identity, outcome in outcomes.items():
            assert_same_bits(outcome, alone[identity])


@pytest.mark.parametrize(
    ("field", "found", "expectation"),
    [
        ("kappa", 2.0, "in (0, 2)"),
        ("kappa", 0.0, "in (0, 2)"),
        ("norm_gen", 0.0, "positive"),
        ("norm_mem", -1.0, "positive"),
        ("start_gen", 0.0, "positive"),
        ("start_mem", -2.0, "positive"),
        ("lr", 0.0, "positive"),
        ("alpha", -0.1, "not negative"),
        ("classes", 2, "at least 3"),
        ("steps", 0, "at least 1"),
        ("reading", "beta", "'alpha/2'"),
    ],
)
def test_refusals_name_field_value_and_expectation(field: str, found: Any, expectation: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        TwoCircuits(**{field: found})
    for part in (f"TwoCircuits.{field}", repr(found), expectation):
        assert part in str(refusal.value)
