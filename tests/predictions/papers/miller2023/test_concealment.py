"""Concealment and the grokking gap: what is fitted, what the authors' table says, and how each claim can come out."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from grokscape.landscape.records.record import Record
from grokscape.landscape.training.run import Run
from grokscape.predictions.evidence import CLAIM, Evidence
from grokscape.predictions.judge import judge
from grokscape.predictions.papers.miller2023.concealment import (
    TABLE_A2,
    bend,
    correlation,
    exponential,
    faster,
    gap_grows,
    growth_of_the_gap,
    table,
)
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter, verdict

LEVELS = np.array([0.0, 10.0, 20.0, 30.0, 40.0])


# -- The authors' table (and what it says of their recipe) -------------------------------------------------------------


def p_of(r: float, n: int) -> float:
    """The two-sided p-value of Pearson's r between n normal pairs."""
    t = r * math.sqrt((n - 2) / (1 - r * r))
    return float(2 * stats.t.sf(abs(t), n - 2))


def edges(r: float, digits: int, n: int) -> tuple[float, float]:
    """The p-values of the correlations that round to r."""
    half = 0.5 * 10.0**-digits
    return p_of(r + half, n), p_of(r - half, n)


@pytest.mark.parametrize("row", TABLE_A2)
def test_the_printed_p_values_follow_from_the_correlations_with_the_bare_task_included(row: str) -> None:
    r, p = TABLE_A2[row]
    seeds, levels = 3, 5
    of_all = 6 if row == "all" else 1
    low, high = edges(r, 3, of_all * seeds * levels)
    # Two rows (those of the polynomials) do not quite fit: their p-values are those of 0.9585 and of 0.9075.
    assert 0.9 * low <= p <= 1.1 * high
    # Without the level of no irrelevant bits there would be four fifths as many points, and far larger p-values.
    low, _ = edges(r, 3, of_all * seeds * (levels - 1))
    assert low > 5 * p


# -- The fits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "b"), [(0.05, 1.0), (0.1, 0.0), (0.2, 3.0)])
def test_an_exponential_has_no_bend_and_correlates_fully(a: float, b: float) -> None:
    logs = a * LEVELS + b
    assert bend(LEVELS, logs) == pytest.approx(0.0, abs=1e-9)
    assert correlation(LEVELS, logs) == pytest.approx(1.0)


def test_the_bend_is_the_contrast_of_the_rises_over_both_halves() -> None:
    assert bend(LEVELS, (LEVELS / 10) ** 2) == pytest.approx((12 - 4) / (12 + 4))
    assert bend(LEVELS, -((LEVELS / 10) ** 2)) == pytest.approx(-0.5)
    # Up by 40 over the lower half, by 80 over the upper.
    assert bend(LEVELS, LEVELS + LEVELS**2 / 20) == pytest.approx(1 / 3)
    assert bend(LEVELS, np.ones(5)) == 0.0
    assert bend(LEVELS[1:4], LEVELS[1:4] ** 1.0) == pytest.approx(0.0, abs=1e-9)


def test_synthetic_exponentials_are_not_called_faster() -> None:
    """Noise of the size that ours has (0.3 in ln gap) bends an exponential by less than a third on average."""
    rng = np.random.default_rng(0)
    bends = [bend(LEVELS[1:], 0.093 * LEVELS[1:] + rng.normal(0, 0.3 / math.sqrt(3), 4)) for _ in range(400)]
    assert np.mean(bends) == pytest.approx(0.0, abs=0.03)
    assert np.std(bends) < 0.2


# -- What is measured --------------------------------------------------------------------------------------------------


def measured(behave: Callable[[Run], Record]) -> dict[tuple[str, float | None], float]:
    at = gap_grows.arms("quick")[CLAIM]
    records = {label: behave(run) for label, run in gap_grows.runs(0, at).items()}
    return {(m.quantity, m.at): m.value for m in growth_of_the_gap(records, at)}


STEPS = np.arange(0, 1001, 5)


