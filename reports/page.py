"""The report: one HTML file, made from stored verdicts alone.

The file asks for nothing from anywhere: style and script are in it, and its content security policy allows no other.
The same verdicts give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from landscape.training.files import write_atomically
from landscape.training.store import Store
from predictions.check import load_verdicts
from predictions.wording import must
from reports import summary, tables, wording
from reports.curves import curves
from reports.figures import draw_panel, draw_strip
from reports.strips import strips


@dataclass(frozen=True)
class Figure:
    """A figure of the page: its drawings, and what is drawn as a file to keep."""

    title: str
    drawings: tuple[Markup, ...]
    note: str
    csv: str
    file_name: str

    @property
    def href(self) -> str:
        return "data:text/csv;charset=utf-8," + quote(self.csv, safe=",.-+/:()", errors="replace")


@dataclass(frozen=True)
class Entry:
    """A verdict with all that the template shows of it."""

    verdict: Mapping[str, Any]
    anchor: str
    paper: str
    meaning: summary.Meaning
    decisive: Mapping[str, Any] | None
    spark: summary.Spark | None
    figures: tuple[Figure, ...]
    facts: list[tuple[str, str]]
    arxiv: str | None


def write_report(store: Store, tier: str, path: Path) -> int:
    """Write the report on a tier's verdicts to a file, whole or not at all.

    Parameters
    ----------
    store : Store
    tier : str
    path : Path

    Returns
    -------
    int
        The number of verdicts in it.
    """
    verdicts, complaints = load_verdicts(store, tier)
    write_atomically(Path(path), render(verdicts, tier=tier, complaints=complaints).encode())
    return len(verdicts)


def render(verdicts: Sequence[Mapping[str, Any]], *, tier: str, complaints: Sequence[str] = ()) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    verdicts : sequence of mapping
        As `Verdict.to_data` returns them.
    tier : str
    complaints : sequence of str
        What could not be read.
    """
    verdicts = [summary.completed(verdict) for verdict in verdicts]
    entries, complaints = [], list(complaints)
    for verdict, anchor in zip(verdicts, summary.anchors(verdicts), strict=True):
        try:
            entries.append(_entry(verdict, anchor))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            # One verdict that somebody edited must not take the others with it.
            complaints.append(f"The verdict on {verdict['id']} cannot be shown ({type(error).__name__}: {error}).")
    verdicts = [entry.verdict for entry in entries]
    html = environment().get_template("page.html.j2").render(
        entries=entries,
        counts=summary.counts(verdicts),
        tier=tier,
        complaints=complaints,
        meanings=summary.MEANINGS,
        papers=sorted({entry.paper for entry in entries}),
        theories=sorted({str(verdict["about"]["theory"]) for verdict in verdicts} - {""}),
        dates=sorted({str(verdict["provenance"].get("date", ""))[:10] for verdict in verdicts} - {""}),
        **shell(),
        control_outcomes=summary.CONTROL_OUTCOMES,
        wording=wording,
        must=must,
    )  # fmt: skip
    # Text from a claim may hold halves of surrogate pairs, which no file can.
    return html.encode("utf-8", "replace").decode("utf-8")


def _entry(verdict: Mapping[str, Any], anchor: str) -> Entry:
    index = summary.decisive(verdict)
    return Entry(
        verdict=verdict,
        anchor=anchor,
        paper=summary.paper(verdict),
        meaning=summary.meaning(verdict["status"]),
        decisive=None if index is None else verdict["criteria"][index],
        spark=summary.spark(verdict),
        figures=(*_criterion_figures(verdict, anchor), *_curve_figures(verdict, anchor)),
        facts=summary.facts(verdict),
        arxiv=summary.arxiv_link(str(verdict["about"]["source"]["arxiv"])),
    )


def _criterion_figures(verdict: Mapping[str, Any], anchor: str) -> Iterator[Figure]:
    for index, strip in enumerate(strips(verdict), start=1):
        name = f"{anchor}-criterion-{index}"
        yield Figure(strip.title, (draw_strip(strip, key=name),), "", tables.of_strip(strip), f"{name}.csv")


def _curve_figures(verdict: Mapping[str, Any], anchor: str) -> Iterator[Figure]:
    for index, curve in enumerate(curves(verdict), start=1):
        name = f"{anchor}-curve-{index}"
        drawings = (draw_panel(curve, panel, key=f"{name}-{n}") for n, panel in enumerate(curve.panels, start=1))
        yield Figure(wording.capital(curve.title), tuple(drawings), curve.note, tables.of_curves(curve), f"{name}.csv")


def environment() -> jinja2.Environment:
    """Return what fills in the templates; every text is escaped."""
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def shell(*more_css: str) -> dict[str, str]:
    """Return what the base template needs: style and script, and the hashes by which the page allows them.

    Parameters
    ----------
    *more_css : str
        Names of further style sheets.
    """
    css, script = "".join(map(_resource, ("page.css", *more_css))), _resource("page.js")
    return {"css": Markup(css), "script": Markup(script), "css_hash": _hash(css), "script_hash": _hash(script)}


def _resource(name: str) -> str:
    return importlib.resources.files("reports").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
