"""Grokking without weight decay, and with a norm that rises."""

from __future__ import annotations

from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Exceeds,
    Gate,
    Precedes,
    judging,
    tiers,
    training_curve,
)
from grokscape.predictions.papers.kumar2023 import claim
from grokscape.predictions.papers.kumar2023.setup import (
    DECAYING,
    LAZY,
    gradient_descent,
    norm_from_fitting_to_generalising,
)

grokking_with_rising_norm = claim(
    id="kumar2023.grokking_with_rising_norm",
    claim="A network groks by plain gradient descent without weight decay, and its weight norm rises from where it "
    "fits the training data to where it generalises.",
    where="section 3, figure 2",
    kind="extension",
    runs=gradient_descent,
    measure=norm_from_fitting_to_generalising,
    gates=(Gate(quantity="training accuracy at the end", above=0.99),),
    criteria=(
        Criterion(
            quantity="test accuracy at the end",
            rule=Exceeds(0.9),
            threshold_from="nine tenths of what can be reached, as for delayed generalisation",
            calibrated=Calibrated(1.0, 0.0, "0-9"),
        ),
        Criterion(
            quantity="test accuracy at fitting",
            rule=Below(0.2, centre="mean"),
            threshold_from="nearly all is still to be learnt; chance is 1/23",
            calibrated=Calibrated(0.038, 0.036, "0-9"),
        ),
        Criterion(
            quantity="from fitting to generalising",
            rule=Precedes(1.5),
            threshold_from="half as long again as fitting took",
            calibrated=Calibrated(2.0, 0.08, "0-9"),
        ),
        Criterion(
            quantity="log of the norm at generalising over that at fitting",
            rule=Exceeds(0.0, centre="mean"),
            threshold_from="0 is a norm that stays; the reading that grokking is the way to a lower norm has it fall",
            calibrated=Calibrated(0.09, 0.009, "0-9"),
        ),
    ),
    controls=(
        Control("rich start", {"initial_scale": 0.5}, "small initial weights leave no lazy phase, and so no delay"),
        Control(
            "weight decay", DECAYING, "from a large start it is weight decay that brings generalisation, and lower norm"
        ),
        Control("random labels", {"labels": "random"}, "there is no rule, so nothing can generalise"),
    ),
    curves=(
        training_curve("train accuracy", "test accuracy", y="accuracy", title="Grokking without weight decay"),
        training_curve("weight norm", y="weight norm", title="The norm meanwhile"),
    ),
    tiers=tiers(LAZY, judging(10), quick={}, standard={}, paper={}),
    disputes=("liu2023.never_without_decay",),
    notes="The paper's network is this small, so that all tiers train the same; its activation and the scale of its "
    "initial weights were not found, and the learning rate, 100 there, depends on them. A rising norm does not say "
    "that generalising is expensive: at 99 % of the training examples the loss is still falling, and with random "
    "labels the norm rises more from there (in calibration by 18 %, against 9 % with true ones). What it contradicts "
    "is that grokking needs weight decay, or a way from large norm to small. The test set has 53 pairs. "
    "The paper speaks of grokking in the loss, and warns that accuracies under squared error can be gamed; here "
    "accuracies say when a network fits and generalises, which the paper does not claim.",
)
