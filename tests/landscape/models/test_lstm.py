"""Catches LSTM cells that are not those of `torch.nn.LSTM`, alone or stacked."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models import LSTM
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.session import StoreSession
from grokscape.landscape.stack import Stack
from grokscape.landscape.tasks import BinaryOperation, TeacherStudent
from grokscape.landscape.training.run import Run

TASK = BinaryOperation(p=11)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_outputs_are_those_of_pytorchs_lstm(layers: int) -> None:
    network = LSTM(embedding=5, width=7, layers=layers).build(TASK).double()
    network.initialise(seed=1, scale=2.0)
    reference = nn.LSTM(5, 7, layers, batch_first=True).double()
    with torch.no_grad():
        for layer in range(layers):
            getattr(reference, f"weight_ih_l{layer}").copy_(network.inputs[layer].T)
            getattr(reference, f"weight_hh_l{layer}").copy_(network.recurrent[layer].T)
            getattr(reference, f"bias_ih_l{layer}").copy_(0.3 * network.biases[layer])
            getattr(reference, f"bias_hh_l{layer}").copy_(0.7 * network.biases[layer])
    tokens = torch.from_numpy(torch.randint(11, (6, 9), generator=torch.Generator().manual_seed(0)).numpy())
    states, _ = reference(network.embed[tokens])
    assert torch.allclose(network(tokens), states[:, -1] @ network.output + network.output_bias, rtol=1e-12)


def test_the_order_of_tokens_counts() -> None:
    network = LSTM(embedding=5, width=7).build(TASK)
    network.initialise(seed=1)
    forth, back = network(torch.tensor([[1, 2, 3]])), network(torch.tensor([[3, 2, 1]]))
    assert not torch.allclose(forth, back)


def test_stacked_networks_answer_as_each_alone() -> None:
    network = LSTM(embedding=5, width=7).build(TASK).double()
    stack, rows, alone = Stack(network), [], []
    for seed in range(3):
        network.initialise(seed=seed)
        rows.append(stack.row(dict(network.state_dict())))
        alone.append(network(TASK.inputs).detach())
    assert torch.allclose(stack.outputs(torch.stack(rows), TASK.inputs, shared=True), torch.stack(alone), rtol=1e-12)


def test_parameters_start_with_the_variance_of_pytorchs_layers() -> None:
    network = LSTM(embedding=60, width=80).build(TASK)
    network.initialise(seed=0, scale=3.0)
    theirs = nn.LSTM(60, 80, 2)
    assert network.embed.std().item() == pytest.approx(3.0, rel=0.1)
    assert (network.inputs[0].std() / theirs.weight_ih_l0.std()).item() == pytest.approx(3.0, rel=0.1)
    assert (network.recurrent[1].std() / theirs.weight_hh_l1.std()).item() == pytest.approx(3.0, rel=0.1)
    summed = (theirs.bias_ih_l1 + theirs.bias_hh_l1).std()
    assert (network.biases[1].std() / summed).item() == pytest.approx(3.0, rel=0.25)


def test_it_is_trained_as_an_ensemble(tmp_path) -> None:  # type: ignore[no-untyped-def]
    runs = [
        Run(
            task=BinaryOperation(p=5),
            model=LSTM(embedding=8, width=12),
            optimiser=AdamW(lr=2e-2, weight_decay=0.0),
            n_train=20,
            seed=seed,
            steps=250,
        )
        for seed in range(2)
    ]
    outcomes = dict(Run.train(runs, StoreSession(Store(tmp_path), device="cpu")))
    for run in runs:
        table = outcomes[run].trajectory
        fitted = table[(table["split"] == "train") & (table["quantity"] == "accuracy")]["value"]
        assert fitted.iloc[-1] == 1.0


@pytest.mark.parametrize("field", ["embedding", "width", "layers"])
def test_sizes_are_at_least_one(field: str) -> None:
    with pytest.raises(InvalidInput, match=rf"LSTM\.{field} is 0"):
        LSTM(**{field: 0})


def test_numbers_are_no_tokens() -> None:
    with pytest.raises(InvalidInput, match="LSTM reads tokens, but the inputs of TeacherStudent"):
        LSTM().build(TeacherStudent(examples=9))
