"""``grokscape report --published``: the page, or a table, of what is published."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records.writable import refuse_unwritable
from grokscape.predictions.checking import rooms
from grokscape.predictions.checking.published import Published, load_published
from grokscape.predictions.checking.registry import load
from grokscape.predictions.checking.standing import stale
from grokscape.reports.claims_page.markdown import results_table
from grokscape.reports.claims_page.page import write_page
from grokscape.reports.claims_page.remarks import Remarks
from grokscape.reports.numbers import count


def report_published(options: argparse.Namespace, console: Console) -> int:
    """Write the page from what is published, without any training or store; or print it as a table."""
    everything, complaints = published(options.published)
    if options.markdown:
        for complaint in complaints:
            console.print(f"[yellow]note[/] {escape(complaint)}")
        sys.stdout.write(results_table([entry.verdict for entry in everything]))
        return 0
    refuse_unwritable(options.report)
    entries = sorted((entry for entry in everything if entry.tier == options.tier), key=lambda entry: entry.id)
    if not entries and not complaints:
        where = f"in {options.published}" if options.published else "with this Grokscape"
        raise InvalidInput(f"nothing is published {where} at the {options.tier} tier; grokscape check --publish does")
    write_page(
        [entry.verdict for entry in entries],
        options.tier,
        options.report,
        complaints=complaints,
        remarks=stale_remarks(entries, options.module),
    )
    console.print(
        f"report of {len(entries)} published verdicts at the {options.tier} tier: {escape(str(options.report))}"
    )
    return 0


def published(named: str) -> tuple[list[Published], list[str]]:
    """Return what is published with Grokscape (for ""), or in a folder, and what cannot be read.

    Raises
    ------
    InvalidInput
        If there is no such folder.
    """
    if not named:
        return load_published(rooms.folder(), rooms.sources())
    if not Path(named).is_dir():
        raise InvalidInput(f"--published is {named!r}, expected a folder that grokscape check --publish-to wrote into")
    return load_published(Path(named))


def stale_remarks(entries: Iterable[Published], modules: Sequence[str]) -> Remarks:
    """Return what the page says of published verdicts that do not stand for the claims of today."""
    claims = load(modules).claims
    told = {entry.id: (why,) for entry in entries if entry.id in claims and (why := stale(claims[entry.id], entry))}
    if not told:
        return Remarks()
    return Remarks((f"Stale: {count(len(told), 'verdict')} of claims that have changed since.",), told)
