"""What an ensemble trains on, as plain arrays: what is handed to a rival that knows nothing of Grokscape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Name of a tensor -> its values in every run, the run being the first dimension.
Parameters = dict[str, NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class Numbers:
    """One training for each entry of the first dimension of every array.

    Attributes
    ----------
    model, optimiser : dict
        Their descriptions as data: ``kind`` and the fields.
    loss : {"cross_entropy", "mse"}
    parameters : dict of array
        Initial values.
    inputs : array, shape (runs, examples, ...)
        Tokens (integers) or features.
    labels : array, shape (runs, examples, outputs)
        Values, or classes as one-hot vectors.
    """

    model: dict[str, Any]
    optimiser: dict[str, Any]
    loss: str
    parameters: Parameters
    inputs: NDArray[Any]
    labels: NDArray[Any]
