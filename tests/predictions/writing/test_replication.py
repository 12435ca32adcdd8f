"""The same claim about another learner: what stays, what changes, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models import Perceptron
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.predictions.checking.registry import load
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.varma2023.efficiency import generalisation_efficiency, memorisation_efficiency
from grokscape.predictions.papers.varma2023.ungrokking import ungrokking
from grokscape.predictions.prediction import Calibrated, Control, Curve, Tier
from grokscape.predictions.verdict import Status
from grokscape.predictions.writing.replication import elsewhere
from tests.predictions.made_up.claims import claim
from tests.predictions.made_up.sweeps import noise, record, verdict

FOUND = (Calibrated(3.0, 0.2, "0-2"),)


def moved(original, **changes):
    fields = {"tiers": {"quick": {"value": 3.0}}, "expected": FOUND}
    return elsewhere(original, "moved", "other learners", **(fields | changes))


def test_only_the_learner_and_what_was_measured_change():
    curve = Curve(quantities=("size",), x="x", y="y", title="Sizes", figure="figure 3")
    original = dataclasses.replace(claim(), curves=(curve,))
    other = moved(original)
    assert other.id == "test2026.large_moved"
    assert other.claim == "With other learners, too: what is told to be large is large."
    assert other.criteria == (dataclasses.replace(original.criteria[0], calibrated=FOUND[0]),)
    assert other.curves == (dataclasses.replace(curve, title="Sizes: other learners", figure=""),)
    assert other.tiers == {"quick": Tier(original.tiers["quick"].seeds, {"value": 3.0, "fails": False})}
    assert original.id in other.notes
    same = ("source", "where", "theory", "runs", "measure", "gates", "controls", "calibration_seeds")
    assert all(getattr(other, name) == getattr(original, name) for name in same)


def test_tiers_that_are_not_named_are_left_out():
    both = dataclasses.replace(claim(), tiers={name: claim().tiers["quick"] for name in ("quick", "standard")})
    assert set(moved(both).tiers) == {"quick"}


def test_controls_may_be_changed_too():
    other = moved(claim(), controls={"small": {"fails": True}})
    assert dict(other.arms("quick")["small"]) == {"value": 0.0, "fails": True}
    assert dict(other.arms("quick")[CLAIM]) == {"value": 3.0, "fails": False}


def test_what_would_not_be_the_same_claim_is_refused():
    with pytest.raises(InvalidInput, match="1 criteria and 'moved' 2 expectations"):
        moved(claim(), calibrated=FOUND * 2)
    with pytest.raises(InvalidInput, match="no tier 'paper', only quick"):
        moved(claim(), tiers={"paper": {}})
    with pytest.raises(InvalidInput, match="no control 'large', only small"):
        moved(claim(), controls={"large": {}})


def test_a_control_must_not_put_the_old_learner_back():
    control = Control("no decay", {"optimiser": AdamW(weight_decay=0.0, eps=1e-4)}, "nothing favours anything")
    original = dataclasses.replace(claim(), controls=(control,))
    changes = {"quick": {"optimiser": SGD(lr=0.1, weight_decay=1e-3)}}
    with pytest.raises(InvalidInput, match=r"the control 'no decay' of 'test2026\.large' sets its own optimiser"):
        moved(original, tiers=changes)
    plain = {"optimiser": SGD(lr=0.1)}
    assert moved(original, tiers=changes, controls={"no decay": plain}).arms("quick")["no decay"].optimiser == SGD()


# -- The claims of Varma et al. with a quadratic perceptron ------------------------------------------------------------

CLAIMS = load().claims
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
