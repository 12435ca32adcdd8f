"""Lists every claim, what decides it, and all runs it starts from: ``python -m tests.claims_listing > before.txt``.

What is written before and after a change of the code can be compared with ``diff``: a change that promises to leave
claims, criteria and run identities alone leaves no difference.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from grokscape.landscape.description import Description
from grokscape.landscape.scheduling.plan import ancestry
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.checking.registry import load
from grokscape.predictions.prediction import TIERS, Prediction
from grokscape.predictions.terms import Criterion


def listing(claim: Prediction, *, every_run: bool = False) -> Iterator[str]:
    """Yield lines that say what a claim is; each run's identity, or a digest of those of each arm."""
    yield f"{claim.id}: {claim.claim}"
    yield f"  {claim.source.key}; {claim.where}; {claim.theory}; disputes {list(claim.disputes)}; needs {claim.needs}"
    yield from (f"  criterion: {_criterion(criterion)}" for criterion in claim.criteria)
    for gate in claim.gates:
        yield f"  gate: {gate.quantity}, above {gate.above}, below {gate.below}, controls {gate.controls}"
    yield from (f"  control: {control.name}: {_plain(control.changes)}" for control in claim.controls)
    yield f"  calibration seeds: {claim.calibration_seeds}; rounds: {claim.rounds}"
    for tier in (tier for tier in TIERS if tier in claim.tiers):
        yield f"  {tier}: seeds {claim.tiers[tier].seeds}"
        for arm, seeds in Pending.of(claim, tier, vet=False).needed.items():
            runs = [(seed, label, run) for seed, labels in seeds.items() for label, run in labels.items()]
            lines = [f"{seed} {label} {run.identity}" for seed, label, run in runs]
            everything = sorted(ancestry([run for *_, run in runs]))
            digest = hashlib.sha256("\n".join([*lines, *everything]).encode()).hexdigest()
            yield f"    {arm}: {len(runs)} runs, {len(everything)} with what they start from: {digest}"
            yield from (f"      {line}" for line in lines if every_run)


def _plain(value: Any) -> Any:
    """Return a value with descriptions as data: by their kinds, whatever their classes are called."""
    if isinstance(value, Description):
        return value.to_data()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return type(value)(map(_plain, value)) if isinstance(value, tuple | list) else value


def _criterion(criterion: Criterion) -> str:
    rule, found = criterion.rule, criterion.calibrated
    values: dict[str, Any] = {field.name: getattr(rule, field.name) for field in fields(rule)}  # type: ignore[arg-type]
    return (
        f"{criterion.quantity}, at {criterion.at}: {type(rule).__name__} {values}; from: {criterion.threshold_from}; "
        f"calibrated: {found and (found.effect, found.spread, found.seeds)}"
    )


def main() -> None:
    """Print the listing of all built-in claims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", action="store_true", help="name every run, instead of a digest of each arm's")
    options = parser.parse_args()
    for claim in sorted(load().claims.values(), key=lambda claim: claim.id):
        print("\n".join(listing(claim, every_run=options.runs)))


if __name__ == "__main__":
    main()
