"""Networks under gradient descent, what is measured of their norm, and the two settings that differ in what it does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from grokscape.landscape import SGD, BinaryOperation, Experiment, Perceptron, Record, Run
from grokscape.predictions import Measurement, Setting, accuracy_by_step, by_step, fit_and_generalise, in_order, stop_at

GENERALISED = stop_at(0.95, records=5)


def gradient_descent(seed: int, at: Setting) -> Mapping[str, Experiment]:
    run = Run(
        task=at.task,
        model=at.model,
        optimiser=at.optimiser,
        n_train=at.task.n_train(at.fraction),
        labels=at.labels,
        loss=at.loss,
        initial_scale=at.initial_scale,
        steps=at.steps,
        stop=at.stop,
        seed=seed,
    )
    return {"run": run}


def norm_from_fitting_to_generalising(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    run = records["run"]
    fit, generalise = fit_and_generalise(run, fitted=0.99, generalised=0.9)
    norm, test = run.series("weight_norm"), run.series("accuracy", "test")
    yield from in_order("from fitting to generalising", fit, generalise)
    # A network that does not generalise has its last norm here; its test accuracy says so.
    growth = math.log(norm[generalise.step] / norm[fit.step])
    yield Measurement("log of the norm at generalising over that at fitting", growth)
    yield Measurement("norm at generalising over that at the start", norm[generalise.step] / norm.iloc[0])
    yield Measurement("test accuracy at fitting", test[fit.step])
    yield Measurement("test accuracy at the end", test.iloc[-1])
    yield Measurement("training accuracy at the end", run.series("accuracy", "train").iloc[-1])
    yield from accuracy_by_step(run)
    yield from by_step(norm, "weight norm")


LAZY = {
    "task": BinaryOperation(operation="x+y", p=23),
    "model": Perceptron(width=100, activation="quadratic"),
    "optimiser": SGD(lr=15.0),
    "loss": "mse",
    "initial_scale": 2.5,
    "fraction": 0.9,
    "labels": "true",
    "steps": 2000,
    "stop": GENERALISED,
}
#: A large start under weight decay, where fitting is quick, and generalising waits for the norm to fall.
DECAYING = {
    "model": Perceptron(width=100),
    "optimiser": SGD(lr=1.0, momentum=0.9, weight_decay=5e-4),
    "loss": "cross_entropy",
    "initial_scale": 20.0,
}
