"""``grokscape measure``: load, measure, show how far it is, write the page."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import random
import shlex
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.markup import escape

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records.files import write_output
from grokscape.landscape.records.writable import refuse_unwritable
from grokscape.reports.commands.progress_bar import ProgressBar
from grokscape.reports.model_page.facts import facts
from grokscape.reports.model_page.instrument import Effort, Instrument
from grokscape.reports.model_page.json_data import json_data
from grokscape.reports.model_page.page import MeasuredModel, render
from grokscape.reports.model_page.run import InstrumentRun, choose, measure, plan
from grokscape.reports.model_page.subject import Subject
from grokscape.reports.model_page.target import load
from grokscape.reports.numbers import count, duration


def run_measure(options: argparse.Namespace, console: Console) -> int:
    """Measure; the exit status says whether an instrument failed (1) or Ctrl-C came (130)."""
    try:
        return _run(options, console)
    except KeyboardInterrupt:  # before the first instrument, or again after the last
        sys.stderr.write("\ngrokscape: stopped; no report was written.\n")
        return 130


def _run(options: argparse.Namespace, console: Console) -> int:
    if not 0 <= options.seed < 2**32:
        raise InvalidInput(f"--seed is {options.seed}, expected a number that is not negative and below 2^32")
    for path in (options.report, options.json):
        refuse_unwritable(path)
    choose(options.what)  # a misspelt name is refused before the model is made
    _seed(options.seed)
    subject = load(options.target)
    about = facts(subject)
    chosen, left_out = plan(subject, options.what)
    runs: list[InstrumentRun] = []
    unfinished: dict[Instrument[Any], str] = {}
    try:
        watch_instruments(subject, chosen, Effort(options.seed, options.quick), runs, console, debug=_debug(options))
    except KeyboardInterrupt:
        unfinished = _unfinished(chosen[len(runs) :])
    for instrument, reason in left_out.items():
        console.print(f"[dim]○ left out[/]  {instrument.name}  [dim]{escape(reason)}[/]")
    measured = MeasuredModel(
        target=options.target,
        model=subject.model,
        facts=about,
        command=_command(options),
        runs=runs,
        left_out=left_out,
        unfinished=unfinished,
        provenance=_provenance(options),
    )
    write_output(options.report, render(measured).encode())
    if options.json:
        write_output(options.json, json.dumps(json_data(measured), allow_nan=False).encode())
        console.print(f"numbers: {escape(str(options.json))}")
    console.print(f"report: {escape(str(options.report))}")
    if unfinished:
        sys.stderr.write(
            f"grokscape: stopped. The report holds the {count(len(runs), 'instrument')} that had finished; "
            f"{', '.join(instrument.name for instrument in unfinished)} had not.\n"
        )
        return 130
    return 1 if any(run.result is None for run in runs) else 0


def watch_instruments(
    subject: Subject,
    chosen: Sequence[Instrument[Any]],
    effort: Effort,
    runs: list[InstrumentRun],
    console: Console,
    *,
    debug: bool,
) -> None:
    """Measure and fill `runs`, showing how far it is and how long the present instrument will take."""
    began, present = time.monotonic(), ""
    with ProgressBar(console, "measuring") as bar:

        def progress(name: str, share: float) -> None:
            nonlocal began, present
            now = time.monotonic()
            if name != present:
                present, began = name, now
            bar.update(name, share, f"instrument {len(runs) + 1} of {len(chosen)}, {eta(share, now - began)}")

        for run in measure(subject, chosen, effort, progress):
            runs.append(run)
            console.print(run_line(run))
            if debug and run.error is not None:
                traceback.print_exception(run.error)


def eta(share: float, seconds: float) -> str:
    """Return how long an instrument will still take, from its share done and the time that took."""
    return "estimating" if share <= 0 or seconds < 0.5 else f"about {duration(seconds * (1 - share) / share)} to go"


def run_line(run: InstrumentRun) -> str:
    """Return what came of an instrument, as rich markup."""
    summary = run.summary
    if summary is None:
        return f"[bold red]✖ failed[/]  {run.name}  [dim]{escape(run.failure)}[/]"
    symbol = "[yellow]? not converged[/]" if summary.converged is False else "[green]✔[/]"
    return f"{symbol} {run.name}  {escape(summary.sentence)} [dim]{duration(run.seconds)}[/]"


def _debug(options: argparse.Namespace) -> bool:
    return options.debug or bool(os.environ.get("GROKSCAPE_DEBUG"))


def _seed(seed: int) -> None:
    """Let a factory that draws its model at random draw the same one each time."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - for the user's code, which may use it
    torch.manual_seed(seed)


def _unfinished(rest: Sequence[Instrument[Any]]) -> dict[Instrument[Any], str]:
    return {
        instrument: "Ctrl-C came before it began" if index else "Ctrl-C came while it ran"
        for index, instrument in enumerate(rest)
    }


def _command(options: argparse.Namespace) -> str:
    words = ["grokscape", "measure", options.target]
    words += ["--what", options.what] if options.what else []
    words += ["--seed", str(options.seed)] if options.seed else []
    words += ["--quick"] if options.quick else []
    return shlex.join(words)


def _provenance(options: argparse.Namespace) -> list[tuple[str, str]]:
    return [
        ("grokscape", importlib.metadata.version("grokscape")),
        ("torch", torch.__version__),
        ("seed", str(options.seed)),
        ("effort", "quick" if options.quick else "usual"),
    ]
