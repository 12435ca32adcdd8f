"""Claims on real data: what is measured of a run, and that claims pass under their effect and nowhere else."""

import math

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.records.record import Record
from grokscape.landscape.records.store import Store
from grokscape.landscape.tasks import FilmReviews, MnistSample, Molecules
from grokscape.predictions.checking.check import Check
from grokscape.predictions.checking.registry import load
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.judge import judge
from grokscape.predictions.papers.liu2023.real_data_setup import AT_END, AT_FIT, BEST_SO_FAR, DELAY, GAIN, SLOPE
from grokscape.predictions.verdict import Status

CLAIMS = {id: claim for id, claim in load().claims.items() if id.startswith("liu2023.")}
GROK = ("liu2023.digits_grok", "liu2023.mnist_grok", "liu2023.reviews_grok", "liu2023.reviews_grok_recurrent")
PLAIN = ("liu2023.digits_do_not_grok", "liu2023.mnist_does_not_grok", "liu2023.reviews_do_not_grok")
INVERSE = ("liu2023.digits_inverse_decay", "liu2023.mnist_inverse_decay", "liu2023.reviews_inverse_decay")
STEPS = np.array([0, *np.unique(np.geomspace(1, 4000, 200).round().astype(int))])


def record(run, **quantities):
    """A record of constants, or arrays over STEPS, named ``split_quantity`` ("all" for no split)."""
    rows = []
    for key, values in quantities.items():
        split, quantity = key.split("_", 1)
        for step, value in zip(STEPS, np.broadcast_to(values, STEPS.shape), strict=True):
            rows.append((int(step), "" if split == "all" else split, quantity, float(value)))
    return Record(run, pd.DataFrame(rows, columns=["step", "split", "quantity", "value"]), {}, lambda step: {})


def accuracies(run, *, fit, late, early=0.3, end=0.9, train_end=1.0):
    """Fitted at one step; on test examples `early` until `late`, then `end`."""
    train = np.where(fit <= STEPS, train_end, 0.5)
    test = np.where(late <= STEPS, end, early) + np.random.default_rng(run.seed).normal(0, 0.002)
    return record(run, train_accuracy=train, test_accuracy=test, all_weight_norm=np.linspace(80, 40, len(STEPS)))


def as_claimed(run):
    """The effect: large scale and decay generalise late, in a time inverse to decay; the usual scale does at once."""
    if run.labels == "random":
        return accuracies(run, fit=100, late=9999, early=0.1)
    if run.initial_scale == 1.0:
        return accuracies(run, fit=30, late=20, early=0.1)
    if run.optimiser.weight_decay == 0:
        return accuracies(run, fit=300, late=9999)
    if run.model.kind == "lstm":
        return accuracies(run, fit=300, late=900)
    return accuracies(run, fit=300, late=150 / run.optimiser.weight_decay)


def verdict(id, behave):
    claim = CLAIMS[id]
    tier = next(iter(claim.tiers))
    observations = [
        Observation(m.quantity, m.value, m.at, m.censored, arm=arm, seed=seed)
        for arm, at in claim.arms(tier).items()
        for seed in claim.tiers[tier].seeds
        for m in claim.measure({label: behave(run) for label, run in claim.runs(seed, at).items()}, at)
    ]
    return judge(claim, tier, Evidence(tuple(observations)))


def measured(id, behave):
    """Quantity -> measurement of one seed in the claim's own arm."""
    claim = CLAIMS[id]
    at = next(iter(claim.arms(next(iter(claim.tiers))).values()))
    records = {label: behave(run) for label, run in claim.runs(0, at).items()}
    return {m.quantity: m for m in claim.measure(records, at)}


def test_the_delay_and_what_is_gained_in_it():
    found = measured(GROK[0], lambda run: accuracies(run, fit=STEPS[80], late=STEPS[130]))
    assert found[DELAY].value == pytest.approx(math.log(STEPS[130] / STEPS[80]))
    assert found[GAIN].value == pytest.approx(0.6)
    assert found[AT_END].value - found[AT_FIT].value == pytest.approx(0.6)
    assert found["highest test accuracy"].value == found[AT_END].value
    assert not found["steps to generalise"].censored


def test_a_network_that_never_generalises_has_a_censored_time_and_the_least_delay():
    found = measured(GROK[0], lambda run: accuracies(run, fit=STEPS[80], late=9999))
    assert found["steps to generalise"].censored
    assert found[DELAY].value == pytest.approx(math.log(4000 / STEPS[80]))
    assert found[GAIN].value == 0


