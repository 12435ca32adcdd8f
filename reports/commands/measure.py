"""``grokscape measure``: load, measure, show how far it is, write the page."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
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
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records.files import write_output
from grokscape.landscape.records.writable import refuse_unwritable
from grokscape.reports.model_page.instrument import Instrument, Setting
from grokscape.reports.model_page.instruments import account
from grokscape.reports.model_page.page import Run, render
from grokscape.reports.model_page.run import InstrumentRun, choose, measure, plan
from grokscape.reports.model_page.target import Subject, load, told
from grokscape.reports.numbers import count, duration, number

#: Seconds between two lines on progress where there is no terminal.
SPOKEN = 15.0


def run_measure(options: argparse.Namespace, console: Console) -> int:
    """Measure; the exit status says whether an instrument failed (1) or Ctrl-C came (130)."""
    debug = options.debug or bool(os.environ.get("GROKSCAPE_DEBUG"))
    try:
        return _run(options, console, debug)
    except KeyboardInterrupt:  # before the first instrument, or again after the last
        sys.stderr.write("\ngrokscape: stopped; no report was written.\n")
        return 130


def _run(options: argparse.Namespace, console: Console, debug: bool) -> int:
    if not 0 <= options.seed < 2**32:
        raise InvalidInput(f"--seed is {options.seed}, expected a number that is not negative and below 2^32")
    for path in (options.report, options.json):
        refuse_unwritable(path)
    choose(options.what)  # a misspelt name is refused before the model is made
    _seed(options.seed)
    subject = load(options.target)
    facts = _facts(subject)
    chosen, left_out = plan(subject, options.what)
    findings: list[InstrumentRun] = []
    try:
        watch(subject, chosen, Setting(options.seed, options.quick), findings, console, debug)
        unfinished = {}
    except KeyboardInterrupt:
        unfinished = _unfinished(chosen, findings)
    for name, reason in left_out.items():
        console.print(f"[dim]○ left out[/]  {name}  [dim]{escape(reason)}[/]")
    run = Run(
        target=options.target,
        model=subject.model,
        facts=facts,
        command=_command(options),
        findings=findings,
        left_out=left_out,
        unfinished=unfinished,
        made=_made(options),
    )
    write_output(options.report, render(run).encode())
    if options.json:
        write_output(options.json, json.dumps(_data(run), allow_nan=False).encode())
        console.print(f"numbers: {escape(str(options.json))}")
    console.print(f"report: {escape(str(options.report))}")
    if unfinished:
        sys.stderr.write(
            f"grokscape: stopped. The report holds the {count(len(findings), 'instrument')} that had finished; "
            f"{', '.join(unfinished)} had not.\n"
        )
        return 130
    return 1 if any(finding.result is None for finding in findings) else 0


def watch(
    subject: Subject,
    chosen: Sequence[Instrument],
    setting: Setting,
    findings: list[InstrumentRun],
    console: Console,
    debug: bool,
) -> None:
    """Measure and fill `findings`, showing how far it is and how long the present instrument will take.

    On a terminal a bar is kept up to date; elsewhere a line every 15 seconds says the same.
    """
    columns = [TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[eta]}")]
    began = spoken = time.monotonic()
    present = ""
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("measuring", total=1.0, eta="")

        def tell(name: str, share: float) -> None:
            nonlocal began, spoken, present
            now = time.monotonic()
            if name != present:
                present, began = name, now
            line = f"instrument {len(findings) + 1} of {len(chosen)}, {eta(share, now - began)}"
            bar.update(task, description=name, completed=share, eta=line)
            if not console.is_terminal and now - spoken > SPOKEN:
                spoken = now
                console.print(f"{name}: {100 * share:.0f} %, {line}")

        for finding in measure(subject, chosen, setting, tell):
            findings.append(finding)
            console.print(finding_line(finding))
            if debug and finding.error is not None:
                traceback.print_exception(finding.error)


def eta(share: float, seconds: float) -> str:
    """Return how long an instrument will still take, from its share done and the time that took."""
    return "estimating" if share <= 0 or seconds < 0.5 else f"about {duration(seconds * (1 - share) / share)} to go"


def finding_line(finding: InstrumentRun) -> str:
    """Return what came of an instrument, as rich markup."""
    if finding.result is None:
        return f"[bold red]✖ failed[/]  {finding.name}  [dim]{escape(finding.failure)}[/]"
    told = account(finding.name, finding.result)
    symbol = "[yellow]? not converged[/]" if told.converged is False else "[green]✔[/]"
    return f"{symbol} {finding.name}  {escape(told.sentence)} [dim]{duration(finding.seconds)}[/]"


def _seed(seed: int) -> None:
    """Let a factory that draws its model at random draw the same one each time."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - for the user's code, which may use it
    torch.manual_seed(seed)


