"""Catches a Bayesian network that minimises another objective than it says, or records another complexity.

Its gradient is held against automatic differentiation in float64, its divergence against `torch.distributions`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from grokscape.landscape import randomness
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.grokking import complexity, grokking_gap
from grokscape.landscape.learners import BayesianNetwork
from grokscape.landscape.learners.bayesian_compiled import CompiledPosteriors
from grokscape.landscape.learners.bayesian_ensemble import Ensemble
from grokscape.landscape.records.record import Record
from grokscape.landscape.tasks import HiddenParity
from grokscape.landscape.training.arithmetic import BY_PYTORCH, COMPILED, SWITCH
from grokscape.landscape.training.schedule import Schedule
from grokscape.landscape.training.stop import Stop
from tests.landscape.helpers import MemorySession, assert_same_bits, train, train_alone, value

TASK = HiddenParity(bits=7, relevant=2, examples=90)


def small(**changes: Any) -> BayesianNetwork:
    fields: dict[str, Any] = {"task": TASK, "n_train": 50, "width": 9, "batch": 16, "seed": 0, "start_scale": 0.7}
    return BayesianNetwork(**(fields | {"start_deviation": 0.2, "epochs": 4} | changes))


def objective(ensemble: Ensemble, row: int, layers: list[torch.Tensor], kl_weight: float, data: Any) -> torch.Tensor:
    """The loss of one network on a batch, as the paper has it."""
    inputs, labels, noise = (part[row] for part in data)
    entering, units = inputs.double(), noise.double()
    for means, logs, drawn in ((*layers[0].chunk(2, 1), units[:, :9]), (*layers[1].chunk(2, 1), units[:, 9:])):
        entered = entering @ means + (entering**2 @ logs.exp() ** 2).sqrt() * drawn
        entering = torch.cat([entered.relu(), torch.ones(len(inputs), 1)], 1)
    prior = Normal(torch.zeros(()).double(), torch.ones(()).double())
    posteriors = [Normal(layer.chunk(2, 1)[0], layer.chunk(2, 1)[1].exp()) for layer in layers]
    divergence = torch.stack([kl_divergence(posterior, prior).sum() for posterior in posteriors]).sum()
    return torch.nn.functional.cross_entropy(entered, labels) + kl_weight * divergence / ensemble.number


def in_double(members: list[BayesianNetwork], kind: type[Ensemble]) -> Ensemble:
    """Return networks at their start in double precision."""
    ensemble = kind(members)
    rates = torch.tensor([[member.lr, member.kl_weight] for member in members], dtype=torch.float64)
    ensemble.inputs, ensemble.lr, ensemble.kl = ensemble.inputs.double(), rates[:, :1, None], rates[:, 1:, None]
    ensemble.layers = [layer.double() for layer in ensemble.layers]
    ensemble.keep(list(range(len(members))))
    return ensemble


def gradient_of(ensemble: Ensemble, row: int, chosen: torch.Tensor, noise: torch.Tensor) -> list[torch.Tensor]:
    """Return one network's gradient; `chosen` are examples (networks, n)."""
    if isinstance(ensemble, CompiledPosteriors):
        return ensemble.gradient_of(row, chosen[row], noise[row])
    found = ensemble.gradient(*ensemble.inputs[:, chosen], ensemble.labels.gather(1, chosen), noise)
    return [slope[row] for slope in found]


DIFFERENT = [small(), small(seed=1, start_scale=0.3, kl_weight=20.0, lr=0.3)]
KINDS = pytest.mark.parametrize("kind", [Ensemble, CompiledPosteriors])


@KINDS
def test_gradient_is_that_of_the_evidence_lower_bound(kind: type[Ensemble]) -> None:
    ensemble = in_double(DIFFERENT, kind)
    chosen = torch.stack([split["train"][3:19] for split in ensemble.splits])
    inputs, labels = ensemble.inputs[0][chosen], ensemble.labels.gather(1, chosen)
    noise = ensemble.standard_normal(ensemble.noise, 16).double()
    for row, member in enumerate(DIFFERENT):
        layers = [layer[row].clone().requires_grad_() for layer in ensemble.layers]
        loss = objective(ensemble, row, layers, member.kl_weight, (inputs, labels, noise))
        found = gradient_of(ensemble, row, chosen, noise)
        for slope, wanted in zip(found, torch.autograd.grad(loss, layers), strict=True):
            np.testing.assert_allclose(slope, wanted, rtol=1e-11, atol=1e-13)


