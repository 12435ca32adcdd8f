"""What the command line prints."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from landscape.training.executor import Progress as Sweep
from predictions.check import Update
from predictions.prediction import Prediction
from predictions.verdict import Judged, Status, Verdict

#: Symbol and colour of each verdict; the word always stands beside them.
LOOK = {
    Status.PASS: ("✔", "green"),
    Status.FAIL: ("✘", "red"),
    Status.INCONCLUSIVE: ("?", "yellow"),
    Status.INVALID: ("!", "magenta"),
    Status.NOT_RUN: ("–", "dim"),
    Status.ERROR: ("✖", "bold red"),
}


def badge(status: Status) -> str:
    """Return a verdict with its symbol and colour, as rich markup."""
    symbol, colour = LOOK[status]
    return f"[{colour}]{symbol} {status.value}[/]"


def duration(seconds: float) -> str:
    """Return a duration as people say it: 45 s, 3 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def watch(updates: Iterable[Update], console: Console) -> None:
    """Show a check while it runs: verdicts as they come, and how long it will take.

    On a terminal a bar is kept up to date; elsewhere a line every 15 seconds says the same.
    """
    columns = [TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[eta]}")]
    spoken = time.monotonic()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("training", total=1.0, eta="")
        for update in updates:
            if update.note:
                console.print(f"[yellow]note[/] {escape(update.note)}")
            if update.verdict is not None:
                console.print(
                    f"{badge(update.verdict.status)}  {update.verdict.id}  [dim]{escape(update.verdict.reason)}[/]"
                )
            if update.progress is not None and update.progress.runs:
                line = progress_line(update.progress)
                bar.update(task, completed=update.progress.done, total=update.progress.total, eta=line)
                if not console.is_terminal and time.monotonic() - spoken > 15:
                    spoken = time.monotonic()
                    console.print(f"training: {line}")


def progress_line(sweep: Sweep) -> str:
    """Return how many runs are done and how long the rest will take."""
    to_go = "estimating" if sweep.eta is None else f"about {duration(sweep.eta)} to go"
    return f"{sweep.runs_done}/{sweep.runs} runs, {to_go}"


def number(judged: Judged) -> str:
    """Return an estimate with its interval."""
    return f"{judged.estimate:.4g} \\[{judged.low:.4g}, {judged.high:.4g}]"


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """Return the table of verdicts, one row per criterion."""
    table = Table(show_lines=False, header_style="bold", pad_edge=False)
    for name in ("verdict", "claim", "measured", "estimate [95 % interval]", "must", "seeds"):
        table.add_column(name, overflow="fold")
    for verdict in verdicts:
        status = badge(verdict.status) + (" [dim](expected)[/]" if verdict.expected else "")
        if not verdict.criteria:
            table.add_row(status, verdict.id, escape(verdict.reason), "", "", "")
        for row, found in enumerate(verdict.criteria):
            where = "" if found.at is None else f" at {found.at:.4g}"
            head = (status, verdict.id) if row == 0 else ("", "")
            table.add_row(*head, escape(found.quantity + where), number(found), escape(found.requirement), str(found.n))
    return table


def summary(verdicts: Sequence[Verdict]) -> str:
    """Return the counts of verdicts in words."""
    counts = Counter(verdict.status for verdict in verdicts)
    return ", ".join(f"{counts[status]} {status.value}" for status in Status if counts[status])


def claims_table(claims: Sequence[Prediction]) -> Table:
    """Return the table that ``grokscape list`` prints."""
    table = Table(header_style="bold", pad_edge=False)
    for name in ("id", "claim", "source", "theory", "tiers"):
        table.add_column(name, overflow="fold")
    for claim in claims:
        source = f"{claim.source.authors.split(',')[0]} et al., arXiv:{claim.source.arxiv}, {claim.where}"
        table.add_row(claim.id, escape(claim.claim), escape(source), escape(claim.theory), ", ".join(claim.tiers))
    return table
