"""Trigonometric parts of logits: against closed forms and the instrument."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from grokscape.landscape.measures.circuits import cyclic, split_by_projection
from grokscape.landscape.problem import Problem
from grokscape.predictions.papers.varma2023.logit_setup import logits_of, share, split_of, trigonometric
from tests.predictions.papers.varma2023.by_hand import SMALL, P, made, run_on


def test_share_of_a_network_made_by_hand():
    """Waves in a + b - c of amplitude (1 + cos(w (a - b))) / 2, which is 1/2 on average and has the mean square 3/8."""
    logits = logits_of(made(run_on(0.5)))
    answers = SMALL["task"].labels
    ruled = trigonometric(logits, answers)
    element = (answers[:, None] - torch.arange(P)) % P
    torch.testing.assert_close(ruled, torch.cos(2 * math.pi * element.double() / P) / 2)
    assert share(logits, answers) == pytest.approx(math.sqrt(2 / 3))


def test_share_of_a_table_is_the_root_of_the_fraction_and_nothing_where_it_is_silent():
    run = run_on(0.4)
    train, held_out = split_of(run)
    answers = run.task.labels
    table = torch.zeros(P * P, P, dtype=torch.float64)
    table[train] = F.one_hot(answers[train], P).double() - 1 / P
    assert share(table, answers) == pytest.approx(math.sqrt(len(train) / P**2))
    assert float(trigonometric(table[held_out], answers[held_out]).norm()) == 0


def test_share_of_noise_is_that_of_its_dimensions():
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=(P * P, P)))
    noise -= noise.mean(1, keepdim=True)
    assert share(noise, SMALL["task"].labels) == pytest.approx(1 / P, abs=0.05)


def test_it_is_the_projection_of_the_instrument():
    run = run_on(0.6, seed=3)
    record = made(run, noise=0.05)
    train, test = split_of(run)
    inputs, answers = run.task.inputs, run.task.labels
    network = run.model.build(run.task).double()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in record.weights().items()})
    problem = Problem(network, F.cross_entropy, (inputs[train], answers[train]), test=(inputs[test], answers[test]))
    split = split_by_projection(problem, cyclic(P, inputs), average="all", nulls=1)
    torch.testing.assert_close(trigonometric(logits_of(record), answers), split.generalising.outputs(inputs))
