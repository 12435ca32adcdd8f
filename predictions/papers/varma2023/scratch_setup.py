"""Freshly initialised networks on a share of the data, which claims about generalising from scratch have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokscape.landscape import Run
from grokscape.predictions import Setting, stop_at
from grokscape.predictions.papers.varma2023.setup import network_run

#: What all these claims share, so that they share their runs. On the share ``stop_from`` of the data or more, a run
#: ends once it has generalised for good.
QUICK: Mapping[str, Any] = {"labels": "true", "scratch_steps": 4000, "stop_from": 0.7}
STANDARD: Mapping[str, Any] = {"scratch_steps": 30_000}
PAPER: Mapping[str, Any] = {"scratch_steps": 200_000, "stop_from": 0.25}

GENERALISED = stop_at(0.99, records=8)


def from_scratch(seed: int, at: Setting, fraction: float, **changes: Any) -> Run:
    """A freshly initialised network on a share of the data.

    Near the critical size it gets ``scratch_steps``. With random labels, or so much data that it generalises soon, the
    ``steps`` of other claims will do, which then share the run.
    """
    if at.labels == "random":
        defaults: dict[str, Any] = {"labels": "random"}
    elif fraction >= at.stop_from:
        defaults = {"stop": GENERALISED}
    else:
        defaults = {"steps": at.scratch_steps}
    return network_run(seed, at, fraction, **defaults | changes)
