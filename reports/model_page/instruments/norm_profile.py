"""The loss over the weight norm, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from grokscape.reports.model_page.account import Account, Quantity, unless
from grokscape.reports.numbers import count


def norm_profile(result: Any) -> Account:
    """Tell of the loss over the norm."""
    train, test, critical = result.shape("train"), result.shape("test"), result.critical_norm()
    seeds = len(result.seeds)
    kept = int(result.converged[-1].sum())
    where = Quantity("critical norm / initial", critical.estimate, low=critical.low, high=critical.high)
    if np.isfinite(critical.estimate):
        minimum = f"; its minimum lies at {where.text} times the initial norm"
    else:
        inside = int(np.isfinite(critical.seeds).sum())
        minimum = f"; {inside} of {seeds} seeds have its minimum inside the norms measured"
    agree = f"; {round(test.agreement * seeds)} of {seeds} seeds agree" if test.kind != "neither" else ""
    return Account(
        f"The training loss {_shape(train.kind)}. The test loss {_shape(test.kind)}{minimum}{agree}.",
        (
            Quantity("shape of training and test loss", np.nan, word=f"{train.kind}, {test.kind}"),
            where,
        ),
        "L_train and L_test of θ*(w) = argmin L_train(θ) subject to |θ| = w, by Adam on the sphere; L: falls, then is "
        "flat; U: rises on both sides of its minimum, by a factor of 2 or more",
        "the loss's own; norms in multiples of each seed's initial norm",
        f"95 % t interval over {count(seeds, 'seed')} (initialisations) of the parabola's vertex",
        "Liu, Michaud and Tegmark 2023 (Omnigrok)",
        arxiv="2210.01117",
        converged=bool(result.converged.all()),
        warnings=(
            *unless(
                kept == seeds * len(result.scales),
                f"{kept} of {seeds * len(result.scales)} networks came to rest; the others are crosses in the figure, "
                "and take no part in shape or minimum.",
            ),
            *unless(train.kind != "neither", f"Training loss: {train.reason}."),
            *unless(test.kind != "neither", f"Test loss: {test.reason}."),
        ),
    )


def _shape(kind: str) -> str:
    return {"L": "has an L", "U": "has a U", "flat": "is flat"}.get(kind, "has neither an L nor a U that is certain")