def grokking(run: Run, gap: float) -> Record:
    """A course that fits at step 100 and generalises after a gap."""
    columns = {"train": 100, "test": 100 + gap}
    rows = [(int(t), split, "accuracy", float(t >= when)) for split, when in columns.items() for t in STEPS]
    table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
    return Record(run, table, {"last_step": 1000}, lambda _: {})


def test_slope_correlation_and_levels_are_read_off_the_records() -> None:
    found = measured(lambda run: grokking(run, 20 * math.exp(0.09 * run.task.dimensions)))
    assert found["growth of ln gap per dimension", None] == pytest.approx(0.09, rel=0.05)
    assert found["correlation of ln gap with dimensions", None] > 0.995
    assert found["bend of ln gap without the bare task", None] == pytest.approx(0.0, abs=0.05)
    assert found["grokking gap", 40] == pytest.approx(20 * math.exp(3.6), rel=0.05)
    assert found["share of networks that never generalise", None] == 0.0


def test_a_network_that_never_generalises_is_censored_and_bounds_the_slope_from_below() -> None:
    at = gap_grows.arms("quick")[CLAIM]

    records = {
        label: grokking(run, math.inf if run.task.dimensions == 40 else 20)
        for label, run in gap_grows.runs(0, at).items()
    }
    found = list(growth_of_the_gap(records, at))
    unseen = [m for m in found if m.quantity == "grokking gap" and m.censored]
    assert [m.at for m in unseen] == [40]
    slope = next(m.value for m in found if m.quantity == "growth of ln gap per dimension")
    assert slope == pytest.approx(stats.linregress(LEVELS, np.log([20.0] * 4 + [900.0])).slope)


# -- The verdicts ------------------------------------------------------------------------------------------------------


def world(shape: Callable[[float], float] = float, growth: float = 0.09) -> Callable[..., Record]:
    """Gaps whose logarithm rises from no bits to forty in a given shape, in the claim's own arm alone."""

    def behave(arm: str, seed: int, label: str, run: Run) -> Record:
        rise = growth * 40 * shape(run.task.dimensions / 40) if arm == CLAIM else 0.0
        noise = jitter(1000 * seed + zlib.crc32(label.encode()) % 1000, 0.15)
        return grokking(run, 20 * math.exp(rise) * noise)

    return behave


@pytest.mark.parametrize(
    ("growth", "shape", "outcomes"),
    [
        (0.09, float, (Status.PASS, Status.PASS, Status.PASS, Status.FAIL)),
        (0.09, lambda share: share**5, (Status.PASS, None, Status.FAIL, Status.PASS)),
        (0.09, lambda share: min(1.0, 1.6 * share), (Status.PASS, Status.PASS, Status.FAIL, Status.FAIL)),
        (0.0, float, (Status.FAIL, Status.FAIL, Status.FAIL, Status.FAIL)),
    ],
    ids=["exponential", "faster", "slower", "none"],
)
def test_each_shape_of_growth_has_its_verdicts(
    growth: float, shape: Callable[[float], float], outcomes: tuple[Status | None, ...]
) -> None:
    evidence = Evidence.from_data(verdict(gap_grows, world(shape, growth)).evidence)
    for claim, outcome in zip((gap_grows, table, exponential, faster), outcomes, strict=True):
        assert outcome in (None, judge(claim, "quick", evidence).status), claim.id


def test_concealment_in_the_controls_makes_the_claim_invalid() -> None:
    everywhere = world()
    assert verdict(gap_grows, lambda arm, s, label, run: everywhere(CLAIM, s, label, run)).status is Status.INVALID


def test_arms_differ_in_what_they_are_named_for_and_every_seed_has_data_of_its_own() -> None:
    arms = {name: gap_grows.runs(3, at) for name, at in gap_grows.arms("quick").items()}
    assert {run.task.noise for run in arms["zeros appended"].values()} == {"zeros"}
    assert {run.n_train for run in arms["many examples"].values()} == {3000}
    for runs in arms.values():
        for run in runs.values():
            assert run.task.draw == run.seed == 3
            assert run.task.size - run.n_train >= 500
    assert isinstance(gap_grows.arms("quick")[CLAIM], Setting)
