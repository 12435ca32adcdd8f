"""What instruments require, and the reason given where it is not met."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from grokscape.landscape.problem import Problem
from grokscape.reports.model_page import requirements
from grokscape.reports.model_page.instrument import Instrument
from grokscape.reports.model_page.subject import Subject

INPUTS = torch.ones(4, 2)
LABELS = torch.tensor([0, 1, 0, 1])


def subject(model=None, loss=nn.functional.cross_entropy, targets=LABELS, **more):
    return Subject(Problem(model or nn.Linear(2, 2), loss, (INPUTS, targets)), "a.py:b", "Linear", **more)


def test_classification():
    assert requirements.classification(subject()) == ""
    regression = subject(loss=nn.functional.mse_loss, targets=torch.ones(4, 2))
    assert requirements.classification(regression) == (
        "it needs outputs of shape (n, n_classes) and class indices as targets"
    )
    assert requirements.output_tensor(regression) == ""


def test_test_data_and_checkpoints():
    assert requirements.test_data(subject()) == "it needs test data; return 'test' too"
    one = subject(checkpoints=((0, nn.Linear(2, 2)),))
    assert requirements.checkpoints(one).startswith("it needs at least two checkpoints")


def test_two_networks():
    alone = subject()
    assert requirements.two_networks(alone).startswith("it needs two networks; return 'other'")
    same = dataclasses.replace(alone, other=alone.problem.start)
    assert requirements.two_networks(same) == "the two networks that it needs are the same"
    assert requirements.two_networks(dataclasses.replace(alone, other=nn.Linear(2, 2))) == ""


def test_fresh_models():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.eye(2))

        def forward(self, inputs):
            return inputs @ self.weight

    assert requirements.fresh_models(subject()) == ""
    assert requirements.fresh_models(subject(Own())).startswith("it trains fresh models, but ")


@pytest.mark.parametrize(("met", "reason"), [((True, True), ""), ((True, False), "second"), ((False, False), "first")])
def test_the_first_that_is_not_met_is_named(met, reason):
    wanted = [
        lambda _, fine=fine, word=word: "" if fine else word
        for fine, word in zip(met, ("first", "second"), strict=True)
    ]
    instrument = Instrument(name="a", title="", about="", run=None, summary=None, requires=tuple(wanted))
    assert instrument.unmet(subject()) == reason
