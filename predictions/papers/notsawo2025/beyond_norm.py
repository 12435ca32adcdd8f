"""The norm rises while a network comes to generalise, even under weight decay."""

from __future__ import annotations

from grokscape.predictions import (
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
from grokscape.predictions.papers.kumar2023.setup import (
    DECAYING,
    GENERALISED,
    LAZY,
    gradient_descent,
    norm_from_fitting_to_generalising,
)
from grokscape.predictions.papers.notsawo2025 import claim
from grokscape.predictions.papers.power2022.setup import QUICK

norm_rises_under_decay = claim(
    id="notsawo2025.norm_rises_under_decay",
    claim="Even under weight decay the norm is no measure of how near a network is to generalising: from where it fits "
    "modular addition to where it generalises, its norm rises.",
    where="after the abstract, which says it of models without weight decay",
    kind="ours",
    runs=gradient_descent,
    measure=norm_from_fitting_to_generalising,
    gates=(Gate(quantity="training accuracy at the end", above=0.99),),
    criteria=(
        Criterion(
            quantity="test accuracy at the end",
            rule=Exceeds(0.9),
            threshold_from="nine tenths of what can be reached, as for delayed generalisation",
            calibrated=Calibrated(0.997, 0.004, "0-9"),
        ),
        Criterion(
            quantity="from fitting to generalising",
            rule=Precedes(5.0),
            threshold_from="as for delayed generalisation",
            calibrated=Calibrated(11.6, 0.15, "0-9"),
        ),
        Criterion(
            quantity="log of the norm at generalising over that at fitting",
            rule=Exceeds(0.0, centre="mean"),
            threshold_from="0 is a norm that stays; were generalising the way to a lower norm, it would fall",
            calibrated=Calibrated(0.25, 0.02, "0-9"),
        ),
    ),
    controls=(
        Control(
            "large start",
            {
                **DECAYING,
                "task": LAZY["task"],
                "fraction": LAZY["fraction"],
                "steps": LAZY["steps"],
                "stop": GENERALISED,
            },
            "from a large start, by gradient descent with little decay, generalising waits for the norm to fall",
        ),
    ),
    curves=(
        training_curve("train accuracy", "test accuracy", y="accuracy", title="Grokking under weight decay"),
        training_curve("weight norm", y="weight norm", title="The norm meanwhile"),
    ),
    tiers=tiers(
        {**QUICK, "fraction": 0.6, "loss": "cross_entropy", "initial_scale": 1.0, "stop": ()}, judging(10), quick={}
    ),
    disputes=("liu2023.one_norm",),
    notes="The paper drives generalisation by other properties than the norm, with other regularisers; that the norm "
    "may rise meanwhile needs no more than the usual network under the usual decay. Nor does it say that decay does "
    "nothing: without it, this network does not generalise in this time (varma2023.weight_decay_needed). The control "
    "is kumar2023's, of gradient descent. Under AdamW with this decay even a start at sixteen times the usual scale "
    "falls to the usual norm while fitting, and rises from there to where it generalises. "
    "The abstract says of models that are regularised toward another property, without weight decay, that their "
    "norm often grows; that it does under weight decay too is this project's observation.",
)
