"""Catches places on the line that do not add up, and noise that does."""

from __future__ import annotations

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks import MessySums


def collisions(task: MessySums) -> float:
    """The share of pairs of examples with the same input that have the same label, over all with equal labels."""
    same_input = (task.inputs - task.inputs.T).abs() < 1e-9
    same_label = task.labels[:, None] == task.labels
    return float((same_input & same_label).sum() / same_label.sum())


def test_on_the_line_equal_sums_are_equal_inputs() -> None:
    task = MessySums(symbols=10)
    assert task.size == 55
    assert task.inputs.shape == (55, 1)
    assert task.n_outputs == 19
    assert collisions(task) == 1.0
    # Equal inputs, then, have equal labels too: the sum can be read off.
    order = task.inputs.squeeze(1).argsort(stable=True)
    assert (task.labels[order].diff() >= 0).all()


@pytest.mark.parametrize("changes", [{"messiness": 0.5}, {"messiness": 1.0}, {"order": "permuted"}])
def test_noise_and_another_order_tell_nothing(changes: dict[str, object]) -> None:
    tasks = [MessySums(symbols=10, draw=draw, **changes) for draw in range(5)]
    assert max(map(collisions, tasks)) < 0.5
    assert not torch.allclose(tasks[0].places, tasks[1].places)


def test_places_have_mean_zero_and_variance_one_at_either_end() -> None:
    for messiness in (0.0, 1.0):
        places = MessySums(messiness=messiness, draw=3).places
        assert places.mean().item() == pytest.approx(0.0, abs=1e-12)
        assert places.std().item() == pytest.approx(1.0)
    between = MessySums(messiness=0.25, draw=3).places
    ends = [MessySums(messiness=messiness, draw=3).places for messiness in (0.0, 1.0)]
    assert torch.allclose(between, 0.75 * ends[0] + 0.25 * ends[1])


@pytest.mark.parametrize(("field", "value"), [("symbols", 2), ("messiness", 1.5), ("draw", -1)])
def test_what_makes_no_sense_is_refused(field: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=rf"MessySums\.{field} is"):
        MessySums(**{field: value})
