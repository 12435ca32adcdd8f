"""A part of a network that runs by itself, and how well it does."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grokscape.landscape.classification import margin
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.batches import to_device

#: Inputs -> outputs.
Run = Callable[[Any], Tensor]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How a circuit does on some data.

    Attributes
    ----------
    loss : float
        Mean of the problem's own loss.
    accuracy : float
        Share of examples classified correctly; a tie counts as wrong, so outputs that are all equal score 0.
    margin : float
        Mean of ``z_label - max(other z)``.
    """

    loss: float
    accuracy: float
    margin: float


@dataclass(frozen=True)
class Quiet:
    """A function of inputs, run without a graph, on the problem's device and in its precision."""

    problem: Problem
    run: Run

    @torch.no_grad()
    def __call__(self, inputs: Any) -> Tensor:
        return self.run(to_device(inputs, self.problem.start))


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """A part of a network that runs by itself.

    Attributes
    ----------
    name : str
    outputs : callable
        ``outputs(inputs)``, the circuit's logits, shape (n, n_classes), without a graph. The model is not touched.
    norm : float
        L2 norm of the weights attributable to the circuit (see the function that made the split).
    train, test : Scores
    """

    name: str
    outputs: Run
    norm: float
    train: Scores
    test: Scores

    @property
    def margin(self) -> float:
        """The mean margin on the training data."""
        return self.train.margin

    def efficiency(self, kappa: float) -> float:
        """Return ``margin / norm^kappa``; NaN for a circuit without weights.

        Parameters
        ----------
        kappa : float
            The degree in which outputs grow with all weights: 2 for two layers without biases, and so on.
        """
        return self.margin / self.norm**kappa if self.norm else math.nan


def scored(problem: Problem, name: str, run: Run, norm: float) -> Circuit:
    """Return a circuit with its scores on the problem's training and test data."""
    call = Quiet(problem, run)
    train, test = (_scores(problem, call, split) for split in ("train", "test"))
    return Circuit(name=name, outputs=call, norm=norm, train=train, test=test)


def need_classes(problem: Problem, instrument: str) -> int:
    """Return the number of classes; refuse a problem without test data, logits or class labels."""
    problem.need_test(instrument)
    inputs, targets = problem.batches["train"][0]
    with torch.no_grad():
        outputs = problem.outputs(problem.start, inputs)
    if not isinstance(outputs, Tensor) or outputs.ndim != 2 or outputs.shape[1] < 2:
        found = f"shape {tuple(outputs.shape)}" if isinstance(outputs, Tensor) else type(outputs).__name__
        raise InvalidInput(f"outputs have {found}, but {instrument} needs logits of shape (n, n_classes)")
    if not isinstance(targets, Tensor) or targets.is_floating_point() or targets.shape != outputs.shape[:1]:
        found = (
            f"{targets.dtype} of shape {tuple(targets.shape)}" if isinstance(targets, Tensor) else f"{targets!r:.40}"
        )
        raise InvalidInput(
            f"targets are {found}, but {instrument} needs class indices of shape (n,); give them as integers and let "
            "the loss turn them into what it compares with"
        )
    for split, batches in problem.batches.items():
        for _, labels in batches:
            if not 0 <= int(labels.min()) <= int(labels.max()) < outputs.shape[1]:
                raise InvalidInput(
                    f"{split} targets go from {int(labels.min())} to {int(labels.max())}, but {instrument} needs class "
                    f"indices from 0 to {outputs.shape[1] - 1}; leave examples without a class out of the data"
                )
    return int(outputs.shape[1])


def centred(logits: Tensor) -> Tensor:
    """Take each example's mean over classes off its logits, shape (..., n_classes)."""
    return logits - logits.mean(-1, keepdim=True)


def _scores(problem: Problem, run: Run, split: str) -> Scores:
    loss = accuracy = gap = 0.0
    for share, (inputs, targets) in problem.shared(split):
        outputs, part = run(inputs), len(targets) / problem.count[split]
        loss += share * float(problem.output_loss(outputs, targets)) if share else 0.0
        accuracy += part * problem.accuracy(outputs, targets)[0]
        gap += part * float(margin(outputs, targets.long()).mean())
    return Scores(loss=loss, accuracy=accuracy, margin=gap)
