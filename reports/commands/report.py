"""``grokscape report``: write the page again, from a store or from published results."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.markup import escape

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records.writable import refuse_unwritable
from grokscape.reports.claims_page.page import write_report
from grokscape.reports.commands.arguments import existing_store, refuse_tier


def run_report(options: argparse.Namespace, console: Console) -> int:
    """Write the page from the verdicts that the store keeps, or from those that are published."""
    refuse_tier(options.tier)
    if options.published is not None:
        from grokscape.reports.commands.report_published import report_published  # it needs the claims, and torch

        return report_published(options, console)
    if options.markdown or options.module:
        name = "--markdown" if options.markdown else "--module"
        raise InvalidInput(f"{name} is for published results; add --published")
    refuse_unwritable(options.report, options.store)
    number = write_report(existing_store(options.store), options.tier, options.report)
    console.print(f"report of {number} verdicts at the {options.tier} tier: {escape(str(options.report))}")
    return 0
