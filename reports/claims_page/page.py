"""The report: one HTML file, made from stored verdicts alone.

The file asks for nothing from anywhere: style and script are in it, and its content security policy allows no other.
The same verdicts give the same bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokscape.landscape.printable import error_text
from grokscape.landscape.records.files import write_output
from grokscape.landscape.records.store import Store
from grokscape.predictions import wording as sentences
from grokscape.predictions.checking.verdict_files import load_verdicts
from grokscape.reports import numbers as wording
from grokscape.reports.claims_page import fragile, narrative, summary
from grokscape.reports.claims_page.remarks import Remarks
from grokscape.reports.claims_page.settings import in_words
from grokscape.reports.figures import tables
from grokscape.reports.figures.criterion import criterion_plots
from grokscape.reports.figures.curves import curves
from grokscape.reports.figures.draw_criterion import draw_criterion
from grokscape.reports.figures.draw_curves import draw_panel
from grokscape.reports.figures.draw_maps import draw_plane
from grokscape.reports.figures.draw_portraits import draw_portrait
from grokscape.reports.figures.maps import charts
from grokscape.reports.figures.portraits import portraits
from grokscape.reports.html import Figure, environment, shell
from grokscape.reports.kinds import STATED, Kind, kind


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
    link: str | None
    kind: Kind
    fragile: str
    robust: tuple[tuple[str, str, str], ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """All claims of one source: what became of them in a paragraph, and the source's figures drawn from their evidence.

    Attributes
    ----------
    anchor : str
    source : mapping
    link : str or None
    told : Narrative
    counts : list of (Meaning, int)
        Of the verdicts that there are on what the source states.
    fragile : str
        How many of them a moved threshold would change.
    apart : list of str
        The other verdicts, counted by kind.
    entries : tuple of Entry
    figures : tuple of (Entry, Figure)
        In the order of the source's own figures, maps last.
    """

    anchor: str
    source: Mapping[str, Any]
    link: str | None
    told: narrative.Narrative
    counts: list[tuple[summary.Meaning, int]]
    fragile: str
    apart: list[str]
    entries: tuple[Entry, ...]
    figures: tuple[tuple[Entry, Figure], ...]


def write_report(store: Store, tier: str, path: Path, remarks: Remarks | None = None) -> int:
    """Write the report on a tier's verdicts to a file, whole or not at all.

    Parameters
    ----------
    store : Store
    tier : str
    path : Path
    remarks : Remarks, optional
        What to say beside the verdicts.

    Returns
    -------
    int
        The number of verdicts in it.
    """
    verdicts, complaints = load_verdicts(store, tier)
    write_page(verdicts, tier, path, complaints=complaints, remarks=remarks)
    return len(verdicts)


def write_page(
    verdicts: Sequence[Mapping[str, Any]],
    tier: str,
    path: Path,
    *,
    complaints: Sequence[str] = (),
    remarks: Remarks | None = None,
) -> None:
    """Write the report on verdicts to a file, whole or not at all; see `render`."""
    pieces = _pieces(verdicts, tier, complaints, remarks or Remarks())
    write_output(Path(path), (piece.encode() for piece in pieces))


def render(
    verdicts: Sequence[Mapping[str, Any]],
    *,
    tier: str,
    complaints: Sequence[str] = (),
    remarks: Remarks | None = None,
) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    verdicts : sequence of mapping
        As `Verdict.to_data` returns them.
    tier : str
    complaints : sequence of str
        What could not be read.
    remarks : Remarks, optional
        What to say beside the verdicts.
    """
    return "".join(_pieces(verdicts, tier, complaints, remarks or Remarks()))


def _pieces(
    verdicts: Sequence[Mapping[str, Any]], tier: str, complaints: Sequence[str], remarks: Remarks
) -> Iterator[str]:
    """Yield the report piece by piece: the page of hundreds of claims is not held several times over."""
    complaints = list(complaints)
    entries = list(_entries(verdicts, complaints, remarks))
    verdicts = [entry.verdict for entry in entries]
    first, others = summary.by_kind(verdicts)
    page = environment().get_template("claims.html.j2").generate(
        entries=entries,
        sections=list(_sections(entries, tier, complaints)),
        disputes=disputed(entries),
        stated=len([verdict for verdict in first if verdict["about"]["kind"] == STATED.name]),
        counts=summary.counts(first) if first else [],
        fragile=fragile.counted(first),
        apart=[summary.tallied(*other) for other in others],
        statuses=[m for m, n in summary.counts(verdicts) if n],
        kinds=list(dict.fromkeys(entry.kind for entry in entries if entry.kind.name)),
        tier=tier,
        complaints=complaints,
        preface=remarks.preface,
        meanings=summary.MEANINGS,
        papers=sorted({entry.paper for entry in entries}),
        theories=sorted({str(verdict["about"]["theory"]) for verdict in verdicts} - {""}),
        dates=sorted({str(verdict["provenance"].get("date", ""))[:10] for verdict in verdicts} - {""}),
        **shell(),
        control_outcomes=summary.CONTROL_OUTCOMES,
        wording=wording,
        claim_name=narrative.name,
        states=sentences.states,
        must=sentences.must,
        gate=sentences.gate,
        foreseen=summary.foreseen,
        in_words=in_words,
    )  # fmt: skip
    # Text from a claim may hold halves of surrogate pairs, which no file can.
    yield from (piece.encode("utf-8", "replace").decode("utf-8") for piece in page)


