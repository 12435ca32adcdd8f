"""Levi, Beck and Bar-Sinai 2023 (arXiv:2310.16441): the losses of a linear student, and what random matrices say."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from grokscape.landscape import Experiment, LinearTeacher, Record, marchenko_pastur
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Curve,
    Measurement,
    Prediction,
    Setting,
    Tier,
    Within,
    by_step,
)
from grokscape.predictions.papers.miller2023.sources import CALIBRATION, LEVI_2023, TEN, TWENTY

THEORY = "linear estimators"
#: Ratios of inputs to examples, lambda, at which most claims are judged; they share these students.
RATIOS = (0.1, 0.3, 0.5, 0.7, 0.85, 0.95)
STUDENTS = {
    "ratios": RATIOS,
    "inputs": 300,
    "outputs": 1,
    "threshold": 1e-3,
    "weight_decay": 0.0,
    "steps": 10**6,
    "fixed_ratio": 0.0,
    "assumed": 1.0,
}


def student(seed: int, at: Setting, ratio: float, **changes: object) -> LinearTeacher:
    fields: dict[str, object] = {
        "inputs": at.inputs,
        "n_train": round(at.inputs / ratio),
        "outputs": at.outputs,
        "threshold": at.threshold,
        "weight_decay": at.weight_decay,
        "steps": at.steps,
    }
    return LinearTeacher(seed=seed, **(fields | changes))  # type: ignore[arg-type]


def students(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """One student for each ratio; with a fixed ratio, the size changes instead and the ratio does not."""
    if at.fixed_ratio == 0:
        return {f"{ratio}": student(seed, at, ratio) for ratio in at.ratios}
    sizes = {f"{ratio}": max(20, round(at.inputs * ratio)) for ratio in at.ratios}
    return {
        label: student(seed, at, at.fixed_ratio, inputs=size, n_train=round(size / at.fixed_ratio))
        for label, size in sizes.items()
    }


#: Enough for a rule on medians to be sure where no seed dissents.
TWELVE = tuple(range(100, 112))


def tiers(seeds: tuple[int, ...] = TEN, larger: int = 1000, **setting: object) -> Mapping[str, Tier]:
    return {
        "quick": Tier(seeds, STUDENTS | setting),
        "standard": Tier(TWENTY, STUDENTS | setting | {"inputs": larger}),
    }


@functools.cache
def reached(ratio: float, loss: float) -> int:
    """Return the step at which the test loss is expected to have come down to a level."""
    steps = np.logspace(0, 6, 400)
    expected = marchenko_pastur.losses(0.01 * steps, ratio)[1]
    return int(np.interp(-math.log(loss), -np.log(np.maximum(expected, 1e-300)), steps))


def learner(record: Record) -> LinearTeacher:
    assert isinstance(record.experiment, LinearTeacher)
    return record.experiment


def steps_of(series: pd.Series) -> np.ndarray:
    return series.index.to_numpy(float)


def reaches(loss: pd.Series, level: float) -> float:
    """Return the step at which a falling loss reaches a level, between records along straight lines in its logarithm.

    Raises
    ------
    ValueError
        If it never does.
    """
    steps, logs = steps_of(loss), np.log(np.maximum(loss.to_numpy(), 1e-300))
    after = int(np.argmax(logs <= math.log(level)))
    if logs[after] > math.log(level):
        raise ValueError(f"the loss never reaches {level:.3g}; train for more than {steps[-1]:.0f} steps")
    if after == 0:
        return 0.0
    return float(np.interp(-math.log(level), -logs[[after - 1, after]], steps[[after - 1, after]]))


# -- The courses of the losses -----------------------------------------------------------------------------------------


def against_the_law(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    logs: dict[str, list[float]] = {"training": [], "test": []}
    for record in records.values():
        ratio = learner(record).ratio * at.assumed
        steps = steps_of(record.series("loss", "test"))
        predicted = marchenko_pastur.losses(learner(record).lr * steps, ratio)
        for (name, found), split, loss in zip(logs.items(), ("train", "test"), predicted, strict=True):
            series = record.series("loss", split)
            shown = (steps > 0) & (loss > 1e-4)
            found.append(float(np.log(series.to_numpy()[shown] / loss[shown]).mean()))
            if learner(record).n_train == round(at.inputs / at.shown):
                yield from by_step(series[shown], f"{name} loss")
                yield from by_step(pd.Series(loss[shown], index=series.index[shown]), f"{name} loss, expected")
    for name, found in logs.items():
        yield Measurement(f"{name} loss over the one expected", math.exp(np.mean(found)))


def as_expected(quantity: str, effect: float, spread: float) -> Criterion:
    return Criterion(
        quantity=quantity,
        rule=Within(0.8, 1.25, centre="mean"),
        threshold_from="equality, give or take a quarter, as one draw of a few hundred inputs scatters; 0.85 to 1.15 "
        "(0.9 to 1.1 without decay, 0.8 to 1.2 with) before calibration showed by how much",
        calibrated=Calibrated(effect, spread, "0-19"),
    )


loss_curves = Prediction(
    id="levi2023.loss_curves",
    claim="The training and the test loss of a linear student follow from the Marchenko-Pastur law, with nothing "
    "fitted.",
    source=LEVI_2023,
    where="equations 8 and 9, figure 1 (left)",
    theory=THEORY,
    runs=students,
    measure=against_the_law,
    criteria=(
        as_expected("training loss over the one expected", 1.0, 0.08),
        as_expected("test loss over the one expected", 1.02, 0.11),
    ),
    controls=(
        Control(
            "law of many examples", {"assumed": 0.01}, "where examples abound, training and test loss are the same"
        ),
    ),
    curves=(
        Curve(
            quantities=("training loss", "training loss, expected", "test loss", "test loss, expected"),
            x="gradient descent step",
            y="loss",
            log_x=True,
            log_y=True,
            title="Losses at half an input for each example",
            figure="figure 1",
        ),
    ),
    tiers=tiers(TWENTY, ratios=(0.1, 0.5, 0.85, 1.5), shown=0.5),
    calibration_seeds=CALIBRATION,
    notes="The geometric mean over log-spaced steps, down to an expected loss of 1e-4, and over four ratios. Where "
    "few modes are left single draws differ from the law by a third and more, at a thousand inputs too; it describes "
    "their mean. Gradient descent at the paper's learning rate lies up to 5 % below gradient flow.",
)

# -- Accuracy is a function of the loss --------------------------------------------------------------------------------


def against_its_loss(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    worst = 0.0
    for record in records.values():
        for split in ("train", "test"):
            found = record.series("accuracy", split)
            loss = record.series("loss", split).to_numpy()
            predicted = marchenko_pastur.accuracy(np.maximum(loss, 1e-300), at.threshold)
            worst = max(worst, float(np.abs(found.to_numpy() - predicted).max()))
            if split == "test" and learner(record).n_train == round(at.inputs / at.shown):
                yield from by_step(found, "test accuracy")
                yield from by_step(pd.Series(predicted, index=found.index), "test accuracy from the test loss")
    yield Measurement("largest deviation of accuracy from what the loss says", worst)


accuracy_is_a_function_of_the_loss = Prediction(
    id="levi2023.accuracy_from_loss",
    claim="The accuracy of a linear student, the share of examples within a threshold, is at every step a function of "
    "its loss: erf(sqrt(epsilon / 2 L)).",
    source=LEVI_2023,
    where="equation 10, figure 1 (centre)",
    theory=THEORY,
    runs=students,
    measure=against_its_loss,
    criteria=(
        Criterion(
            quantity="largest deviation of accuracy from what the loss says",
            rule=Below(0.1, centre="mean"),
            threshold_from="the sampling error of shares of a few hundred examples, at the worst of hundreds of steps",
            calibrated=Calibrated(0.055, 0.012, "0-19"),
        ),
    ),
    controls=(
        Control(
            "five outputs", {"outputs": 5}, "errors of five outputs are no longer one normal number: another function"
        ),
    ),
    curves=(
        Curve(
            quantities=("test accuracy", "test accuracy from the test loss"),
            x="gradient descent step",
            y="accuracy",
            log_x=True,
            title="Accuracy is the loss, gated",
            figure="figure 1",
        ),
    ),
    tiers=tiers(ratios=(0.1, 0.5, 0.85, 1.5), shown=0.5),
    calibration_seeds=CALIBRATION,
    notes="The formula is that for one output; in general the accuracy is P(d/2, d epsilon / 2 L), with P the "
    "regularised lower incomplete gamma function (equation 13).",
)

# -- More inputs than examples -----------------------------------------------------------------------------------------


def where_it_stays(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    shares = []
    for label, record in records.items():
        loss = record.series("loss", "test")
        stays = float(loss.iloc[-1] / loss.iloc[0])
        shares.append(stays / (1 - 1 / learner(record).ratio))
        yield Measurement("share of the test loss that stays", stays, at=float(label))
        yield Measurement("1 - 1 / lambda", 1 - 1 / learner(record).ratio, at=float(label))
    yield Measurement("share that stays over 1 - 1 / lambda", float(np.mean(shares)))


test_loss_plateau = Prediction(
    id="levi2023.test_loss_plateau",
    claim="With fewer examples than inputs a linear student never generalises: its test loss stays at 1 - 1 / lambda "
    "of what it was.",
    source=LEVI_2023,
    where="section 3.1.1, figure 1 (left)",
    theory=THEORY,
    runs=students,
    measure=where_it_stays,
    criteria=(as_expected("share that stays over 1 - 1 / lambda", 1.02, 0.09),),
    controls=(
        Control(
            "weight decay", {"weight_decay": 1e-3}, "what examples do not fix then decays to 0: half of the loss goes"
        ),
    ),
    curves=(
        Curve(
            quantities=("share of the test loss that stays", "1 - 1 / lambda"),
            x="inputs for each example, lambda",
            y="share of the test loss",
            title="What is never seen is never learnt",
        ),
    ),
    tiers=tiers(ratios=(1.5, 2.0, 3.0), steps=10**7),
    calibration_seeds=CALIBRATION,
    notes="Section 3.3 says that weight decay lets students with fewer examples than inputs generalise better. It "
    "does, by half: in directions that no example shows the student decays to 0, and the teacher does not.",
)
