"""What claims about grokking measure again and again: accuracy reaches its levels, on which split at which step."""

from __future__ import annotations

from collections.abc import Iterator

from grokscape.landscape.fits.crossing import Crossing
from grokscape.landscape.records.record import Record
from grokscape.landscape.training.stop import Stop
from grokscape.predictions.evidence import Measurement, by_step
from grokscape.predictions.figures import Curve

SPLITS = ("train", "test")


def stop_at(accuracy: float, *, records: int) -> tuple[Stop]:
    """Return the stop of a run that ends once its test accuracy has been above a level for so many records."""
    return (Stop(quantity="accuracy", split="test", above=accuracy, records=records),)


def fit_and_generalise(record: Record, *, fitted: float, generalised: float) -> tuple[Crossing, Crossing]:
    """Return when training accuracy passed one level, and test accuracy another."""
    return record.crossing("accuracy", "train", above=fitted), record.crossing("accuracy", "test", above=generalised)


def in_order(quantity: str, *events: Crossing) -> Iterator[Measurement]:
    """Yield the steps of events in the order in which a claim says they come: what `Precedes` compares."""
    for place, event in enumerate(events):
        yield Measurement(quantity, event.step, at=place, censored=event.censored)


def accuracy_by_step(record: Record) -> Iterator[Measurement]:
    """Yield "train accuracy" and "test accuracy" at some 40 steps each, to be drawn by `training_curve`."""
    for split in SPLITS:
        yield from by_step(record.series("accuracy", split), f"{split} accuracy")


def training_curve(
    *quantities: str, y: str, title: str, log_y: bool = False, figure: str = "", each_seed: bool = False
) -> Curve:
    """Return a curve over training steps, on a logarithmic axis; the rest is as of `Curve`."""
    return Curve(
        quantities=quantities,
        x="training step",
        y=y,
        title=title,
        log_x=True,
        log_y=log_y,
        figure=figure,
        each_seed=each_seed,
    )
