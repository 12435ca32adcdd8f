"""What scaling logits does to the loss: against torch and a closed form, and how the claim can come out."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.varma2023.logit_setup import logits_of
from grokscape.predictions.papers.varma2023.logits import log_loss, logit_scaling, loss_with_and_without_scaling
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.papers.varma2023.by_hand import P, judged, made, run_on


def test_log_loss_against_torch_and_far_below_its_rounding():
    rng = np.random.default_rng(1)
    logits, labels = torch.from_numpy(rng.normal(size=(50, P))), torch.from_numpy(rng.integers(0, P, 50))
    assert log_loss(logits, labels) == pytest.approx(float(F.cross_entropy(logits, labels).log()))
    certain = 200.0 * F.one_hot(labels, P).double()  # a loss of 10 exp(-200), which is no difference of floats
    assert log_loss(certain, labels) == pytest.approx(math.log(P - 1) - 200)
    wrong = 50 * certain.roll(1, 1)
    assert log_loss(wrong, labels) == pytest.approx(math.log(1e4))


def test_scaling_lowers_the_loss_of_a_perfect_network_by_what_the_closed_form_says():
    at = Setting({"factors": (1.1, 2.0)})
    run = run_on(1.0)
    found = {
        (m.quantity, m.at): m.value for m in loss_with_and_without_scaling({"generalising": made(run, rule=10.0)}, at)
    }
    logits, labels = logits_of(made(run, rule=10.0)), run.task.labels
    expected = F.cross_entropy(2 * logits, labels).log() - F.cross_entropy(logits, labels).log()
    assert found["log ratio of losses, generalising", 2.0] == pytest.approx(float(expected))
    assert found["training errors", None] == 0


def scaled(arm, run, *, errs=False):
    """Perfect networks answer every example; others answer by a rule that is not that of their labels."""
    perfect = arm == CLAIM and not errs
    return made(run, rule=10.0 if perfect else -10.0)


def test_logit_scaling():
    claim = dataclasses.replace(
        logit_scaling, runs=lambda seed, at: {"generalising": run_on(0.9, seed)}
    )  # random labels need training
    found = judged(claim, scaled)
    assert found.status is Status.PASS
    assert found.controls[0].outcome == "falsified"
    assert judged(claim, lambda *a: scaled(*a, errs=True)).status is Status.INVALID
