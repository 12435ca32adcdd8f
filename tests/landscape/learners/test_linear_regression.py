"""Catches a solution that is not gradient descent's, and limits that it does not tend to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.grokking import complexity, error, grokking_gap
from grokscape.landscape.learners.linear_regression import FEATURES, LOW, LinearRegression, features
from grokscape.landscape.records.record import Record
from tests.landscape.helpers import assert_same_bits, train, train_alone


def record(learner: LinearRegression) -> Record:
    outcome = train_alone(learner)
    return Record(learner, outcome.trajectory, outcome.info, lambda _: {})


@pytest.mark.parametrize("penalty", [True, False])
def test_weights_are_those_of_gradient_descent_on_the_written_objective(penalty: bool) -> None:
    learner = LinearRegression(seed=3, data_sets=2, penalty=penalty, n_train=3, prior_variance=0.1, slope=-0.7)
    inputs, targets = learner.examples("train")
    for which in range(2):
        weights = torch.tensor(learner.start, dtype=torch.float64, requires_grad=True)
        design, wanted = torch.tensor(features(inputs[which])), torch.tensor(targets[which])
        for _ in range(70):
            objective = (design @ weights - wanted).square().sum() / (2 * 0.002 * 3)
            if penalty:
                objective = objective + weights.square().sum() / (2 * 0.1 * 3)
            (slope,) = torch.autograd.grad(objective, weights)
            weights = (weights - learner.lr * slope).detach().requires_grad_()
        found = learner.weights(np.array([0, 70]))
        np.testing.assert_allclose(found[which, 0], learner.start, rtol=0, atol=1e-13)
        np.testing.assert_allclose(found[which, 1], weights.detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("penalty", [True, False])
def test_it_tends_to_its_limit(penalty: bool) -> None:
    learner = LinearRegression(seed=1, data_sets=30, penalty=penalty)
    late = learner.weights(np.array([10**9]))[:, 0]
    # Two inputs that nearly agree leave a direction that the data hardly decide.
    assert np.median(np.abs(late - learner.limit)) < 1e-9
    course = record(learner)
    assert course.final("error in the limit", "test") == pytest.approx(
        np.mean(
            [
                ((features(x) @ w > 0) != (y > 0)).mean()
                for x, y, w in zip(*learner.examples("test"), learner.limit, strict=True)
            ]
        )
    )


def test_without_the_penalty_it_interpolates_and_with_it_shrinks() -> None:
    free, held = (LinearRegression(seed=2, data_sets=9, penalty=penalty) for penalty in (False, True))
    inputs, targets = free.examples("train")
    np.testing.assert_allclose(np.einsum("dnf,df->dn", features(inputs), free.limit), targets, rtol=0, atol=1e-12)
    moved = free.limit - np.array(free.start)
    rows = features(inputs)
    within = np.einsum("dnf,dnk,dk->df", rows, np.linalg.pinv(rows).transpose(0, 2, 1), moved)
    np.testing.assert_allclose(within, moved, rtol=0, atol=1e-9)  # nothing moves where the data say nothing
    assert np.square(held.limit).sum() < np.square(free.limit).sum()


def test_what_is_recorded() -> None:
    learner = LinearRegression(seed=4, data_sets=3, n_test=500)
    course = record(learner)
    weights = learner.weights(np.array([0, 5000]))
    size = np.square(weights).sum(-1).mean(0) / (2 * 0.5 * 2)
    np.testing.assert_allclose(complexity(course).iloc[[0, -1]], size, rtol=1e-12)
    assert complexity(course).iloc[0] == pytest.approx((5e-4**2 + 3 * 0.81) / 2)
    inputs, targets = learner.examples("test")
    predicted = np.einsum("dnf,df->dn", features(inputs), weights[:, 1])
    assert error(course, "test").iloc[-1] == pytest.approx(((predicted > 0) != (targets > 0)).mean())
    assert course.series("low error", "test").iloc[-1] == pytest.approx(
        (((predicted > 0) != (targets > 0)).mean(1) <= LOW).mean()
    )
    assert course.series("loss", "test").iloc[-1] == pytest.approx(np.square(predicted - targets).mean() / 0.004)
    np.testing.assert_array_equal(course.series("fit"), course.series("loss", "train"))
    for name, value in zip(FEATURES, weights[:, 1].mean(0), strict=True):
        assert course.series(f"weight of {name}").iloc[-1] == pytest.approx(value)


def test_a_start_at_the_truth_has_no_gap_to_speak_of() -> None:
    learner = LinearRegression(seed=0, data_sets=1, start=(0.3, 0, 0, 0), penalty=False)
    gap = grokking_gap(record(learner))
    assert (gap.fit.step, gap.generalise.step, gap.censored) == (0, 0, False)


def test_random_targets_are_not_those_of_the_inputs() -> None:
    inputs, targets = LinearRegression(seed=0, data_sets=40, targets="random").examples("test")
    same, line = LinearRegression(seed=0, data_sets=40).examples("test")
    np.testing.assert_array_equal(inputs, same)
    np.testing.assert_array_equal(line, 0.3 * same)
    assert abs(np.corrcoef(inputs.ravel(), targets.ravel())[0, 1]) < 0.02


def test_the_batch_changes_nothing() -> None:
    learners = [LinearRegression(seed=seed, data_sets=2, n_test=50, steps=100) for seed in (0, 1)]
    together = train(learners)
    for learner in learners:
        assert_same_bits(together[learner.identity], train_alone(learner))


@pytest.mark.parametrize(
    ("field", "value"), [("start", (1.0, 2.0)), ("lr", 0.1), ("noise_variance", 0.0), ("data_sets", 0)]
)
def test_what_makes_no_sense_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match=field):
        LinearRegression(seed=0, **{field: value})
