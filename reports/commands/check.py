"""``grokscape check``: train what is missing, judge, write the report; and ``grokscape list``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records.files import write_output
from grokscape.landscape.records.store import Store
from grokscape.landscape.records.writable import refuse_unwritable, refuse_unwritable_store
from grokscape.landscape.scheduling.local import available_cores, local_executor, refuse_workers
from grokscape.predictions.checking import known_outcomes
from grokscape.predictions.checking.check import Check
from grokscape.predictions.checking.known_outcomes import KnownOutcome
from grokscape.predictions.checking.registry import load
from grokscape.predictions.checking.verdict_files import keep_verdict
from grokscape.predictions.prediction import TIERS
from grokscape.predictions.verdict import Verdict
from grokscape.reports.claims_page.page import write_report
from grokscape.reports.commands.arguments import refuse_device, refuse_tier
from grokscape.reports.commands.plan import show_plan
from grokscape.reports.commands.terminal import summary, verdict_table, watch_check
from grokscape.reports.commands.times import CoreTime


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
    known = [KnownOutcome.parse(text) for text in options.expect]
    for outcome in known:
        if outcome.id not in {claim.id for claim in claims}:
            raise InvalidInput(f"--expect names {outcome.id!r}, which is not among the claims to check")
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
        watch_check(check.run(executor), console)
    used = core_time.summary(workers)
    for complaint in store.complaints:
        console.print(Text(f"note {complaint}"))
    verdicts = known_outcomes.apply(known, check.verdicts)
    console.print(verdict_table(verdicts))
    console.print(f"[bold]{summary(verdicts)}[/] at the {options.tier} tier" + (f"; {used}" if used else ""))
    unwritten = [*check.unsaved, *write_results(verdicts, store, options, console)]
    surprises = known_outcomes.surprises(known, verdicts)
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
    """Write what was asked for; yield a sentence about each that cannot be."""
    for verdict in verdicts:
        if verdict.accepted:
            try:
                keep_verdict(store, verdict)  # with the reason why it is accepted, for the page
            except (OSError, TypeError, ValueError) as error:
                yield f"that {verdict.id} is accepted could not be kept in the store ({error})"
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
