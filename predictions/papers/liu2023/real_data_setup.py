"""Omnigrok: what its claims about real data train, measure and ask for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from grokscape.landscape import AdamW, Experiment, Record, Run, Schedule
from grokscape.predictions import (
    Calibrated,
    Control,
    Criterion,
    Curve,
    Exceeds,
    Gate,
    Measurement,
    Setting,
    Within,
    accuracy_by_step,
    by_step,
    fit_and_generalise,
    training_curve,
)

DELAY = "log of the steps to generalise over those to fit"
GAIN = "test accuracy gained after fitting"
AT_FIT = "test accuracy when the training examples are fitted"
AT_END = "test accuracy at the end"
SLOPE = "power of the weight decay in the time"
BEST_SO_FAR = "highest test accuracy so far"

# -- What is trained ---------------------------------------------------------------------------------------------------


def network_run(seed: int, at: Setting, **changes: Any) -> Run:
    """A perceptron on the setting's data, its initial weights and biases ``scale`` times their usual size."""
    fields: dict[str, Any] = {
        "task": at.task,
        "model": at.model,
        "optimiser": adamw(at, at.decay),
        "n_train": at.n_train,
        "labels": at.labels,
        "loss": at.get("loss", "mse"),
        "initial_scale": at.scale,
        "steps": at.steps,
        "record": Schedule(every=50),
    }
    return Run(seed=seed, **(fields | changes))


def adamw(at: Setting, decay: float) -> AdamW:
    return AdamW(lr=at.lr, weight_decay=decay, beta2=0.999)


def one_network(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {"run": network_run(seed, at)}


def delay_and_gain_from_fitting_to_generalising(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    """Measure the delay, and what generalising is gained in it.

    A network that has not generalised in the end has the last step for its time here, which makes the delay the least
    that it can be; that it has not, its accuracy says. No rule reads the highest test accuracy: to stop where it is
    reached needs the test examples. It is drawn beside the accuracy at each step.
    """
    run = records["run"]
    fit, generalise = fit_and_generalise(run, fitted=0.99, generalised=at.level)
    test = run.series("accuracy", "test")
    end = run.final("accuracy", "test")
    yield Measurement(DELAY, math.log(max(generalise.step, 1) / max(fit.step, 1)))
    yield Measurement(AT_FIT, test[fit.step])
    yield Measurement(AT_END, end)
    yield Measurement(GAIN, end - test[fit.step])
    yield Measurement("highest test accuracy", test.max())
    yield Measurement("steps to fit", fit.step, censored=fit.censored)
    yield Measurement("steps to generalise", generalise.step, censored=generalise.censored)
    yield Measurement("training accuracy at the end", run.final("accuracy", "train"))
    yield Measurement("highest training accuracy", run.series("accuracy", "train").max())
    norm = run.series("weight_norm")
    yield from by_step(norm / norm.iloc[0], "weight norm")
    yield from accuracy_by_step(run)
    yield from by_step(test.cummax(), BEST_SO_FAR)


FITTED = Gate(quantity="training accuracy at the end", above=0.95)
#: For training that jumps out of its minima now and then, and may end just after.
ONCE_FITTED = Gate(quantity="highest training accuracy", above=0.95)


def gained_late(above: float, calibrated: Calibrated) -> Criterion:
    return Criterion(
        quantity=GAIN,
        rule=Exceeds(above, centre="mean"),
        threshold_from="clearly more than the few points that test accuracy moves by where nothing groks",
        calibrated=calibrated,
    )


def right_in_the_end(above: float, calibrated: Calibrated) -> Criterion:
    return Criterion(
        quantity=AT_END,
        rule=Exceeds(above, centre="mean"),
        threshold_from="near what the usual initial weights reach with these examples",
        calibrated=calibrated,
    )


def later_than_fitting(times: float, calibrated: Calibrated) -> Criterion:
    return Criterion(
        quantity=DELAY,
        rule=Exceeds(math.log(times), centre="mean"),
        threshold_from="half as long again as fitting takes",
        calibrated=calibrated,
    )


def nothing_gained_late(within: float, calibrated: Calibrated) -> Criterion:
    return Criterion(
        quantity=GAIN,
        rule=Within(-within, within, centre="mean"),
        threshold_from="five points are a tenth of the late gain where these data grok, or less than half",
        calibrated=calibrated,
    )


def right_on_fitting(above: float, calibrated: Calibrated) -> Criterion:
    return Criterion(
        quantity=AT_FIT,
        rule=Exceeds(above, centre="mean"),
        threshold_from="well on the way from chance to the best that these examples allow",
        calibrated=calibrated,
    )


def inverse_to_decay(low: float, high: float, calibrated: Calibrated) -> Criterion:
    return Criterion(
        quantity=SLOPE,
        rule=Within(low, high, centre="mean"),
        threshold_from="-1 is inverse; fitting takes part of the time whatever the decay, which flattens it",
        calibrated=calibrated,
    )


def curves(figure: str = "") -> tuple[Curve, ...]:
    """Return what is drawn of one network; the accuracies may be a figure of the paper."""
    accuracy = training_curve(
        "train accuracy", "test accuracy", BEST_SO_FAR, y="accuracy", title="Fitting and generalising", figure=figure
    )
    norm = training_curve("weight norm", y="norm / norm at first", title="The norm")
    return accuracy, norm


def scale_one(steps: int) -> Control:
    return Control(
        "usual initial weights",
        {"scale": 1.0, "steps": steps},
        "at scale 1 the norm is near where test loss is lowest, and what fits generalises",
    )


def no_decay(steps: int) -> Control:
    return Control(
        "no weight decay", {"decay": 0.0, "steps": steps}, "nothing takes the norm down to where networks generalise"
    )


def random_labels(steps: int) -> Control:
    return Control("random labels", {"labels": "random", "steps": steps}, "there is no rule that could be found late")


def large_scale(scale: float, steps: int) -> Control:
    return Control(
        "large initial weights",
        {"scale": scale, "steps": steps},
        "far above the norm where test loss is lowest, networks fit at once and generalise late",
    )


def networks_by_decay(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {f"{decay:g}": network_run(seed, at, optimiser=adamw(at, decay), steps=steps) for decay, steps in at.decays}


def time_by_decay(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    times = {float(decay): run.crossing("accuracy", at.split, above=at.until) for decay, run in records.items()}
    for decay, time in times.items():
        yield Measurement("steps", time.step, at=decay, censored=time.censored)
    seen = {math.log(decay): math.log(max(time.step, 1)) for decay, time in times.items() if not time.censored}
    # Fewer than two times have no slope; the gate on their number says so.
    slope = np.polyfit(list(seen), list(seen.values()), 1)[0] if len(seen) > 1 else 0.0
    yield Measurement(SLOPE, float(slope))
    yield Measurement("share of weight decays at which the time was seen", len(seen) / len(times))


SEEN = Gate(quantity="share of weight decays at which the time was seen", above=0.99)
FITTING_INSTEAD = Control(
    "fitting instead of generalising",
    {"split": "train", "until": 0.99},
    "fitting is the loss's doing and does not wait for the norm to fall",
)
TIME = Curve(
    quantities=("steps",),
    x="weight decay",
    y="steps to the accuracy asked for",
    log_x=True,
    log_y=True,
    title="Time against weight decay",
)
