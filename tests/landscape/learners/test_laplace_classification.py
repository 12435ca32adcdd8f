"""Laplace's approximation against scikit-learn's, and what the learner records."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from grokscape.landscape.errors import InvalidInput, NotPositiveDefinite
from grokscape.landscape.grokking import complexity, error, grokking_gap
from grokscape.landscape.learners import LaplaceClassification
from grokscape.landscape.learners.laplace_mode import find_mode, kernel
from grokscape.landscape.tasks import ParityPopulation, SignOfInput
from tests.landscape.learners.trained import trained

SMALL = LaplaceClassification(population=ParityPopulation(spurious=3), seed=2, n_train=40, n_test=60, steps=30)
PLACE = np.array([0.7, -0.5, 0.1, -0.3, 0.9, 1.2, 0.4])


@pytest.fixture
def library():
    inputs, labels = SMALL.examples["train"]
    shape = ConstantKernel(np.exp(PLACE[0])) * RBF(np.exp(PLACE[1:]))
    return GaussianProcessClassifier(shape, optimizer=None, max_iter_predict=1000).fit(inputs, labels), shape.theta


def test_evidence_and_gradient_are_those_of_scikit_learn(library):
    classifier, theta = library
    value, gradient = classifier.base_estimator_.log_marginal_likelihood(theta, eval_gradient=True)
    found = SMALL.evidence(PLACE)
    measured = SMALL.measured(found)
    assert -40 * (measured["", "fit"] + measured["", "complexity"]) == pytest.approx(value, abs=1e-8)
    assert -40 * found.gradient == pytest.approx(gradient, abs=1e-5)


def test_predictions_are_those_of_scikit_learn(library):
    classifier, _ = library
    at, labels = SMALL.examples["test"]
    measured = SMALL.measured(SMALL.evidence(PLACE))
    assert measured["test", "error"] == pytest.approx(1 - classifier.score(at, labels))
    chance = classifier.predict_proba(at)[np.arange(60), (labels == 1).astype(int)]
    # Two approximations to the mean of a sigmoid.
    assert measured["test", "loss"] == pytest.approx(-np.log(chance).mean(), abs=5e-3)


def test_the_mode_is_one_wherever_the_search_begins():
    inputs, labels = SMALL.examples["train"]
    covariance = kernel(inputs, inputs, np.zeros(6), 3.0)
    modes = [find_mode(covariance, labels, start) for start in (np.zeros(40), 20.0 * labels, -20.0 * labels)]
    for mode in modes:
        assert mode.latent == pytest.approx(modes[0].latent, abs=1e-4)
        assert mode.dual == pytest.approx((labels + 1) / 2 - expit(mode.latent), abs=1e-4)


def test_a_singular_covariance_is_no_hindrance():
    inputs, labels = SMALL.replace(population=ParityPopulation(spurious=0)).examples["train"]
    assert len(np.unique(inputs, axis=0)) == 8
    mode = find_mode(kernel(inputs, inputs, np.zeros(3), 0.0), labels, np.zeros(40))
    assert mode.complexity > 0


def test_an_infinite_covariance_is_refused():
    with pytest.raises(NotPositiveDefinite, match="largest element is inf"):
        SMALL.evidence(np.append(800.0, PLACE[1:]))


def test_record_holds_what_every_learner_records():
    record = trained(SMALL.replace(population=ParityPopulation(spurious=7), n_train=120, steps=60, lr=0.02))
    assert grokking_gap(record).steps > 0
    assert error(record, "test").iloc[-1] == 0
    assert (complexity(record) > 0).all()
    evidence = record.series("fit") + record.series("complexity")
    assert (evidence.diff().dropna() < 0).all()
    assert record.series("lengthscale 1").iloc[-1] < 0.5 < record.series("lengthscale 10").iloc[-1]


def test_shuffled_labels_teach_nothing():
    record = trained(SMALL.replace(labels="shuffled"))
    assert not np.array_equal(record.experiment.examples["train"][1], SMALL.examples["train"][1])
    assert sorted(record.experiment.examples["train"][1]) == sorted(SMALL.examples["train"][1])
    assert abs(record.final("error", "test") - 0.5) < 0.2


def test_populations():
    inputs, labels = ParityPopulation(relevant=2, spurious=5).draw(400, 1, "train")
    assert set(inputs.ravel()) == {0, 1}
    assert np.array_equal(labels, 1 - 2 * ((inputs[:, :2].sum(1) + 1) % 2))
    assert np.abs(inputs.mean(0) - 0.5).max() < 0.1
    for filler in ("normal", "constant"):
        other, same = ParityPopulation(relevant=2, spurious=5, filler=filler).draw(400, 1, "train")
        assert np.array_equal(other[:, :2], inputs[:, :2])
        assert np.array_equal(same, labels)
        assert other[:, 2:].std() == pytest.approx(1.0 if filler == "normal" else 0.0, abs=0.1)
    assert not np.array_equal(ParityPopulation().draw(9, 1, "test")[0], ParityPopulation().draw(9, 1, "train")[0])
    at, sign = SignOfInput().draw(300, 1, "train")
    assert np.array_equal(sign, np.sign(at[:, 0]))
    assert np.abs(at).max() <= 0.5


@pytest.mark.parametrize(("field", "value"), [("seed", -1), ("n_test", 1), ("lengthscale", 0.0), ("lr", -1.0)])
def test_nonsense_is_refused(field, value):
    with pytest.raises(InvalidInput, match=field):
        SMALL.replace(**{field: value})
    with pytest.raises(InvalidInput, match="spurious"):
        ParityPopulation(spurious=-1)
