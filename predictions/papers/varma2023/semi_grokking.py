"""Semi-grokking, plateaus between memorising and generalising."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grokscape.landscape import Experiment, Record
from grokscape.predictions import (
    Amendment,
    Calibrated,
    Control,
    Criterion,
    Gate,
    Measurement,
    Proportion,
    Setting,
    by_step,
    judging,
    training_curve,
)
from grokscape.predictions.papers.varma2023 import claim
from grokscape.predictions.papers.varma2023.scratch_setup import GENERALISED, PAPER, QUICK, from_scratch
from grokscape.predictions.papers.varma2023.setup import CONVERGED, convergence, tiers

# -- Semi-grokking -----------------------------------------------------------------------------------------------------


#: What the report calls the two entries of ``fractions``.
SIZES = ("smaller", "larger")


def networks_on_two_sizes(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {name: from_scratch(seed, at, f) for name, f in zip(SIZES, at.fractions, strict=True)}


def on_plateau(record: Record, at: Setting) -> bool:
    """Say whether a network that fitted early has, by ``scratch_steps``, settled between chance and the rule.

    Settled: over the last 40 % of the steps, the medians of the first and of the last quarter differ by less than 0.05.
    """
    test = record.series("accuracy", "test").loc[: at.scratch_steps]
    late = test.loc[0.6 * test.index[-1] :]
    fit = record.crossing("accuracy", "train", above=1.0)
    quarter = (late.index[-1] - late.index[0]) / 4
    before, after = late.loc[: late.index[0] + quarter].median(), late.loc[late.index[-1] - quarter :].median()
    memorised = not fit.censored and fit.step <= at.fitted_by and test.loc[: at.fitted_by].iloc[-1] < 0.15
    return bool(memorised and 0.2 <= after <= 0.9 and abs(after - before) < 0.05)


def plateaus(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    for name, record in records.items():
        yield Measurement(f"semi-grokking on the {name} size", on_plateau(record, at))
        yield Measurement(f"final test accuracy on the {name} size", record.final("accuracy", "test"))
        yield from by_step(record.series("accuracy", "test"), f"on the {name} size", points=30)
    yield from convergence(records)


#: A quarter is the least share that 16 seeds tell from none: if none of them settles, the upper bound is 0.240 for two
#: criteria together.
SEMI_GROKKING = Proportion(threshold=0.25)

semi_grokking = claim(
    id="varma2023.semi_grokking",
    claim="Near the critical size, a network that fitted its training data early settles on a test accuracy between "
    "chance and perfection.",
    where="section 5.3, figures 5 and 6",
    runs=networks_on_two_sizes,
    measure=plateaus,
    gates=CONVERGED,
    criteria=(
        Criterion(
            quantity="semi-grokking on the smaller size",
            rule=SEMI_GROKKING,
            threshold_from="more than an exception, and the least share that 16 seeds tell from none",
            calibrated=Calibrated(0.8, 0.0, "0-9"),
        ),
        Criterion(
            quantity="semi-grokking on the larger size",
            rule=SEMI_GROKKING,
            threshold_from="more than an exception, and the least share that 16 seeds tell from none",
            calibrated=Calibrated(0.75, 0.0, "0-7"),
        ),
    ),
    controls=(
        Control("much data", {"fractions": (0.9, 0.9)}, "far above the critical size only the rule remains"),
        Control(
            "little data",
            {"fractions": (0.15, 0.15), "scratch_steps": 3000},
            "far below the critical size only memorising remains, which is soon at rest",
        ),
        Control(
            "random labels",
            {"labels": "random", "fractions": (0.4, 0.4)},
            "without a rule there is nothing to settle on between chance and perfection",
        ),
    ),
    curves=(
        training_curve(
            "on the smaller size",
            "on the larger size",
            y="test accuracy",
            title="Semi-grokking",
            figure="figure 5",
            each_seed=True,
        ),
    ),
    tiers=tiers(
        {**QUICK, "scratch_steps": 8000, "fractions": (0.4, 0.41), "fitted_by": 200},
        seeds=judging(20),
        standard={"scratch_steps": 100_000, "fitted_by": 1000},
        paper={**PAPER, "scratch_steps": 2_000_000, "fractions": (0.12, 0.15), "fitted_by": 2000},
    ),
    amendments=(
        Amendment(
            date="2026-11-25",
            what="judged on twenty seeds instead of sixteen; the threshold stayed as it was",
            why="four more seeds make the bounds narrower",
            seeds="100-115",
        ),
    ),
    notes="Sizes and steps were chosen on calibration seeds, the definition of a plateau was fixed before. Accuracy "
    "settles slowly: on 0.4 of the data 11 of 20 seeds had settled by step 6000 and 8 of 10 by step 8000, as had 6 of "
    "10 on 0.39, 6 of 8 on 0.41 and 4 of 8 on 0.42; the others were still rising, between 0.3 and 0.8. Outside of that "
    "window, 0.36 of the data leaves an accuracy near 0.15 and 0.45 reaches 0.9. The paper shows a few clear cases "
    "among 200 runs spread over a wider range of sizes. Pairs whose mirror image was trained on are among the test "
    "examples, as in the paper, and are the easiest to get right.",
)

# -- What becomes of the plateaus --------------------------------------------------------------------------------------


def networks_trained_for_long(seed: int, at: Setting) -> Mapping[str, Experiment]:
    changes = {"steps": at.long_steps, "stop": GENERALISED}
    return {name: from_scratch(seed, at, f, **changes) for name, f in zip(SIZES, at.fractions, strict=True)}


def ends_of_plateaus(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    settled = [record for record in records.values() if on_plateau(record, at)]
    ended = [record for record in settled if record.final("accuracy", "test") > 0.9]
    yield Measurement("plateaus", len(settled))
    yield Measurement("most plateaus ended in generalisation", 2 * len(ended) > len(settled))
    for name, record in records.items():
        time = record.crossing("accuracy", "test", above=0.9)
        yield Measurement(f"steps to generalise on the {name} size", time.step, censored=time.censored)
        yield from by_step(record.series("accuracy", "test"), f"on the {name} size")
    yield from convergence(records)


plateaus_end = claim(
    id="varma2023.plateaus_end",
    claim="Most plateaus of middling accuracy end: trained for longer, the network generalises after all.",
    where="section 5.3 and appendix A.1, figure 6",
    runs=networks_trained_for_long,
    measure=ends_of_plateaus,
    gates=(*CONVERGED, Gate(quantity="plateaus", above=0.5, controls=False)),
    criteria=(
        Criterion(
            quantity="most plateaus ended in generalisation",
            rule=Proportion(threshold=0.5),
            threshold_from="most of them, in most of the seeds",
            calibrated=Calibrated(0.0, 0.0, "0-4"),
        ),
    ),
    controls=(
        Control(
            "little data", {"fractions": (0.15, 0.15)}, "far below the critical size nothing begins that could end"
        ),
    ),
    curves=(
        training_curve(
            "on the smaller size",
            "on the larger size",
            y="test accuracy",
            title="What becomes of plateaus",
            figure="figure 6",
            each_seed=True,
        ),
    ),
    tiers=tiers(
        {**QUICK, "fractions": (0.4, 0.41)},
        quick=None,
        standard={"scratch_steps": 100_000, "fitted_by": 1000, "long_steps": 1_000_000},
        paper={
            **PAPER,
            "scratch_steps": 2_000_000,
            "fractions": (0.12, 0.15),
            "fitted_by": 2000,
            "long_steps": 20_000_000,
        },
    ),
    notes="The authors put this forward as what they believe, not as a result. What is a plateau is decided at "
    "scratch_steps, from nothing that comes later; plateaus that last to the end of the run count as not ended, which "
    "is against the claim. It has no quick tier: of 5 quick networks on 0.4 of the data, all had settled by step 12000 "
    "(between 0.48 and 0.60), and none had generalised by step 20000 (0.49 to 0.63).",
)
