"""Levi et al. 2023: the losses of a linear student, and what random matrices say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from grokscape.landscape import Record, marchenko_pastur
from grokscape.predictions import Below, Calibrated, Control, Criterion, Curve, Measurement, Setting, by_step, judging
from grokscape.predictions.papers.levi2023 import claim
from grokscape.predictions.papers.levi2023.setup import as_expected, learner, steps_of, students_by_ratio, tiers

# -- The losses over training ------------------------------------------------------------------------------------------


def losses_against_the_law(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
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


loss_curves = claim(
    id="levi2023.loss_curves",
    claim="The training and the test loss of a linear student follow from the Marchenko-Pastur law, with nothing "
    "fitted.",
    where="equations 8 and 9, figure 1 (left)",
    runs=students_by_ratio,
    measure=losses_against_the_law,
    criteria=(
        as_expected("training loss over the one expected", effect=1.0, spread=0.08),
        as_expected("test loss over the one expected", effect=1.02, spread=0.11),
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
    tiers=tiers(judging(20), ratios=(0.1, 0.5, 0.85, 1.5), shown=0.5),
    notes="The geometric mean over log-spaced steps, down to an expected loss of 1e-4, and over four ratios. Where few "
    "modes are left single draws differ from the law by a third and more, at a thousand inputs too; it describes their "
    "mean. Gradient descent at the paper's learning rate lies up to 5 % below gradient flow.",
)

# -- Accuracy is a function of the loss --------------------------------------------------------------------------------


def accuracy_against_its_loss(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
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


accuracy_is_a_function_of_the_loss = claim(
    id="levi2023.accuracy_from_loss",
    claim="The accuracy of a linear student, the share of examples within a threshold, is at every step a function of "
    "its loss: erf(sqrt(epsilon / 2 L)).",
    where="equation 10, figure 1 (centre)",
    runs=students_by_ratio,
    measure=accuracy_against_its_loss,
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
    notes="The formula is that for one output; in general the accuracy is P(d/2, d epsilon / 2 L), with P the "
    "regularised lower incomplete gamma function (equation 13).",
)

# -- More inputs than examples -----------------------------------------------------------------------------------------


def share_of_the_test_loss_that_stays(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    shares = []
    for label, record in records.items():
        loss = record.series("loss", "test")
        stays = float(loss.iloc[-1] / loss.iloc[0])
        shares.append(stays / (1 - 1 / learner(record).ratio))
        yield Measurement("share of the test loss that stays", stays, at=float(label))
        yield Measurement("1 - 1 / lambda", 1 - 1 / learner(record).ratio, at=float(label))
    yield Measurement("share that stays over 1 - 1 / lambda", float(np.mean(shares)))


test_loss_plateau = claim(
    id="levi2023.test_loss_plateau",
    claim="With fewer examples than inputs a linear student never generalises: its test loss stays at 1 - 1 / lambda "
    "of what it was.",
    where="section 3.1.1, figure 1 (left)",
    runs=students_by_ratio,
    measure=share_of_the_test_loss_that_stays,
    criteria=(as_expected("share that stays over 1 - 1 / lambda", effect=1.02, spread=0.09),),
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
    notes="Section 3.3 says that weight decay lets students with fewer examples than inputs generalise better. It "
    "does, by half: in directions that no example shows the student decays to 0, and the teacher does not.",
)
