"""Catches an initialisation that depends on anything but seed and scale.

Everything else takes the initial weights from `initialise` on both sides of a comparison, and would agree.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grokscape.landscape.models import Model, Perceptron, Transformer
from grokscape.landscape.tasks import BinaryOperation

TASK = BinaryOperation(p=23)
MODELS = [
    pytest.param(Perceptron(width=50, bias=True, embedding=20), id="perceptron"),
    pytest.param(Transformer(width=24, heads=4, hidden=50), id="transformer"),
]


def initial(model: Model, dtype: torch.dtype = torch.float32, **how: float) -> dict[str, torch.Tensor]:
    network = model.build(TASK).to(dtype)
    network.initialise(**({"seed": 0} | how))  # type: ignore[arg-type]
    return {name: parameter.detach().clone() for name, parameter in network.named_parameters()}


@pytest.mark.parametrize("model", MODELS)
def test_float32_weights_are_rounded_float64_weights(model: Model) -> None:
    single, double = initial(model, scale=3.7), initial(model, torch.float64, scale=3.7)
    for name, weights in single.items():
        assert torch.equal(weights, double[name].float()), name
    assert any(not torch.equal(single[name].double(), double[name]) for name in single)


@pytest.mark.parametrize("model", MODELS)
def test_seed_alone_decides(model: Model) -> None:
    torch.manual_seed(1)
    one = initial(model)
    torch.manual_seed(2)
    same, other = initial(model), initial(model, seed=1)
    for name, weights in one.items():
        assert torch.equal(weights, same[name])
        assert name.endswith("bias") or not torch.equal(weights, other[name])


@pytest.mark.parametrize("model", MODELS)
def test_scale_multiplies_every_weight(model: Model) -> None:
    plain, scaled = initial(model, torch.float64), initial(model, torch.float64, scale=8.0)
    assert all(torch.equal(8 * weights, scaled[name]) for name, weights in plain.items())


@pytest.mark.parametrize("model", MODELS)
def test_weights_are_spread_as_declared_and_unlike_one_another(model: Model) -> None:
    network = model.build(TASK)
    declared = network.standard_deviations()
    seen = []
    for name, weights in initial(model, torch.float64).items():
        if declared[name] == 0:
            assert not weights.any()
            continue
        n = weights.numel()
        # Five standard errors of the mean and of the standard deviation.
        assert abs(weights.mean()) < 5 * declared[name] / n**0.5, name
        assert abs(weights.std() / declared[name] - 1) < 5 / (2 * n) ** 0.5, name
        seen.append((weights / declared[name]).flatten()[:40].numpy())
    # Independent streams: no two tensors begin with the same draws.
    correlation = np.corrcoef(seen) - np.eye(len(seen))
    assert np.abs(correlation).max() < 0.6


def test_transformer_is_as_wide_as_published() -> None:
    declared = Transformer(width=16, heads=4, hidden=8).build(TASK).standard_deviations()
    assert {name: std for name, std in declared.items() if not name.endswith("bias")} == dict.fromkeys(
        ["embed", "position", "query", "key", "value", "attended", "into", "out", "unembed"], 0.25
    )


def test_perceptron_has_the_variance_of_default_dense_layers() -> None:
    network = Perceptron(width=60).build(TASK)
    torch.manual_seed(0)
    # Over 2760 draws from a uniform distribution, the standard deviation is known to 0.9 %.
    default = torch.nn.Linear(2 * 23, 60).weight.std().item()
    assert network.standard_deviations()["hidden"] == pytest.approx(default, rel=0.04)
    assert network.standard_deviations()["hidden"] == pytest.approx((3 * 2 * 23) ** -0.5, rel=1e-12)
    assert network.standard_deviations()["output"] == pytest.approx((3 * 60) ** -0.5, rel=1e-12)
