"""Omnigrok's teacher and student, how it is trained here, and when it fits and generalises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grokscape.landscape import AdamW, Crossing, Dense, Experiment, Record, Run, TeacherStudent
from grokscape.predictions import Gate, Measurement, Setting, Tier, fit_and_generalise, judging, stop_at

#: For claims that the first ten seeds left undecided, and for those that share their runs.
FRESH = judging(20, first=130)

#: The paper's student has the shape of its teacher. An answer is right if its mean squared error is below 0.001.
STUDENT: Mapping[str, Any] = {
    "task": TeacherStudent(examples=600),
    "model": Dense(widths=(100, 100), activation="tanh"),
    "n_train": 100,
    "labels": "true",
}
#: Long enough for each student with weight decay to generalise, which ends it.
STEPS = 30_000
#: Fitted and generalised: 95 % of the examples within the tolerance; a run ends once that has held for five records.
LEVEL = 0.95
SPLITS = ("train", "test")


def student_run(seed: int, at: Setting, *, scale: float, decay: float, steps: int) -> Run:
    """Return a student that starts at a multiple of the usual initial weights."""
    return Run(
        task=at.task,
        model=at.model,
        optimiser=AdamW(lr=3e-4, weight_decay=decay, beta2=0.999),
        n_train=at.n_train,
        labels=at.labels,
        loss="mse",
        initial_scale=scale,
        steps=steps,
        stop=stop_at(LEVEL, records=5),
        seed=seed,
    )


def students(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """A student for each (scale, weight decay) of the setting."""
    return {f"{s:g}/{w:g}": student_run(seed, at, scale=s, decay=w, steps=at.steps) for s, w in at.starts}


def student_tiers(
    quick: Mapping[str, Any], standard: Mapping[str, Any] | None = None, seeds: tuple[int, ...] = FRESH[:10]
) -> dict[str, Tier]:
    """Return the tiers of a claim; standard has more weight decays or scales, if they are given.

    All are judged on seeds of liu2023.inverse_decay, so that they share its runs.
    """
    base = {**STUDENT, "steps": STEPS, **quick}
    return {"quick": Tier(seeds, base)} | ({"standard": Tier(seeds, {**base, **standard})} if standard else {})


def when_fitted_and_generalised(records: Mapping[str, Record]) -> dict[tuple[float, float], tuple[Crossing, Crossing]]:
    """Return (scale, weight decay) -> when the student fitted, and when it generalised."""
    found = {}
    for label, run in records.items():
        scale, _, decay = label.partition("/")
        found[float(scale), float(decay)] = fit_and_generalise(run, fitted=LEVEL, generalised=LEVEL)
    return found


FITTED = Gate(quantity="lowest training accuracy", above=LEVEL)
GENERALISED = Gate(quantity="lowest test accuracy", above=0.9, controls=False)


def lowest_training_accuracy(records: Mapping[str, Record]) -> Iterable[Measurement]:
    yield Measurement("lowest training accuracy", min(r.final("accuracy", "train") for r in records.values()))


def lowest_test_accuracy(records: Mapping[str, Record]) -> Iterable[Measurement]:
    yield Measurement("lowest test accuracy", min(r.final("accuracy", "test") for r in records.values()))
