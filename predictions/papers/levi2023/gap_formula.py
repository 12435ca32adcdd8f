"""Levi et al. 2023: the formula for how long a linear student groks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from grokscape.landscape import Record, marchenko_pastur
from grokscape.predictions import Calibrated, Control, Criterion, Curve, Measurement, Monotone, Setting, Within, judging
from grokscape.predictions.papers.levi2023 import claim
from grokscape.predictions.papers.levi2023.setup import learner, reaches, students_by_ratio, tiers


def grokking_time_over_the_formula(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    shares = {threshold: [] for threshold in at.thresholds}  # type: dict[float, list[float]]
    for record in records.values():
        formula = marchenko_pastur.limiting_gap(at.assumed * learner(record).ratio, lr=learner(record).lr)
        for threshold, found in shares.items():
            fit, generalise = (reaches(record.series("loss", split), threshold / 4) for split in ("train", "test"))
            found.append((generalise - fit) / formula)
    for threshold, found in shares.items():
        yield Measurement("grokking time over the formula's", float(np.mean(found)), at=-math.log10(threshold))


FORMULA = Curve(
    quantities=("grokking time over the formula's",),
    x="-log10 of the threshold",
    y="ratio",
    title="The formula is a limit",
)
HALF_THE_RATIO = Control("half of lambda", {"assumed": 0.5}, "the formula is about this lambda, not another")

gap_formula = claim(
    id="levi2023.gap_formula",
    claim="A linear student groks for ln(1 / (1 - sqrt(lambda))) / (2 eta (1 - sqrt(lambda))^2) steps, at the "
    "threshold 0.001 of the paper's figures.",
    where="equation 12, at a threshold that is not small, where the paper does not state it",
    kind="extension",
    runs=students_by_ratio,
    measure=grokking_time_over_the_formula,
    criteria=(
        Criterion(
            quantity="grokking time over the formula's",
            rule=Within(0.8, 1.25, centre="mean"),
            at=3.0,
            threshold_from="within a quarter, generous for a formula without fitted numbers",
            calibrated=Calibrated(0.58, 0.06, "0-11"),
        ),
    ),
    controls=(HALF_THE_RATIO,),
    curves=(FORMULA,),
    tiers=tiers(ratios=(0.3, 0.5, 0.7), thresholds=(1e-3, 1e-6, 1e-12, 1e-24)),
    notes="The formula is the limit of a vanishing threshold, and far from it at the threshold of the paper's figures: "
    "the exact theory has 0.60 of it at lambda = 0.5 and 0.36 at 0.9. Times are those at which the losses reach a "
    "quarter of the threshold, where 95 % of examples lie within it. "
    "The paper states the formula in the limit of a vanishing threshold alone, and draws what happens at finite "
    "ones beside it: what is measured here is how far off it is there, and does not count against the paper.",
)

gap_formula_in_the_limit = claim(
    id="levi2023.gap_formula_in_the_limit",
    claim="As the threshold vanishes, the time that a linear student groks for approaches ln(1 / (1 - sqrt(lambda))) / "
    "(2 eta (1 - sqrt(lambda))^2).",
    where="equation 12, appendix B",
    runs=students_by_ratio,
    measure=grokking_time_over_the_formula,
    criteria=(
        Criterion(
            quantity="grokking time over the formula's",
            rule=Within(0.8, 1.25, centre="mean"),
            at=24.0,
            threshold_from="within a quarter, as at a threshold that does not vanish",
            calibrated=Calibrated(0.93, 0.03, "0-11"),
        ),
        Criterion(
            quantity="grokking time over the formula's",
            rule=Monotone("rising", 0.7),
            threshold_from="four thresholds in order but for one exchange of neighbours",
            calibrated=Calibrated(0.12, 0.03, "0-11"),
        ),
    ),
    controls=(HALF_THE_RATIO,),
    curves=(FORMULA,),
    tiers=tiers(judging(12), ratios=(0.3, 0.5, 0.7), thresholds=(1e-3, 1e-6, 1e-12, 1e-24)),
    notes="The exact theory has 0.91 of the formula at a threshold of 1e-12 and 0.96 at 1e-24; of a finite number of "
    "inputs, the slowest few decide at such losses.",
)
