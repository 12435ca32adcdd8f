"""Timing in turns: whatever else the machine does burdens all alike, and the ratio of medians is what counts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch


def medians(
    steps: dict[str, Callable[[], object]], *, rounds: int, warm: int = 3, device: str = "cpu"
) -> dict[str, float]:
    """Time several functions in turns; return the median seconds of each."""
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds + warm):
        for name, step in steps.items():
            wait()
            began = time.perf_counter()
            step()
            wait()
            if turn >= warm:  # the first turns warm up
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}