def _entries(verdicts: Sequence[Mapping[str, Any]], complaints: list[str], remarks: Remarks) -> Iterator[Entry]:
    """Yield what is shown of each verdict; one that cannot be shown becomes a complaint."""
    for verdict, anchor in zip(verdicts, summary.anchors(verdicts), strict=True):
        try:
            yield _entry(summary.completed(verdict), anchor, remarks.beside(verdict["id"]))
        except Exception as error:  # one verdict that somebody edited must not take the others with it
            complaints.append(f"The verdict on {verdict['id']} cannot be shown ({error_text(error)}).")


def _entry(kept: Mapping[str, Any], anchor: str, remarks: tuple[str, ...]) -> Entry:
    # Every figure looks through the evidence: its rows are made once, and let go when all figures are drawn.
    verdict = {**kept, "evidence": list(kept["evidence"])}
    index = summary.decisive(verdict)
    return Entry(
        verdict=kept,
        anchor=anchor,
        paper=summary.paper(verdict),
        meaning=summary.meaning(verdict["status"]),
        decisive=None if index is None else verdict["criteria"][index],
        spark=summary.spark(verdict),
        figures=(
            *_criterion_figures(verdict, anchor),
            *_curve_figures(verdict, anchor),
            *_map_figures(verdict, anchor),
            *_portrait_figures(verdict, anchor),
        ),
        facts=summary.facts(verdict),
        link=summary.link(verdict["about"]["source"]),
        kind=kind(str(verdict["about"]["kind"])),
        fragile=fragile.mark(verdict),
        robust=fragile.told(verdict),
        remarks=remarks,
    )


def disputed(entries: Sequence[Entry]) -> list[tuple[Entry, list[Entry]]]:
    """Return every claim that others contradict or refine, with those others, as far as they are in the report."""
    by_id = {str(entry.verdict["id"]): entry for entry in entries}
    rivals: dict[str, list[Entry]] = {}
    for entry in entries:
        for id in entry.verdict["about"]["disputes"]:
            if id in by_id:
                rivals.setdefault(id, []).append(entry)
    return [(by_id[id], against) for id, against in rivals.items()]


def _sections(entries: Sequence[Entry], tier: str, complaints: list[str]) -> Iterator[Section]:
    """Group claims by their source, in the order in which sources come first; what cannot be told is a complaint."""
    by_source: dict[str, list[Entry]] = {}
    for entry in entries:
        by_source.setdefault(str(entry.verdict["about"]["source"]["key"]), []).append(entry)
    for index, mine in enumerate(by_source.values(), start=1):
        verdicts = [entry.verdict for entry in mine]
        source = verdicts[0]["about"]["source"]
        first, others = summary.by_kind(verdicts)
        redrawn = [(entry, figure) for entry in mine for figure in entry.figures if figure.figure]
        yield Section(
            anchor=f"section-{index}",
            source=source,
            link=mine[0].link,
            told=_told(verdicts, tier, complaints),
            counts=[(m, n) for m, n in summary.counts(first) if n],
            fragile=fragile.counted(first),
            apart=[summary.tallied(*other) for other in others],
            entries=tuple(mine),
            figures=tuple(sorted(redrawn, key=lambda pair: _place(pair[1].figure))),
        )


def _told(verdicts: Sequence[Mapping[str, Any]], tier: str, complaints: list[str]) -> narrative.Narrative:
    try:
        return narrative.narrative(verdicts, tier)
    except Exception as error:  # as for a single verdict
        reason = f"{type(error).__name__}: {error!s:.200}"
        complaints.append(f"What became of {verdicts[0]['about']['source']['key']} cannot be told ({reason}).")
        return narrative.Narrative("", ())


def _place(figure: str) -> tuple[float, str]:
    number = re.search(r"\d+", figure)
    return (float(number[0]) if number else math.inf, figure)


def _criterion_figures(verdict: Mapping[str, Any], anchor: str) -> Iterator[Figure]:
    for index, plot in enumerate(criterion_plots(verdict), start=1):
        name = f"{anchor}-criterion-{index}"
        yield Figure(plot.title, (draw_criterion(plot, key=name),), "", tables.of_criterion(plot), f"{name}.csv")


def _curve_figures(verdict: Mapping[str, Any], anchor: str) -> Iterator[Figure]:
    for index, curve in enumerate(curves(verdict), start=1):
        name = f"{anchor}-curve-{index}"
        drawings = (draw_panel(curve, panel, key=f"{name}-{n}") for n, panel in enumerate(curve.panels, start=1))
        title = wording.capital(curve.title)
        yield Figure(title, tuple(drawings), curve.note, tables.of_curves(curve), f"{name}.csv", curve.figure)


def _map_figures(verdict: Mapping[str, Any], anchor: str) -> Iterator[Figure]:
    for index, chart in enumerate(charts(verdict), start=1):
        name = f"{anchor}-map-{index}"
        drawings = (draw_plane(chart, plane, key=f"{name}-{n}") for n, plane in enumerate(chart.planes, start=1))
        title = wording.capital(chart.title)
        yield Figure(title, tuple(drawings), chart.note, tables.of_chart(chart), f"{name}.csv", chart.figure or "map")


def _portrait_figures(verdict: Mapping[str, Any], anchor: str) -> Iterator[Figure]:
    for index, portrait in enumerate(portraits(verdict), start=1):
        name = f"{anchor}-portrait-{index}"
        drawing = draw_portrait(portrait, key=name)
        title = wording.capital(portrait.title)
        table, source = tables.of_portrait(portrait), portrait.figure or "portrait"
        yield Figure(title, (drawing,), portrait.note, table, f"{name}.csv", source)
