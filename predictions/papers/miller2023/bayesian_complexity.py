"""Miller et al. 2023: where a Bayesian network stands in complexity when it groks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from grokscape.landscape import Record, complexity, error, grokking_gap
from grokscape.predictions import (
    Calibrated,
    Control,
    Criterion,
    Curve,
    Exceeds,
    Measurement,
    Setting,
    Within,
    calibration,
)
from grokscape.predictions.papers.miller2023 import claim
from grokscape.predictions.papers.miller2023.bayesian_setup import (
    CURVES,
    GENERALISES,
    ONE,
    SETTING,
    complexity_and_error_from_fitting_to_generalising,
    networks_by_start_scale,
    tiers,
)


def complexity_when_generalising(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    """How far the complexities of the largest and the smallest start are apart at one event."""
    found, ends = [], []
    for scale in (max(at.scales), min(at.scales)):
        record = records[f"{scale:g}"]
        series, generalise = complexity(record), grokking_gap(record).generalise
        found.append(series.iloc[0] if at.when == "start" else series[generalise.step])
        yield Measurement("complexity at generalising", float(series[generalise.step]), at=scale)
        ends.append(float(error(record, "test").iloc[-1]))
    yield Measurement("test error at the end", max(ends))
    yield Measurement("log ratio of complexities, largest start over smallest", math.log(found[0] / found[1]))


SMALL_START = Control("small initial means", {"scales": (0.1,), "shown": 0.1}, "from there it hardly groks")

falls_while_grokking = claim(
    id="miller2023.bayesian_complexity_falls_while_grokking",
    claim="A Bayesian network groks where its complexity falls most: most of it goes between fitting and generalising.",
    where="section 2.3.2, figure 6",
    runs=networks_by_start_scale,
    measure=complexity_and_error_from_fitting_to_generalising,
    gates=(GENERALISES,),
    criteria=(
        Criterion(
            quantity="share of the complexity lost while grokking",
            rule=Exceeds(0.5, centre="mean"),
            threshold_from="most is more than half",
            calibrated=Calibrated(0.35, 0.038, "0-9"),
        ),
    ),
    controls=(SMALL_START,),
    curves=CURVES,
    tiers=tiers(ONE),
    calibration_seeds=calibration(10),
    notes="On calibration seeds 35 % of the complexity goes between fitting and generalising. Nor is the fall steepest "
    "there: per epoch it is steepest at the start, per factor of time after generalising. The runs that the authors "
    "published say so too. The part that the means add is judged by a claim of its own.",
)

means_fall_while_grokking = claim(
    id="miller2023.bayesian_means_fall_while_grokking",
    claim="A Bayesian network groks where the complexity of its weights' means falls most: most of it goes between "
    "fitting and generalising.",
    where="section 2.3.2, figure 6, of a part of the complexity",
    kind="extension",
    runs=networks_by_start_scale,
    measure=complexity_and_error_from_fitting_to_generalising,
    gates=(GENERALISES,),
    criteria=(
        Criterion(
            quantity="share of the mean part lost while grokking",
            rule=Exceeds(0.5, centre="mean"),
            threshold_from="most is more than half",
            calibrated=Calibrated(0.606, 0.024, "0-9"),
        ),
    ),
    controls=(SMALL_START,),
    curves=CURVES,
    tiers=tiers(ONE),
    calibration_seeds=calibration(10),
    notes="What the means add is what a prior charges a network without posterior. It falls by weight decay, nearly "
    "exponentially from the first epoch on (half of it in about 110), so that this is a claim about how long the gap "
    "is and not about something that happens in it. From small initial means it rises while grokking. "
    "The paper speaks of the whole complexity, and of where it falls most, which is a rate.",
)

common_complexity = claim(
    id="miller2023.bayesian_common_complexity",
    claim="A Bayesian network generalises where it leaves the region of low error and high complexity: its complexity "
    "is then the same, wherever it started.",
    where="sections 2.3.2 and 3, figure 6",
    kind="ours",
    runs=networks_by_start_scale,
    measure=complexity_when_generalising,
    gates=(GENERALISES,),
    criteria=(
        Criterion(
            quantity="log ratio of complexities, largest start over smallest",
            rule=Within(-0.1, 0.1, centre="mean"),
            threshold_from="closer together than at the start, where it is 0.113 by the choice of starts",
            calibrated=Calibrated(-0.375, 0.056, "0-9"),
        ),
    ),
    controls=(Control("at the start", {"when": "start"}, "starts differ by their means alone"),),
    curves=(
        Curve(
            quantities=("complexity at generalising",),
            x="standard deviation of the initial means",
            y="nats per example",
            title="Complexity on leaving",
        ),
    ),
    tiers=tiers(SETTING | {"scales": (0.1, 1.0), "when": "generalising"}),
    calibration_seeds=calibration(10),
    notes="Calibration found 0.69 times as much complexity at generalising after the largest start as after the "
    "smallest: the time spent at low error decides how much is left, not the other way round. What the means add then "
    "is no more alike: three times as much after the largest start. "
    "The paper does not claim it.",
)
