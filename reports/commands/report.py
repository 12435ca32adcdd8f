"""``grokscape report``: write the page again."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.markup import escape

from grokscape.landscape.records.writable import refuse_unwritable
from grokscape.reports.claims_page.page import write_report
from grokscape.reports.commands.arguments import existing_store, refuse_tier


def run_report(options: argparse.Namespace, console: Console) -> int:
    """Write the page from the verdicts that the store keeps."""
    refuse_tier(options.tier)
    refuse_unwritable(options.report, options.store)
    count = write_report(existing_store(options.store), options.tier, options.report)
    console.print(f"report of {count} verdicts at the {options.tier} tier: {escape(str(options.report))}")
    return 0
