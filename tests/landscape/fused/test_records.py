"""Catches a compiled record that differs from PyTorch's, above all where numbers are extreme or none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grokscape.landscape.stack import Stack
from grokscape.landscape.training.measurements import RunMeasurer

pytest.importorskip("numba")

N, CLASSES = 40, 7


def looked(outputs: torch.Tensor, labels: torch.Tensor, loss: str, tolerance: float | None, switch: str) -> dict:
    stack = Stack(torch.nn.Linear(3, 2))
    generator = torch.Generator().manual_seed(2)
    masks = {name: (torch.rand(1, N, generator=generator) < share) for name, share in (("train", 0.5), ("test", 0.9))}
    masks["unmirrored"] = torch.zeros(1, N, dtype=torch.bool)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROKSCAPE_COMPILED", switch)
        measurer = RunMeasurer(stack, labels[None], masks, loss, tolerance)
        assert (measurer.kernel is None) == (switch == "0")
        return measurer.run(0, stack.spread(torch.arange(8.0)), outputs)


def both(outputs: torch.Tensor, labels: torch.Tensor, loss: str, tolerance: float | None = None) -> dict:
    compiled, plain = (looked(outputs, labels, loss, tolerance, switch) for switch in "10")
    assert compiled.keys() == plain.keys()
    for key, value in compiled.items():
        assert value == pytest.approx(plain[key], rel=1e-12, abs=1e-14, nan_ok=True), key
    return compiled


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 300.0])
def test_classes(dtype: torch.dtype, loss: str, scale: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(N, CLASSES, generator=generator, dtype=torch.float64).to(dtype)
    labels = torch.randint(0, CLASSES, (N,), generator=generator)
    logits[3] = 0.5 * scale  # no logit is the largest
    found = both(logits, labels, loss)
    assert {split for split, _ in found} == {"", "train", "test"}
    assert 0 < found["test", "accuracy"] < 1
    assert found["", "weight_norm"] == pytest.approx(np.sqrt(140))
    assert found["", "weight_norm/bias"] == pytest.approx(np.sqrt(36 + 49))


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["label", "other"])
def test_what_is_no_number_stays_none(odd: float, place: str) -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(N, CLASSES, generator=generator)
    labels = torch.zeros(N, dtype=torch.int64)
    logits[5, 0 if place == "label" else 2] = odd
    both(logits, labels, "cross_entropy")


def test_one_class() -> None:
    both(torch.ones(N, 1), torch.zeros(N, dtype=torch.int64), "cross_entropy")


def test_values() -> None:
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(N, 3, generator=generator)
    outputs = values + 0.05 * torch.randn(N, 3, generator=generator)
    found = both(outputs, values, "mse", 0.0025)
    assert 0.2 < found["train", "accuracy"] < 0.9
    outputs[0, 0] = torch.nan
    both(outputs, values, "mse", 0.0025)