def test_the_end_is_not_the_best():
    def falling(run):
        table = accuracies(run, fit=STEPS[80], late=STEPS[130])
        late = (table.trajectory["split"] == "test") & (table.trajectory["step"] > 3000)
        table.trajectory.loc[late, "value"] = 0.5
        return table

    found = measured(GROK[0], falling)
    assert found[AT_END].value == 0.5
    assert found["highest test accuracy"].value > 0.85
    # Drawn beside each other at the last step.
    assert (found["test accuracy"].value, found[BEST_SO_FAR].value) == (0.5, found["highest test accuracy"].value)
    assert found["test accuracy"].at == found[BEST_SO_FAR].at == STEPS[-1]


def test_an_lstm_that_loses_its_fit_at_the_very_end_is_judged_and_no_other_network_is():
    def slipping(run):
        table = as_claimed(run)
        last = (table.trajectory["split"] == "train") & (table.trajectory["step"] > 3000)
        table.trajectory.loc[last, "value"] = 0.8
        return table

    assert verdict("liu2023.reviews_grok_recurrent", slipping).status is Status.PASS
    assert verdict("liu2023.reviews_grok", slipping).status is Status.INVALID


@pytest.mark.parametrize("id", GROK)
def test_grokking_passes_where_it_is_late_and_large_and_fails_elsewhere(id):
    assert verdict(id, as_claimed).status is Status.PASS

    def at_once(run):
        return accuracies(run, fit=300, late=200) if run.initial_scale > 1 and run.labels == "true" else as_claimed(run)

    assert verdict(id, at_once).status is Status.FAIL
    never = verdict(id, lambda run: accuracies(run, fit=300, late=9999))
    assert never.status is Status.FAIL
    everywhere = verdict(id, lambda run: accuracies(run, fit=300, late=1500))
    assert everywhere.status is Status.INVALID
    unfit = verdict(id, lambda run: accuracies(run, fit=300, late=1500, train_end=0.8))
    assert unfit.status is Status.INVALID
    assert "gate" in unfit.reason


@pytest.mark.parametrize("id", PLAIN)
def test_no_grokking_passes_where_networks_generalise_as_they_fit(id):
    assert verdict(id, as_claimed).status is Status.PASS

    def late(run):
        return accuracies(run, fit=30, late=300) if run.initial_scale == 1 else as_claimed(run)

    assert verdict(id, late).status is Status.FAIL
    assert verdict(id, lambda run: accuracies(run, fit=30, late=20)).status is Status.INVALID


@pytest.mark.parametrize("id", INVERSE)
def test_the_power_of_weight_decay_is_fitted_within_seeds(id):
    found = measured(id, as_claimed)
    assert found[SLOPE].value == pytest.approx(-1, abs=0.05)
    assert found["share of weight decays at which the time was seen"].value == 1
    assert verdict(id, as_claimed).status is Status.PASS

    def by_root(run):
        return accuracies(run, fit=300, late=500 * run.optimiser.weight_decay**-0.5)

    assert verdict(id, by_root).status is Status.FAIL
    # Fitting that takes as long with less decay is no evidence about generalising.
    both = verdict(
        id, lambda run: accuracies(run, fit=150 / run.optimiser.weight_decay, late=150 / run.optimiser.weight_decay)
    )
    assert both.status is Status.INVALID
    unseen = verdict(id, lambda run: accuracies(run, fit=300, late=500 if run.optimiser.weight_decay > 0.1 else 9999))
    assert unseen.status is Status.INVALID
    assert "gate" in unseen.reason


def test_two_unseen_times_have_no_slope():
    found = measured(INVERSE[0], lambda run: accuracies(run, fit=300, late=9999))
    assert found[SLOPE].value == 0
    assert found["share of weight decays at which the time was seen"].value == 0


@pytest.mark.parametrize(
    ("kind", "id", "tier"),
    [
        (MnistSample, GROK[1], "quick"),
        (FilmReviews, GROK[2], "standard"),
        (Molecules, "liu2023.molecules_grok", "standard"),
    ],
)
def test_claims_on_absent_data_are_not_run_and_say_how_to_get_them(tmp_path, monkeypatch, kind, id, tier):
    monkeypatch.setattr(kind, "files", staticmethod(lambda: (None,)))
    found = Check([CLAIMS[id]], tier, Store(tmp_path)).prepare(CLAIMS[id])
    assert found.status is Status.NOT_RUN
    assert "pip install" in found.reason