def test_compiled_gradients_in_single_precision() -> None:
    members = [small(width=200, task=HiddenParity(bits=30, relevant=3, examples=90), seed=seed) for seed in (0, 1)]
    plain, compiled = Ensemble(members), CompiledPosteriors(members)
    chosen = torch.stack([split["train"][:32] for split in plain.splits])
    noise = plain.standard_normal(plain.noise, 32)
    for row in (0, 1):
        expected = gradient_of(plain, row, chosen, noise)
        for slope, wanted in zip(gradient_of(compiled, row, chosen, noise), expected, strict=True):
            np.testing.assert_allclose(slope, wanted, rtol=1e-4, atol=1e-6 * float(wanted.abs().max()))


@KINDS
def test_epochs_against_the_optimiser_of_torch(kind: type[Ensemble]) -> None:
    ensemble = in_double(DIFFERENT, kind)
    layers = [[layer[row].clone().requires_grad_() for layer in ensemble.layers] for row in (0, 1)]
    optimisers = [torch.optim.SGD(own, lr=member.lr) for own, member in zip(layers, DIFFERENT, strict=True)]
    streams = Ensemble(DIFFERENT).noise
    for epoch in range(1, 13):
        ensemble.advance()
        noise = ensemble.standard_normal(streams, 50).double()
        for row, member in enumerate(DIFFERENT):
            order = ensemble.splits[row]["train"][randomness.permutation(50, member.seed, f"epoch/{epoch}")]
            for at in range(0, 50, member.batch):
                few, some = order[at : at + member.batch], slice(at, at + member.batch)
                data = [{row: part} for part in (ensemble.inputs[0][few], ensemble.labels[row, few], noise[row, some])]
                optimisers[row].zero_grad()
                objective(ensemble, row, layers[row], member.kl_weight, data).backward()
                optimisers[row].step()
    for row, own in enumerate(layers):
        for layer, wanted in zip(ensemble.layers, own, strict=True):
            np.testing.assert_allclose(layer[row], wanted.detach(), rtol=1e-9, atol=1e-11)


def test_records_and_noise_are_the_same_by_either_arithmetic() -> None:
    plain, compiled = Ensemble(DIFFERENT), CompiledPosteriors(DIFFERENT)
    for _ in range(2):
        plain.advance()
        compiled.advance()
        found, expected = compiled.measure(), plain.measure()
        assert list(found) == list(expected)
        for key, values in expected.items():
            np.testing.assert_allclose(found[key], values, rtol=1e-4, err_msg=str(key))


def test_an_epoch_takes_every_training_example_once() -> None:
    ensemble = Ensemble([small()])
    seen = []

    def note(inputs: torch.Tensor, *_: torch.Tensor) -> list[torch.Tensor]:
        seen.append(inputs[0])
        return ensemble.gradients

    ensemble.gradient = note  # type: ignore[method-assign]
    before = [layer.clone() for layer in ensemble.layers]
    ensemble.advance()
    first = torch.cat(seen)
    ensemble.advance()
    second = torch.cat(seen[4:])
    assert [len(part) for part in seen] == [16, 16, 16, 2] * 2
    expected = ensemble.inputs[0][ensemble.splits[0]["train"]]
    for order in (first, second):
        assert sorted(order.tolist()) == sorted(expected.tolist())
    assert not torch.equal(first, second)
    assert all(torch.equal(one, other) for one, other in zip(before, ensemble.layers, strict=True))


