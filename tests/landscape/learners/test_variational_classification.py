"""Variational classification: its bound against dense formulas, and what its two parametrisations make of the fit."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from grokscape.landscape.errors import InvalidInput, NotPositiveDefinite, Unavailable
from grokscape.landscape.learners import VariationalClassification
from grokscape.landscape.learners.laplace_mode import kernel
from grokscape.landscape.tasks import ParityPopulation, SignOfInput
from tests.landscape.learners.trained import trained

SMALL = VariationalClassification(population=ParityPopulation(spurious=3), seed=2, n_train=24, n_test=50, steps=12)


def test_without_gpytorch_it_is_not_to_be_had(monkeypatch):
    monkeypatch.setitem(sys.modules, "gpytorch", None)
    with pytest.raises(Unavailable, match=r"pip install 'grokscape\[gp\]'"):
        trained(SMALL)


pytest.importorskip("gpytorch")


def test_fit_and_complexity_are_those_of_the_formulas():
    record = trained(SMALL)
    weights, last = record.weights(), lambda name, split="": record.series(name, split).iloc[-1]
    mean = weights["variational_strategy._variational_distribution.variational_mean"]
    root = np.tril(weights["variational_strategy._variational_distribution.chol_variational_covar"])
    inputs, labels = SMALL.examples["train"]
    lengths = np.array([last(f"lengthscale {k}") for k in range(1, 7)])
    prior = kernel(inputs, inputs, np.log(lengths), last("log outputscale")) + 1e-3 * np.eye(24)
    p = torch.distributions.MultivariateNormal(torch.full((24,), last("mean")).double(), torch.from_numpy(prior))
    q = torch.distributions.MultivariateNormal(torch.from_numpy(mean), torch.from_numpy(root @ root.T))
    assert last("complexity") == pytest.approx(float(torch.distributions.kl_divergence(q, p)) / 24, rel=1e-6)
    nodes, shares = np.polynomial.hermite_e.hermegauss(60)
    latent = mean[:, None] + np.sqrt((root**2).sum(1))[:, None] * nodes
    expected = torch.special.log_ndtr(torch.from_numpy(labels[:, None] * latent)).numpy() @ shares / shares.sum()
    assert last("fit") == pytest.approx(-expected.mean(), rel=5e-4)  # the library approximates log Phi
    chance = torch.special.log_ndtr(torch.from_numpy(labels * mean / np.sqrt(1 + (root**2).sum(1))))
    assert last("loss", "train") == pytest.approx(-float(chance.mean()), rel=1e-6)


def test_both_parametrisations_start_at_the_same_prior():
    records = [trained(SMALL.replace(parametrisation=p, steps=1)) for p in ("unwhitened", "whitened")]
    for record in records:
        assert record.series("complexity")[0] == pytest.approx(0, abs=1e-6)
        assert record.series("loss", "test")[0] == pytest.approx(np.log(2), abs=1e-6)
    fits = [record.series("fit")[0] for record in records]
    # Unwhitened, the prior has 1e-3 more on its diagonal.
    assert fits[0] == pytest.approx(fits[1], abs=1e-3)


def test_unwhitened_fit_does_not_depend_on_the_kernel():
    record = trained(SMALL.replace(divergence_weight=0))
    assert (record.series("kernel gradient") == 0).all()
    assert (record.series("lengthscale 1") == record.series("lengthscale 1")[0]).all()
    assert record.series("fit").iloc[-1] < record.series("fit")[0]
    whitened = trained(SMALL.replace(divergence_weight=0, parametrisation="whitened"))
    assert (whitened.series("kernel gradient") > 1e-5).all()


def test_a_kernel_that_is_kept_stays():
    record = trained(SMALL.replace(train_kernel=False, parametrisation="whitened"))
    assert (record.series("lengthscale 1") == record.series("lengthscale 1")[0]).all()
    assert (record.series("kernel gradient") == 0).all()
    assert record.series("fit").iloc[-1] < record.series("fit")[0]


def test_zero_mean_stays_and_learnt_moves():
    assert (trained(SMALL.replace(mean="zero")).series("mean") == 0).all()
    assert trained(SMALL).series("mean").iloc[-1] != 0


def test_training_repeats_itself():
    state = torch.get_rng_state()
    first, second = trained(SMALL), trained(SMALL)
    assert first.trajectory.equals(second.trajectory)
    assert torch.equal(torch.get_rng_state(), state)


def test_it_learns_a_threshold():
    learner = VariationalClassification(population=SignOfInput(), seed=1, n_train=20, steps=30, lr=0.1, lengthscale=0.1)
    record = trained(learner)
    assert record.final("error", "train") == 0
    assert record.final("error", "test") < 0.15
    assert record.final("loss", "test") < 0.6


def test_a_kernel_matrix_without_a_factor_is_refused(monkeypatch):
    from linear_operator.utils.errors import NotPSDError

    def singular(self, at):
        raise NotPSDError("found on the way")

    monkeypatch.setattr("gpytorch.kernels.ScaleKernel.forward", lambda self, *a, **k: singular(self, a))
    with pytest.raises(NotPositiveDefinite, match=r"of 24 examples is not positive definite .* at step 0"):
        trained(SMALL)


@pytest.mark.parametrize(("field", "value"), [("seed", -1), ("divergence_weight", -0.1), ("lr", 0.0), ("steps", 0)])
def test_nonsense_is_refused(field, value):
    with pytest.raises(InvalidInput, match=field):
        SMALL.replace(**{field: value})
