"""Catches a wrong formula in the transformer's short cuts (tables of scores and values, one position, merged matrices).

Training tests would not: a network with a wrong mask or scale trains, and groks, just as well.
"""

from __future__ import annotations

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models import Transformer
from grokscape.landscape.tasks import BinaryOperation, Permutations, SparseParity, Task
from tests.references import ReferenceTransformer

SHAPES = [
    pytest.param(BinaryOperation(p=7), Transformer(width=8, heads=2, hidden=12), id="pairs"),
    pytest.param(BinaryOperation(p=5), Transformer(width=8, heads=1, hidden=12, bias=False), id="pairs-no-bias"),
    pytest.param(SparseParity(n=5, k=2), Transformer(width=12, heads=4, hidden=6), id="five-positions"),
    pytest.param(SparseParity(n=1, k=1), Transformer(width=4, heads=2, hidden=6), id="one-position"),
    pytest.param(Permutations(n=3), Transformer(width=6, heads=6, hidden=1), id="heads-of-size-one"),
]


@pytest.mark.parametrize(("task", "model"), SHAPES)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-12), (torch.float32, 1e-5)], ids=["f64", "f32"])
def test_logits_and_gradients_are_those_of_all_positions(
    task: Task, model: Transformer, dtype: torch.dtype, bound: float
) -> None:
    network = model.build(task).to(dtype)
    network.initialise(seed=3, scale=2.0)
    source = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):  # zero at the start, which would hide a forgotten bias
                parameter.copy_(torch.randn(parameter.shape, generator=source))
    logits = network(task.inputs)
    expected = ReferenceTransformer(network)(task.inputs)
    assert logits.shape == (task.size, task.n_classes)
    assert (logits - expected).abs().max() <= bound * expected.abs().max()

    parameters = list(network.parameters())
    direction = torch.randn(logits.shape, generator=source, dtype=torch.float64).to(dtype)
    found = torch.autograd.grad((logits * direction).sum(), parameters)
    wanted = torch.autograd.grad((expected * direction).sum(), parameters)
    for (name, _), one, other in zip(network.named_parameters(), found, wanted, strict=True):
        # Keys, queries and scores of a sequence of one token and "=" have real gradients too: none may be zero.
        assert other.abs().max() > 0, name
        assert (one - other).abs().max() <= bound * other.abs().max(), name


def test_reference_is_causal() -> None:
    """Guards the reference itself: what a position sees must not depend on later tokens."""
    task = SparseParity(n=4, k=2)
    network = Transformer(width=8, heads=2, hidden=6).build(task)
    network.initialise(seed=0)
    reference = ReferenceTransformer(network)
    inputs = torch.tensor([[0, 1, 0, 1], [0, 1, 1, 0]])
    one, other = reference.all_positions(inputs)
    assert torch.equal(one[:2], other[:2])
    assert not torch.allclose(one[2:], other[2:])


def test_parameters_have_the_documented_shapes() -> None:
    network = Transformer(width=8, heads=2, hidden=12).build(BinaryOperation(p=7))
    assert {name: tuple(parameter.shape) for name, parameter in network.named_parameters()} == {
        "embed": (8, 8),
        "position": (3, 8),
        "query": (8, 2, 4),
        "key": (8, 2, 4),
        "value": (8, 2, 4),
        "attended": (8, 8),
        "into": (8, 12),
        "out": (12, 8),
        "unembed": (8, 7),
        "into_bias": (12,),
        "out_bias": (8,),
    }


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"heads": 3}, "heads"),
        ({"heads": 0}, "heads"),
        ({"hidden": 0}, "hidden"),
        ({"width": 0, "heads": 1}, "width"),
        ({"width": -8, "heads": 2}, "width"),
    ],
    ids=["heads-3", "heads-0", "hidden-0", "width-0", "width-negative"],
)
def test_refuses_impossible_shapes(fields: dict[str, int], named: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Transformer(**({"width": 8} | fields))
    assert f"Transformer.{named} is {({'width': 8} | fields)[named]}, expected" in str(refusal.value)


def test_refuses_inputs_of_another_length() -> None:
    network = Transformer(width=8, heads=2, hidden=12).build(BinaryOperation(p=7))
    with pytest.raises(ValueError, match="3 positions, expected 2"):
        network(torch.zeros(4, 3, dtype=torch.int64))
