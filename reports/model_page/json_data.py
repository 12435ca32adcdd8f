"""Everything measured as JSON-able data, for ``grokscape measure --json``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from grokscape.reports.model_page.page import MeasuredModel
from grokscape.reports.model_page.run import InstrumentRun


def json_data(measured: MeasuredModel) -> dict[str, Any]:
    """Return everything measured; NaN is null, and infinity a word."""
    return {
        "target": measured.target,
        "command": measured.command,
        "about": dict(measured.facts),
        "made": dict(measured.provenance),
        "measured": {run.name: _entry(run) for run in measured.runs},
        "left_out": {instrument.name: reason for instrument, reason in measured.left_out.items()},
        "unfinished": {instrument.name: reason for instrument, reason in measured.unfinished.items()},
    }


def _entry(run: InstrumentRun) -> dict[str, Any]:
    entry: dict[str, Any] = {"seconds": run.seconds, "failure": run.failure}
    summary = run.summary
    if run.result is None or summary is None:
        return entry
    return entry | {
        "sentence": summary.sentence,
        "converged": summary.converged,
        "warnings": [*summary.warnings, *run.warnings],
        "quantities": [
            {key: _plain(getattr(quantity, key)) for key in ("name", "value", "error", "low", "high", "word")}
            for quantity in summary.quantities
        ],
        "table": [
            {key: _plain(value) for key, value in row.items()} for row in run.result.to_frame().to_dict("records")
        ],
    }


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "infinity" if value > 0 else "-infinity"
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
