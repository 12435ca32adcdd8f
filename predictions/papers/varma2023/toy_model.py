"""The toy model of section 3 and the theorem of appendix D."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from grokscape.landscape import Crossing, Experiment, Record, TwoCircuits, randomness
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Curve,
    Exceeds,
    Gate,
    Measurement,
    Monotone,
    Precedes,
    Setting,
    Tier,
    Within,
    by_step,
    calibration,
    in_order,
    judging,
    training_curve,
)
from grokscape.predictions.papers.varma2023 import claim

#: A seed here is a draw of the constants within 10 % of the paper's: nothing else in the toy model is random.
SEEDS = judging(20)
CALIBRATION = calibration(20)
PAPER = {"norm_gen": 1.0, "norm_mem": 2.0, "start_gen": 0.005, "start_mem": 1.0}


def jittered(seed: int, constants: Mapping[str, float]) -> dict[str, Any]:
    """Multiply each constant by a factor between 0.9 and 1.1 of its own."""
    factors = {name: randomness.generator(seed, f"toy/{name}").uniform(0.9, 1.1) for name in constants}
    return {name: value * factors[name] for name, value in constants.items()}


def guessing(record: Record) -> float:
    """Return the loss of guessing, the logarithm of the number of classes."""
    assert isinstance(record.experiment, TwoCircuits)
    return math.log(record.experiment.classes)


def time(record: Record, split: str) -> Crossing:
    """Return when the loss first fell below a tenth of that of guessing."""
    return record.crossing("loss", split, below=0.1 * guessing(record))


# -- Three ingredients -------------------------------------------------------------------------------------------------


def toys_of_both_readings(seed: int, at: Setting) -> Mapping[str, Experiment]:
    constants = jittered(seed, {name: at[name] for name in PAPER})
    return {
        reading: TwoCircuits(**constants, alpha=at.alpha, steps=at.steps, reading=reading)
        for reading in ("alpha/2", "alpha")
    }


def delay_and_final_loss(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    """Both readings of the penalty must do: the delay of the one that delays less, and the larger final loss."""
    fit, generalise = (time(records["alpha"], split) for split in ("train", "test"))
    yield from in_order("delay from fitting to generalising", fit, generalise)
    chance = guessing(records["alpha"])
    final = max(record.final("loss", "test") for record in records.values())
    yield Measurement("final test loss over that of guessing", final / chance)
    for split in ("train", "test"):
        yield from by_step(records["alpha"].series("loss", split), f"{split} loss")


three_ingredients = claim(
    id="varma2023.toy_three_ingredients",
    claim="A generalising circuit that is more efficient than a memorising one, but slower, is enough for "
    "generalisation to come long after fitting; take its efficiency away and it never comes, its slowness and it comes "
    "soon.",
    where="section 3, figure 2, appendix C",
    runs=toys_of_both_readings,
    measure=delay_and_final_loss,
    criteria=(
        Criterion(
            quantity="final test loss over that of guessing",
            rule=Below(0.1),
            threshold_from="the level at which the times are taken",
            calibrated=Calibrated(0.018, 0.005, "0-19"),
        ),
        Criterion(
            quantity="delay from fitting to generalising",
            rule=Precedes(20.0),
            threshold_from="between the delay with (30 and more) and without (6 to 8) a slow start in pilot runs",
            calibrated=Calibrated(31.4, 0.13, "0-19"),
        ),
    ),
    controls=(
        Control(
            "generalising circuit less efficient",
            {"norm_gen": 2.0, "norm_mem": 1.0},
            "weight goes to the efficient circuit, which now memorises",
        ),
        Control("no weight decay", {"alpha": 0.0}, "without a price on norm, efficiency does not matter"),
        Control("equal speed", {"start_gen": 1.0}, "a generalising circuit that is not slow needs not be waited for"),
    ),
    curves=(
        training_curve("train loss", "test loss", y="loss (nats)", title="Losses of the toy model", figure="figure 2"),
    ),
    tiers={"quick": Tier(SEEDS, PAPER | {"alpha": 0.005, "steps": 40_000})},
    calibration_seeds=CALIBRATION,
    notes="Each seed multiplies every constant of the paper by a factor between 0.9 and 1.1. The paper's text leaves "
    "open whether the penalty is alpha or alpha / 2: the delay (and the figure) is that of alpha, the shorter one, and "
    "the final loss the larger of both.",
)


# -- Allocation --------------------------------------------------------------------------------------------------------


def toys_at_each_homogeneity_and_decay(seed: int, at: Setting) -> Mapping[str, Experiment]:
    constants = jittered(seed, PAPER)
    return {
        f"{kappa:g}, {alpha:g}": TwoCircuits(**constants, kappa=kappa, alpha=alpha, steps=round(at.effort / alpha))
        for kappa in at.kappas
        for alpha in at.alphas
    }


def largest_deviation(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    deviations = []
    for record in records.values():
        toy = record.experiment
        assert isinstance(toy, TwoCircuits)
        ratio = record.series("weight_gen").iloc[-1] / record.series("weight_mem").iloc[-1]
        deviations.append(abs(ratio / toy.predicted_ratio - 1))
    yield Measurement("largest relative deviation from the theorem", max(deviations))


allocation = claim(
    id="varma2023.toy_allocation",
    claim="With homogeneity kappa below 2, weight is shared between circuits in proportion to their parameter norms to "
    "the power -2 kappa / (2 - kappa), whatever the weight decay.",
    where="theorem D.4",
    runs=toys_at_each_homogeneity_and_decay,
    measure=largest_deviation,
    criteria=(
        Criterion(
            quantity="largest relative deviation from the theorem",
            rule=Below(1e-3),
            threshold_from="what gradient descent has left of its way to the optimum after the given steps",
            calibrated=Calibrated(5e-7, 1.2e-6, "0-19"),
        ),
    ),
    controls=(Control("stopped early", {"effort": 10.0}, "weights are not shared so before the optimum is reached"),),
    tiers={
        "quick": Tier(
            SEEDS,
            {"kappas": (0.8, 1.0, 1.2, 1.5), "alphas": (0.005, 0.015, 0.05), "effort": 1000.0},
        )
    },
    calibration_seeds=CALIBRATION,
)


# -- Invariance and slowing --------------------------------------------------------------------------------------------


def toys_at_each_decay_and_ratio(seed: int, at: Setting) -> Mapping[str, Experiment]:
    constants = jittered(seed, PAPER)
    runs: dict[str, Experiment] = {}
    for alpha in at.alphas:
        norm_mem = constants["norm_mem"] * (2 - 90 * alpha) / 2 if at.coupled else constants["norm_mem"]
        runs[f"alpha {alpha:g}"] = TwoCircuits(
            **constants | {"norm_mem": norm_mem}, alpha=alpha, steps=round(at.effort / alpha)
        )
    for ratio in at.ratios:
        changed = constants | {"norm_mem": constants["norm_gen"] * ratio}
        runs[f"ratio {ratio:g}"] = TwoCircuits(**changed, alpha=0.005, steps=at.steps)
    return runs


def winner_and_delay(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    shares, delays, censored = [], [], 0
    for alpha in at.alphas:
        record = records[f"alpha {alpha:g}"]
        gen, mem = record.series("weight_gen").iloc[-1], record.series("weight_mem").iloc[-1]
        shares.append(math.log2(gen / mem))
        test = time(record, "test")
        delays.append(test.step)
        censored += test.censored
        yield Measurement("steps to generalise by weight decay", test.step, at=alpha, censored=test.censored)
    yield Measurement("weight decays at which the delay outlasted the budget", censored)
    yield Measurement("range of log2 w_g/w_m over weight decays", max(shares) - min(shares))
    yield Measurement("least log2 w_g/w_m over weight decays", min(shares))
    yield Measurement(
        "slope of log delay on log weight decay", float(np.polyfit(np.log(at.alphas), np.log(delays), 1)[0])
    )
    for ratio in at.ratios:
        test = time(records[f"ratio {ratio:g}"], "test")
        yield Measurement("steps to generalise by ratio of efficiencies", test.step, at=ratio, censored=test.censored)


invariance = claim(
    id="varma2023.toy_invariance",
    claim="Which circuit wins does not depend on the strength of weight decay; how long it takes does, and it takes "
    "the longer the closer the efficiencies are.",
    where="sections 3 and 4.1",
    runs=toys_at_each_decay_and_ratio,
    measure=winner_and_delay,
    # A slope through budgets would be a slope of budgets. Under strong decay the control never generalises, so the gate
    # is not for it: its winner decides it.
    gates=(Gate(quantity="weight decays at which the delay outlasted the budget", below=0.5, controls=False),),
    criteria=(
        Criterion(
            quantity="least log2 w_g/w_m over weight decays",
            rule=Exceeds(0.0),
            threshold_from="zero: the generalising circuit has the larger weight at every weight decay",
            calibrated=Calibrated(2.9, 0.37, "0-19"),
        ),
        Criterion(
            quantity="range of log2 w_g/w_m over weight decays",
            rule=Below(0.5),
            threshold_from="a sixth of the ratio itself (log2 8 = 3)",
            calibrated=Calibrated(6e-5, 6e-5, "0-19"),
        ),
        Criterion(
            quantity="slope of log delay on log weight decay",
            rule=Within(-1.0, -0.75),
            threshold_from="inverse proportion (-1), with room for the part of the way that does not depend on it; "
            "pilot -0.87",
            calibrated=Calibrated(-0.851, 0.006, "0-19"),
        ),
        Criterion(
            quantity="steps to generalise by ratio of efficiencies",
            rule=Monotone("falling", least=0.99),
            threshold_from="perfect order; the toy model has no noise",
            calibrated=Calibrated(1.0, 0.05, "0-19"),
        ),
    ),
    controls=(
        Control(
            "efficiency tied to weight decay",
            {"coupled": True},
            "if weight decay changes the efficiencies themselves, it decides the winner",
        ),
    ),
    curves=(
        Curve(
            quantities=("steps to generalise by ratio of efficiencies",),
            x="P_m / P_g, how much more efficient generalising is",
            y="steps to generalise",
            log_y=True,
            title="Closer efficiencies, longer delay",
        ),
        Curve(
            quantities=("steps to generalise by weight decay",),
            x="weight decay alpha",
            y="steps to generalise",
            log_x=True,
            log_y=True,
            title="Weight decay sets the pace, not the winner",
        ),
    ),
    tiers={
        "quick": Tier(
            SEEDS,
            {
                "alphas": (0.001, 0.002, 0.005, 0.01, 0.02),
                "ratios": (1.25, 1.4, 1.7, 2.0, 3.0, 4.0),
                "effort": 300.0,
                "steps": 60_000,
                "coupled": False,
            },
        )
    },
    calibration_seeds=CALIBRATION,
)
