"""Edge-conditioned convolutions: against the sum over bonds as it is written, and what must not matter."""

import dataclasses

import numpy as np
import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models import EdgeNetwork
from grokscape.landscape.tasks import BinaryOperation, Molecules
from grokscape.landscape.tasks.molecules import pack
from grokscape.landscape.tasks.smiles import parse

TEXTS = ("CC(N)=O", "C#N", "C1CO1")


def network(seed=0, **fields):
    made = EdgeNetwork(**fields).build(Molecules()).double()
    made.initialise(seed=seed, scale=2.0)
    return made


def inputs(room=9):
    return torch.from_numpy(np.stack([pack(parse(text), room) for text in TEXTS]))


def by_bonds(net, text):
    """The formula atom by atom and bond by bond, with a matrix for each bond."""
    graph = parse(text)
    weights = {name: value.detach().numpy() for name, value in net.named_parameters()}
    nodes = pack(graph, len(graph.elements))[:, :10]
    for layer, (before, after) in enumerate(zip(net.features[:-1], net.features[1:], strict=True)):
        new = nodes @ weights[f"root{layer}_weight"] + weights[f"root{layer}_bias"]
        for pair, order in graph.bonds.items():
            hidden = np.maximum(np.eye(3)[order - 1] @ weights[f"edge{layer}_weight"] + weights[f"edge{layer}_bias"], 0)
            matrix = hidden @ weights[f"message{layer}_weight"] + weights[f"message{layer}_bias"]
            for i, j in (pair, pair[::-1]):
                new[i] += nodes[j] @ matrix.reshape(before, after)
        nodes = np.maximum(new, 0)
    readout = np.maximum(nodes.sum(0) @ weights["readout_weight"] + weights["readout_bias"], 0)
    return readout @ weights["output_weight"] + weights["output_bias"]


def test_it_computes_its_formula():
    net = network()
    expected = np.stack([by_bonds(net, text) for text in TEXTS])
    assert torch.allclose(net(inputs()), torch.from_numpy(expected), rtol=1e-12)


def test_padding_and_the_order_of_atoms_do_not_matter():
    net = network()
    assert torch.allclose(net(inputs(9)), net(inputs(14)), rtol=1e-12)
    one = pack(parse("CC(N)=O"), 9)
    order = np.random.default_rng(0).permutation(9)
    bonds = one[:, 10:-1].reshape(9, 9, 3)[order][:, order].reshape(9, -1)
    shuffled = np.concatenate([one[order, :10], bonds, one[order, -1:]], axis=1)
    assert torch.allclose(net(torch.from_numpy(one)), net(torch.from_numpy(shuffled)), rtol=1e-12)


def test_bonds_matter():
    net = network()
    single, double = (torch.from_numpy(pack(parse(text), 9)) for text in ("CC", "C=C"))
    other = double.clone()
    other[:, 10:-1] = 0
    assert not torch.allclose(net(double), net(other))
    assert not torch.allclose(net(double), net(single))


def test_all_parameters_start_with_the_variance_of_dense_layers():
    net = network(edge_width=200)
    for name, parameter in net.named_parameters():
        fan_in = net._fan_in[name]
        if parameter.numel() > 500:
            assert parameter.std().item() == pytest.approx(2 * (3 * fan_in) ** -0.5, rel=0.1)
    assert {name for name, _ in net.named_parameters()} == set(net.standard_deviations())


def test_it_reads_molecules_alone_and_says_what_it_costs():
    with pytest.raises(InvalidInput, match="EdgeNetwork reads molecules"):
        EdgeNetwork().build(BinaryOperation())
    with pytest.raises(InvalidInput, match="widths"):
        EdgeNetwork(widths=())
    with pytest.raises(InvalidInput, match="readout"):
        EdgeNetwork(readout=0)


def test_costs_grow_with_the_network(monkeypatch):
    monkeypatch.setattr(Molecules, "inputs", inputs())
    task = Molecules()
    small, large = EdgeNetwork(), dataclasses.replace(EdgeNetwork(), widths=(64, 64))
    assert small.multiplications(task) < large.multiplications(task)
    assert small.activations(task) < large.activations(task)
