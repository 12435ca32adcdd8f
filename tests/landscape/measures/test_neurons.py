"""Neurons own the slices that they say, of whatever feeds them and whatever they feed."""

from __future__ import annotations

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.layout import Layout
from grokscape.landscape.measures.neurons import Neurons

LAYOUT = Layout(
    {"in": torch.Size([3, 2]), "bias": torch.Size([3]), "out": torch.Size([2, 3]), "back": torch.Size([3, 3])}
)
VECTOR = torch.arange(1.0, LAYOUT.size + 1)
TENSORS = LAYOUT.tensors(VECTOR)


def test_a_lone_tensor_and_a_list_of_one_say_the_same():
    assert Neurons(("in", 0), ("out", 1)) == Neurons([("in", 0)], [("out", 1)])
    assert Neurons([("in", 0), ("bias", 0)], ("out", 1)).parts == (("in", 0), ("bias", 0), ("out", 1))


def test_weights_are_the_slices_of_each_unit():
    neurons = Neurons([("in", 0), ("bias", 0)], ("out", 1))
    expected = torch.cat([TENSORS["in"], TENSORS["bias"][:, None]], 1)
    assert torch.equal(neurons.weights(LAYOUT, VECTOR, neurons.incoming), expected)
    assert torch.equal(neurons.weights(LAYOUT, VECTOR, neurons.outgoing), TENSORS["out"].T)
    both = neurons.weights(LAYOUT, VECTOR, neurons.parts)
    torch.testing.assert_close(neurons.norms(LAYOUT, VECTOR), both.norm(dim=1))


def test_a_mask_spreads_a_factor_a_unit_over_all_parts_or_over_some():
    kept = torch.tensor([[2.0, 3.0, 5.0], [1.0, 0.0, 1.0]])
    neurons = Neurons(("in", 0), [("out", 1)])
    masked = LAYOUT.tensors(VECTOR * neurons.mask(LAYOUT, kept))
    torch.testing.assert_close(masked["in"], TENSORS["in"] * kept[:, :, None])
    torch.testing.assert_close(masked["out"], TENSORS["out"] * kept[:, None, :])
    torch.testing.assert_close(masked["bias"], TENSORS["bias"].expand(2, 3))
    some = LAYOUT.tensors(VECTOR * neurons.mask(LAYOUT, kept, neurons.outgoing))
    torch.testing.assert_close(some["in"], TENSORS["in"].expand(2, 3, 2))
    torch.testing.assert_close(some["out"], masked["out"])


def test_a_weight_between_two_units_takes_both_factors():
    kept = torch.tensor([2.0, 3.0, 5.0])
    mask = LAYOUT.tensors(Neurons(("back", 0), ("back", 1)).mask(LAYOUT, kept))["back"]
    torch.testing.assert_close(mask, kept[:, None] * kept)


@pytest.mark.parametrize(
    ("neurons", "message"),
    [
        (lambda: Neurons([]), "neurons are made of .., expected at least one"),
        (lambda: Neurons(("in", 0), ("in", 0)), "each once"),
        (lambda: Neurons(("no", 0)), "neurons name 'no', but the varied parameters are in, bias, out, back"),
        (lambda: Neurons(("bias", 1)), "neurons lie along axis 1 of 'bias', whose shape is"),
        (lambda: Neurons(("in", 0), ("out", 0)), "neurons number 3 along 'in' axis 0, 2 along 'out' axis 0"),
    ],
)
def test_what_does_not_fit_is_named(neurons, message):
    with pytest.raises(InvalidInput, match=message):
        neurons().count(LAYOUT)
