"""Verdicts to render: made by the judge from synthetic measurements, so that they have the form of real ones."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
import pytest

from grokscape.landscape.records.store import Store
from grokscape.predictions.checking.check import Check
from grokscape.predictions.evidence import CLAIM, Evidence, Measurement, Observation
from grokscape.predictions.figures import Curve
from grokscape.predictions.judge import correct_families, judge
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.robustness import with_robustness
from grokscape.predictions.rules import Below, Exceeds, Monotone, Precedes, Proportion, Rule, Spread, Within
from grokscape.predictions.terms import Amendment, Calibrated, Control, Criterion, Gate, Source, Tier
from grokscape.predictions.verdict import Status, Verdict
from grokscape.reports.claims_page.page import render

Measure = Callable[[str, np.random.Generator], Iterable[Measurement]]
SEEDS = tuple(range(100, 108))
SOURCE = Source(key="someone2024", title="A theory of everything", authors="One, Two, Three", arxiv="2401.01234")


HISTORY = (
    Amendment(date="2026-01-02", what="The budget is twice as long", why="half of the seeds had not fitted",
              seeds="100-107"),
    Amendment(date="", what="A gate was added", why="it was missing"),
)  # fmt: skip


def criterion(quantity: str, rule: Rule, at: float | None = None) -> Criterion:
    return Criterion(
        quantity=quantity, rule=rule, threshold_from="a pilot", calibrated=Calibrated(1.0, 0.1, "0-4"), at=at
    )


def claim(name: str, *criteria: Criterion, **changes: Any) -> Prediction:
    fields: dict[str, Any] = {
        "id": f"someone2024.{name}",
        "claim": f"A sentence about {name}.",
        "source": SOURCE,
        "where": "figure 3",
        "theory": "a theory",
        "runs": lambda seed, at: {},
        "measure": lambda records, at: (),
        "criteria": criteria,
        "controls": (Control("no effect", {"labels": "random"}, "there is nothing to find"),),
        "tiers": {"quick": Tier(SEEDS, {"labels": "true"})},
        "calibration_seeds": tuple(range(5)),
    }
    return Prediction(**fields | changes)


def verdict_on(prediction: Prediction, measure: Measure, seeds: tuple[int, ...] = SEEDS) -> Verdict:
    """Judge a claim on what `measure` says of each arm, with a random generator for each seed."""
    observations = [
        Observation(m.quantity, m.value, m.at, m.censored, arm=arm, seed=seed)
        for arm in (CLAIM, *(control.name for control in prediction.controls))
        for seed in seeds
        for m in measure(arm, np.random.default_rng(seed))
    ]
    verdict = with_robustness(prediction, judge(prediction, "quick", Evidence(tuple(observations))))
    runs = {arm: {str(seed): {"run": f"{seed:032x}"} for seed in seeds} for arm in (CLAIM, "no effect")}
    return dataclasses.replace(
        verdict, seeds=seeds, runs=runs, cost={"seconds": 75.0, "runs": 16, "shared": 2}, **about(prediction)
    )


def about(prediction: Prediction) -> dict[str, Any]:
    found = Check((), "quick", cast(Store, None)).about(prediction)
    found["provenance"]["date"] = "2026-01-02T03:04:05Z"
    return found


def training(arm: str, rng: np.random.Generator) -> Iterable[Measurement]:
    """A run that groks, with 40 records; the control never does."""
    groks = arm == CLAIM
    yield Measurement("final accuracy", 0.95 + 0.01 * rng.random() if groks else 0.1 * rng.random())
    yield Measurement("delay", 50.0 + rng.integers(10), at=0)
    yield Measurement("delay", 1000.0 + rng.integers(200), at=1, censored=not groks)
    for step in range(1, 41):
        yield Measurement("train accuracy", min(1.0, step / 10), at=step)
        yield Measurement("test accuracy", min(1.0, step / 40) * groks + 0.01 * rng.random(), at=step)


def sweep(arm: str, rng: np.random.Generator) -> Iterable[Measurement]:
    """Values that fall with the level, or do not, the last a bound."""
    for level in (1.0, 2.0, 4.0, 8.0):
        value = 100 / level if arm == CLAIM else 50.0
        yield Measurement("steps", value * (1 + 0.01 * rng.random()), at=level, censored=arm != CLAIM and level == 8)


def plain(claimed: float, control: float, spread: float = 0.1) -> Measure:
    def measure(arm: str, rng: np.random.Generator) -> Iterable[Measurement]:
        centre = claimed if arm == CLAIM else control
        yield Measurement("effect", centre * (1 + spread * (rng.random() - 0.5)))

    return measure


def made() -> list[Verdict]:
    curves = (
        Curve(
            quantities=("train accuracy", "test accuracy"), x="step", y="accuracy", title="During training", log_x=True
        ),
    )
    effect = criterion("effect", Below(0.1))
    found = [
        verdict_on(
            claim("holds", criterion("final accuracy", Exceeds(0.9)), criterion("delay", Precedes(5.0)), curves=curves,
                  gates=(Gate(quantity="final accuracy", above=0.5, controls=False),)),
            training,
        ),
        verdict_on(claim("falls", criterion("steps", Monotone("falling", 0.9))), sweep),
        verdict_on(claim("fails", effect), plain(1.0, 5.0)),
        verdict_on(claim("undecided", effect), plain(1e-4, 5.0), SEEDS[:3]),
        verdict_on(claim("invalid", criterion("effect", Within(0.9, 1.1))), plain(1.0, 1.0)),
        verdict_on(
            claim("varies", criterion("effect", Spread(0.1)), kind="rival", amendments=HISTORY), plain(10.0, 0.1)
        ),
        verdict_on(claim("happens", criterion("effect", Proportion(0.5))), plain(1.0, 0.1)),
    ]  # fmt: skip
    for name, status, reason in (
        ("absent", Status.NOT_RUN, "It needs the package pyhessian: pip install pyhessian"),
        ("broken", Status.ERROR, "A run failed: ValueError: no"),
    ):
        prediction = claim(name, effect)
        found.append(Verdict(id=prediction.id, tier="quick", status=status, reason=reason, **about(prediction)))
    return correct_families(found)


@pytest.fixture(scope="session")
def stored() -> dict[str, dict[str, Any]]:
    """Verdicts of every status as data, by the name of the claim."""
    return {verdict.id.split(".")[1]: verdict.to_data() for verdict in made()}


@pytest.fixture
def verdicts(stored: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return copy.deepcopy(list(stored.values()))


HOSTILE = "</script><script>window.pwned=1</script>\"'><img src=x onerror=window.pwned=1>$\\frac{x}$\x00\ud800=é漢"


def poisoned(value: Any, key: str = "") -> Any:
    """Append a hostile text to every text in a verdict, except where the text is a fixed word, and to every name."""
    if isinstance(value, dict):
        return {
            poisoned(k, "name") if key in ("setting", "controls", "runs") else k: poisoned(v, k)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    fixed = key in ("status", "outcome", "schema", "rule", "kind", "anticipated") or (key, value) == ("arm", CLAIM)
    if isinstance(value, str) and not fixed:
        return value + HOSTILE
    return value


@pytest.fixture(scope="session")
def honest_page(stored: dict[str, dict[str, Any]]) -> str:
    """The report on all the verdicts."""
    return render(list(stored.values()), tier="quick")


@pytest.fixture(scope="session")
def hostile_page(stored: dict[str, dict[str, Any]]) -> str:
    """The report on the verdicts with markup in every text that a claim's author could have written."""
    return render([poisoned(verdict) for verdict in stored.values()], tier="quick")
