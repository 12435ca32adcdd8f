"""Miller et al. 2023: their networks on concealed arithmetic, and how these are trained here."""

from __future__ import annotations

import math
from typing import Any

from grokscape.landscape import SGD, ConcealedOperation, Dense, GrokkingGap, Run, Schedule
from grokscape.predictions import Setting, stop_at

#: Held-out examples.
TEST = 600

#: One step of these stands for an epoch of the paper's minibatches: 19 steps at rate 0.1 move as far as one at
#: 0.2 / (1 - 0.9), and decay the weights as much.
NETWORK: dict[str, Any] = {
    "noise": "bits",
    "n_train": 600,
    "width": 100,
    "optimiser": SGD(lr=0.2, momentum=0.9, weight_decay=0.01),
    "steps": 1000,
    "initial_scale": 1.0,
}


def concealed(seed: int, at: Setting, operation: str, dimensions: int, **changes: Any) -> Run:
    """Train a network on data of its own until it generalises or the steps are used up."""
    fields: dict[str, Any] = {
        "task": ConcealedOperation(
            operation=operation, dimensions=dimensions, noise=at.noise, examples=at.n_train + TEST, draw=seed
        ),
        "model": Dense(widths=(at.width,)),
        "optimiser": at.optimiser,
        "n_train": at.n_train,
        "initial_scale": at.initial_scale,
        "steps": at.steps,
        "record": Schedule(per_decade=10, every=5),
        "stop": stop_at(0.95, records=4),
        "seed": seed,
    }
    return Run(**(fields | changes))


def log_gap(gap: GrokkingGap) -> float:
    """Return the logarithm of a gap as the authors take it, 0 where there is none (a lower bound if it is censored)."""
    return math.log(gap.steps) if gap.steps > 0 else 0.0
