"""Verdicts on made-up claims, judged on made-up evidence without any training."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import cast

from grokscape.landscape.records.store import Store
from grokscape.predictions.checking.check import Check
from grokscape.predictions.checking.frozen import first_runs
from grokscape.predictions.evidence import CLAIM, Evidence, Observation
from grokscape.predictions.judge import correct_families, judge
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.verdict import Verdict

DATE = "2026-03-04T05:06:07Z"


def verdict_on(claim: Prediction, values: Sequence[float], *, family: int = 1, date: str = DATE) -> Verdict:
    """Return the verdict, not yet corrected, on a claim of which each seed has a value; that of its control is 0."""
    seeds = claim.tiers["quick"].seeds[: len(values)]
    observations = [
        *(Observation("size", value, seed=seed) for seed, value in zip(seeds, values, strict=True)),
        *(Observation("size", 1e-3 * (seed % 7), arm="small", seed=seed) for seed in seeds),
        *(Observation("drawn", value / step, float(step), arm=CLAIM, seed=seed)
          for seed, value in zip(seeds, values, strict=True) for step in (1, 2, 4)),
    ]  # fmt: skip
    verdict = judge(claim, "quick", Evidence(observations), family=family)
    found = Check((), "quick", cast(Store, None)).about(claim)
    found["provenance"]["date"] = date
    return dataclasses.replace(verdict, seeds=seeds, runs=first_runs(claim, "quick"), cost={"runs": 8}, **found)


def corrected(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return verdicts as a check leaves them."""
    return correct_families(verdicts)
