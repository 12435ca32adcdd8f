"""Miller et al. 2023: Bayesian linear regression, and how it is trained here."""

from __future__ import annotations

from collections.abc import Mapping

from grokscape.landscape import LinearRegression, Schedule
from grokscape.predictions import Setting, Tier, judging

#: The paper's constants, on forty data sets of two examples where the paper averages five.
PAPER = {
    "data_sets": 40,
    "n_test": 500,
    "start": (5e-4, 0.9, 0.9, 0.9),
    "noise": 0.002,
    "penalty": True,
    "targets": "linear",
    "steps": 5000,
}
ONE_CURVE = Schedule(per_decade=20, every=10**9)


def regression(seed: int, at: Setting, **changes: object) -> LinearRegression:
    fields: dict[str, object] = {
        "data_sets": at.data_sets,
        "n_test": at.n_test,
        "start": at.start,
        "noise_variance": at.noise,
        "penalty": at.penalty,
        "targets": at.targets,
        "steps": at.steps,
        "record": ONE_CURVE,
    }
    return LinearRegression(seed=seed, **(fields | changes))  # type: ignore[arg-type]


def tiers(seeds: tuple[int, ...] = judging(10), **setting: object) -> Mapping[str, Tier]:
    return {
        "quick": Tier(seeds, PAPER | setting),
        "standard": Tier(judging(20), PAPER | {"data_sets": 200, "n_test": 1000} | setting),
    }
