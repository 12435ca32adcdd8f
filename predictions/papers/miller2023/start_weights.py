"""Miller et al. 2023: the grokking gap of linear regression by the weights that it starts with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grokscape.landscape import Crossing, Experiment, Record, complexity
from grokscape.predictions import Calibrated, Control, Criterion, Curve, Measurement, Monotone, Setting, judging
from grokscape.predictions.papers.miller2023 import claim
from grokscape.predictions.papers.miller2023.linear_setup import regression, tiers

ALIKE = Control("all weights alike", {"others": "w"}, "spurious weights rise with the true one, and so does complexity")
#: Evenly spaced logarithms from -1.8 to 0; the paper has twelve.
WEIGHTS = (0.016, 0.036, 0.083, 0.19, 0.44, 1.0)


def start(weight: float, at: Setting) -> tuple[float, ...]:
    others = {"1 - w": 1 - weight, "0.9": 0.9, "w": weight}[at.others]
    return (weight, others, others, others)


def regressions_by_start_weight(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {f"{weight}": regression(seed, at, start=start(weight, at)) for weight in at.weights}


def half_of_those_that_do(record: Record, split: str) -> Crossing:
    """From when on the error is low in half of the data sets in which it is low at the end."""
    share = record.series("low error", split)
    if share.iloc[-1] == 0:
        return Crossing(float(share.index[-1]), True)
    return record.crossing("low error", split, above=float(share.iloc[-1]) / 2)


def gap_in_steps_and_in_complexity(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    for label, record in records.items():
        fit, generalise = (half_of_those_that_do(record, split) for split in ("train", "test"))
        penalised = complexity(record)
        fallen = penalised[fit.step] - penalised[generalise.step]
        weight = float(label)
        yield Measurement("grokking gap", generalise.step - fit.step, at=weight, censored=generalise.censored)
        yield Measurement("complexity gap", float(fallen), at=weight)


def falling(quantity: str, *, effect: float, spread: float) -> Criterion:
    return Criterion(
        quantity=quantity,
        rule=Monotone("falling", 0.8),
        threshold_from="nearly perfect order of the six weights; 0.83 is one exchange of distant neighbours",
        calibrated=Calibrated(effect, spread, "0-19"),
    )


GAPS = tuple(
    Curve(quantities=(f"{kind} gap",), x="start weight of the true feature", y=y, title=title)
    for kind, y, title in (
        ("grokking", "steps", "The gap shrinks with the start weight"),
        ("complexity", "nats per example", "The complexity lost in the gap"),
    )
)

gap_and_start_weight = claim(
    id="miller2023.gap_and_start_weight",
    claim="The more weight linear regression starts with on the true feature, and the less on the spurious ones, the "
    "shorter the grokking gap, and the less complexity is lost in it.",
    where="appendix K",
    runs=regressions_by_start_weight,
    measure=gap_in_steps_and_in_complexity,
    criteria=(falling("grokking gap", effect=0.5, spread=0.1), falling("complexity gap", effect=0.5, spread=0.1)),
    controls=(ALIKE,),
    curves=GAPS,
    tiers=tiers(judging(20), weights=WEIGHTS, others="1 - w"),
    notes="The paper reads the gap off the mean of five data sets, where the mean error becomes 5 %; that of other "
    "data sets mostly never does. Times here are those by which the error is low in half of the data sets in which it "
    "is low at the end. As one weight rises the other three fall: see the claim about the true weight alone.",
)

gap_and_true_weight_alone = claim(
    id="miller2023.gap_and_true_weight_alone",
    claim="It is the start weight of the true feature that shortens the gap: with the spurious weights held where the "
    "paper's main figure has them, both gaps still shrink as it grows.",
    where="appendix K, read as being about the true feature",
    kind="ours",
    runs=regressions_by_start_weight,
    measure=gap_in_steps_and_in_complexity,
    criteria=(falling("grokking gap", effect=45.0, spread=30.0), falling("complexity gap", effect=0.02, spread=0.2)),
    controls=(ALIKE,),
    curves=GAPS,
    tiers=tiers(judging(20), weights=WEIGHTS, others="0.9"),
    notes="In the paper's sweep the spurious weights fall as the true one rises. Taken apart in calibration, the gap "
    "and the complexity lost in it shrink until the true weight is about right (0.44; the slope is 0.3), and beyond it "
    "the complexity rises again, as now the true weight itself must shrink. That both go to nothing at a weight of 1 "
    "in the paper's sweep is the work of the spurious weights, which are 0 there. "
    "The paper does not take the two apart.",
)
