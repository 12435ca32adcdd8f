"""Restricted and excluded loss against naive projections, a planted circuit and logits without one."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.progress import Context, Estimate, NotApplicable, Space
from grokscape.landscape.measures.progress.circuit_losses import circuit_losses, element_means, logit_frequencies
from grokscape.landscape.measures.progress.spectra import fourier_power
from grokscape.landscape.problem import Problem


def pairs(p: int) -> tuple[Tensor, Tensor]:
    """Return all pairs (a, b) and a + b mod p."""
    both = torch.cartesian_prod(torch.arange(p), torch.arange(p))
    return both, both.sum(1) % p


def table(logits: Tensor, training: Tensor | None = None, targets: Tensor | None = None) -> tuple[Problem, Context]:
    """Return a network that looks up its logits (p^2, p), and the context of addition."""
    p = logits.shape[1]
    _, elements = pairs(p)
    where = torch.arange(p * p)
    targets = elements if targets is None else targets
    problem = Problem(
        lambda parameters, index: parameters["table"][index],
        F.cross_entropy,
        (where, targets),
        parameters={"table": logits},
    )
    space = Space(inputs=where, elements=elements, targets=targets, training=training)
    return problem, Context(space=space)


def planted(p: int, frequencies: tuple[int, ...], scale: float = 20.0) -> Tensor:
    """Return ``scale sum_k cos(2 pi k (a + b - c) / p)``, shape (p^2, p)."""
    _, elements = pairs(p)
    difference = (elements[:, None] - torch.arange(p)).double()
    return scale * sum(torch.cos(2 * torch.pi * k * difference / p) for k in frequencies)  # type: ignore[return-value]


def noise(p: int, seed: int = 0, scale: float = 1.0) -> Tensor:
    return torch.from_numpy(scale * np.random.default_rng(seed).standard_normal((p * p, p)))


def half(p: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random(p * p) < 0.5)


def naive(logits: Tensor, frequencies: tuple[int, ...]) -> Tensor:
    """Project on cos and sin of (a + b) as products of the operands' waves, pair by pair (Nanda et al. 2023)."""
    p = logits.shape[1]
    x = torch.arange(p, dtype=torch.float64)
    found = torch.zeros_like(logits)
    for k in frequencies:
        cos, sin = torch.cos(2 * torch.pi * k * x / p), torch.sin(2 * torch.pi * k * x / p)
        cos, sin = cos / cos.norm(), sin / sin.norm()
        for direction in (torch.outer(cos, cos) - torch.outer(sin, sin), torch.outer(sin, cos) + torch.outer(cos, sin)):
            unit = direction.flatten() / 2**0.5
            found += torch.outer(unit, unit @ logits)
    return found


@pytest.mark.parametrize("frequencies", [(1,), (2, 5), (1, 2, 3, 4, 5)])
def test_losses_are_those_of_the_naive_projection(frequencies: tuple[int, ...]) -> None:
    p = 11
    logits, training = noise(p, scale=3.0), half(p)
    problem, context = table(logits, training)
    _, elements = pairs(p)
    kept = naive(logits, frequencies)
    with_mean = kept + (logits - kept).mean(0)
    found = circuit_losses(problem, problem.start, dataclasses.replace(context, frequencies=frequencies))
    assert found["restricted_loss"] == pytest.approx(float(F.cross_entropy(with_mean, elements)), rel=1e-12)
    expected = float(F.cross_entropy(with_mean[~training], elements[~training]))
    assert found["restricted_loss_test"] == pytest.approx(expected, rel=1e-12)
    expected = float(F.cross_entropy((logits - kept)[training], elements[training]))
    assert found["excluded_loss"] == pytest.approx(expected, rel=1e-12)


