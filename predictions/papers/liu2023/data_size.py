"""Omnigrok: more data shorten the delay, on images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grokscape.landscape import AdamW, Dense, Digits, Experiment, Record, Run, Schedule
from grokscape.predictions import (
    Calibrated,
    Control,
    Criterion,
    Curve,
    Gate,
    Measurement,
    Monotone,
    Setting,
    by_step,
    fit_and_generalise,
    judging,
    stop_at,
    tiers,
)
from grokscape.predictions.papers.liu2023 import claim


def networks_by_data_size(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """Networks with large initial weights that differ in the number of training examples, until they generalise."""
    return {
        f"{size}": Run(
            task=at.task,
            model=at.model,
            optimiser=AdamW(lr=at.lr, weight_decay=at.decay, beta2=0.999),
            n_train=size,
            labels=at.labels,
            loss="mse",
            initial_scale=at.scale,
            steps=at.steps,
            record=Schedule(every=50),
            stop=stop_at(at.level, records=3),
            seed=seed,
        )
        for size in at.sizes
    }


def times_by_data_size(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    for label, record in records.items():
        size = float(label)
        fit, generalise = fit_and_generalise(record, fitted=0.99, generalised=at.level)
        yield Measurement("steps to generalise", generalise.step, at=size, censored=generalise.censored)
        yield Measurement("steps to fit", fit.step, at=size, censored=fit.censored)
        yield Measurement("steps to generalise over steps to fit", generalise.step / max(fit.step, 1), at=size)
        yield from by_step(record.series("accuracy", "test"), f"{label} examples")
    accuracy = [record.series("accuracy", "train").max() for record in records.values()]
    yield Measurement("lowest training accuracy", float(min(accuracy)))


data_size_degroks = claim(
    id="liu2023.data_size_degroks",
    claim="From large initial weights, the more images there are to train on, the sooner a network generalises.",
    where="section 3, figure 3 and the appendix on data size",
    kind="extension",
    runs=networks_by_data_size,
    measure=times_by_data_size,
    gates=(Gate(quantity="lowest training accuracy", above=0.7),),
    criteria=(
        Criterion(
            quantity="steps to generalise",
            rule=Monotone("falling"),
            threshold_from="nearly perfect order of sizes, within each seed; what never came is last",
            calibrated=Calibrated(480.0, 160.0, "0-9"),
        ),
    ),
    controls=(
        Control(
            "random labels",
            {"labels": "random", "sizes": (25, 50, 100)},
            "without a rule no number of examples is enough",
        ),
    ),
    curves=(
        Curve(
            quantities=("steps to generalise", "steps to fit"),
            x="training examples",
            y="steps",
            log_x=True,
            log_y=True,
            title="Times against data size",
        ),
    ),
    tiers=tiers(
        {
            "task": Digits(examples=1000),
            "model": Dense(widths=(100, 100)),
            "lr": 3e-3,
            "decay": 0.1,
            "scale": 6.0,
            "labels": "true",
            "level": 0.8,
        },
        judging(10),
        quick={"sizes": (50, 100, 200, 400), "steps": 2500},
        standard={"sizes": (50, 100, 200, 400, 800), "steps": 20_000},
    ),
    notes="Generalised means 80 % of the images held out. A run ends there, so that a network that generalises before "
    "it fits may end before it fits. "
    "The paper varies the data size on MNIST, and speaks of the time between fitting and generalising.",
)
