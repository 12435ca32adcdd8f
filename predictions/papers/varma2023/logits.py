"""Varma, Shah, Kenton, Kramar and Kumar 2023: logits of trained networks, their parts, and what scaling them does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from grokscape.landscape import Experiment, Record, Run
from grokscape.predictions import Below, Calibrated, Control, Criterion, Gate, Measurement, Prediction, Setting
from grokscape.predictions.papers.varma2023.setup import CALIBRATION, THEORY, VARMA_2023, network_run, tiers

# -- Logits and their trigonometric part -------------------------------------------------------------------------------


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


# -- Scaling of the logits ---------------------------------------------------------------------------------------------


def log_loss(logits: Tensor, labels: Tensor) -> float:
    """Return the logarithm of the mean cross-entropy, exact for losses far below the rounding of the logits."""
    at_label = logits.gather(1, labels[:, None])
    others = (logits - at_label).scatter(1, labels[:, None], -torch.inf).logsumexp(1)
    # log softplus(x) is x for very negative x, where softplus itself would vanish.
    each = torch.where(others < -30, others, F.softplus(others.clamp(min=-30)).log())
    return float(each.logsumexp(0) - math.log(len(labels)))


def fitted(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {
        "generalising": network_run(seed, at, at.fraction, steps=at.steps),
        "memorising": network_run(seed, at, at.fraction, steps=at.steps, labels="random"),
    }


def gains(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    ratios, errors = [], []
    for name, record in records.items():
        run = run_of(record)
        train, _ = split_of(run)
        logits, labels = logits_of(record)[train], labels_of(run)[train]
        errors.append(float((logits.argmax(1) != labels).double().sum()))
        for factor in at.factors:
            ratios.append(log_loss(factor * logits, labels) - log_loss(logits, labels))
            yield Measurement(f"log ratio of losses, {name}", ratios[-1], at=factor)
    yield Measurement("largest log ratio of the losses with and without scaling", max(ratios))
    yield Measurement("training errors", max(errors))


logit_scaling = Prediction(
    id="varma2023.logit_scaling",
    claim="Multiplying all logits of a network that fits its data perfectly by a factor above 1 lowers its loss.",
    source=VARMA_2023,
    where="theorem D.1, appendix D.1",
    theory=THEORY,
    runs=fitted,
    measure=gains,
    gates=(Gate(quantity="training errors", below=0.5, controls=False),),
    criteria=(
        Criterion(
            quantity="largest log ratio of the losses with and without scaling",
            rule=Below(0.0, "mean"),
            threshold_from="the theorem: the loss is strictly lower, whatever the network and the factor",
            calibrated=Calibrated(-1.01, 0.006, "0-9"),
        ),
    ),
    controls=(
        Control(
            "training errors",
            {"steps": 30, "factors": (50.0,)},
            "a network that makes errors is only made surer of them",
        ),
    ),
    tiers=tiers(quick={"fraction": 0.9, "factors": (1.1, 2.0)}),
    calibration_seeds=CALIBRATION,
    notes="A theorem about logits: what is checked is that trained networks are inside its premises. The worst of the "
    "generalising and the memorising network and of all factors decides.",
)
