"""``grokscape store``: list the runs it holds, check its files, remove what no claim uses."""

from __future__ import annotations

import argparse
import itertools
from typing import Any

from rich.console import Console
from rich.text import Text

from grokscape.landscape.records import contents
from grokscape.landscape.records.inside import Damaged, shown
from grokscape.landscape.records.store import Store, describe
from grokscape.landscape.scheduling.plan import ancestry
from grokscape.predictions.checking.registry import load
from grokscape.predictions.checking.verdict_files import verify_verdicts
from grokscape.reports.commands.arguments import existing_store
from grokscape.reports.commands.plan import reached
from grokscape.reports.numbers import duration


def run_store(options: argparse.Namespace, console: Console) -> int:
    """Look after a store."""
    store = existing_store(options.store)
    if options.action == "ls":
        return list_runs(store, console)
    if options.action == "verify":
        return verify(store, console)
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


def verify(store: Store, console: Console) -> int:
    """Check every file; what is damaged or foreign is set aside, and named."""
    damaged = 0
    with console.status(f"checking {sum(1 for _ in store.folders())} runs"):
        for path, reason in itertools.chain(store.verify(), verify_verdicts(store)):
            damaged += 1
            console.print(Text.assemble(("set aside", "red"), f" {shown(path.name)}: {reason}"))
    console.print(f"{sum(1 for _ in store.folders())} sound runs, {damaged} set aside")
    return 1 if damaged else 0


def prune(store: Store, options: argparse.Namespace, console: Console) -> int:
    """Remove what no known claim uses, at any tier."""
    # Identities alone are kept: all the runs of all claims, with what they hold, would fill the memory.
    wanted: set[str] = set()
    for claim in load(options.module).claims.values():
        for tier in claim.tiers:
            # Runs on data that have gone since are wanted all the same.
            wanted |= ancestry(reached(claim, tier, store, vet=False).experiments).keys()
    removed = store.prune(keep=wanted, dry_run=options.dry_run)
    for line in (*map(shown, removed), *store.complaints):
        console.print(Text(line))
    console.print(f"{'would remove' if options.dry_run else 'removed'} {len(removed)} entries")
    return 1 if store.complaints else 0
