"""The page on what was measured: one HTML file in the form of the report on claims, drawn without torch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from grokscape.landscape import printable
from grokscape.landscape.measures.result import Cost, Result
from grokscape.reports import numbers as wording
from grokscape.reports.figures.tables import harmless
from grokscape.reports.html import Figure, arxiv_link, environment, shell
from grokscape.reports.model_page.figures import draw
from grokscape.reports.model_page.instrument import Instrument
from grokscape.reports.model_page.run import InstrumentRun
from grokscape.reports.model_page.summary import Summary

#: Rows of a table that the page shows; the file beside the figure holds all.
ROWS = 24


@dataclass(frozen=True)
class State:
    """How an instrument fared: a word with its sign and its tone."""

    word: str
    sign: str
    css: str


CONVERGED = State("converged", "✓", "pass")
MEASURED = State("measured", "✓", "pass")
UNCONVERGED = State("not converged", "?", "inconclusive")
FAILED = State("failed", "!", "error")
LEFT_OUT = State("left out", "○", "not-run")
STOPPED = State("not finished", "○", "not-run")


@dataclass(frozen=True)
class Section:
    """All that the page shows of one instrument."""

    name: str
    title: str
    state: State
    summary: Summary | None = None
    reason: str = ""
    figure: Figure | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more_rows: int = 0
    cost: str = ""
    time: str = ""
    warnings: tuple[str, ...] = ()
    link: str | None = None


@dataclass(frozen=True)
class MeasuredModel:
    """A model with all that was measured of it, for the page.

    Attributes
    ----------
    target, model : str
        As the user named it; the class of the model.
    facts : sequence of (term, text)
        About the problem.
    command : str
        That measures it again.
    runs : sequence of InstrumentRun
    left_out, unfinished : mapping of Instrument to str
        Why an instrument was not used; why it did not finish.
    provenance : sequence of (name, text)
        Versions and settings.
    """

    target: str
    model: str
    facts: Sequence[tuple[str, str]]
    command: str
    runs: Sequence[InstrumentRun]
    left_out: Mapping[Instrument[Any], str] = field(default_factory=dict)
    unfinished: Mapping[Instrument[Any], str] = field(default_factory=dict)
    provenance: Sequence[tuple[str, str]] = ()


def render(measured: MeasuredModel) -> str:
    """Return the page as HTML."""
    sections = [_section(run) for run in measured.runs]
    sections += [Section(one.name, one.title, STOPPED, reason=why) for one, why in measured.unfinished.items()]
    counts: dict[State, int] = {}
    for section in sections:
        state = MEASURED if section.state is CONVERGED else section.state
        counts[state] = counts.get(state, 0) + 1
    html = environment().get_template("model.html.j2").render(
        measured=measured,
        sections=sections,
        left_out=[(instrument.title, reason) for instrument, reason in measured.left_out.items()],
        counts=list(counts.items()),
        total=wording.duration(sum(run.seconds for run in measured.runs)),
        wording=wording,
        **shell("model.css"),
    )  # fmt: skip
    # Text from a user's file may hold halves of surrogate pairs, which no file can.
    return html.encode("utf-8", "replace").decode("utf-8")


def _section(run: InstrumentRun) -> Section:
    title, seconds = run.instrument.title, wording.duration(run.seconds)
    summary = run.summary
    if run.result is None or summary is None:
        return Section(run.name, title, FAILED, reason=run.failure, time=seconds, warnings=run.warnings)
    figure, complaint = _figure(run.instrument, run.result, summary)
    frame = run.result.to_frame()
    return Section(
        run.name,
        title,
        {True: CONVERGED, False: UNCONVERGED, None: MEASURED}[summary.converged],
        summary=summary,
        figure=figure,
        columns=tuple(str(column).replace("_", " ") for column in frame.columns),
        rows=tuple(tuple(_cell(value) for value in row) for row in frame.head(ROWS).itertuples(index=False)),
        more_rows=max(0, len(frame) - ROWS),
        cost=cost(getattr(run.result, "cost", Cost())),
        time=seconds,
        warnings=(*summary.warnings, *complaint, *run.warnings),
        link=arxiv_link(summary.arxiv),
    )


def _figure(instrument: Instrument[Any], result: Result, summary: Summary) -> tuple[Figure | None, tuple[str, ...]]:
    """Return the figure, or why there is none: what was measured is worth showing without it."""
    try:
        caption, drawings = draw(instrument, result, words=summary.sentence)
    except Exception as error:
        return None, (f"The figure could not be drawn ({printable.error_text(error)}).",)
    if not drawings:
        return None, ()
    caption = wording.capital(caption) if caption.isascii() else caption
    table = instrument.table(result).rename(columns=harmless)
    for column in table:
        if not is_numeric_dtype(table[column]):
            table[column] = table[column].map(harmless)
    csv = table.to_csv(index=False, lineterminator="\n")
    return Figure(caption or instrument.title, drawings, "", csv, f"{instrument.name}.csv"), ()


def cost(spent: Cost) -> str:
    """Return a cost in words: ``120 gradients, 30 matvecs`` (products of a matrix with a vector)."""
    parts = [
        wording.count(spent.evaluations, "evaluation"),
        wording.count(spent.gradients, "gradient"),
        wording.count(spent.matvecs, "matvec"),
    ]
    return (
        ", ".join(re.sub(r"^\d+", lambda n: f"{int(n[0]):,}", part) for part in parts if not part.startswith("0 "))
        or "none"
    )


def _cell(value: Any) -> str:
    """Return a value of a table as text."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if value is None or value is pd.NA or (isinstance(value, float | np.floating) and np.isnan(value)):
        return "–"
    if isinstance(value, int | np.integer):
        return str(value)
    if isinstance(value, float | np.floating):
        return wording.number(float(value))
    return str(value)
