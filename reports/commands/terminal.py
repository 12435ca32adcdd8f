"""What the command line prints about verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from grokscape.landscape.scheduling.progress import SweepProgress
from grokscape.predictions.checking.check import Update
from grokscape.predictions.verdict import Judged, Robustness, Status, Verdict
from grokscape.reports.commands.progress_bar import ProgressBar
from grokscape.reports.kinds import parted
from grokscape.reports.numbers import count, duration, estimate, number

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


def watch_check(updates: Iterable[Update], console: Console) -> None:
    """Show a check while it runs: verdicts as they come, and how long it will take."""
    with ProgressBar(console, "training") as bar:
        for update in updates:
            if update.note:
                console.print(f"[yellow]note[/] {escape(update.note)}")
            if update.verdict is not None:
                console.print(
                    f"{badge(update.verdict.status)}  {update.verdict.id}  [dim]{escape(update.verdict.reason)}[/]"
                )
            if update.progress is not None and update.progress.runs:
                bar.update("training", update.progress.share, eta(update.progress))


def eta(sweep: SweepProgress) -> str:
    """Return how many runs are done and how long the rest will take."""
    to_go = "estimating" if sweep.eta is None else f"about {duration(sweep.eta)} to go"
    return f"{sweep.runs_done}/{sweep.runs} runs, {to_go}"


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """Return the table of verdicts: beside each, the claim and what was measured of every criterion."""
    table = Table.grid(padding=(0, 2, 1, 0))
    table.add_column("verdict", no_wrap=True)
    table.add_column("claim", overflow="fold")
    for verdict in verdicts:
        fragile = verdict.robustness in (Robustness.FRAGILE, Robustness.ROUNDING)
        lines = [
            f"[bold]{verdict.id}[/]"
            + (" [yellow]fragile[/]" if fragile else "")
            + (f" [dim]expected: {escape(verdict.accepted)}[/]" if verdict.accepted else "")
        ]
        lines += [measured(found) for found in verdict.criteria]
        if verdict.status is not Status.PASS:
            lines.append(escape(verdict.reason))
        table.add_row(badge(verdict.status), "\n".join(lines))
    return table


def measured(found: Judged) -> str:
    """Return one criterion in a line: what was measured, with its interval, and what it must be."""
    where = "" if found.at is None else f" at {number(found.at)}"
    line = f"{found.subject}{where}: {estimate(found.estimate, found.low, found.high)} over {count(found.n, 'seed')}"
    return f"{escape(line)}, [dim]{escape(found.requirement.demand)}[/]"


def summary(verdicts: Sequence[Verdict]) -> str:
    """Return the counts of verdicts in words: first those on what sources state, then all others by kind."""
    first, others = parted(verdicts, lambda verdict: str(verdict.about.get("kind", "")))
    apart = ", ".join(f"{kind.count(len(of_kind))} ({_counted(of_kind)})" for kind, of_kind in others)
    if not apart:
        return _counted(first)
    return f"{_counted(first)} of what sources state; apart from it {apart}" if first else apart


def _counted(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(verdict.status for verdict in verdicts)
    return ", ".join(f"{counts[status]} {status.value}" for status in Status if counts[status])
