"""The table of results of the README: how many claims of each source and kind hold, made from published verdicts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grokscape.landscape.printable import printable
from grokscape.reports.claims_page import summary

#: Kind -> how a row calls its claims.
KINDS = {"stated": "stated", "extension": "extensions", "rival": "rival readings", "ours": "ours"}

#: Statuses that have a column; all others are counted together.
COLUMNS = ("PASS", "FAIL", "INCONCLUSIVE")

_HEAD = (
    "| source | tier | claims | hold | fail | undecided | not judged |\n"
    "| --- | --- | --- | ---: | ---: | ---: | ---: |\n"
)


def results_table(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Return a table in Markdown: a row for each source, tier and kind of claim, and one for all of a tier.

    Parameters
    ----------
    verdicts : sequence of mapping
        As `Verdict.to_data` returns them.
    """
    found = [summary.completed(verdict) for verdict in verdicts]
    rows: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for verdict in found:
        key = str(verdict["about"]["source"]["key"] or str(verdict["id"]).partition(".")[0])
        rows.setdefault((key, str(verdict["tier"]), str(verdict["about"]["kind"] or "stated")), []).append(verdict)
    order = sorted(rows, key=lambda row: (row[0], _rank(tiers_of(found), row[1]), _rank(list(KINDS), row[2])))
    text = _HEAD + "".join(_row(_cited(rows[row][0]), row[1], KINDS.get(row[2], row[2]), rows[row]) for row in order)
    for tier in tiers_of(found):
        text += _row("all", tier, "all", [verdict for verdict in found if verdict["tier"] == tier])
    return text


def tiers_of(verdicts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the tiers that verdicts are of, from the quickest on."""
    present = {str(verdict["tier"]) for verdict in verdicts}
    return [tier for tier in ("quick", "standard", "paper") if tier in present]


def _rank(known: Sequence[str], name: str) -> int:
    return known.index(name) if name in known else len(known)


def _row(source: str, tier: str, kind: str, verdicts: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter(str(verdict["status"]) for verdict in verdicts)
    numbers = [str(counts[status]) for status in COLUMNS]
    rest = sum(n for status, n in counts.items() if status not in COLUMNS)
    return f"| {' | '.join([source, _plain(tier), _plain(kind), *numbers, str(rest)])} |\n"


def _cited(verdict: Mapping[str, Any]) -> str:
    """Return a source as a cell: its authors and year, linked to where it can be read."""
    name, link = _plain(summary.paper(verdict)), summary.link(verdict["about"]["source"])
    return name if link is None else f"[{name}](<{link}>)"


def _plain(text: str) -> str:
    """Return a text as one line in which nothing is markup."""
    return re.sub(r"([\\|\[\]<>`*_&])", r"\\\1", " ".join(printable(text).split()))
