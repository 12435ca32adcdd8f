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
from grokscape.reports.claims_page.page import Figure, environment, shell
from grokscape.reports.claims_page.summary import arxiv_link
from grokscape.reports.figures.tables import harmless
from grokscape.reports.model_page.account import Account
from grokscape.reports.model_page.figures import data, draw
from grokscape.reports.model_page.instruments import account, title
from grokscape.reports.model_page.run import InstrumentRun

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
    account: Account | None = None
    reason: str = ""
    figure: Figure | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more_rows: int = 0
    cost: str = ""
    time: str = ""
    warnings: tuple[str, ...] = ()
    link: str | None = None

    @property
    def was_tried(self) -> bool:
        """Whether the instrument ran at all."""
        return self.account is not None or self.state is FAILED


@dataclass(frozen=True)
class Run:
    """What ``grokscape measure`` did, for the page.

    Attributes
    ----------
    target, model : str
    facts : sequence of (term, text)
        About the problem.
    command : str
    findings : sequence of InstrumentRun
    left_out, unfinished : mapping of str to str
        Name of an instrument -> why it was not used; why it did not finish.
    made : sequence of (name, text)
        Versions and settings.
    """

    target: str
    model: str
    facts: Sequence[tuple[str, str]]
    command: str
    findings: Sequence[InstrumentRun]
    left_out: Mapping[str, str] = field(default_factory=dict)
    unfinished: Mapping[str, str] = field(default_factory=dict)
    made: Sequence[tuple[str, str]] = ()


def render(run: Run) -> str:
    """Return the page as HTML."""
    sections = [_section(finding) for finding in run.findings]
    sections += [Section(name, title(name), STOPPED, reason=reason) for name, reason in run.unfinished.items()]
    counts: dict[State, int] = {}
    for section in sections:
        state = MEASURED if section.state is CONVERGED else section.state
        counts[state] = counts.get(state, 0) + 1
    html = environment().get_template("model.html.j2").render(
        run=run,
        sections=sections,
        left_out=[(title(name), reason) for name, reason in run.left_out.items()],
        counts=list(counts.items()),
        total=wording.duration(sum(finding.seconds for finding in run.findings)),
        wording=wording,
        **shell("model.css"),
    )  # fmt: skip
    # Text from a user's file may hold halves of surrogate pairs, which no file can.
    return html.encode("utf-8", "replace").decode("utf-8")


def _section(finding: InstrumentRun) -> Section:
    name = finding.name
    seconds = wording.duration(finding.seconds)
    if finding.result is None:
        return Section(name, title(name), FAILED, reason=finding.failure, time=seconds, warnings=finding.warnings)
    told = account(name, finding.result)
    state = {True: CONVERGED, False: UNCONVERGED, None: MEASURED}[told.converged]
    figure, complaint = _figure(name, finding.result, told)
    frame = finding.result.to_frame()
    return Section(
        name,
        title(name),
        state,
        account=told,
        figure=figure,
        columns=tuple(str(column).replace("_", " ") for column in frame.columns),
        rows=tuple(tuple(_cell(value) for value in row) for row in frame.head(ROWS).itertuples(index=False)),
        more_rows=max(0, len(frame) - ROWS),
        cost=cost(getattr(finding.result, "cost", Cost())),
        time=seconds,
        warnings=(*told.warnings, *complaint, *finding.warnings),
        link=arxiv_link(told.arxiv),
    )


def _figure(name: str, result: Result, told: Account) -> tuple[Figure | None, tuple[str, ...]]:
    """Return the picture, or why there is none: what was measured is worth telling without it."""
    try:
        caption, drawings = draw(name, result, words=told.sentence)
    except Exception as error:
        return None, (f"The figure could not be drawn ({printable.told(error)}).",)
    if not drawings:
        return None, ()
    caption = wording.capital(caption) if caption.isascii() else caption
    table = data(name, result).rename(columns=harmless)
    for column in table:
        if not is_numeric_dtype(table[column]):
            table[column] = table[column].map(harmless)
    csv = table.to_csv(index=False, lineterminator="\n")
    return Figure(caption or title(name), drawings, "", csv, f"{name}.csv"), ()


def cost(spent: Cost) -> str:
    """Return a cost in words: ``120 gradients, 30 products``."""
    parts = [
        wording.count(spent.evaluations, "evaluation"),
        wording.count(spent.gradients, "gradient"),
        wording.count(spent.matvecs, "product"),
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
