"""Catches a toy that trains on another loss, other pairs or at other rates than it says, or records something else.

Its gradient is held against automatic differentiation, its steps against `torch.optim.AdamW`.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from landscape.errors import InvalidInput
from landscape.learners import EmbeddingDecoder, parallelograms
from landscape.learners.embedding_decoder import DECODER, EMBEDDING
from landscape.learners.embedding_ensemble import Ensemble
from landscape.training.schedule import Schedule
from landscape.training.stop import Stop
from tests.landscape.helpers import Interrupted, MemorySession, last_weights, train, train_alone


def small(**changes: Any) -> EmbeddingDecoder:
    fields: dict[str, Any] = {"symbols": 6, "widths": (8, 7), "outputs": 5, "n_train": 14, "seed": 0, "steps": 30}
    return EmbeddingDecoder(**(fields | changes))


class Reference:
    """One run in float64, written as the paper has it."""

    def __init__(self, run: EmbeddingDecoder, ensemble: Ensemble, row: int) -> None:
        self.run, double = run, torch.float64
        self.embedding = ensemble.places[row].to(double).clone().requires_grad_()
        layers: list[nn.Module] = []
        for stacked, (before, after) in zip(ensemble.decoder.arrays, itertools.pairwise(run.sizes), strict=True):
            linear = nn.Linear(before, after, dtype=double)
            layer = stacked[row, :, :after].to(double).clone()
            linear.weight.data, linear.bias.data = layer[:-1].T, layer[-1]
            layers += [linear, nn.Tanh()]
        self.decoder = nn.Sequential(*layers[:-1])
        self.targets = ensemble.runs["targets"][row, :, : run.outputs].to(double)
        self.optimisers = [
            torch.optim.AdamW(parameters, lr=o.lr, weight_decay=o.weight_decay, betas=(o.beta1, o.beta2), eps=o.eps)
            for parameters, o in (([self.embedding], run.embedding), (self.decoder.parameters(), run.decoder))
        ]

    def outputs(self) -> torch.Tensor:
        pairs = torch.tensor(parallelograms.pairs(self.run.symbols))
        return torch.as_tensor(self.decoder(self.embedding[pairs].sum(1)))

    def loss(self) -> torch.Tensor:
        train = torch.tensor(self.run.train_pairs)
        wanted = self.targets[torch.tensor(self.run.sums)]
        return (self.outputs()[train] - wanted[train]).square().mean()

    def step(self) -> None:
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        self.loss().backward()
        for optimiser in self.optimisers:
            optimiser.step()


VARIED = [
    small(),
    small(seed=1, dimension=1, decoder=DECODER.replace(lr=3e-2, weight_decay=2.0)),
    small(seed=1, draw=1, labels="shuffled", embedding=EMBEDDING.replace(lr=1e-2, weight_decay=0.5)),
]


def test_gradient_against_automatic_differentiation() -> None:
    ensemble = Ensemble(VARIED)
    ensemble.gradient()
    for row, run in enumerate(VARIED):
        reference = Reference(run, ensemble, row)
        reference.loss().backward()
        assert reference.embedding.grad is not None
        expected = reference.embedding.grad.flatten()
        np.testing.assert_allclose(ensemble.embedding.gradients[0][row].flatten(), expected, rtol=1e-4, atol=1e-6)
        linear = [layer for layer in reference.decoder if isinstance(layer, nn.Linear)]
        for layer, found in zip(linear, ensemble.decoder.gradients, strict=True):
            assert layer.weight.grad is not None
            assert layer.bias.grad is not None
            expected = torch.cat([layer.weight.grad.T, layer.bias.grad[None]])
            np.testing.assert_allclose(found[row, :, : layer.out_features], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dimension", [1, 3])
def test_steps_against_the_optimiser_of_torch(dimension: int) -> None:
    runs = [run.replace(dimension=dimension) for run in VARIED]
    ensemble = Ensemble(runs)
    references = [Reference(run, ensemble, row) for row, run in enumerate(runs)]
    for _ in range(12):
        ensemble.advance()
        for reference in references:
            reference.step()
    for row, reference in enumerate(references):
        np.testing.assert_allclose(ensemble.places[row], reference.embedding.detach(), rtol=1e-3, atol=1e-5)
        outputs = ensemble.decode()[row]
        np.testing.assert_allclose(outputs[:, : runs[row].outputs], reference.outputs().detach(), rtol=1e-3, atol=1e-4)
        # What fills outputs up to a convenient number stays out of it.
        assert not outputs[:, runs[row].outputs :].any()


def test_records_against_their_definitions() -> None:
    ensemble = Ensemble(VARIED)
    for _ in range(5):
        ensemble.advance()
    measured = ensemble.measure()
    for row, run in enumerate(VARIED):
        reference = Reference(run, ensemble, row)
        outputs, labels = reference.outputs().detach(), torch.tensor(run.sums)
        nearest = torch.stack([(reference.targets - output).square().sum(1).argmin() for output in outputs])
        held = torch.zeros(21, dtype=torch.bool)
        held[torch.tensor(run.train_pairs)] = True
        right = nearest == labels
        assert measured["train", "accuracy"][row] == pytest.approx(right[held].double().mean().item())
        assert measured["test", "accuracy"][row] == pytest.approx(right[~held].double().mean().item())
        assert measured["train", "loss"][row] == pytest.approx(reference.loss().item(), rel=1e-4)
        known = ~held & torch.isin(labels, labels[held])
        assert measured["test", "accuracy on known sums"][row] == pytest.approx(right[known].double().mean().item())
        places = ensemble.embedding_of(row).astype(float)
        assert measured["", "quality"][row] == pytest.approx(float(parallelograms.quality(places)))
        realised = parallelograms.gaps(places, parallelograms.couples(6)) < parallelograms.TOLERANCE
        expected = float(parallelograms.reach(6, held.numpy(), realised))
        assert measured["", "predicted accuracy"][row] == pytest.approx(expected)


def test_training_sets_are_nested_and_differ_by_seed_and_draw() -> None:
    few, many = small(n_train=8).train_pairs, small(n_train=15).train_pairs
    assert set(few) < set(many)
    assert set(small(draw=1, n_train=8).train_pairs) != set(few) != set(small(seed=1, n_train=8).train_pairs)
    # Another draw is other data for the same network.
    for first, second in Ensemble([small(), small(draw=1)]).decoder.arrays:
        assert torch.equal(first, second)


def test_members_go_their_own_way() -> None:
    """Different rates and durations in one batch: as alone, up to rounding."""
    together = [small(), small(seed=2, draw=1, steps=17), small(seed=3, decoder=DECODER.replace(lr=1e-2))]
    assert len({run.batch_key for run in together}) == 1
    # What is stacked has one shape, and one set of moments.
    others = [small(n_train=10), small(decoder=DECODER.replace(beta2=0.9)), small(outputs=4)]
    assert len({run.batch_key for run in [*together, *others]}) == 4
    outcomes = train(together)
    for run in together:
        outcome, alone = outcomes[run.identity], train_alone(run)
        pd.testing.assert_frame_equal(outcome.trajectory, alone.trajectory, rtol=1e-3, atol=1e-4)
        assert outcome.info["last_step"] == run.steps
        assert outcome.weights[run.steps]["embedding"].shape == (6, 1)


def test_a_stop_ends_one_member_and_not_its_neighbours() -> None:
    stop = (Stop(quantity="loss", split="train", below=1e9, records=2),)
    record = Schedule(per_decade=1, every=10)
    runs = [small(stop=stop, record=record), small(seed=1, record=record)]
    outcomes = train(runs)
    ended, stayed = (outcomes[run.identity] for run in runs)
    assert (ended.info["last_step"], ended.info["stopped_by"]) == (1, "loss train")
    assert (stayed.info["last_step"], stayed.info["stopped_by"]) == (30, "steps")


@pytest.mark.parametrize("die_at_save", [1, 4, 9])
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(die_at_save: int) -> None:
    stop = (Stop(quantity="loss", split="train", below=1e9, records=8),)
    record = Schedule(per_decade=4, every=5)
    decays = DECODER.replace(weight_decay=1.0)
    runs = [small(record=record), small(seed=1, record=record, stop=stop), small(seed=2, steps=17, decoder=decays)]
    runs[2] = runs[2].replace(record=record)
    whole = {run.identity: train_alone(run) for run in runs}
    session = MemorySession(snapshots=True, die_at_save=die_at_save)
    with pytest.raises(Interrupted):
        train(runs, session)
    stood = set(session.saves)
    session.die_at_save = None
    resumed = train(runs, session)
    # Not from the start.
    assert min(session.saves[die_at_save:]) >= min(stood)
    for identity, outcome in resumed.items():
        pd.testing.assert_frame_equal(outcome.trajectory, whole[identity].trajectory, rtol=1e-3, atol=1e-4)
        assert [outcome.info[fact] for fact in ("last_step", "stopped_by")] == [
            whole[identity].info[fact] for fact in ("last_step", "stopped_by")
        ]
        np.testing.assert_allclose(
            last_weights(outcome)["embedding"], last_weights(whole[identity])["embedding"], rtol=1e-3, atol=1e-5
        )


def test_a_slow_decoder_places_symbols_on_a_line_and_a_fast_one_does_not() -> None:
    wide = EmbeddingDecoder(
        seed=0, steps=800, widths=(64, 64), embedding=EMBEDDING.replace(lr=3e-3), decoder=DECODER.replace(lr=3e-4)
    )
    fast = wide.replace(decoder=DECODER.replace(lr=1e-2))
    outcomes = train([wide, fast])
    line, cloud = (outcomes[run.identity].weights[800]["embedding"].astype(float) for run in (wide, fast))
    assert parallelograms.quality(line) > 0.95
    assert parallelograms.quality(cloud) < 0.7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_train": 21}, "n_train is 21, expected between 1 and 20"),
        ({"widths": ()}, "widths"),
        ({"dimension": 0}, "dimension"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        small(**changes)
