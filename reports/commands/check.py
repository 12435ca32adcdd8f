"""``grokscape check``: train what is missing, judge, write the report; and ``grokscape list``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records.files import write_output
from grokscape.landscape.records.store import Store
from grokscape.landscape.records.writable import refuse_unwritable, refuse_unwritable_store
from grokscape.landscape.scheduling.local import available_cores, local_executor, refuse_workers
from grokscape.predictions.checking import known_outcomes
from grokscape.predictions.checking.against import Comparison, Outcome, compare, counted
from grokscape.predictions.checking.check import Check
from grokscape.predictions.checking.known_outcomes import KnownOutcome
from grokscape.predictions.checking.registry import load
from grokscape.predictions.checking.verdict_files import keep_verdict
from grokscape.predictions.prediction import TIERS
from grokscape.predictions.verdict import Verdict
from grokscape.reports.claims_page.page import write_report
from grokscape.reports.claims_page.remarks import Remarks
from grokscape.reports.commands import against
from grokscape.reports.commands.arguments import refuse_device, refuse_tier
from grokscape.reports.commands.plan import show_plan
from grokscape.reports.commands.publish import publish_results, publishing_folder
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
    folder = publishing_folder(options, claims)
    before = None
    if options.against is not None:
        chosen = [claim.id for claim in claims]
        before = against.held_against(options.against, options.tier, registry.claims, chosen)
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
    comparisons = None if before is None else compare(verdicts, before)
    unwritten = [*check.unsaved, *write_results(verdicts, comparisons, store, options, console)]
    if folder is not None:
        try:
            publish_results(claims, verdicts, folder, console)
        except (OSError, InvalidInput) as error:
            unwritten.append(str(error))
    surprises = known_outcomes.surprises(known, verdicts)
    if comparisons is not None:
        if any(one.outcome is not Outcome.SAME_DIGITS for one in comparisons):
            console.print(against.table(comparisons))
        console.print(f"[bold]{counted(comparisons)}[/], against {escape(options.against)}")
        surprises = against_surprises(comparisons, surprises)
    for surprise in surprises:
        console.print(f"[red]{escape(surprise)}[/]")
    for sentence in unwritten:
        console.print(f"[red]error[/] {escape(sentence)}")
    if unwritten:
        return 2
    return 1 if surprises else 0


def against_surprises(comparisons: Sequence[Comparison], surprises: Sequence[str]) -> list[str]:
    """Return what makes a check fail that is held against others: a verdict that reproduces is no surprise."""
    same = {one.id for one in comparisons if one.outcome in (Outcome.SAME_DIGITS, Outcome.SAME_VERDICT)}
    told = [surprise for surprise in surprises if surprise.partition(":")[0] not in same]
    return told + [f"{one.id}: {one.detail}" for one in comparisons if one.outcome is Outcome.DIFFERENT]


def write_results(
    verdicts: list[Verdict],
    comparisons: list[Comparison] | None,
    store: Store,
    options: argparse.Namespace,
    console: Console,
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
            held = None if comparisons is None else against.as_data(comparisons, options.against)
            write_output(options.json, _json(verdicts, held))
            console.print(f"verdicts and evidence: {escape(str(options.json))}")
        except (OSError, TypeError, ValueError) as error:
            yield f"{options.json} could not be written ({error})"
    try:
        remarks = Remarks() if comparisons is None else against.remarks(comparisons, options.against)
        write_report(store, options.tier, options.report, remarks)
        console.print(f"report: {escape(str(options.report))}")
    except (OSError, InvalidInput) as error:
        yield f"the report could not be written ({error}); make room, then run grokscape report"


def _json(verdicts: list[Verdict], held: dict[str, Any] | None = None) -> Iterator[bytes]:
    """Yield the verdicts as one JSON object, in pieces: as data they take many times the room that they take here."""
    yield b'{"verdicts": ['
    for number, verdict in enumerate(verdicts):
        yield (", " * (number > 0) + json.dumps(verdict.to_data(), allow_nan=False)).encode()
    yield b"]"
    if held is not None:
        yield b', "against": ' + json.dumps(held).encode()
    yield b"}"
