"""Margins by hand, wherever the logits lie."""

import pytest
import torch

from grokscape.landscape.classification import correct, label_logit, logit_scale, margin

LOGITS = torch.tensor([[-5.0, -7.0, -9.0], [-60.0, -50.0, -80.0]], dtype=torch.float64)


@pytest.mark.parametrize("shift", [-1000.0, 0.0, 1000.0])
def test_margins_and_centred_logits_do_not_depend_on_where_the_logits_lie(shift):
    labels = torch.tensor([0, 2])
    assert margin(LOGITS + shift, labels).tolist() == [2, -30]
    assert label_logit(LOGITS + shift, labels).tolist() == pytest.approx([2, -80 + 190 / 3])
    squares = [4, 0, 4, *((value + 190 / 3) ** 2 for value in (-60, -50, -80))]
    assert float(logit_scale(LOGITS + shift)) == pytest.approx((sum(squares) / 6) ** 0.5)


def test_several_positions_count_by_their_share():
    outputs = torch.eye(3)[torch.tensor([[0, 1], [2, 2]])]
    assert correct(outputs, torch.tensor([[0, 2], [2, 2]])).tolist() == [0.5, 1.0]
