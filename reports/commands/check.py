"""What each command does. The command line itself stands in `grokscape.reports.cli`."""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from grokscape.landscape.errors import InvalidInput, Unavailable
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records import contents, inside
from grokscape.landscape.records.files import write_output
from grokscape.landscape.records.inside import Damaged, shown
from grokscape.landscape.records.store import Store, describe
from grokscape.landscape.records.writable import refuse_unwritable, refuse_unwritable_store
from grokscape.landscape.scheduling.local import available_cores, local_executor, refuse_workers
from grokscape.landscape.scheduling.order import USUAL_PART
from grokscape.landscape.scheduling.plan import Plan, ancestry
from grokscape.landscape.scheduling.requirements import refuse_unaffordable
from grokscape.landscape.scheduling.scheduler import ENSEMBLE, outlook
from grokscape.predictions.checking import known_outcomes as expectation
from grokscape.predictions.checking.check import Check
from grokscape.predictions.checking.claim_functions import said
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.checking.registry import load
from grokscape.predictions.checking.verdict_files import keep_verdict, verify_verdicts
from grokscape.predictions.prediction import TIERS, Prediction
from grokscape.predictions.verdict import Verdict
from grokscape.reports.claims_page.page import write_report
from grokscape.reports.commands import memory
from grokscape.reports.commands.terminal import claims_table, summary, verdict_table, watch
from grokscape.reports.commands.times import CoreTime, measured_costs, span
from grokscape.reports.numbers import count, duration


def run_list(options: argparse.Namespace, console: Console) -> int:
    """Show the claims."""
    console.print(claims_table(load(options.module).select(options.ids)))
    return 0


def run_check(options: argparse.Namespace, console: Console) -> int:
    """Check claims; the exit status says whether anything is bad or surprising."""
    refuse_tier(options.tier)
    if options.workers is not None:
        refuse_workers(options.workers, "--workers")
    refuse_device(options.device)
    for path in (options.report, options.json):
        refuse_unwritable(path, options.store)
    registry = load(options.module)
    claims = registry.select(options.ids)
    if not any(options.tier in claim.tiers for claim in claims):
        offered = sorted({tier for claim in claims for tier in claim.tiers}, key=TIERS.index)
        raise InvalidInput(f"no chosen claim has a {options.tier} tier; they can be checked at: {', '.join(offered)}")
    expectations = [expectation.KnownOutcome.parse(text) for text in options.expect]
    for expected in expectations:
        if expected.id not in {claim.id for claim in claims}:
            raise InvalidInput(f"--expect names {expected.id!r}, which is not among the claims to check")
    if options.plan:
        return 1 if show_plan(claims, registry.modules, options, console) else 0
    store = Store(options.store)
    refuse_unwritable_store(store, options.tier)
    check = Check(
        claims,
        options.tier,
        store,
        modules=registry.modules,
        known=list(registry.claims.values()),
        device=options.device,
        compile=options.compile,
    )
    workers = options.workers or (available_cores() if options.device == "cpu" else 1)
    core_time = CoreTime()
    with local_executor(workers) as executor:
        watch(check.run(executor), console)
    used = core_time.told(workers)
    for complaint in store.complaints:
        console.print(Text(f"note {complaint}"))
    verdicts = expectation.apply(expectations, check.verdicts)
    console.print(verdict_table(verdicts))
    console.print(f"[bold]{summary(verdicts)}[/] at the {options.tier} tier" + (f"; {used}" if used else ""))
    unwritten = [*check.unsaved, *write_results(verdicts, store, options, console)]
    surprises = expectation.surprises(expectations, verdicts)
    for surprise in surprises:
        console.print(f"[red]{escape(surprise)}[/]")
    for sentence in unwritten:
        console.print(f"[red]error[/] {escape(sentence)}")
    if unwritten:
        return 2
    return 1 if surprises else 0


def write_results(
    verdicts: list[Verdict], store: Store, options: argparse.Namespace, console: Console
) -> Iterator[str]:
    """Write what was asked for; what cannot be written is told, and keeps nothing else from being written."""
    for verdict in verdicts:
        if verdict.expected:
            try:
                keep_verdict(store, verdict)  # with the reason why it was expected, for the page
            except (OSError, TypeError, ValueError) as error:
                yield f"that {verdict.id} was expected could not be kept in the store ({error})"
    if options.json:
        try:
            write_output(options.json, _json(verdicts))
            console.print(f"verdicts and evidence: {escape(str(options.json))}")
        except (OSError, TypeError, ValueError) as error:
            yield f"{options.json} could not be written ({error})"
    try:
        write_report(store, options.tier, options.report)
        console.print(f"report: {escape(str(options.report))}")
    except (OSError, InvalidInput) as error:
        yield f"the report could not be written ({error}); make room, then run grokscape report"


def _json(verdicts: list[Verdict]) -> Iterator[bytes]:
    """Yield the verdicts as one JSON object, in pieces: as data they take many times the room that they take here."""
    yield b'{"verdicts": ['
    for number, verdict in enumerate(verdicts):
        yield (", " * (number > 0) + json.dumps(verdict.to_data(), allow_nan=False)).encode()
    yield b"]}"


def run_report(options: argparse.Namespace, console: Console) -> int:
    """Write the page from the verdicts that the store keeps."""
    refuse_tier(options.tier)
    refuse_unwritable(options.report, options.store)
    count = write_report(existing(options.store), options.tier, options.report)
    console.print(f"report of {count} verdicts at the {options.tier} tier: {escape(str(options.report))}")
    return 0