def test_the_null_goes_through_all_sets_if_they_are_few() -> None:
    p = 11
    logits = noise(p, scale=3.0)
    problem, context = table(logits)
    _, elements = pairs(p)
    found = circuit_losses(problem, problem.start, dataclasses.replace(context, frequencies=(2, 5)))
    null = found["restricted_loss_null"]
    assert isinstance(null, Estimate)
    losses = []
    for frequencies in itertools.combinations((1, 3, 4), 2):
        kept = naive(logits, frequencies)
        losses.append(float(F.cross_entropy(kept + logits.mean(0), elements)))
    assert null.value == pytest.approx(np.mean(losses))
    assert null.standard_error == 0
    np.testing.assert_allclose(np.sort(null.draws), np.sort(losses))


def test_a_planted_circuit_is_all_of_the_loss_and_stands_out_from_its_null() -> None:
    p = 23
    problem, context = table(planted(p, (3, 4, 9)), half(p))
    assert logit_frequencies(problem, problem.start, context.space) == (3, 4, 9)
    found = circuit_losses(problem, problem.start, dataclasses.replace(context, frequencies=(3, 4, 9)))
    whole = float(problem.evaluate(problem.start[None])["loss"][0])
    assert found["restricted_loss"] == pytest.approx(whole, rel=1e-9)
    assert found["excluded_loss"] >= np.log(p) - 1e-9
    null = found["restricted_loss_null"]
    assert null.value == pytest.approx(np.log(p), rel=1e-9)
    assert found["restricted_loss"] < null.value / 2


def test_other_frequencies_than_the_circuits_restrict_to_chance_and_exclude_nothing() -> None:
    p = 23
    problem, context = table(planted(p, (3, 4, 9)), half(p))
    found = circuit_losses(problem, problem.start, dataclasses.replace(context, frequencies=(1, 2, 5)))
    whole = float(problem.evaluate(problem.start[None])["loss"][0])
    assert found["restricted_loss"] == pytest.approx(np.log(p), rel=1e-9)
    assert found["excluded_loss"] == pytest.approx(whole, abs=1e-6)


def test_the_trap_a_memoriser_with_most_frequencies_kept_is_caught_by_the_null() -> None:
    """Logits right on the training half and noise elsewhere: no test accuracy, yet a restricted loss near 0."""
    p = 23
    training = half(p)
    _, elements = pairs(p)
    logits = noise(p)
    logits[training] += 60 * F.one_hot(elements[training], p)
    problem, context = table(logits, training)
    found = circuit_losses(problem, problem.start, dataclasses.replace(context, frequencies=range(2, 12)))
    outside = F.cross_entropy(logits[~training], elements[~training])
    assert float(outside) > np.log(p)
    assert found["restricted_loss"] < 0.01
    assert found["restricted_loss"] > found["restricted_loss_null"].value / 2


def shows_a_circuit(logits: Tensor, training: Tensor, count: int) -> bool:
    """Apply the rule of the documentation to the strongest frequencies of logits."""
    p = logits.shape[1]
    problem, context = table(logits, training)
    _, elements = pairs(p)
    strength = fourier_power(element_means(logits, elements, p), 0).sum(0)[1:]
    keys = (strength.argsort(descending=True)[:count] + 1).tolist()
    found = circuit_losses(problem, problem.start, dataclasses.replace(context, frequencies=keys, draws=8))
    null = found["restricted_loss_null"].value
    return found["restricted_loss"] < null / 2 and null > np.log(p) / 2


@pytest.mark.parametrize(("margin", "count"), [(0, 3), (10, 3), (30, 3), (60, 3), (60, 5), (200, 2), (200, 5)])
def test_the_documented_rule_rarely_sees_a_circuit_in_a_memoriser(margin: float, count: int) -> None:
    p, shown = 23, 0
    _, elements = pairs(p)
    for seed in range(100):
        logits, training = noise(p, 1000 + seed, scale=3.0), half(p, 1000 + seed)
        logits[training] += margin * F.one_hot(elements[training], p)
        shown += shows_a_circuit(logits, training, count)
    assert shown <= 5


