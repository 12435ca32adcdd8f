"""Made-up records of networks on real data, and what every claim about them must survive."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.judge import judge
from grokscape.predictions.papers.liu2023.real_data_setup import SLOPE
from grokscape.predictions.verdict import Status
from tests.paths import PYTHONPATH

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


def verdict(claim, behave):
    tier = next(iter(claim.tiers))
    observations = [
        Observation(m.quantity, m.value, m.at, m.censored, arm=arm, seed=seed)
        for arm, at in claim.arms(tier).items()
        for seed in claim.tiers[tier].seeds
        for m in claim.measure({label: behave(run) for label, run in claim.runs(seed, at).items()}, at)
    ]
    return judge(claim, tier, Evidence(tuple(observations)))


def measured(claim, behave):
    """Quantity -> measurement of one seed in the claim's own arm."""
    at = next(iter(claim.arms(next(iter(claim.tiers))).values()))
    records = {label: behave(run) for label, run in claim.runs(0, at).items()}
    return {m.quantity: m for m in claim.measure(records, at)}


def passes_where_grokking_is_late_and_large_alone(claim):
    assert verdict(claim, as_claimed).status is Status.PASS

    def at_once(run):
        return accuracies(run, fit=300, late=200) if run.initial_scale > 1 and run.labels == "true" else as_claimed(run)

    assert verdict(claim, at_once).status is Status.FAIL
    never = verdict(claim, lambda run: accuracies(run, fit=300, late=9999))
    assert never.status is Status.FAIL
    everywhere = verdict(claim, lambda run: accuracies(run, fit=300, late=1500))
    assert everywhere.status is Status.INVALID
    unfit = verdict(claim, lambda run: accuracies(run, fit=300, late=1500, train_end=0.8))
    assert unfit.status is Status.INVALID
    assert "gate" in unfit.reason


def passes_where_networks_generalise_as_they_fit_alone(claim):
    assert verdict(claim, as_claimed).status is Status.PASS

    def late(run):
        return accuracies(run, fit=30, late=300) if run.initial_scale == 1 else as_claimed(run)

    assert verdict(claim, late).status is Status.FAIL
    assert verdict(claim, lambda run: accuracies(run, fit=30, late=20)).status is Status.INVALID


def fits_the_power_of_weight_decay_within_seeds(claim):
    found = measured(claim, as_claimed)
    assert found[SLOPE].value == pytest.approx(-1, abs=0.05)
    assert found["share of weight decays at which the time was seen"].value == 1
    assert verdict(claim, as_claimed).status is Status.PASS

    def by_root(run):
        return accuracies(run, fit=300, late=500 * run.optimiser.weight_decay**-0.5)

    assert verdict(claim, by_root).status is Status.FAIL
    # Fitting that takes as long with less decay is no evidence about generalising.
    both = verdict(
        claim, lambda run: accuracies(run, fit=150 / run.optimiser.weight_decay, late=150 / run.optimiser.weight_decay)
    )
    assert both.status is Status.INVALID
    unseen = verdict(
        claim, lambda run: accuracies(run, fit=300, late=500 if run.optimiser.weight_decay > 0.1 else 9999)
    )
    assert unseen.status is Status.INVALID
    assert "gate" in unseen.reason


def is_not_run_where_its_data_are_absent(id, task, tier, tmp_path):
    """In a process of its own: in this one another test may have read them while they were there."""
    program = f"""
from grokscape.landscape import Store, {task}
from grokscape.predictions import Check
from grokscape.predictions.checking.registry import load

{task}.files = staticmethod(lambda: (None,))
claim = load().claims[{id!r}]
found = Check([claim], {tier!r}, Store({str(tmp_path)!r})).prepare(claim)
print(found.status, found.reason)
"""
    environment = os.environ | {"PYTHONPATH": PYTHONPATH}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.startswith(Status.NOT_RUN), done.stderr
    assert "pip install" in done.stdout