def run_store(options: argparse.Namespace, console: Console) -> int:
    """Look after a store."""
    store = existing(options.store)
    if options.action == "ls":
        return list_runs(store, console)
    if options.action == "verify":
        damaged = 0
        with console.status(f"checking {sum(1 for _ in store.folders())} runs"):
            for path, reason in itertools.chain(store.verify(), verify_verdicts(store)):
                damaged += 1
                console.print(Text.assemble(("set aside", "red"), f" {shown(path.name)}: {reason}"))
        console.print(f"{sum(1 for _ in store.folders())} sound runs, {damaged} set aside")
        return 1 if damaged else 0
    return prune(store, options, console)


def list_runs(store: Store, console: Console) -> int:
    """List every run with what it is; what cannot be read is named."""
    seconds, count, unread = 0.0, 0, 0
    for folder in store.folders():
        try:
            header = contents.header(folder, store.path)
        except Damaged as error:
            unread += 1
            console.print(Text.assemble(("unreadable", "red"), f"  {error}"))
            continue
        info: dict[str, Any] = header["info"]
        seconds += float(info.get("seconds", 0.0))
        count += 1
        line = f"{shown(folder.name)}  step {info.get('last_step')}  {describe(header)}"
        console.print(Text(line), overflow="ellipsis", no_wrap=True)
    console.print(f"{count} runs, {duration(seconds)} of training on one core")
    if unread:
        console.print(f"{unread} that cannot be read; grokscape store verify sets them aside")
    return 0


def prune(store: Store, options: argparse.Namespace, console: Console) -> int:
    """Remove what no known claim uses, at any tier."""
    # Identities alone are kept: all the runs of all claims, with what they hold, would fill the memory.
    wanted: set[str] = set()
    for claim in load(options.module).claims.values():
        for tier in claim.tiers:
            # Runs on data that have gone since are wanted all the same.
            wanted |= ancestry(reached(claim, tier, store, vet=False).experiments).keys()
    doomed = store.prune(keep=wanted, dry_run=options.dry_run)
    for line in (*map(shown, doomed), *store.complaints):
        console.print(Text(line))
    console.print(f"{'would remove' if options.dry_run else 'removed'} {len(doomed)} entries")
    return 1 if store.complaints else 0


def reached(claim: Prediction, tier: str, store: Store | None, *, vet: bool = True) -> Pending:
    """Return what a claim needs at a tier, with all that it asks for when it sees the records of a store."""
    try:
        found = Pending.of(claim, tier, vet=vet)
        if store is not None:
            found.reach(store)
    except Unavailable:
        raise
    except Exception as error:  # a claim is somebody's code
        reason = said(error)
        raise InvalidInput(
            f"the claim {claim.id!r} cannot say what it trains ({reason}); mend its runs or its refinement"
        ) from error
    return found


def show_plan(claims: list[Prediction], modules: Sequence[str], options: argparse.Namespace, console: Console) -> int:
    """Say what a check would train, how long that would take and in how much memory; the store is only looked at.

    Returns how many claims a check would find to be an ERROR; they are named, and the others planned without them.
    """
    broken = 0
    store = Store(options.store) if inside.kind(options.store / "store.json") else None
    pending = []
    for claim in claims:
        if options.tier in claim.tiers:
            try:
                pending.append(reached(claim, options.tier, store))
            except Unavailable as absent:
                console.print(f"{claim.id}: would not run: {escape(str(absent))}")
            except InvalidInput as error:
                broken += 1
                console.print(f"{claim.id}: [red]would be an ERROR[/]: {escape(str(error))}")
    if broken and not pending:
        return broken
    needed = {item.prediction.id: ancestry(item.experiments) for item in pending}
    uses = Counter(identity for own in needed.values() for identity in own)
    everything = {identity: experiment for own in needed.values() for identity, experiment in own.items()}
    missing = [e for e in everything.values() if store is None or e not in store]
    cores = options.workers or available_cores()
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
            f"to train: {len(missing)} of {count(len(everything), 'run')}"
            + (f" and up to {len(further)} more" if further else "")
            + f", {span(ahead.to_go({}), most)} on {count(cores, 'core')}"
        )
    batches = Plan(everything, missing, []).batches(ENSEMBLE["cpu"])
    affordable = [batch for batch in batches if not refused(batch, options.device, console)]
    for line in memory.told(pending, affordable, cores, options.device):
        console.print(line)
    return broken


def refused(batch: list[Experiment], device: str, console: Console) -> bool:
    """Say whether a check would refuse to train a batch, even one by one, for what it needs; and tell."""
    try:
        refuse_unaffordable(batch, device)
    except Unavailable:
        lacking = [reason for experiment in batch if (reason := unaffordable(experiment, device))]
        if lacking:
            more = f" (and {len(lacking) - 1} like it)" if len(lacking) > 1 else ""
            console.print(f"[yellow]would be refused[/]{more}: {escape(lacking[0])}")
        return bool(lacking)
    return False


def unaffordable(experiment: Experiment, device: str) -> str:
    """Return why an experiment alone would not be trained on this machine; "" if it would be."""
    try:
        refuse_unaffordable([experiment], device)
    except Unavailable as lack:
        return str(lack)
    return ""


def existing(path: Path) -> Store:
    """Open a store that must be there already."""
    if not inside.kind(path / "store.json"):
        raise InvalidInput(f"there is no store at {path}; give the folder that grokscape check used with --store")
    return Store(path)


def refuse_tier(tier: str) -> None:
    """Refuse a tier that does not exist."""
    if tier not in TIERS:
        raise InvalidInput(f"--tier is {tier!r}, expected one of {', '.join(TIERS)}")


def refuse_device(device: str) -> None:
    """Refuse a device that this machine does not have."""
    if device == "cpu":
        return
    import torch

    if not device.startswith("cuda") or not torch.cuda.is_available():
        raise InvalidInput(
            f"--device is {device!r}, expected cpu, or cuda where PyTorch finds a CUDA device (not here)"
        )
