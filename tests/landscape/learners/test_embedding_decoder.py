"""Catches a toy that trains on another loss, other pairs or at other rates than it says, or records something else.

Its gradient is held against automatic differentiation, its steps against `torch.optim.AdamW`, both as compiled code and
as PyTorch computes them. Compiled runs are batch-invariant, and do not depend on interruptions, bit for bit.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.learners import EmbeddingDecoder
from grokscape.landscape.learners.embedding_compiled import CompiledDecoders
from grokscape.landscape.learners.embedding_decoder import DECODER, EMBEDDING
from grokscape.landscape.learners.embedding_ensemble import EmbeddingEnsemble
from grokscape.landscape.learners.embedding_parameters import Parameters
from grokscape.landscape.theory import parallelograms
from grokscape.landscape.training import arithmetic
from grokscape.landscape.training.arithmetic import BEFORE, BY_PYTORCH, COMPILED, SWITCH
from grokscape.landscape.training.schedule import Schedule
from grokscape.landscape.training.stop import Stop
from tests.landscape.helpers import Interrupted, MemorySession, assert_same_bits, train, train_alone


def small(**changes: Any) -> EmbeddingDecoder:
    fields: dict[str, Any] = {"symbols": 6, "widths": (8, 7), "outputs": 5, "n_train": 14, "seed": 0, "steps": 30}
    return EmbeddingDecoder(**(fields | changes))


class Reference:
    """One run in float64, written as the paper has it."""

    def __init__(self, run: EmbeddingDecoder, ensemble: EmbeddingEnsemble, row: int) -> None:
        self.run, double = run, torch.float64
        self.embedding = ensemble.places[row].to(double).clone().requires_grad_()
        layers: list[nn.Module] = []
        for stacked, (before, after) in zip(ensemble.decoder.arrays, itertools.pairwise(run.sizes), strict=True):
            linear = nn.Linear(before, after, dtype=double)
            layer = stacked[row, :, :after].to(double).clone()
            linear.weight.data, linear.bias.data = layer[:-1].T, layer[-1]
            layers += [linear, nn.Tanh()]
        self.decoder = nn.Sequential(*layers[:-1])
        self.linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
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


BOTH = pytest.mark.parametrize("compiled", [False, True], ids=["by PyTorch", "compiled"])
VARIED = [
    small(),
    small(seed=1, dimension=1, decoder=DECODER.replace(lr=3e-2, weight_decay=2.0)),
    small(seed=1, draw=1, labels="shuffled", embedding=EMBEDDING.replace(lr=1e-2, weight_decay=0.5)),
]


def in_double(runs: list[EmbeddingDecoder], compiled: bool) -> EmbeddingEnsemble | CompiledDecoders:
    """Return runs at their start in double precision."""
    plain = EmbeddingEnsemble(runs)
    plain.embedding = Parameters([plain.places.double()], [run.embedding for run in runs])
    plain.decoder = Parameters([layer.double() for layer in plain.decoder.arrays], [run.decoder for run in runs])
    plain.runs = {name: t.double() if t.is_floating_point() else t for name, t in plain.runs.items()}
    plain.made_of = plain.made_of.double()
    plain.keep(list(range(len(runs))))
    return CompiledDecoders(plain) if compiled else plain


def end_to_end(run: EmbeddingDecoder, embedding: torch.Tensor, linear: list[nn.Linear], attribute: str) -> np.ndarray:
    """Return parameters (`data`) or their gradients (`grad`) of a reference as `of_run` lays them out."""
    parts = [getattr(embedding, attribute).flatten()]
    for layer in linear:
        # Outputs are filled up with what is always zero.
        fill = (0, -layer.out_features % 8 if layer is linear[-1] else 0)
        weights, bias = (getattr(tensor, attribute) for tensor in (layer.weight, layer.bias))
        parts.append(nn.functional.pad(torch.cat([weights.T, bias[None]]), fill).flatten())
    return torch.cat(parts).numpy()


def gradients_of(ensemble: EmbeddingEnsemble | CompiledDecoders, row: int) -> np.ndarray:
    if isinstance(ensemble, CompiledDecoders):
        return ensemble.gradient(row).numpy()
    ensemble.gradient()
    parts = (ensemble.embedding, ensemble.decoder)
    return torch.cat([gradient[row].flatten() for part in parts for gradient in part.gradients]).numpy()


def parameters_of(ensemble: EmbeddingEnsemble | CompiledDecoders, row: int) -> np.ndarray:
    arrays = ensemble.arrays_of(row)
    return np.concatenate([arrays["embedding/values"], arrays["decoder/values"]])


@BOTH
@pytest.mark.parametrize("dimension", [1, 3])
def test_gradient_against_automatic_differentiation(dimension: int, compiled: bool) -> None:
    runs = [run.replace(dimension=dimension) for run in VARIED]
    ensemble = in_double(runs, compiled)
    for row, run in enumerate(runs):
        reference = Reference(run, EmbeddingEnsemble(runs), row)
        reference.loss().backward()
        expected = end_to_end(run, reference.embedding, reference.linear, "grad")
        np.testing.assert_allclose(gradients_of(ensemble, row), expected, rtol=1e-12, atol=1e-14)


def test_compiled_gradients_in_single_precision() -> None:
    runs = [small(symbols=10, widths=(64, 64), outputs=30, n_train=45, seed=seed) for seed in (0, 1)]
    plain = EmbeddingEnsemble(runs)
    compiled = CompiledDecoders(plain)
    for row in (0, 1):
        expected = gradients_of(plain, row)
        np.testing.assert_allclose(gradients_of(compiled, row), expected, rtol=1e-4, atol=1e-6 * abs(expected).max())


@BOTH
@pytest.mark.parametrize("dimension", [1, 3])
def test_steps_against_the_optimiser_of_torch(dimension: int, compiled: bool) -> None:
    runs = [run.replace(dimension=dimension) for run in VARIED]
    ensemble = in_double(runs, compiled)
    references = [Reference(run, EmbeddingEnsemble(runs), row) for row, run in enumerate(runs)]
    ensemble.advance(20)
    ensemble.advance(32)
    for row, (run, reference) in enumerate(zip(runs, references, strict=True)):
        for _ in range(52):
            reference.step()
        expected = end_to_end(run, reference.embedding, reference.linear, "data")
        np.testing.assert_allclose(parameters_of(ensemble, row), expected, rtol=1e-9, atol=1e-12)


@BOTH
@pytest.mark.parametrize("dimension", [1, 2])
def test_records_against_their_definitions(dimension: int, compiled: bool) -> None:
    runs = [run.replace(dimension=dimension) for run in VARIED]
    plain = EmbeddingEnsemble(runs)
    plain.advance(5)
    measured = (CompiledDecoders(plain) if compiled else plain).measure()
    for row, run in enumerate(runs):
        reference = Reference(run, plain, row)
        outputs, labels = reference.outputs().detach(), torch.tensor(run.sums)
        nearest = torch.stack([(reference.targets - output).square().sum(1).argmin() for output in outputs])
        held = torch.zeros(21, dtype=torch.bool)
        held[torch.tensor(run.train_pairs)] = True
        right = nearest == labels
        losses = (outputs - reference.targets[labels]).square().mean(1)
        for split, chosen in (("train", held), ("test", ~held)):
            assert measured[split, "accuracy"][row] == pytest.approx(right[chosen].double().mean().item())
            assert measured[split, "loss"][row] == pytest.approx(losses[chosen].mean().item(), rel=1e-4)
        known = ~held & torch.isin(labels, labels[held])
        assert measured["test", "accuracy on known sums"][row] == pytest.approx(right[known].double().mean().item())
        places = plain.embedding_of(row).astype(float)
        assert measured["", "quality"][row] == pytest.approx(float(parallelograms.quality(places)))
        realised = parallelograms.gaps(places, parallelograms.couples(6)) < parallelograms.TOLERANCE
        expected = float(parallelograms.reach(6, held.numpy(), realised))
        assert measured["", "predicted accuracy"][row] == pytest.approx(expected)


@BOTH
def test_a_training_that_diverged_is_recorded_as_such(compiled: bool) -> None:
    plain = EmbeddingEnsemble(VARIED)
    plain.decoder.values.fill_(torch.nan)
    measured = (CompiledDecoders(plain) if compiled else plain).measure()
    assert np.isnan(measured["train", "loss"]).all()
    # The first of several targets that are no nearer than others.
    right = [np.mean(run.sums[run.train_pairs] == 0) for run in VARIED]
    np.testing.assert_allclose(measured["train", "accuracy"], right)


def test_training_sets_are_nested_and_differ_by_seed_and_draw() -> None:
    few, many = small(n_train=8).train_pairs, small(n_train=15).train_pairs
    assert set(few) < set(many)
    assert set(small(draw=1, n_train=8).train_pairs) != set(few) != set(small(seed=1, n_train=8).train_pairs)
    # Another draw is other data for the same network.
    for first, second in EmbeddingEnsemble([small(), small(draw=1)]).decoder.arrays:
        assert torch.equal(first, second)


TOGETHER = [small(), small(seed=2, draw=1, steps=17), small(seed=3, decoder=DECODER.replace(lr=1e-2))]


def test_compiled_runs_are_batch_invariant() -> None:
    # What is stacked has one shape, and one set of moments.
    assert len({run.batch_key for run in TOGETHER}) == 1
    others = [small(n_train=10), small(decoder=DECODER.replace(beta2=0.9)), small(outputs=4)]
    assert len({run.batch_key for run in [*TOGETHER, *others]}) == 4
    outcomes = train(TOGETHER)
    for run in TOGETHER:
        outcome = outcomes[run.identity]
        assert_same_bits(outcome, train_alone(run))
        assert outcome.info["last_step"] == run.steps
        assert outcome.info["arithmetic"] == COMPILED
        assert outcome.weights[run.steps]["embedding"].shape == (6, 1)


def test_by_pytorch_members_are_as_alone_up_to_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = train(TOGETHER)
    monkeypatch.setenv(SWITCH, "0")
    session = MemorySession()
    outcomes = train(TOGETHER, session)
    for run in TOGETHER:
        outcome, alone = outcomes[run.identity], train_alone(run)
        assert outcome.info["arithmetic"] == BY_PYTORCH
        for other in (alone, compiled[run.identity]):
            pd.testing.assert_frame_equal(outcome.trajectory, other.trajectory, rtol=1e-3, atol=1e-4)
    # Somebody wished it so.
    assert session.notes == []


def test_wrong_compiled_code_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: CompiledDecoders, row: int) -> torch.Tensor:
        return 2 * torch.ones_like(self.layout.compact(self.slope))

    monkeypatch.setattr(CompiledDecoders, "gradient", wrong)
    run, session = small(widths=(9,)), MemorySession()
    assert train_alone(run, session).info["arithmetic"] == BY_PYTORCH
    (note,) = session.notes
    assert re.search("EmbeddingDecoder is trained by PyTorch alone: .* its gradient is off by", note)


def test_without_a_compiler_a_note_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arithmetic, "why_not_compiled", lambda: "ModuleNotFoundError: numba")
    session = MemorySession()
    assert train_alone(small(), session).info["arithmetic"] == BY_PYTORCH
    (note,) = session.notes
    assert "without the compiler numba (ModuleNotFoundError: numba)" in note


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
    assert not any(run.misfit_of_snapshot(session.saved[run.identity]) for run in runs if run.identity in session.saved)
    session.die_at_save = None
    resumed = train(runs, session)
    # Not from the start.
    assert min(session.saves[die_at_save:]) >= min(stood)
    for identity, outcome in resumed.items():
        assert_same_bits(outcome, whole[identity])
        for fact in ("last_step", "stopped_by", "arithmetic"):
            assert outcome.info[fact] == whole[identity].info[fact]


def test_a_snapshot_of_before_goes_on_and_the_record_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    run = small(record=Schedule(per_decade=4, every=5))
    whole = train_alone(run)
    session = MemorySession(snapshots=True, die_at_save=3)
    monkeypatch.setenv(SWITCH, "0")
    with pytest.raises(Interrupted):
        train_alone(run, session)
    session.die_at_save = None
    snapshot = session.saved[run.identity]
    assert run.misfit_of_snapshot(snapshot) == ""
    del snapshot.arrays["arithmetic"]
    assert run.misfit_of_snapshot(snapshot) == ""
    monkeypatch.delenv(SWITCH)
    resumed = train_alone(run, session)
    assert resumed.info["arithmetic"] == f"{BEFORE}, then {COMPILED}"
    pd.testing.assert_frame_equal(resumed.trajectory, whole.trajectory, rtol=1e-3, atol=1e-4)


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
