"""What claims hold of memory while they wait for their runs, and when they are judged."""

from __future__ import annotations

import tracemalloc

from grokscape.landscape.scheduling.plan import ancestry
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.checking.registry import load


def prepared(pattern: str) -> list[Pending]:
    claims = load([]).select([pattern])
    return [Pending.of(claim, "quick") for claim in claims if "quick" in claim.tiers]


def test_claims_that_ask_for_the_same_hold_the_same_objects():
    pending = prepared("miller2023.*")
    runs = [run for item in pending for run in ancestry(item.experiments).values()]
    assert len({id(run) for run in runs}) == len({run.identity for run in runs}) < len(runs)
    parts = {id(part): part for run in runs for part in run.parts()}
    assert len(parts) == len({(type(part), part.identity) for part in parts.values()})


def test_a_run_of_a_waiting_claim_takes_few_bytes():
    prepared("miller2023.*")  # loads whatever is loaded once
    tracemalloc.start()
    try:
        pending = prepared("miller2023.*")
        taken, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    runs = sum(len(item.experiments) for item in pending)
    assert taken / runs < 1200
    assert peak / runs < 2400
