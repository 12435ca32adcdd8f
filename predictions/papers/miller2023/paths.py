"""Miller et al. 2023: a network's path from memorising to generalising, and what becomes simpler along it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from grokscape.landscape import SGD, Experiment, Record, Run, SolutionPath, Stop, complexity, error, grokking_gap
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Curve,
    Exceeds,
    Measurement,
    Setting,
    Tier,
    by_step,
    judging,
    training_curve,
)
from grokscape.predictions.papers.miller2023 import claim
from grokscape.predictions.papers.miller2023.concealment_setup import NETWORK, concealed

FITTED = Stop(quantity="accuracy", split="train", above=0.95, records=1)


def stages(seed: int, at: Setting) -> tuple[Run, Run]:
    """Return a training that ends as soon as it fits, and the same one to its end."""
    own: dict[str, Any] = {"labels": at.labels}
    return (
        concealed(seed, at, "x+y", at.dimensions, stop=(FITTED,), **own),
        concealed(seed, at, "x+y", at.dimensions, **own),
    )


# -- The path ----------------------------------------------------------------------------------------------------------


def straight_path(seed: int, at: Setting) -> Mapping[str, Experiment]:
    fit, end = stages(seed, at)
    if at.towards == "another":
        # The same data from where the neighbouring seed starts: a training at rate 0 hands its initial weights over.
        start = end.replace(seed=seed ^ 1, optimiser=SGD(lr=0.0), steps=1, stop=())
        end = end.replace(start=start)
    first, last = (end, fit) if at.towards == "memorising" else (fit, end)
    return {"path": SolutionPath(first=first, last=last, points=at.points)}


def objective_and_errors_along_the_path(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    path = records["path"]
    t, objective = path.series("t"), path.series("objective")
    yield Measurement("rise of the objective on the way", float(path.series("rise").iloc[-1]))
    yield Measurement("barrier between the two", float(path.series("barrier").iloc[-1]))
    yield Measurement("largest training error on the way", float(error(path, "train").max()))
    test = error(path, "test")
    yield Measurement("test error where it sets out", float(test.iloc[0]))
    yield Measurement("test error where it arrives", float(test.iloc[-1]))
    for quantity, series in {
        "objective": objective,
        "test error": test,
        "training error": error(path, "train"),
    }.items():
        for point in range(0, len(t), max(1, len(t) // 30)):
            yield Measurement(quantity, float(series.iloc[point]), at=round(float(t.iloc[point]), 6))


WALK = NETWORK | {"dimensions": 30, "labels": "true", "towards": "generalising", "points": 31}
PATH_TIERS = {
    "quick": Tier(judging(12), WALK),
    "standard": Tier(judging(20), WALK | {"width": 200}),
    "paper": Tier(judging(10), WALK | {"width": 1000}),
}

accessible = claim(
    id="miller2023.path_to_generalising",
    claim="From where a network memorises, a path leads to where it generalises on which the training objective does "
    "not rise: the straight line.",
    where="section 3, mechanism 1",
    kind="extension",
    runs=straight_path,
    measure=objective_and_errors_along_the_path,
    criteria=(
        Criterion(
            quantity="rise of the objective on the way",
            rule=Below(0.05),
            threshold_from="a twentieth of what the objective falls by altogether",
            calibrated=Calibrated(0.0, 0.001, "0-9"),
        ),
        Criterion(
            quantity="test error where it sets out",
            rule=Exceeds(0.15, centre="mean"),
            threshold_from="three times the error at which a network counts as having generalised",
            calibrated=Calibrated(0.406, 0.051, "0-9"),
        ),
    ),
    controls=(
        Control(
            "independent solution",
            {"towards": "another"},
            "trained on the same data from another start; solutions are joined by curves, not by straight lines",
        ),
        Control("way back", {"towards": "memorising"}, "what falls in one direction rises in the other"),
    ),
    curves=(
        Curve(
            quantities=("objective",),
            x="share of the way from memorising to generalising",
            y="training objective",
            title="Downhill from memorising to generalising",
        ),
    ),
    tiers=PATH_TIERS,
    notes="The objective is the loss with its weight-decay term, which is what training descends. The paper asks for a "
    "path and not for a straight one; that there is one follows from training itself, and the straight line is the "
    "stronger statement. Along curves that are trained for a low objective even an independent solution is reached "
    "nearly without a climb (in calibration 0.08 to 0.15 of the fall), so what is special about the own solution is "
    "how directly it lies ahead.",
)

# -- What becomes simpler ----------------------------------------------------------------------------------------------


def two_stages_of_training(seed: int, at: Setting) -> Mapping[str, Experiment]:
    fit, end = stages(seed, at)
    return {"fit": fit, "end": end}


def change_of_complexity_and_of_weights_read(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    fit, end = records["fit"], records["end"]
    gap, penalised = grokking_gap(end), complexity(end)
    yield Measurement(
        "log change of the complexity", math.log(penalised[gap.generalise.step] / penalised[gap.fit.step])
    )
    between = penalised.loc[gap.fit.step : gap.generalise.step]
    above = between > penalised[gap.generalise.step]
    yield Measurement(
        "share of the gap at a higher complexity", float(above.iloc[:-1].mean()) if len(above) > 1 else 0.0
    )
    before, after = (_reading(record) for record in (fit, end))
    for number, name in enumerate(("symbols", "irrelevant coordinates")):
        yield Measurement(f"log change of what reads {name}", math.log(after[number] / before[number]))
    yield Measurement("test error at fitting", float(error(end, "test")[gap.fit.step]))
    yield from by_step(penalised, "complexity")
    for split in ("train", "test"):
        yield from by_step(error(end, split), f"{split} error")


def _reading(record: Record) -> tuple[float, float]:
    """Return the norms of the weights that read the symbols, and that read the irrelevant coordinates."""
    weights = record.weights()["weights.0"].astype(np.float64)
    symbols = 2 * record.experiment.task.p  # type: ignore[attr-defined]
    return float(np.linalg.norm(weights[:symbols])), float(np.linalg.norm(weights[symbols:]))


STAGES = NETWORK | {"dimensions": 30, "labels": "true"}
STAGE_TIERS = {
    "quick": Tier(judging(12), STAGES),
    "standard": Tier(judging(20), STAGES | {"width": 200}),
    "paper": Tier(judging(10), STAGES | {"width": 1000}),
}
STAGE_CURVES = (
    training_curve("complexity", y="complexity (nats an example)", title="Complexity while a network generalises"),
    training_curve("train error", "test error", y="error", title="Error meanwhile"),
)

complexity_falls = claim(
    id="miller2023.network_complexity_falls",
    claim="From where it has fitted to where it generalises the complexity of a network falls, as the norm of its "
    "weights measures it.",
    where="section 3, mechanism 1, with the complexity that appendices B.1 and C have for networks",
    kind="extension",
    runs=two_stages_of_training,
    measure=change_of_complexity_and_of_weights_read,
    criteria=(
        Criterion(
            quantity="log change of the complexity",
            rule=Below(0.0, centre="mean"),
            threshold_from="0 is a complexity that stays",
            calibrated=Calibrated(0.177, 0.041, "0-9"),
        ),
    ),
    controls=(
        Control(
            "no weight decay",
            {"optimiser": SGD(lr=0.2, momentum=0.9), "dimensions": 10},
            "without decay nothing makes weights smaller",
        ),
    ),
    curves=STAGE_CURVES,
    tiers=STAGE_TIERS,
    notes="In these networks the norm is higher where they generalise than where they fit (see the claim that it "
    "rises). In between it passes a peak, so that a good half of the gap is spent above the complexity at its end; but "
    "that is the descent from a height that fitting itself had not asked for. What does become simpler is which "
    "coordinates are read, and a norm of all weights does not see it. That a good half of the gap is spent above the "
    "last complexity was a criterion of its own before calibration, which it met; it says the same of a claim that "
    "fails. "
    "The paper names the norm as a complexity of networks and does not say that it falls from fitting to "
    "generalising; it warns that complexities along training need not be comparable.",
)

reads_less = claim(
    id="miller2023.irrelevant_weights_fall",
    claim="From fitting to generalising the weights that read irrelevant coordinates shrink, while those that read the "
    "symbols grow.",
    where="section 2.2; for networks what figure A.12 shows for length scales",
    kind="ours",
    runs=two_stages_of_training,
    measure=change_of_complexity_and_of_weights_read,
    criteria=(
        Criterion(
            quantity="log change of what reads irrelevant coordinates",
            rule=Below(-0.3, centre="mean"),
            threshold_from="a quarter of their norm gone",
            calibrated=Calibrated(-0.458, 0.071, "0-9"),
        ),
        Criterion(
            quantity="log change of what reads symbols",
            rule=Exceeds(0.0, centre="mean"),
            threshold_from="0 are weights that stay",
            calibrated=Calibrated(0.186, 0.029, "0-9"),
        ),
    ),
    controls=(
        Control(
            "random labels",
            {"labels": "random", "dimensions": 40, "steps": 500},
            "what is to be memorised is read off the irrelevant coordinates, for ever",
        ),
    ),
    curves=STAGE_CURVES[1:],
    tiers=STAGE_TIERS,
    notes="Ours: the paper looks at length scales of Gaussian processes this way, not at weights of networks.",
)
