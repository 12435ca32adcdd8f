"""``grokscape check --plan``: what a check would train, how long that would take and in how much memory."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape

from grokscape.landscape.errors import InvalidInput, Unavailable
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.printable import error_text
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.local import available_cores
from grokscape.landscape.scheduling.order import USUAL_PART
from grokscape.landscape.scheduling.plan import Plan, ancestry
from grokscape.landscape.scheduling.requirements import refuse_unaffordable
from grokscape.landscape.scheduling.scheduler import ENSEMBLE, outlook
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.prediction import Prediction
from grokscape.reports.commands.arguments import store_at
from grokscape.reports.commands.memory import memory_lines
from grokscape.reports.commands.times import measured_costs, span
from grokscape.reports.numbers import count


def show_plan(claims: list[Prediction], modules: Sequence[str], options: argparse.Namespace, console: Console) -> int:
    """Show what a check would train; the store is only looked at.

    Returns how many claims a check would find to be an ERROR; they are named, and the others planned without them.
    """
    store = store_at(options.store)
    pending, broken = _reachable(claims, options.tier, store, console)
    if broken and not pending:
        return broken
    needed = {item.prediction.id: ancestry(item.experiments) for item in pending}
    everything = {identity: experiment for own in needed.values() for identity, experiment in own.items()}
    missing = [e for e in everything.values() if store is None or e not in store]
    _show_times(pending, needed, missing, modules, options, console)
    batches = Plan(everything, missing, []).batches(ENSEMBLE["cpu"])
    affordable = [batch for batch in batches if not refused(batch, options.device, console)]
    for line in memory_lines(pending, affordable, _cores(options), options.device):
        console.print(line)
    return broken


def reached(claim: Prediction, tier: str, store: Store | None, *, vet: bool = True) -> Pending:
    """Return what a claim needs at a tier, with all that it asks for when it sees the records of a store."""
    try:
        found = Pending.of(claim, tier, vet=vet)
        if store is not None:
            found.reach(store)
    except Unavailable:
        raise
    except Exception as error:  # a claim is user code
        reason = error_text(error)
        raise InvalidInput(
            f"the claim {claim.id!r} cannot say what it trains ({reason}); fix its runs or its refinement"
        ) from error
    return found


def _reachable(
    claims: Sequence[Prediction], tier: str, store: Store | None, console: Console
) -> tuple[list[Pending], int]:
    """Return what the claims need that can run, and how many are broken; all others are named."""
    pending, broken = [], 0
    for claim in claims:
        if tier in claim.tiers:
            try:
                pending.append(reached(claim, tier, store))
            except Unavailable as absent:
                console.print(f"{claim.id}: would not run: {escape(str(absent))}")
            except InvalidInput as error:
                broken += 1
                console.print(f"{claim.id}: [red]would be an ERROR[/]: {escape(str(error))}")
    return pending, broken


def _show_times(
    pending: Sequence[Pending],
    needed: Mapping[str, Mapping[str, Experiment]],
    missing: Sequence[Experiment],
    modules: Sequence[str],
    options: argparse.Namespace,
    console: Console,
) -> None:
    """Show how many runs each claim needs, and how long they and all together will take."""
    uses = Counter(identity for own in needed.values() for identity in own)
    cores = _cores(options)
    with measured_costs(missing, console, modules, options.device, options.compile) as costs:
        ahead = outlook(costs, cores, options.device, options.compile)
        ahead.queue.add(missing)
        further: list[Experiment] = []
        for item in pending:
            own, more = needed[item.prediction.id], item.most_to_come()
            further += more
            shared = sum(uses[identity] > 1 for identity in own)
            expected = sum(map(costs.seconds, own.values())) + USUAL_PART * sum(map(costs.seconds, more))
            console.print(
                f"{item.prediction.id}: {count(len(own), 'run')} ({shared} shared)"
                + (f" and up to {len(more)} more" if more else "")
                + f", {span(expected, sum(map(costs.most, [*own.values(), *more])))} on one core"
            )
            ahead.queue.aim(item.prediction.id, item.goal({e.identity for e in missing} & own.keys()))
        most = sum(map(costs.most, [*missing, *further])) / cores
        console.print(
            f"to train: {len(missing)} of {count(len(uses), 'run')}"
            + (f" and up to {len(further)} more" if further else "")
            + f", {span(ahead.to_go({}), most)} on {count(cores, 'core')}"
        )


def _cores(options: argparse.Namespace) -> int:
    return options.workers or available_cores()


def refused(batch: list[Experiment], device: str, console: Console) -> bool:
    """Return whether a check would refuse to train a batch, even one by one, for what it needs; and show why."""
    try:
        refuse_unaffordable(batch, device)
    except Unavailable:
        lacking = [reason for experiment in batch if (reason := _unaffordable(experiment, device))]
        if lacking:
            more = f" (and {len(lacking) - 1} like it)" if len(lacking) > 1 else ""
            console.print(f"[yellow]would be refused[/]{more}: {escape(lacking[0])}")
        return bool(lacking)
    return False


def _unaffordable(experiment: Experiment, device: str) -> str:
    """Return why an experiment alone would not be trained on this machine; "" if it would be."""
    try:
        refuse_unaffordable([experiment], device)
    except Unavailable as lack:
        return str(lack)
    return ""
