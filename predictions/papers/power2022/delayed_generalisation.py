"""Generalising comes long after fitting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grokscape.landscape import Record
from grokscape.predictions import (
    Calibrated,
    Control,
    Criterion,
    Exceeds,
    Gate,
    Measurement,
    Precedes,
    Setting,
    accuracy_by_step,
    fit_and_generalise,
    in_order,
    judging,
    tiers,
    training_curve,
)
from grokscape.predictions.papers.power2022 import claim
from grokscape.predictions.papers.power2022.setup import QUICK, train_from_scratch


def accuracy_and_delay(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    run = records["run"]
    fit, generalise = fit_and_generalise(run, fitted=0.99, generalised=0.9)
    yield from in_order("delay from fitting to generalising", fit, generalise)
    yield Measurement("final test accuracy", run.final("accuracy", "test"))
    yield Measurement("final accuracy on unmirrored test pairs", run.final("accuracy", "unmirrored"))
    yield Measurement("final training accuracy", run.final("accuracy", "train"))
    yield from accuracy_by_step(run)


delayed_generalisation = claim(
    id="power2022.delayed_generalisation",
    claim="On modular addition, a network fits its training data early and generalises only long after.",
    where="section 3.1",
    runs=train_from_scratch,
    measure=accuracy_and_delay,
    gates=(Gate(quantity="final training accuracy", above=0.99),),
    criteria=(
        Criterion(
            quantity="final accuracy on unmirrored test pairs",
            rule=Exceeds(0.9),
            threshold_from="nine tenths of what can be reached; chance is 1/p",
            calibrated=Calibrated(0.954, 0.021, "0-9"),
        ),
        Criterion(
            quantity="delay from fitting to generalising",
            rule=Precedes(5.0),
            threshold_from="a factor that no reader would call simultaneous; calibration saw over 20",
            calibrated=Calibrated(27.5, 0.15, "0-9"),
        ),
    ),
    controls=(
        Control("random labels", {"labels": "random"}, "there is no rule to find, so nothing can generalise"),
        Control("too little data", {"fraction": 0.25}, "below the critical size the generalising circuit does not win"),
    ),
    curves=(training_curve("train accuracy", "test accuracy", y="accuracy", title="Accuracy during training"),),
    tiers=tiers(QUICK, judging(10), quick={}),
    notes="Times count from the first of three consecutive records beyond a level (99 % of training, 90 % of test "
    "examples); final values are medians over the last tenth of the steps. "
    "Figure 1 shows division modulo 97 by Adam without weight decay.",
)
