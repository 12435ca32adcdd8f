"""Networks at many points of a line, a plane or a path, evaluated a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.problem import Problem

Progress = Callable[[float], None]


def evaluate_at(
    problem: Problem,
    place: Callable[[Tensor], Tensor],
    coordinates: np.ndarray,
    *,
    chunk_size: int | None = None,
    progress: Progress | None = None,
) -> tuple[dict[str, np.ndarray], Cost]:
    """Evaluate the networks ``place(coordinates)`` a few at a time, so that never more than `chunk_size` exist.

    Returns
    -------
    dict of ndarray, shape (n,)
        train_loss, train_accuracy, test_loss and test_accuracy; NaN without test data.
    Cost
    """
    count = len(coordinates)
    found = {f"{split}_{name}": np.full(count, np.nan) for split in ("train", "test") for name in ("loss", "accuracy")}
    for some in chunks(problem, count, chunk_size):
        params = place(torch.as_tensor(coordinates[some]).to(problem.start))
        for split in problem.batches:
            for name, values in problem.evaluate(params, split).items():
                found[f"{split}_{name}"][some] = values.numpy()
        if progress is not None:
            progress(min(some.stop, count) / count)
    return found, Cost(evaluations=count * len(problem.batches))


def chunks(problem: Problem, count: int, chunk_size: int | None) -> list[slice]:
    """Cut ``range(count)`` into runs of networks to be handled side by side: by default 16, or 64 MiB of parameters."""
    size = max(1, min(16, 2**26 // (problem.size * problem.start.element_size()))) if chunk_size is None else chunk_size
    if size < 1:
        raise InvalidInput(f"chunk_size is {chunk_size}, expected at least 1")
    return [slice(first, first + size) for first in range(0, count, size)]


def split_frame(result: Result, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return a tidy table of some columns with split, loss and accuracy; a split that was not measured is left out."""
    frames = []
    for split in ("train", "test"):
        loss = getattr(result, f"{split}_loss").ravel()
        if split == "train" or not np.isnan(loss).all():
            accuracy = getattr(result, f"{split}_accuracy").ravel()
            own = {name: values.ravel() for name, values in columns.items()}
            frames.append(pd.DataFrame({**own, "split": split, "loss": loss, "accuracy": accuracy}))
    return pd.concat(frames, ignore_index=True)
