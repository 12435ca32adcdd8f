"""The claims of Varma et al. with a quadratic perceptron: what is trained, and by which power of the norm."""

from __future__ import annotations

import pytest

from grokscape.landscape.models import Perceptron
from grokscape.landscape.optimisers import AdamW
from grokscape.predictions.papers.varma2023.efficiency import generalisation_efficiency, memorisation_efficiency
from grokscape.predictions.papers.varma2023.ungrokking import ungrokking
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.steps import CLAIMS
from tests.predictions.made_up.sweeps import noise, record, verdict

ORIGINALS = (ungrokking, memorisation_efficiency, generalisation_efficiency)


@pytest.mark.parametrize("original", ORIGINALS, ids=lambda claim: claim.id)
def test_every_run_of_a_quadratic_claim_is_of_a_quadratic_perceptron(original):
    other = CLAIMS[f"{original.id}_quadratic"]
    assert [c.rule for c in other.criteria] == [c.rule for c in original.criteria]
    assert [c.name for c in other.controls] == [c.name for c in original.controls]
    for tier in other.tiers:
        for at in other.arms(tier).values():
            assert at.kappa == 3.0  # cubic in the parameters: squares of the first layer times the second
            for run in other.runs(3, at).values():
                chain = [run] if run.start is None else [run, run.start]
                assert all(isinstance(r.model, Perceptron) and r.model.activation == "quadratic" for r in chain)
                assert all(r.task == at.task for r in chain)


def test_the_networks_of_the_control_train_without_weight_decay():
    other = CLAIMS["varma2023.ungrokking_quadratic"]
    at = other.arms("quick")["no weight decay"]
    runs = other.runs(3, at)
    assert runs[f"{at.little:g}"].optimiser == AdamW(lr=1e-2, weight_decay=0.0, eps=1e-4)
    assert runs[f"{at.much:g}"].optimiser == at.optimiser


def test_the_claims_share_their_networks():
    def runs(name):
        other = CLAIMS[f"varma2023.{name}_quadratic"]
        return {run for at in other.arms("quick").values() for run in other.runs(3, at).values()}

    assert len(runs("memorisation_efficiency") & runs("generalisation_efficiency")) == 5


@pytest.mark.parametrize(("slope", "status"), [(-0.8, Status.PASS), (-0.1, Status.FAIL)])
def test_efficiency_is_counted_per_cube_of_the_norm(slope, status):
    """The norm grows with the size, so that per square of the norm the slopes would be greater by 0.1."""

    def memorising(arm, seed, run):
        exponent = slope if run.labels == "random" else 0.0
        per_cube, norm = run.n_train**exponent * noise(seed + run.n_train, 0.01), 50.0 * run.n_train**0.1
        return record(run, 1.0, norm=norm, efficiency=per_cube * norm)  # which the record multiplies by norm squared

    assert verdict(CLAIMS["varma2023.memorisation_efficiency_quadratic"], memorising).status is status
