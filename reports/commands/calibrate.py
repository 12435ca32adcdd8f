"""``grokscape calibrate``: train a claim's calibration seeds, and print what belongs into its criteria."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape

from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.local import available_cores, local_executor, refuse_workers
from grokscape.predictions.checking.calibrate import Calibration, Found, seeds_in_words
from grokscape.predictions.checking.registry import load
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.rules import Decision, operating
from grokscape.reports.commands.arguments import refuse_device, refuse_tier
from grokscape.reports.commands.terminal import watch_check
from grokscape.reports.numbers import share

#: Power below which a rule needs more seeds, and how many are tried.
ENOUGH, MOST_SEEDS = 0.8, 40


def run_calibrate(options: argparse.Namespace, console: Console) -> int:
    """Calibrate claims; the exit status says whether something was found for every criterion."""
    refuse_tier(options.tier)
    if options.workers is not None:
        refuse_workers(options.workers, "--workers")
    refuse_device(options.device)
    registry = load(options.module)
    claims = registry.select(options.ids)
    store = Store(options.store)
    calibration = Calibration(claims, options.tier, store, modules=registry.modules, device=options.device)
    with local_executor(options.workers or (available_cores() if options.device == "cpu" else 1)) as executor:
        watch_check(calibration.run(executor), console)
    complete = True
    for claim in claims:
        seeds = seeds_in_words(claim.calibration_seeds)
        console.print(f"[bold]{claim.id}[/]: calibration seeds {seeds} in the setting of {options.tier}")
        if claim.id in calibration.failed:
            complete = False
            console.print(f"  [red]nothing was found[/]: {escape(calibration.failed[claim.id])}")
        for found in calibration.found.get(claim.id, ()):
            complete &= found.calibrated is not None
            for line in lines(found, claim):
                console.print(f"  {line}", soft_wrap=True)
    return 0 if complete else 1


def lines(found: Found, claim: Prediction) -> Iterator[str]:
    """Yield what is printed of one criterion."""
    criterion = found.criterion
    where = "" if criterion.at is None else f" at {criterion.at:.4g}"
    yield escape(f"{criterion.rule.subject(criterion.quantity)}{where} {criterion.rule.requirement().statement}:")
    if found.calibrated is None:
        yield f"  [red]no effect to write down[/]: {escape(found.complaint)}"
        return
    effect, spread = found.calibrated.effect, found.calibrated.spread
    controls = (f"{name} {'–' if value is None else f'{value:.4g}'}" for name, value in found.controls.items())
    yield escape(f"  found {effect:.4g}, spread {spread:.2g}; in controls: {', '.join(controls)}")
    for tier, rates in found.rates.items():
        few = f"; {more_seeds(found)}" if rates.power < ENOUGH and found.foreseen is not Decision.FALSIFIED else ""
        yield escape(
            f"  {tier}, {len(claim.tiers[tier].seeds)} seeds: power {share(rates.power)}, false positives "
            f"{share(rates.false_pass)}{few}"
        )
    if found.foreseen is Decision.FALSIFIED:
        yield "  [yellow]seeds like these, were they many, falsify this criterion: a FAIL is foreseen[/]"
    yield f"  [bold]{escape(found.text)}[/]"


def more_seeds(found: Found) -> str:
    """Return how many seeds the rule would need."""
    assert found.calibrated is not None
    effect, spread, rule = found.calibrated.effect, found.calibrated.spread, found.criterion.rule
    for seeds in range(3, MOST_SEEDS + 1):
        if operating(rule, seeds=seeds, effect=effect, spread=spread, trials=200).power >= ENOUGH:
            return f"about {seeds} seeds have {share(ENOUGH)}"
    return f"not even {MOST_SEEDS} seeds have {share(ENOUGH)}; the threshold is too near"
