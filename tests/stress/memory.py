"""What the checking process of hundreds of claims takes of memory: ``python -m tests.stress.memory --claims 350``.

The claims are those of the quick tier, and copies of them under other ids with other seeds. All is done as in a check,
from an empty store to the report, but for two things: nothing is trained, each run leaving a tiny record instead, and
each claim measures as many numbers as claims do on average, made up. Prints the peak after every stage, and what a plan
says; the exit status says whether the peak is beyond a bound.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from grokscape.landscape.description import from_data
from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome
from grokscape.landscape.records.record import Record
from grokscape.landscape.records.store import Store
from grokscape.predictions.checking.check import Check
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.checking.registry import load
from grokscape.predictions.evidence import Measurement
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.rules import Monotone, Precedes
from grokscape.predictions.terms import Setting
from grokscape.reports.commands.check import write_results
from grokscape.reports.commands.memory import of_check

#: What some rules must be measured at.
LEVELS: Mapping[type, tuple[float | None, ...]] = {Precedes: (1.0, 2.0), Monotone: (1.0, 2.0, 3.0)}


class Pretending(Executor):
    """Stores a tiny record of every experiment, in place of training it."""

    def submit(self, _: Callable[..., Any], /, *args: Any, **__: Any) -> Future[Any]:
        [job] = args
        store, answer = Store(job["store"]), {"trained": [], "busy": [], "damaged": [], "notes": []}
        for data in job["experiments"]:
            experiment = from_data(data)
            assert isinstance(experiment, Experiment)
            type(experiment).misfit_of_record = Experiment.misfit_of_record  # type: ignore[method-assign]
            table = pd.DataFrame([(0, "train", "loss", 1.0)], columns=list(COLUMNS))
            store.write(experiment, Outcome(table, {}, {"last_step": 0, "seconds": 1.0}), {})
        done: Future[Any] = Future()
        done.set_result(answer)
        return done


def pretending(prediction: Prediction, number: int, rows: int) -> Prediction:
    """Return a copy of a claim that asks for other runs and measures made-up numbers, the last of them at `rows`."""
    tier = prediction.tiers["quick"]
    seeds = tuple(seed + 1000 * number for seed in tier.seeds)
    needed = [(c.quantity, at) for c in prediction.criteria for at in LEVELS.get(type(c.rule), (c.at,))]
    needed += [(gate.quantity, None) for gate in prediction.gates]
    each = rows // len(seeds) // (1 + len(prediction.controls))

    def measure(_: Mapping[str, Record], __: Setting) -> Iterator[Measurement]:
        for quantity, at in dict.fromkeys(needed):
            yield Measurement(quantity, 0.5, at=at)
        for step in range(1, each):
            yield Measurement(f"measured {step % 8}", 1 / step, at=float(step))

    return dataclasses.replace(
        prediction,
        id=f"{prediction.id}_{number}" if number else prediction.id,
        tiers={"quick": dataclasses.replace(tier, seeds=seeds)},
        calibration_seeds=(),
        measure=measure,
        refine=None,
        rounds=0,
        disputes=(),
    )


def claims(number: int, rows: int) -> list[Prediction]:
    """Return so many claims."""
    quick = [claim for claim in load([]).claims.values() if "quick" in claim.tiers]
    copies = (pretending(claim, copy, rows) for copy in itertools.count() for claim in quick)
    return list(itertools.islice(copies, number))


def peak() -> float:
    """Return the most memory that this process has taken, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=350)
    parser.add_argument("--rows", type=int, default=2300, help="observations of a claim; the mean of today's claims")
    parser.add_argument("--bound", type=float, default=1000.0, help="MB")
    options = parser.parse_args()
    chosen = claims(options.claims, options.rows)
    print(f"loaded {len(chosen)} claims: {peak():.0f} MB", flush=True)
    pending = [Pending.of(claim, "quick") for claim in chosen]
    runs = sum(len(item.experiments) for item in pending)
    print(f"prepared {runs} runs: {peak():.0f} MB; a plan says {of_check(pending) / 1e6:.0f} MB", flush=True)
    del pending
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        check = Check(chosen, "quick", store)
        for update in check.run(Pretending()):
            if update.verdict is not None and update.verdict.status == "ERROR":
                print(f"{update.verdict.id}: {update.verdict.reason}")
        print(f"judged: {peak():.0f} MB", flush=True)
        paths = {"report": Path(folder) / "report.html", "json": Path(folder) / "verdicts.json"}
        unwritten = list(
            write_results(check.verdicts, store, argparse.Namespace(tier="quick", **paths), Console(quiet=True))
        )
        sizes = ", ".join(f"{path.stat().st_size / 1e6:.0f} MB of {path.suffix[1:]}" for path in paths.values())
        print(f"written {sizes}: {peak():.0f} MB", *unwritten)
    return int(peak() > options.bound)


if __name__ == "__main__":
    sys.exit(main())
