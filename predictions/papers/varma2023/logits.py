"""What scaling the logits of a trained network does to its loss."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from grokscape.landscape import Experiment, Record
from grokscape.predictions import Below, Calibrated, Control, Criterion, Gate, Measurement, Setting
from grokscape.predictions.papers.varma2023 import claim
from grokscape.predictions.papers.varma2023.logit_setup import labels_of, logits_of, run_of, split_of
from grokscape.predictions.papers.varma2023.setup import network_run, tiers


def log_loss(logits: Tensor, labels: Tensor) -> float:
    """Return the logarithm of the mean cross-entropy, exact for losses far below the rounding of the logits."""
    at_label = logits.gather(1, labels[:, None])
    others = (logits - at_label).scatter(1, labels[:, None], -torch.inf).logsumexp(1)
    # log softplus(x) is x for very negative x, where softplus itself would vanish.
    each = torch.where(others < -30, others, F.softplus(others.clamp(min=-30)).log())
    return float(each.logsumexp(0) - math.log(len(labels)))


def generalising_and_memorising_network(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {
        "generalising": network_run(seed, at, at.fraction, steps=at.steps),
        "memorising": network_run(seed, at, at.fraction, steps=at.steps, labels="random"),
    }


def loss_with_and_without_scaling(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
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


logit_scaling = claim(
    id="varma2023.logit_scaling",
    claim="Multiplying all logits of a network that fits its data perfectly by a factor above 1 lowers its loss.",
    where="theorem D.1, appendix D.1",
    runs=generalising_and_memorising_network,
    measure=loss_with_and_without_scaling,
    gates=(Gate(quantity="training errors", below=0.5, controls=False),),
    criteria=(
        Criterion(
            quantity="largest log ratio of the losses with and without scaling",
            rule=Below(0.0, centre="mean"),
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
    tiers=tiers({"fraction": 0.9, "factors": (1.1, 2.0)}),
    notes="A theorem about logits: what is checked is that trained networks are inside its premises. The worst of the "
    "generalising and the memorising network and of all factors decides.",
)
