"""The trainer: runs of one shape from where they stand to their ends."""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from grokscape.landscape.experiment import Outcome, Session
from grokscape.landscape.training.network_ensemble import NetworkEnsemble

if TYPE_CHECKING:
    from grokscape.landscape.training.run import Run


def train_ensemble(runs: Sequence[Run], session: Session) -> Iterator[tuple[Run, Outcome]]:
    """Train runs of one `batch_key` together; yield each with its outcome when it is finished.

    Interrupted runs go on from their snapshots; runs that stand at different steps are trained one group after another.

    Parameters
    ----------
    runs : sequence of Run
        All of one `batch_key`.
    session : Session
        Where parents come from, snapshots go, and progress is reported.
    """
    groups: dict[int, list[Run]] = {}
    for run in runs:
        snapshot = session.snapshot(run)
        groups.setdefault(snapshot.step if snapshot else 0, []).append(run)
    for part, group in enumerate(groups.values()):
        for finished, done in _train_group(group, session):
            session.report((part + done) / len(groups))
            yield from finished


def _train_group(runs: list[Run], session: Session) -> Iterator[tuple[list[tuple[Run, Outcome]], float]]:
    """Train runs that stand at one step; yield at every record who is finished, and which share is done."""
    began, size = time.perf_counter(), len(runs)
    ensemble = NetworkEnsemble(runs, session)
    last = max(run.steps for run in runs)
    schedule = set(runs[0].record.steps(last)) | {run.steps for run in runs}
    kept = {step for run in runs for step in run.keep}
    events = sorted(schedule | kept)
    while True:
        step = ensemble.step
        if step in kept:
            for row, log in enumerate(ensemble.logs):
                if step in log.run.keep:
                    log.weights[step] = ensemble.weights(row)
        if step in schedule:
            reasons = _record(ensemble)
            facts = {"last_step": step, "seconds": (time.perf_counter() - began) / size, "ensemble": size}
            yield (
                [
                    (ensemble.logs[row].run, ensemble.outcome(row, facts | {"stopped_by": reason}))
                    for row, reason in reasons.items()
                ],
                step / last,
            )
            living = [row for row in range(len(ensemble.logs)) if row not in reasons]
            if not living:
                return
            if reasons:
                ensemble.keep(living)
            # At step 0 there is nothing to keep yet, and projecting a second time is not the identity bit for bit.
            if step and session.wants_snapshot():
                for row, log in enumerate(ensemble.logs):
                    session.save(log.run, ensemble.snapshot(row))
        ensemble.advance(events[bisect.bisect_right(events, step)] - step)


def _record(ensemble: NetworkEnsemble) -> dict[int, str]:
    """Record every run at this step; return the rows that are finished, with the reason."""
    step, finished = ensemble.step, {}
    measured = ensemble.measure()
    for row, log in enumerate(ensemble.logs):
        # A run resumed from its snapshot has this record already; one with fewer steps than its neighbours
        # records only on its own schedule.
        own = step == log.run.steps or step in set(log.run.record.steps(log.run.steps))
        if not own or step == log.recorded:
            continue
        reason = log.record(step, measured[row])
        if reason is not None:
            finished[row] = reason
    return finished
