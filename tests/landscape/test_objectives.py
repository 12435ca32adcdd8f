"""Catches losses that lose precision where grokking happens: at confident logits, far below one."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from grokscape.landscape.objectives import OBJECTIVES, cross_entropy, mse


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5)], ids=str)
def test_losses_per_example_are_those_of_torch(shape: tuple[int, ...]) -> None:
    source = torch.Generator().manual_seed(0)
    logits = torch.randn(*shape, 4, generator=source, dtype=torch.float64)
    labels = torch.randint(4, shape, generator=source)
    one_hot = torch.nn.functional.one_hot(labels, 4).double()
    expected = {
        "cross_entropy": -torch.log_softmax(logits, -1).gather(-1, labels[..., None]).squeeze(-1),
        "mse": ((logits - one_hot) ** 2).mean(-1),
    }
    assert set(OBJECTIVES) == set(expected)
    for name, loss in OBJECTIVES.items():
        found = loss(logits, labels)
        assert found.shape == shape
        assert torch.allclose(found, expected[name], rtol=1e-14, atol=0)


def test_cross_entropy_of_extreme_logits_is_finite() -> None:
    logits = torch.tensor([[1000.0, 0.0], [0.0, 1000.0], [40.0, 0.0]], dtype=torch.float64)
    losses = cross_entropy(logits, torch.tensor([0, 0, 0]))
    assert losses[:2].tolist() == [0.0, 1000.0]
    # log(1 + exp(-40)) is exp(-40) to 16 digits, but log-softmax in doubles can say no more than one rounding of 40.
    assert losses[2].item() == pytest.approx(4.248354255291589e-18, abs=2**-47)


def test_mse_near_the_optimum_does_not_cancel() -> None:
    tiny = 2.0**-30
    logits = torch.tensor([[1.0 + tiny, tiny, 0.0]], dtype=torch.float64)
    assert mse(logits, torch.tensor([0])).item() == pytest.approx(float(Fraction(2, 3 * 2**60)), rel=1e-15)
