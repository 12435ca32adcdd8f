"""Logits of trained networks on all inputs, and the part of them that is trigonometric."""

from __future__ import annotations

import torch
from torch import Tensor

from grokscape.landscape import Record, Run


def run_of(record: Record) -> Run:
    assert isinstance(record.experiment, Run)
    return record.experiment


def split_of(run: Run) -> tuple[Tensor, Tensor]:
    """Return the numbers of the inputs that a run trains on, and of all others."""
    split = run.task.split(run.n_train, seed=run.seed)
    return split.train, split.test


def labels_of(run: Run) -> Tensor:
    """Return the label that a run learns for each input."""
    return run.task.labels if run.labels == "true" else run.task.random_labels(seed=run.seed)


@torch.no_grad()
def logits_of(record: Record, step: int | None = None) -> Tensor:
    """Return a network's logits on all inputs in float64, centred over classes, shape (N, p)."""
    run = run_of(record)
    network = run.model.build(run.task).double()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in record.weights(step).items()})
    logits = network(run.task.inputs)
    return logits - logits.mean(1, keepdim=True)


def trigonometric(logits: Tensor, answers: Tensor) -> Tensor:
    """Return the part of centred logits that is a function of (a + b - c) mod p, shape (N, p).

    Waves of all frequencies in a + b - c span all such functions (whose mean is zero, as that of centred logits is), so
    the orthogonal projection is the mean over the entries with equal a + b - c.

    Parameters
    ----------
    logits : Tensor, shape (N, p)
    answers : Tensor of int64, shape (N,)
        a + b modulo p for each input.
    """
    p = logits.shape[1]
    element = (answers[:, None] - torch.arange(p)) % p
    function = logits.gather(1, element).mean(0)  # in column d stand the entries with a + b - c = d
    return function[element]


def share(logits: Tensor, answers: Tensor) -> float:
    """Return the norm of the trigonometric part over that of all logits."""
    return float(trigonometric(logits, answers).norm() / logits.norm())
