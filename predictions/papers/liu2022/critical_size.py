"""Liu et al. 2022: training against the theory's critical size and its rate lambda_3."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy import stats

from grokscape.landscape import Crossing, Experiment, Record, Stop, parallelograms, randomness
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Curve,
    Exceeds,
    Gate,
    Measurement,
    Setting,
    Within,
)
from grokscape.predictions.papers.liu2022 import claim
from grokscape.predictions.papers.liu2022.setup import (
    FAST_DECODER,
    LINEAR,
    SIZES,
    described,
    nullity,
    tiers,
    toy,
    toys_by_size,
)

# -- Necessary, and sufficient? ----------------------------------------------------------------------------------------


def lines_and_nullities(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    runs = {n: records[f"{n}"] for n in at.sizes}
    lines = {n: record.final("quality") > LINEAR for n, record in runs.items()}
    nullities = {n: nullity(described(record)) for n, record in runs.items()}
    if at.mixed:
        nullities = dict(zip(nullities, reversed(nullities.values()), strict=True))
    number = len(parallelograms.pairs(at.symbols))
    reached = [n for n in at.sizes if lines[n]]
    large = [lines[n] for n in at.sizes if n >= at.large]
    yield Measurement("lines where data leave more", float(sum(lines[n] and nullities[n] > 2 for n in at.sizes)))
    yield Measurement("share of large training sets that end in a line", float(np.mean(large)))
    yield Measurement("training sets that leave more than a line", float(sum(k > 2 for k in nullities.values())))
    yield Measurement("least share of pairs that ends in a line", min(reached) / number if reached else 1.0)
    enough = [n for n in at.sizes if nullities[n] <= 2]
    yield Measurement("least share of pairs that fixes a line", min(enough) / number if enough else 1.0)
    for n, record in runs.items():
        yield Measurement("representation quality at the end", record.final("quality"), at=n / number)


QUALITY = Curve(
    quantities=("representation quality at the end",),
    x="share of pairs trained on",
    y="share of parallelograms realised",
    title="Where training ends in a line",
    figure="figure 3",
)
FAST = Control(
    "fast decoder",
    {**FAST_DECODER, "steps": 2000, "sizes": (34, 42, 46, 50)},
    "a decoder that outruns the embeddings fits without moving them",
)

necessary = claim(
    id="liu2022.nullity_is_necessary",
    claim="Training ends in a line only where the training set leaves nothing else, and then mostly does.",
    where="section 3.2",
    runs=toys_by_size,
    measure=lines_and_nullities,
    gates=(Gate(quantity="training sets that leave more than a line", above=0.5, controls=False),),
    criteria=(
        Criterion(
            quantity="lines where data leave more",
            rule=Below(0.5),
            threshold_from="none, in most seeds",
            calibrated=Calibrated(0.0, 0.0, "0-9"),
        ),
        Criterion(
            quantity="share of large training sets that end in a line",
            rule=Exceeds(0.6),
            threshold_from="more than half; the paper's own runs end in a line in all of nine (45 pairs and more)",
            calibrated=Calibrated(0.97, 0.11, "0-9"),
        ),
    ),
    controls=(
        Control("nullities of other sizes", {"mixed": True}, "it is a run's own training set that counts"),
        FAST,
    ),
    curves=(QUALITY,),
    tiers=tiers({"sizes": SIZES, "large": 42, "mixed": False}),
)

sufficient = claim(
    id="liu2022.nullity_is_sufficient",
    claim="Training ends in a line from the critical fraction on, about two fifths of all pairs.",
    where="section 3.2, figure 3",
    runs=toys_by_size,
    measure=lines_and_nullities,
    criteria=(
        Criterion(
            quantity="least share of pairs that ends in a line",
            rule=Within(0.34, 0.48, centre="mean"),
            threshold_from="where 10 to 90 in a hundred random training sets fix a line",
            calibrated=Calibrated(0.67, 0.084, "0-9"),
        ),
    ),
    controls=(FAST,),
    curves=(QUALITY,),
    tiers=tiers({"sizes": SIZES, "large": 42, "mixed": False}),
    notes="On calibration seeds training needs clearly more than data that fix a line: between the two sizes the "
    "decoder fits before the embeddings are in place. The authors' own results show the same (a line in one of three "
    "runs at 25, 30 and 35 of 55 pairs). A seed that never ends in a line counts as 1.",
)

# -- The rate ----------------------------------------------------------------------------------------------------------


def toys_on_many_sets(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {f"{n}/{draw}": toy(seed, at, n, draw) for n in at.sizes for draw in range(at.sets)}


def time_to_line(record: Record) -> Crossing:
    return record.crossing("quality", "", above=LINEAR)


def times_and_rates(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    runs = [(described(record), time_to_line(record)) for record in records.values()]
    rates = np.array([parallelograms.grokking_rate(run.symbols, run.train_pairs) for run, _ in runs])
    if at.mixed:
        rates = rates[randomness.permutation(len(rates), runs[0][0].seed, "rates of other sets")]
    # A line that never came is later than any that did, and a rate of 0 is slower than any other.
    times = np.array([math.inf if time.censored else time.step for _, time in runs])
    varied = len(set(times)) > 1 and len(set(rates)) > 1
    yield Measurement("rank correlation", float(stats.spearmanr(-rates, times)[0]) if varied else 0.0)
    came = np.isfinite(times) & (rates > 0)
    yield Measurement("lines that came", float(came.sum()))
    slope = stats.linregress(-np.log(rates[came]), np.log(times[came])).slope if came.sum() >= 3 else 0.0
    yield Measurement("slope of log time on log 1 / lambda_3", float(slope))
    for rate, (_, time) in zip(rates, runs, strict=True):
        if rate > 0 and not time.censored:
            yield Measurement("steps to a line", time.step, at=float(rate))


RATES: Mapping[str, Any] = {
    "sizes": (30, 34, 38, 42, 46, 50),
    "sets": 4,
    "mixed": False,
    "steps": 2000,
    "stop": (Stop(quantity="quality", split="", above=LINEAR - 1e-9, records=3),),
}
STEPS_TO_A_LINE = Curve(
    quantities=("steps to a line",),
    x="lambda_3",
    y="training steps to a line",
    title="Larger lambda_3, faster lines",
    log_x=True,
    log_y=True,
    figure="figure 4",
)
OTHER_RATES = Control("rates of other training sets", {"mixed": True}, "another training set's rate is not this one's")

rate = claim(
    id="liu2022.grokking_rate",
    claim="The larger lambda_3 of its training set, the sooner a network places its symbols on a line.",
    where="section 3.3, figure 4",
    runs=toys_on_many_sets,
    measure=times_and_rates,
    criteria=(
        Criterion(
            quantity="rank correlation",
            rule=Exceeds(0.4, centre="mean"),
            threshold_from="a correlation that is more than weak (the authors' figure shows a clear one)",
            calibrated=Calibrated(0.65, 0.2, "0-19"),
        ),
    ),
    controls=(OTHER_RATES,),
    curves=(STEPS_TO_A_LINE,),
    tiers=tiers(RATES, steps=5000),
    notes="Training sets of several sizes, as in the paper; most of the correlation is that with size, see "
    "liu2022.rate_beyond_size. A seed without any line counts as no correlation: some initial orders of the symbols "
    "lead to none.",
)

inverse = claim(
    id="liu2022.inverse_rate",
    claim="The time to a line is inversely proportional to lambda_3.",
    where="section 3.3, figure 4",
    kind="extension",
    runs=toys_on_many_sets,
    measure=times_and_rates,
    criteria=(
        Criterion(
            quantity="slope of log time on log 1 / lambda_3",
            rule=Within(0.8, 1.2, centre="mean"),
            threshold_from="1, give or take a fifth",
            calibrated=Calibrated(0.53, 0.25, "0-19"),
        ),
    ),
    controls=(OTHER_RATES,),
    curves=(STEPS_TO_A_LINE,),
    tiers=tiers(RATES, steps=5000),
    notes="The slope is of runs that reached a line, and 0 in a seed with fewer than three. On calibration seeds time "
    "changes less than in proportion. Adam moves embeddings at a pace of its own, not at that of a gradient flow. "
    "The paper finds qualitative agreement and expects quantitative differences; proportion to within a fifth is "
    "its theory of the flow, read literally.",
)

beyond = claim(
    id="liu2022.rate_beyond_size",
    claim="Among training sets of equal size too, the larger lambda_3, the sooner a line.",
    where="section 3.3, figure 4; a stricter reading, in which the number of examples says nothing",
    kind="extension",
    runs=toys_on_many_sets,
    measure=times_and_rates,
    criteria=(
        Criterion(
            quantity="rank correlation",
            rule=Exceeds(0.4, centre="mean"),
            threshold_from="as for training sets of several sizes",
            calibrated=Calibrated(0.19, 0.3, "0-19"),
        ),
    ),
    controls=(OTHER_RATES,),
    curves=(STEPS_TO_A_LINE,),
    tiers=tiers({**RATES, "sizes": (42,), "sets": 10}, steps=5000),
    disputes=("liu2022.grokking_rate",),
    notes="On calibration seeds the correlation is weak: the rate tells small training sets from large ones, and "
    "little more. "
    "The paper plots times against the size of the training set and speaks of a trend with it.",
)
