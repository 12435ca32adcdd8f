"""Omnigrok: what the representation decides, on made-up accuracies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.liu2023.representation import (
    representation_decides,
    representation_matters_little_on_mnist,
)
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter, verdict


def decoded(effect, elsewhere=lambda messiness: 0.05):
    def behave(arm, seed, label, run):
        accuracy = (effect if arm == CLAIM else elsewhere)(run.task.messiness)
        steps = np.arange(0, 1501, 50)
        rows = [
            (int(step), split, "accuracy", value)
            for step in steps
            for split, value in (("train", 1.0), ("test", min(accuracy * jitter(seed), 1.0)))
        ]
        table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
        return Record(run, table, {"last_step": 1500}, lambda s: {})

    return behave


def test_representation_decides():
    assert (
        verdict(representation_decides, decoded(lambda messiness: max(0.9 - 3 * messiness, 0.05))).status is Status.PASS
    )
    assert verdict(representation_decides, decoded(lambda messiness: 0.9)).status is Status.FAIL


def test_representation_matters_little_on_mnist():
    claim = representation_matters_little_on_mnist

    def on_sums(messiness):
        return max(0.9 - 3 * messiness, 0.05)

    assert verdict(claim, decoded(lambda messiness: 0.98 - 0.07 * messiness, on_sums)).status is Status.PASS
    assert verdict(claim, decoded(on_sums, on_sums)).status is Status.FAIL
    # Bad at every representation is no robustness.
    assert verdict(claim, decoded(lambda messiness: 0.3, on_sums)).status is Status.FAIL
    # Sums that are as robust make the comparison void.
    assert verdict(claim, decoded(lambda messiness: 0.95, lambda messiness: 0.95)).status is Status.INVALID


def test_the_comparison_with_sums_costs_no_runs_of_its_own():
    on_images, on_sums = (
        {run.identity for at in claim.arms("quick").values() for run in claim.runs(130, at).values()}
        for claim in (representation_matters_little_on_mnist, representation_decides)
    )
    assert len(on_images - on_sums) == 3
