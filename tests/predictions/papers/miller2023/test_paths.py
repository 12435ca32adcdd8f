"""The way from memorising to generalising: which networks it joins, what is read off it, and how claims come out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.record import Record
from grokscape.landscape.surveys import SolutionPath
from grokscape.landscape.training.run import Run
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.miller2023.paths import (
    accessible,
    change_of_complexity_and_of_weights_read,
    complexity_falls,
    objective_and_errors_along_the_path,
    reads_less,
    straight_path,
)
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter, verdict

# -- Which networks a path joins ---------------------------------------------------------------------------------------


def path_of(arm: str, seed: int = 4) -> SolutionPath:
    (path,) = straight_path(seed, accessible.arms("quick")[arm]).values()
    assert isinstance(path, SolutionPath)
    return path


def test_the_path_leads_from_where_a_training_fits_to_its_own_end() -> None:
    path = path_of(CLAIM)
    (fitted,) = path.first.stop
    assert (fitted.quantity, fitted.split, fitted.records) == ("accuracy", "train", 1)
    assert path.first.replace(stop=path.last.stop) == path.last
    back = path_of("way back")
    assert (back.first, back.last) == (path.last, path.first)


@pytest.mark.parametrize("seed", [4, 5, 100, 111])
def test_the_independent_solution_has_the_same_data_and_another_start(seed: int) -> None:
    own, other = path_of(CLAIM, seed), path_of("independent solution", seed)
    assert other.first == own.first
    assert other.last.replace(start=None) == own.last
    start = other.last.start
    assert start is not None
    assert start.optimiser.lr == 0
    assert start.seed != seed
    # The neighbour is judged together with this seed, or calibrated together with it.
    assert (start.seed >= 100) == (seed >= 100)
    assert start.seed in (*accessible.tiers["quick"].seeds, *accessible.calibration_seeds)


# -- What is read off it -----------------------------------------------------------------------------------------------


def walked(path: Experiment, rise: float, sets_out: float) -> Record:
    points = np.arange(5)
    columns = {
        ("", "t"): points / 4,
        ("", "objective"): np.linspace(1.2, 1.0, 5),
        ("train", "error"): np.array([0.05, 0.03, 0.02, 0.01, 0.0]),
        ("test", "error"): np.linspace(sets_out, 0.03, 5),
    }
    rows = [(int(p), *key, float(v)) for key, values in columns.items() for p, v in zip(points, values, strict=True)]
    rows += [(4, "", "rise", rise), (4, "", "barrier", max(0.0, rise - 1))]
    return Record(path, pd.DataFrame(rows, columns=["step", "split", "quantity", "value"]), {}, lambda _: {})


def test_the_course_along_the_path_is_kept_for_drawing() -> None:
    found = list(
        objective_and_errors_along_the_path({"path": walked(path_of(CLAIM), 0.0, 0.4)}, accessible.arms("quick")[CLAIM])
    )
    assert {m.at: m.value for m in found if m.quantity == "test error"} == pytest.approx(
        {0: 0.4, 0.25: 0.3075, 0.5: 0.215, 0.75: 0.1225, 1: 0.03}
    )
    (largest,) = [m.value for m in found if m.quantity == "largest training error on the way"]
    assert largest == 0.05


def test_a_straight_way_down_passes_and_a_barrier_fails() -> None:
    def behave(rise: float, sets_out: float = 0.4) -> Callable[..., Record]:
        rises = {CLAIM: rise, "independent solution": 2.0, "way back": 1.0}
        return lambda arm, seed, label, path: walked(path, rises[arm], sets_out * jitter(seed))

    assert verdict(accessible, behave(0.0)).status is Status.PASS
    assert verdict(accessible, behave(0.5)).status is Status.FAIL
    assert verdict(accessible, behave(0.0, sets_out=0.06)).status is Status.FAIL  # it had generalised at once
    smooth = verdict(accessible, lambda arm, seed, label, path: walked(path, 0.0, 0.4 * jitter(seed)))
    assert smooth.status is Status.INVALID


# -- What becomes simpler ----------------------------------------------------------------------------------------------

STEPS = np.arange(0, 301, 5)


def trained(run: Run, norm: tuple[float, float, float], reads: dict[str, tuple[float, float]]) -> Record:
    """Fits at 100 and generalises at 200, with the norm at 0, 100 and 200; `reads` are norms of rows by stage."""
    columns = {
        ("train", "accuracy"): (STEPS >= 100).astype(float),
        ("test", "accuracy"): (STEPS >= 200).astype(float),
        ("", "weight_norm"): np.interp(STEPS, [0, 100, 200], norm),
    }
    rows = [(int(t), *key, float(v)) for key, values in columns.items() for t, v in zip(STEPS, values, strict=True)]
    symbols, others = reads["fit" if run.stop[0].split == "train" else "end"]
    weights = np.zeros((14 + run.task.dimensions, 2), dtype=np.float32)
    weights[3, 1], weights[14, 0] = symbols, others
    table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
    return Record(run, table, {"last_step": 300}, lambda _: {"weights.0": weights})


def test_norms_of_rows_and_complexities_are_compared_between_the_stages() -> None:
    at = reads_less.arms("quick")[CLAIM]
    reads = {"fit": (2.0, 3.0), "end": (4.0, 0.75)}
    records = {label: trained(run, (5, 10, 20), reads) for label, run in reads_less.runs(0, at).items()}
    found = {m.quantity: m.value for m in change_of_complexity_and_of_weights_read(records, at) if m.at is None}
    assert found["log change of what reads symbols"] == pytest.approx(np.log(2))
    assert found["log change of what reads irrelevant coordinates"] == pytest.approx(-np.log(4))
    assert found["log change of the complexity"] == pytest.approx(2 * np.log(2))
    assert found["share of the gap at a higher complexity"] == 0.0


def test_verdicts_on_what_becomes_simpler() -> None:
    kept = {"fit": (7.0, 4.0), "end": (7.1, 4.1)}

    def behave(end: tuple[float, float], last: float) -> Callable[..., Record]:
        def made(arm: str, seed: int, label: str, run: Run) -> Record:
            reads = {"fit": (7.0, 4.0), "end": (end[0] * jitter(seed), end[1] * jitter(seed))}
            own = arm == CLAIM
            return trained(run, (6, 11, last * jitter(seed) if own else 15), reads if own else kept)

        return made

    usual = behave((8.4, 2.5), 12.0)
    assert verdict(reads_less, usual).status is Status.PASS
    assert verdict(complexity_falls, usual).status is Status.FAIL
    assert verdict(complexity_falls, behave((8.4, 2.5), 8.0)).status is Status.PASS
    assert verdict(reads_less, behave((8.4, 4.0), 12.0)).status is Status.FAIL
    assert verdict(reads_less, behave((6.0, 2.5), 12.0)).status is Status.FAIL
    everywhere = verdict(reads_less, lambda arm, seed, label, run: usual(CLAIM, seed, label, run))
    assert everywhere.status is Status.INVALID
