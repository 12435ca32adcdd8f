"""Catches a flow of another loss than the written one, and critical sizes of other sets than were drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.learners import EffectiveFlow, ParallelogramCriticalSize
from grokscape.landscape.theory import parallelograms
from tests.landscape.helpers import train_alone


def series(outcome: Any, quantity: str) -> np.ndarray:
    table = outcome.trajectory
    return np.asarray(table[table.quantity == quantity].value)


@pytest.mark.parametrize("scale", ["spread", "norm", "none"])
def test_gradient_is_that_of_the_written_loss(scale: Any) -> None:
    flow = EffectiveFlow(seed=3, n_train=40, scale=scale)
    asked = torch.tensor(parallelograms.rows(10, parallelograms.asked(10, flow.train_pairs)))
    places = torch.tensor(np.random.default_rng(0).normal(0.3, 1.0, 10), requires_grad=True)
    start = torch.tensor(flow.start)
    size = {
        "spread": (places - places.mean()).square().sum(),
        "norm": places.square().sum(),
        "none": (start - start.mean()).square().sum(),
    }[scale]
    written = (asked @ places).square().sum() / len(asked) / size
    written.backward()
    loss, slope = flow.effective_loss(places.detach().numpy())
    assert loss == pytest.approx(written.item(), rel=1e-12)
    assert places.grad is not None
    np.testing.assert_allclose(slope, places.grad.numpy(), rtol=0, atol=1e-13)


def test_what_the_flow_conserves_and_where_it_ends() -> None:
    outcome = train_alone(EffectiveFlow(seed=1, span=15.0))
    total, squares, loss = (series(outcome, name) for name in ("sum", "sum of squares", "loss"))
    np.testing.assert_allclose(total, total[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(squares, squares[0], rtol=1e-10)
    assert (np.diff(loss) < 0).all()
    assert loss[-1] < 1e-8 * loss[0]


def test_late_rate_is_lambda_3() -> None:
    residual = series(train_alone(EffectiveFlow(seed=5)), "residual")
    # From step 130 to 170 four units of 1 / lambda_3 pass.
    assert np.log(residual[130] / residual[170]) == pytest.approx(4.0, rel=1e-3)


def test_without_division_embeddings_shrink_and_by_the_norm_they_shift() -> None:
    plain, norm = (train_alone(EffectiveFlow(seed=1, span=5.0, scale=scale)) for scale in ("none", "norm"))
    squares = series(plain, "sum of squares")
    assert squares[-1] < 0.9 * squares[0]
    np.testing.assert_allclose(series(norm, "sum of squares"), series(norm, "sum of squares")[0], rtol=1e-10)
    assert abs(series(norm, "sum")[-1] - series(norm, "sum")[0]) > 0.05


def test_a_training_set_that_leaves_more_than_a_line_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nullity 2"):
        EffectiveFlow(seed=0, n_train=10)


def test_share_of_determined_sets() -> None:
    outcome = train_alone(ParallelogramCriticalSize(symbols=6, draws=50, seed=2))
    share = series(outcome, "determined")
    assert len(share) == 22
    assert share[0] == 0.0
    assert share[-1] == 1.0
    assert (np.diff(share) >= 0).all()
    sizes = parallelograms.critical_sizes(6, 50, 2)
    np.testing.assert_allclose(share, [(sizes <= size).mean() for size in range(22)])


def test_shuffled_sums_are_drawn_by_seed() -> None:
    one, same, true = (
        series(train_alone(ParallelogramCriticalSize(symbols=6, draws=30, seed=4, labels=labels)), "determined")
        for labels in ("shuffled", "shuffled", "true")
    )
    np.testing.assert_array_equal(one, same)
    assert (one != true).any()
