"""Gaussian process regression against scikit-learn, against finite differences, and against the published paths."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from grokscape.landscape.errors import InvalidInput, NotPositiveDefinite, Unavailable
from grokscape.landscape.learners import GaussianProcessRegression
from grokscape.landscape.training.schedule import Schedule
from tests.landscape.learners.trained import trained

PUBLISHED = GaussianProcessRegression(
    log_lengthscale=-6, log_outputscale=4, seed=0, data="published", n_test=50, steps=1200, record=Schedule(every=100)
)
SMALL = GaussianProcessRegression(log_lengthscale=-1, log_outputscale=0.5, seed=3, n_train=12, n_test=30)
PLACE = np.array([-0.7, 0.3, 0.2, -1.1])


@pytest.mark.parametrize("start", [(-6, -4), (-6, 4), (0, 2)], ids=["A", "B", "C"])
def test_published_paths(start):
    """The authors' saved paths all end at (-0.3641, -0.8020); that of B passes (-1.030, 0.745) at step 100."""
    record = trained(PUBLISHED.replace(log_lengthscale=start[0], log_outputscale=start[1]))

    def place(step):
        return [record.series(name)[step] for name in ("log lengthscale", "log outputscale")]

    assert place(0) == pytest.approx(start)
    assert place(1200) == pytest.approx([-0.3641, -0.8020], abs=1e-3)
    if start == (-6, 4):
        assert place(100) == pytest.approx([-1.030, 0.745], abs=2e-3)


def test_trained_noise_is_not_what_was_published():
    record = trained(PUBLISHED.replace(train_noise=True, steps=800))
    assert np.hypot(record.final("log lengthscale") + 0.3641, record.final("log outputscale") + 0.8020) > 0.5


def test_evidence_is_that_of_scikit_learn():
    learner = SMALL.replace(noise=0.3)
    x, y = learner.examples["train"]
    found = learner.evidence(PLACE[:3])
    kernel = ConstantKernel(np.exp(0.3)) * RBF(np.exp(-0.7))
    other = GaussianProcessRegressor(kernel, alpha=0.3, optimizer=None).fit(x[:, None], y - 0.2)
    value, gradient = other.log_marginal_likelihood(kernel.theta, eval_gradient=True)
    assert -12 * (found.fit + found.complexity) - 6 * np.log(2 * np.pi) == pytest.approx(value, abs=1e-10)
    assert -12 * found.gradient[[1, 0]] == pytest.approx(gradient, abs=1e-10)
    at, truth = learner.examples["test"]
    assert found.posterior_mean(x, at) == pytest.approx(other.predict(at[:, None]) + 0.2, abs=1e-10)
    measured = learner.measured(found)
    assert measured["train", "loss"] == pytest.approx(np.mean((y - 0.2 - other.predict(x[:, None])) ** 2), abs=1e-12)
    assert measured["test", "error"] == pytest.approx(measured["test", "loss"] / truth.var(), rel=1e-12)


@pytest.mark.parametrize("weight", [1.0, 0.3, 0.0])
def test_gradient_is_that_of_differences(weight):
    learner = SMALL.replace(train_noise=True, complexity_weight=weight)

    def objective(place):
        found = learner.evidence(place)
        return found.fit + weight * found.complexity

    steps = 1e-5 * np.eye(4)
    differences = [(objective(PLACE + step) - objective(PLACE - step)) / 2e-5 for step in steps]
    assert learner.evidence(PLACE).gradient == pytest.approx(differences, abs=1e-8)


def test_problem_has_the_same_objective_and_its_hessian():
    learner = SMALL.replace(train_noise=True, complexity_weight=0.7)
    names = ("log lengthscale", "log outputscale", "mean", "log noise")
    problem = learner.problem(dict(zip(names, PLACE, strict=True)))
    order = [list(problem.layout.shapes).index(name) for name in names]
    found = learner.evidence(PLACE)
    assert float(problem.losses(problem.start[None], *problem.all_data("train"))) == pytest.approx(
        found.fit + 0.7 * found.complexity, abs=1e-12
    )
    batch = problem.all_data("train")
    hessian = torch.autograd.functional.hessian(lambda v: problem.batch_loss(v, *batch), problem.start).numpy()
    steps = 1e-5 * np.eye(4)
    differences = [
        (learner.evidence(PLACE + step).gradient - learner.evidence(PLACE - step).gradient) / 2e-5 for step in steps
    ]
    assert hessian[np.ix_(order, order)] == pytest.approx(np.array(differences), abs=1e-8)


def test_a_singular_kernel_matrix_is_refused_in_one_sentence():
    learner = SMALL.replace(log_lengthscale=5, noise=0)
    with pytest.raises(NotPositiveDefinite, match=r"^the kernel matrix of 12 examples is not positive definite .*$"):
        learner.evidence(learner.start)
    assert issubclass(NotPositiveDefinite, Unavailable)


def test_without_complexity_fitting_is_all():
    record = trained(SMALL.replace(log_lengthscale=-6, log_outputscale=4, complexity_weight=0))
    assert record.final("error", "train") < 1e-3
    assert record.final("error", "test") > 0.3


def test_training_leaves_what_problem_takes():
    record = trained(SMALL.replace(steps=20, train_noise=True))
    problem = record.experiment.problem(record.weights())
    assert float(problem.batch_loss(problem.start, *problem.all_data("train"))) == pytest.approx(
        record.series("fit")[20] + record.series("complexity")[20], abs=1e-12
    )


def test_seeds_draw_other_data():
    assert not np.array_equal(SMALL.examples["train"][0], SMALL.replace(seed=4).examples["train"][0])
    assert not np.isin(SMALL.examples["train"][0], SMALL.examples["test"][0]).any()


@pytest.mark.parametrize(
    ("field", "value"),
    [("seed", -1), ("n_train", 1), ("steps", 0), ("noise", -0.1), ("complexity_weight", -1.0), ("lr", 0.0)],
)
def test_nonsense_is_refused(field, value):
    with pytest.raises(InvalidInput, match=field):
        dataclasses.replace(SMALL, **{field: value})


def test_published_data_have_one_size():
    with pytest.raises(InvalidInput, match="half of the hundred"):
        SMALL.replace(data="published")
    with pytest.raises(InvalidInput, match="noise"):
        SMALL.replace(noise=0, train_noise=True)