def _unfinished(chosen: Sequence[Instrument], findings: Sequence[InstrumentRun]) -> dict[str, str]:
    rest = [instrument.name for instrument in chosen[len(findings) :]]
    words = ["Ctrl-C came while it ran", *["Ctrl-C came before it began"] * len(rest)]
    return dict(zip(rest, words, strict=False))


def _facts(subject: Subject) -> list[tuple[str, str]]:
    problem = subject.problem
    facts = [
        ("Model", subject.model),
        (
            "Parameters",
            f"{problem.size:,} that vary, in {count(len(problem.layout.names), 'tensor')}; {problem.dtype}".replace(
                "torch.", ""
            ),
        ),
        ("Names", ", ".join(problem.layout.names[:12]) + (", …" if len(problem.layout.names) > 12 else "")),
        ("Norm", number(float(problem.start.double().norm()))),
    ]
    for split in problem.batches:
        try:
            found = problem.evaluate(problem.start[None], split)
        except Exception as error:
            raise InvalidInput(
                f"the model and the loss of {subject.target} do not work on its {split} data ({told(error)}); call "
                "loss(model(inputs), targets) on them"
            ) from error
        at = {name: float(value[0]) for name, value in found.items()}
        right = "" if math.isnan(at["accuracy"]) else f", accuracy {number(at['accuracy'])}"
        examples = count(problem.count[split], "example").replace(
            str(problem.count[split]), f"{problem.count[split]:,}"
        )
        facts.append((f"{split.capitalize()} data", f"{examples}: loss {number(at['loss'])}{right}"))
    if "test" not in problem.batches:
        facts.append(("Test data", "none"))
    if subject.checkpoints:
        facts.append(
            ("Checkpoints", f"{len(subject.checkpoints)}: {subject.checkpoints[0][0]} to {subject.checkpoints[-1][0]}")
        )
    if subject.other is not None or len(subject.checkpoints) > 1:
        ends = "the model and 'other'" if subject.other is not None else "the first and the last checkpoint"
        facts.append(("Paths lead", f"between {ends}"))
    return [*facts, ("Device", str(problem.device))]


def _command(options: argparse.Namespace) -> str:
    words = ["grokscape", "measure", options.target]
    words += ["--what", options.what] if options.what else []
    words += ["--seed", str(options.seed)] if options.seed else []
    words += ["--quick"] if options.quick else []
    return shlex.join(words)


def _made(options: argparse.Namespace) -> list[tuple[str, str]]:
    return [
        ("grokscape", importlib.metadata.version("grokscape")),
        ("torch", torch.__version__),
        ("seed", str(options.seed)),
        ("effort", "quick" if options.quick else "usual"),
    ]


def _data(run: Run) -> dict[str, Any]:
    """Return everything measured as JSON-able data; NaN and infinity are null and words."""
    found = {}
    for finding in run.findings:
        entry: dict[str, Any] = {"seconds": finding.seconds, "failure": finding.failure}
        if finding.result is not None:
            told = account(finding.name, finding.result)
            entry |= {
                "sentence": told.sentence,
                "converged": told.converged,
                "warnings": [*told.warnings, *finding.warnings],
                "quantities": [
                    {key: _plain(getattr(q, key)) for key in ("name", "value", "error", "low", "high", "word")}
                    for q in told.quantities
                ],
                "table": [
                    {key: _plain(value) for key, value in row.items()}
                    for row in finding.result.to_frame().to_dict("records")
                ],
            }
        found[finding.name] = entry
    return {
        "target": run.target,
        "command": run.command,
        "about": dict(run.facts),
        "made": dict(run.made),
        "measured": found,
        "left_out": dict(run.left_out),
        "unfinished": dict(run.unfinished),
    }


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "infinity" if value > 0 else "-infinity"
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
