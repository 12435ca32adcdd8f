"""The norm from fitting to generalising, starts of several sizes, and training without decay."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.records.record import Record
from grokscape.landscape.training.run import Run
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.miller2023.weight_norm import (
    change_of_the_norm_from_fitting_to_generalising,
    decay_needed,
    falls,
    gap_by_initial_scale,
    larger_start,
    rises,
)
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter, verdict

STEPS = np.arange(0, 1001, 5)


def trained(run: Run, *, gap: float = 50.0, change: float = 0.0, ends: float = 1.0) -> Record:
    """Fits at 100 and generalises after a gap, to accuracies that end at `ends`; the norm changes by a log ratio."""
    norm = 10 * np.exp(np.interp(STEPS, [100, 100 + min(gap, 900)], [0, change]))
    columns = {
        ("train", "accuracy"): np.where(STEPS >= 100, 1.0, 0.2),
        ("test", "accuracy"): np.where(100 + gap <= STEPS, ends, 0.2),
        ("", "weight_norm"): norm,
        ("", "weight_norm/weights.0"): 0.5 * norm,
    }
    rows = [(int(t), *key, float(v)) for key, values in columns.items() for t, v in zip(STEPS, values, strict=True)]
    table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
    return Record(run, table, {"last_step": 1000}, lambda _: {})


def test_the_norm_is_compared_between_fitting_and_generalising() -> None:
    at = rises.arms("quick")[CLAIM]
    (run,) = rises.runs(0, at).values()
    found = {
        m.quantity: m.value
        for m in change_of_the_norm_from_fitting_to_generalising({"run": trained(run, change=0.3)}, at)
        if m.at is None
    }
    assert found["log change of the norm"] == pytest.approx(0.3)
    assert found["log change of the input weights"] == pytest.approx(0.3)
    assert found["ln of the grokking gap"] == pytest.approx(math.log(50))


def by_start(usual: float, large: float, gap: float = 50.0) -> Callable[..., Record]:
    def behave(arm: str, seed: int, label: str, run: Run) -> Record:
        change = large if run.initial_scale > 1 else usual
        return trained(run, gap=gap, change=change * jitter(seed, 0.2))

    return behave


def test_both_directions_pass_where_both_occur_and_each_fails_without_its_own() -> None:
    assert verdict(rises, by_start(0.1, -0.3)).status is Status.PASS
    assert verdict(falls, by_start(0.1, -0.3)).status is Status.PASS
    assert verdict(rises, by_start(-0.1, -0.3)).status is Status.FAIL
    assert verdict(rises, by_start(0.1, 0.3)).status is Status.INVALID
    assert verdict(falls, by_start(0.1, 0.3)).status is Status.FAIL
    assert verdict(falls, by_start(-0.1, -0.3)).status is Status.INVALID
    assert verdict(rises, by_start(0.1, -0.3, gap=5)).status is Status.FAIL  # no grokking at all


def test_only_the_start_differs_between_the_arms() -> None:
    usual, large = (rises.runs(0, at)["run"] for at in rises.arms("quick").values())
    assert isinstance(usual, Run)
    assert usual.replace(initial_scale=16.0) == large


def test_gaps_of_two_starts_are_compared() -> None:
    at = larger_start.arms("quick")[CLAIM]
    records = {
        label: trained(run, gap=100 if run.initial_scale > 1 else math.inf)
        for label, run in larger_start.runs(0, at).items()
    }
    found = list(gap_by_initial_scale(records, at))
    assert [m.censored for m in found if m.quantity == "grokking gap"] == [True, False]
    assert [m.value for m in found if m.quantity == "relative gap"] == pytest.approx([9.0, 1.0])
    ratio = found[-1]
    assert ratio.quantity.startswith("log ratio")
    assert ratio.value == pytest.approx(math.log(100 / 900))


@pytest.mark.parametrize(
    ("large", "small", "outcome"),
    [(120.0, 50.0, Status.PASS), (50.0, 50.0, Status.FAIL), (120.0, 20.0, Status.INVALID)],
)
def test_verdicts_on_starts(large: float, small: float, outcome: Status) -> None:
    gaps = {16.0: large, 1.0: 50.0, 0.01: small}

    def behave(arm: str, seed: int, label: str, run: Run) -> Record:
        return trained(run, gap=gaps[run.initial_scale] * jitter(seed + int(run.initial_scale), 0.15))

    assert verdict(larger_start, behave).status is outcome


@pytest.mark.parametrize(
    ("little", "much", "outcome"), [(1.0, 0.35, Status.PASS), (1.0, 0.97, Status.FAIL), (0.3, 0.3, Status.FAIL)]
)
def test_verdicts_on_decay(little: float, much: float, outcome: Status) -> None:
    def behave(arm: str, seed: int, label: str, run: Run) -> Record:
        ends = (much if run.task.dimensions == 40 else little) if arm == CLAIM else 0.97
        return trained(run, ends=ends * jitter(seed, 0.01))

    assert verdict(decay_needed, behave).status is outcome
    decays = {run.optimiser.weight_decay for run in decay_needed.runs(0, decay_needed.arms("quick")[CLAIM]).values()}
    assert decays == {0.0}
