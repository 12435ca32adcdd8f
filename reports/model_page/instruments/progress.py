"""Progress measures, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from grokscape.reports.model_page.account import Account, Quantity, listed
from grokscape.reports.numbers import capital, count, number


def progress(result: Any) -> Account:
    """Tell of progress measures."""
    from grokscape.landscape.measures.progress import MEASURES

    steps, values = result.steps, result.values
    parts = []
    for name, word in (
        ("weight_norm", "the weight norm"),
        ("test_loss", "the test loss"),
        ("test_accuracy", "test accuracy"),
    ):
        if name in values and np.isfinite(values[name][[0, -1]]).all():
            parts.append(f"{word} goes from {number(values[name][0], 3)} to {number(values[name][-1], 3)}")
    told = f"{listed(parts)}." if parts else f"{len(values)} quantities were followed."
    told += _lost(result)
    sources = [MEASURES[name] for name in result.quantities if name in MEASURES]
    return Account(
        f"From step {steps[0]} to step {steps[-1]}, over {count(len(steps), 'checkpoint')}, {told}",
        tuple(
            Quantity(name.replace("_", " "), float(values[name][-1]))
            for name in ("test_accuracy", "weight_norm", "restricted_loss", "kernel_distance")
            if name in values
        ),
        "",
        "the numbers above are those of the last checkpoint",
        "two standard errors over random draws where a band is drawn, otherwise none but rounding",
        "; ".join(dict.fromkeys(measure.source.split(",")[0].split(";")[0] for measure in sources)),
        warnings=tuple(
            f"Left out: {', '.join(sorted(result.left_out)).replace('_', ' ')}; the factory can return 'context', a "
            "grokscape.landscape.measures.progress.Context that says what they need."
            for _ in range(bool(result.left_out))
        ),
        terms=tuple((capital(measure.name.replace("_", " ")), measure.formula) for measure in sources),
    )


def _lost(result: Any) -> str:
    """Say at which checkpoints nothing could be measured."""
    if not result.values:
        return ""
    nothing = np.isnan(np.stack([np.asarray(values, dtype=float) for values in result.values.values()])).all(0)
    steps = [str(step) for step, lost in zip(result.steps, nothing, strict=True) if lost]
    if not steps:
        return ""
    named = listed(steps[:5] + ([f"{len(steps) - 5} others"] if len(steps) > 5 else []))
    word = "step" if len(steps) == 1 else "steps"
    return f" Nothing could be measured at {word} {named}, where weights are not finite."
