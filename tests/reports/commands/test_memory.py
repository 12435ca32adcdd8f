"""What a plan says about memory."""

from __future__ import annotations

import pytest

from grokscape.landscape.training.run import Run
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.checking.registry import load
from grokscape.reports.commands import memory


@pytest.fixture(scope="module")
def pending() -> list[Pending]:
    return [Pending.of(claim, "quick") for claim in load([]).select(["levi2023.*"]) if "quick" in claim.tiers]


def test_more_claims_and_more_runs_take_more(pending):
    assert memory.of_check([]) < memory.of_check(pending[:1]) < memory.of_check(pending)


def test_a_machine_that_has_too_little_is_noted(pending, monkeypatch):
    batch = [Run(n_train=500, seed=seed, steps=9) for seed in range(4)]
    [line] = memory.memory_lines(pending, [batch, batch[:1]], 2, "cpu")
    assert f"{memory.size(batch[0].memory(4) + memory.ROOM)} for a training" in line
    monkeypatch.setattr(memory, "machine_memory", lambda: 1e9)
    _, note = memory.memory_lines(pending, [batch], 2, "cpu")
    assert "this machine has 1 GB" in note


def test_nothing_to_train_takes_no_worker(pending):
    [line] = memory.memory_lines(pending, [], 2, "cpu")
    assert line.endswith("for the check itself")
