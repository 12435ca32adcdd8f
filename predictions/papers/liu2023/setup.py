"""Liu, Michaud and Tegmark 2023 (Omnigrok): their teacher and student, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokscape.landscape import AdamW, Dense, Run, Stop, TeacherStudent
from grokscape.predictions import Setting, Source

LIU_2023 = Source(
    key="liu2023",
    title="Omnigrok: Grokking beyond algorithmic data",
    authors="Liu, Michaud, Tegmark",
    arxiv="2210.01117",
)
THEORY = "weight norm and the LU landscape"
SEEDS = tuple(range(100, 110))
#: For claims that the first ten left undecided: judged again on others, twice as many, by the same criteria.
FRESH = tuple(range(130, 150))
CALIBRATION = tuple(range(20))

#: The paper's student has the shape of its teacher. An answer is right if its mean squared error is below 0.001.
STUDENT: Mapping[str, Any] = {
    "task": TeacherStudent(examples=600),
    "model": Dense(widths=(100, 100), activation="tanh"),
    "n_train": 100,
    "labels": "true",
}
#: Generalised: 95 % of the test examples within the tolerance, for five records.
GENERALISED = (Stop(quantity="accuracy", split="test", above=0.95, records=5),)
LEVEL = 0.95


def student_run(seed: int, at: Setting, *, scale: float, decay: float, steps: int) -> Run:
    """A student that starts at a multiple of the usual initial weights."""
    return Run(
        task=at.task,
        model=at.model,
        optimiser=AdamW(lr=3e-4, weight_decay=decay, beta2=0.999),
        n_train=at.n_train,
        labels=at.labels,
        loss="mse",
        initial_scale=scale,
        steps=steps,
        stop=GENERALISED,
        seed=seed,
    )