def test_divergence_is_that_of_the_distributions_and_has_two_parts() -> None:
    outcome = train_alone(small(epochs=3))
    last = {name: torch.tensor(array).double() for name, array in outcome.weights[3].items()}
    prior = Normal(torch.zeros(()).double(), torch.ones(()).double())
    posteriors = [Normal(last[f"mean.{layer}"], last[f"log_deviation.{layer}"].exp()) for layer in (0, 1)]
    total = sum(float(kl_divergence(posterior, prior).sum()) for posterior in posteriors)
    means = sum(float(posterior.mean.square().sum()) for posterior in posteriors) / 2
    assert value(outcome.trajectory, 3, "", "complexity") == pytest.approx(total / 50, rel=1e-6)
    assert value(outcome.trajectory, 3, "", "mean part") == pytest.approx(means / 50, rel=1e-6)
    # The deviation part of the start follows from the choice of the deviation alone.
    weights = 8 * 9 + 10 * 2
    expected = weights * (0.2**2 - 1 - 2 * np.log(0.2)) / 2 / 50
    assert value(outcome.trajectory, 0, "", "deviation part") == pytest.approx(expected, rel=1e-5)


@KINDS
def test_records_of_a_sample_scatter_about_those_of_the_means(kind: type[Ensemble]) -> None:
    exact = kind([small(start_deviation=1e-9)]).measure()
    for split in ("train", "test"):
        assert exact[split, "sampled loss"] == pytest.approx(exact[split, "loss"], rel=1e-5)
        assert exact[split, "sampled error"] == exact[split, "error"]
    noisy = kind([small(start_deviation=0.5)]).measure()
    assert noisy["train", "loss"] == pytest.approx(exact["train", "loss"])
    assert abs(noisy["train", "sampled loss"] - noisy["train", "loss"]) > 0.01
    assert noisy["", "fit"] == noisy["train", "sampled loss"]


def test_alone_or_in_company_a_network_is_the_same() -> None:
    members = [small(), small(seed=1, epochs=2), small(seed=2, start_scale=0.1, labels="random"), small(kl_weight=0.0)]
    session = MemorySession()  # together although their keys differ
    together = train(members, session)
    assert session.reported == sorted(session.reported)
    for member in members:
        assert_same_bits(train_alone(member), together[member.identity])
        assert together[member.identity].info["arithmetic"] == COMPILED
    assert together[members[1].identity].info["last_step"] == 2


def test_by_pytorch_a_network_is_the_same_up_to_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    members = [small(), small(seed=1, epochs=2)]
    compiled = train(members)
    monkeypatch.setenv(SWITCH, "0")
    for identity, outcome in train(members).items():
        assert outcome.info["arithmetic"] == BY_PYTORCH
        pd.testing.assert_frame_equal(outcome.trajectory, compiled[identity].trajectory, rtol=1e-3, atol=1e-5)


def test_starts_of_one_seed_differ_by_their_scale_alone() -> None:
    ensemble = Ensemble([small(start_scale=0.5), small(start_scale=1.0), small(seed=1, start_scale=1.0)])
    for layer in (0, 1):
        means, logs = ensemble.halves(layer)
        assert torch.allclose(2 * means[0], means[1])
        assert not torch.allclose(means[1], means[2])
        assert torch.allclose(logs, torch.full_like(logs, float(np.log(0.2))))


def test_it_learns_a_rule_and_stops() -> None:
    stop = (Stop(quantity="error", below=0.01, records=2),)
    run = small(
        task=HiddenParity(bits=3, relevant=2, examples=400), n_train=200, width=40, start_deviation=0.01, epochs=200,
        stop=stop, record=Schedule(per_decade=10, every=10),
    )  # fmt: skip
    outcome = train_alone(run)
    record = Record(run, outcome.trajectory, outcome.info, lambda _: {})
    assert outcome.info["stopped_by"] == "error test"
    gap = grokking_gap(record)
    assert not gap.censored
    assert gap.steps == 0  # all eight strings are trained on
    assert complexity(record).iloc[-1] < complexity(record).iloc[0]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"n_train": 90}, "n_train"),
        ({"width": 0}, "width"),
        ({"start_deviation": 0.0}, "start_deviation"),
        ({"kl_weight": -1.0}, "kl_weight"),
        ({"epochs": 0}, "epochs"),
    ],
)
def test_impossible_networks_are_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput, match=f"BayesianNetwork.{named} "):
        small(**changes)
