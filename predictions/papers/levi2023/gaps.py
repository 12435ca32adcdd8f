"""Levi et al. 2023: how long a linear student groks, which is no understanding."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from grokscape.landscape import Crossing, Experiment, Record, Schedule, marchenko_pastur
from grokscape.predictions import (
    Calibrated,
    Control,
    Criterion,
    Curve,
    Exceeds,
    Measurement,
    Monotone,
    Setting,
    Within,
    by_step,
    judging,
)
from grokscape.predictions.papers.levi2023 import claim
from grokscape.predictions.papers.levi2023.setup import learner, reached, reaches, student, students_by_ratio, tiers


def accurate(record: Record, split: str) -> Crossing:
    return record.crossing("accuracy", split, above=0.95)


# -- It grows with lambda ----------------------------------------------------------------------------------------------


def gap_by_ratio(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    for label, record in records.items():
        fit, generalise = accurate(record, "train"), accurate(record, "test")
        yield Measurement("grokking time", generalise.step - fit.step, at=float(label), censored=generalise.censored)
        yield Measurement(
            "expected at this threshold",
            marchenko_pastur.gap(learner(record).ratio, at.threshold, lr=learner(record).lr),
            at=float(label),
        )
        yield Measurement(
            "formula for a vanishing threshold",
            marchenko_pastur.limiting_gap(learner(record).ratio, lr=learner(record).lr),
            at=float(label),
        )


gap_grows_with_lambda = claim(
    id="levi2023.gap_grows_with_lambda",
    claim="A linear student groks, and the longer the more inputs it has for each example, as long as these are fewer "
    "than one.",
    where="equation 12, figure 1 (right)",
    runs=students_by_ratio,
    measure=gap_by_ratio,
    criteria=(
        Criterion(
            quantity="grokking time",
            rule=Monotone("rising", 0.9),
            threshold_from="perfect order of six ratios but for one exchange of neighbours",
            calibrated=Calibrated(100.0, 25.0, "0-11"),
        ),
    ),
    controls=(
        Control("inputs and examples alike", {"fixed_ratio": 0.5}, "it is their ratio that decides, not their number"),
    ),
    curves=(
        Curve(
            quantities=("grokking time", "expected at this threshold", "formula for a vanishing threshold"),
            x="inputs for each example, lambda",
            y="steps",
            log_y=True,
            title="Grokking time",
            figure="figure 1",
        ),
    ),
    tiers=tiers(judging(12)),
    notes="In the control the number of inputs grows as lambda does in the claim, with two examples for each.",
)

# -- The number of outputs ---------------------------------------------------------------------------------------------


def students_by_outputs(seed: int, at: Setting) -> Mapping[str, Experiment]:
    # Outputs cost; a fifth of a step's logarithm is fine enough.
    common = {"n_test": 500, "record": Schedule(per_decade=12, every=10**9)}
    return {
        f"{outputs}": student(
            seed, at, at.ratios[0], outputs=outputs, lr=0.01 * (outputs if at.as_fast else 1), **common
        )
        for outputs in at.outputs_tried
    }


def gap_by_outputs(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    gaps = {}
    for label, record in records.items():
        gaps[int(label)] = accurate(record, "test").step - accurate(record, "train").step
        yield Measurement("grokking time", gaps[int(label)], at=float(label))
        settings = learner(record)
        expected = marchenko_pastur.gap(settings.ratio, at.threshold, lr=settings.lr, outputs=settings.outputs)
        yield Measurement("expected", expected, at=float(label))
    least, middle, most = at.outputs_tried[0], at.middle, at.outputs_tried[-1]
    yield Measurement("log of the time in the middle over that of one output", math.log(gaps[middle] / gaps[least]))
    yield Measurement("log of the time in the middle over that of most outputs", math.log(gaps[middle] / gaps[most]))


gap_and_outputs = claim(
    id="levi2023.gap_and_outputs",
    claim="The time that a linear student groks for first grows with the number of outputs, and then falls.",
    where="section 3.2, figure 2",
    runs=students_by_outputs,
    measure=gap_by_outputs,
    criteria=(
        Criterion(
            quantity="log of the time in the middle over that of one output",
            rule=Exceeds(math.log(1.5), centre="mean"),
            threshold_from="half as long again",
            calibrated=Calibrated(1.6, 0.4, "0-9"),
        ),
        Criterion(
            quantity="log of the time in the middle over that of most outputs",
            rule=Exceeds(math.log(1.5), centre="mean"),
            threshold_from="half as long again",
            calibrated=Calibrated(1.25, 0.2, "0-9"),
        ),
    ),
    controls=(
        Control("no slower for outputs", {"as_fast": True}, "outputs lengthen the time only by slowing each step"),
    ),
    curves=(
        Curve(
            quantities=("grokking time", "expected"),
            x="outputs",
            y="steps",
            log_x=True,
            log_y=True,
            title="Grokking time by number of outputs",
            figure="figure 2",
        ),
    ),
    tiers=tiers(larger=400, ratios=(0.9,), inputs=200, outputs_tried=(1, 5, 20, 100, 300), middle=20, as_fast=False),
)

# -- No understanding --------------------------------------------------------------------------------------------------


def students_by_threshold(seed: int, at: Setting) -> Mapping[str, Experiment]:
    ratio = at.ratios[0]
    plain = {f"{threshold}": student(seed, at, ratio, threshold=threshold) for threshold in at.thresholds}
    if at.quickens == 1:
        return plain
    starts = {
        label: reached(ratio, marchenko_pastur.loss_at(0.1, threshold))
        for label, threshold in zip(plain, at.thresholds, strict=True)
    }
    return {label: run.replace(quickens=at.quickens, quickens_at=starts[label]) for label, run in plain.items()}


def speed_of_the_loss_and_step_of_the_jump(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    ratios = []
    for label, record in records.items():
        threshold, loss = float(label), record.series("loss", "test")
        high, low = (marchenko_pastur.loss_at(share, threshold) for share in (0.1, 0.9))
        begins, ends = reaches(loss, high), reaches(loss, low)
        before = reaches(loss, high * high / low)
        ratios.append((begins - before) / (ends - begins))
        jump = record.crossing("accuracy", "test", above=0.5)
        yield Measurement("step of the jump", jump.step, at=-math.log10(threshold), censored=jump.censored)
        if threshold == at.thresholds[0]:
            # Long after the jump a loss is no more than rounding.
            yield from by_step(loss[loss > 1e-12], "test loss")
            yield from by_step(record.series("accuracy", "test"), "test accuracy")
    yield Measurement("speed of the loss in the jump over that before", float(np.exp(np.mean(np.log(ratios)))))


jump_is_an_artefact = claim(
    id="levi2023.jump_is_an_artefact",
    claim="A linear student's jump in test accuracy is an artefact of the threshold: its test loss falls no faster in "
    "the jump than before, and the jump comes wherever the threshold is put.",
    where="section 3.1.4",
    runs=students_by_threshold,
    measure=speed_of_the_loss_and_step_of_the_jump,
    criteria=(
        Criterion(
            quantity="speed of the loss in the jump over that before",
            rule=Within(0.5, 1.25, centre="mean"),
            threshold_from="within a factor of two below, as the modes left are slower, and a quarter above",
            calibrated=Calibrated(0.85, 0.04, "0-19"),
        ),
        Criterion(
            quantity="step of the jump",
            rule=Monotone("rising", 0.9),
            threshold_from="perfect order of three thresholds",
            calibrated=Calibrated(1200.0, 50.0, "0-19"),
        ),
    ),
    controls=(
        Control(
            "learning quickens", {"quickens": 5.0}, "here a larger learning rate makes a change of pace that is real"
        ),
    ),
    curves=(
        Curve(
            quantities=("test loss", "test accuracy"),
            x="gradient descent step",
            y="loss and accuracy",
            log_x=True,
            log_y=True,
            title="Nothing happens to the loss where accuracy jumps",
        ),
    ),
    tiers=tiers(judging(12), inputs=200, ratios=(0.5,), thresholds=(1e-5, 1e-7, 1e-9), quickens=1.0),
    disputes=("power2022.delayed_generalisation",),
    notes="The jump is the way from 10 % to 90 % accuracy, a fall of the loss to 1/171; before it is as long a fall of "
    "its logarithm. Speeds are of the logarithm, by step.",
)