def test_the_documented_rule_sees_a_circuit_beside_a_memoriser() -> None:
    p, shown = 23, 0
    _, elements = pairs(p)
    for seed in range(50):
        logits, training = noise(p, seed, scale=3.0) + planted(p, (3, 4, 9), scale=4.0), half(p, seed)
        logits[training] += 5 * F.one_hot(elements[training], p)
        shown += shows_a_circuit(logits, training, 3)
    assert shown >= 40


@pytest.mark.parametrize("seed", range(3))
def test_logits_without_a_circuit_lie_among_their_null(seed: int) -> None:
    p = 23
    problem, context = table(noise(p, seed, scale=5.0))
    keys = tuple(np.random.default_rng(seed).choice(np.arange(1, 12), 3, replace=False))
    found = circuit_losses(problem, problem.start, dataclasses.replace(context, frequencies=keys))
    draws = found["restricted_loss_null"].draws
    assert abs(found["restricted_loss"] - draws.mean()) < 4 * draws.std(ddof=1)
    assert found["restricted_loss"] > found["restricted_loss_null"].value / 2


CASES = {
    "noise": noise(23, 1, scale=8.0),
    "circuit in noise": noise(23, 2, scale=2.0) + planted(23, (3, 4, 9), scale=2.0),
    "other circuit": planted(23, (1, 2, 6, 10), scale=2.0),
}


@pytest.mark.parametrize("case", CASES)
def test_the_nulls_interval_covers_the_mean_of_all_sets(case: str) -> None:
    problem, context = table(CASES[case])
    context = dataclasses.replace(context, frequencies=(3, 4, 9), draws=10_000)
    exact = circuit_losses(problem, problem.start, context)["restricted_loss_null"]
    assert exact.standard_error == 0
    covered = 0
    for seed in range(200):
        some = dataclasses.replace(context, draws=24, seed=seed)
        null = circuit_losses(problem, problem.start, some)["restricted_loss_null"]
        low, high = null.interval()
        covered += low <= exact.value <= high
    assert 0.92 <= covered / 200 <= 0.98


def test_random_labels_are_taken_from_the_space() -> None:
    p = 7
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, p, p * p))
    logits = noise(p)
    problem, context = table(logits, targets=labels)
    found = circuit_losses(problem, problem.start, dataclasses.replace(context, frequencies=(1, 2, 3)))
    kept = naive(logits, (1, 2, 3)) + logits.mean(0)
    assert found["restricted_loss"] == pytest.approx(float(F.cross_entropy(kept, labels)))
    assert "excluded_loss" not in found


def test_refusals_say_what_is_wrong() -> None:
    p = 5
    problem, context = table(noise(p))
    elements = context.space.elements
    with pytest.raises(NotApplicable, match="circuit_losses needs frequencies"):
        circuit_losses(problem, problem.start, context)
    with pytest.raises(NotApplicable, match="circuit_losses needs space"):
        circuit_losses(problem, problem.start, Context())
    for frequencies in ((3,), (0, 1), ()):
        with pytest.raises(InvalidInput, match="expected some from 1 to 2"):
            circuit_losses(problem, problem.start, dataclasses.replace(context, frequencies=frequencies))
    with pytest.raises(InvalidInput, match="between 4 and 5 times"):
        Space(inputs=elements[1:], elements=elements[1:])
    with pytest.raises(InvalidInput, match="inputs hold 24 examples, expected 25"):
        Space(inputs=elements[1:], elements=elements)
    with pytest.raises(InvalidInput, match="expected integers"):
        Space(inputs=elements, elements=elements.double())
    with pytest.raises(InvalidInput, match=r"expected a mask of torch\.bool"):
        Space(inputs=elements, elements=elements, training=elements)
    scalar = Problem(lambda w, x: w["a"] * x, lambda z, y: z.square().mean(), (torch.ones(2), torch.ones(2)),
                     parameters={"a": torch.ones(())})  # fmt: skip
    space = Space(inputs=torch.ones(3), elements=torch.arange(3))
    with pytest.raises(NotApplicable, match=r"needs outputs \(N, classes\), found \(3,\)"):
        circuit_losses(scalar, scalar.start, Context(space=space, frequencies=(1,)))
