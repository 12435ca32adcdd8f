"""``grokscape check --against``: which verdicts are held against, and what is said of how they compare."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.checking import rooms
from grokscape.predictions.checking.against import Comparison, Outcome, counted, read_against
from grokscape.predictions.checking.published import FILE
from grokscape.reports.claims_page.remarks import Remarks
from grokscape.reports.numbers import capital

#: The word for the results that are published with Grokscape.
PUBLISHED = "published"

#: Colour of each outcome in the table.
_LOOK = {
    Outcome.SAME_DIGITS: "green",
    Outcome.SAME_VERDICT: "yellow",
    Outcome.DIFFERENT: "red",
    Outcome.NOT_THERE: "dim",
}


def held_against(
    named: str, tier: str, known: Collection[str], chosen: Collection[str]
) -> Mapping[str, Mapping[str, Any]]:
    """Return the verdicts that ``--against`` names; see `read_against` for what is refused."""
    if named != PUBLISHED:
        return read_against(Path(named), tier, known, chosen)
    if not any((rooms.folder() / key / FILE).exists() for key in rooms.sources()):
        raise InvalidInput(
            "no results are published with this Grokscape; give a file that grokscape check --json or --publish wrote"
        )
    return read_against(rooms.folder(), tier, known, chosen)


def table(comparisons: Sequence[Comparison]) -> Table:
    """Return a table of the claims that do not reproduce to the digit; the counts say how many do."""
    found = Table.grid(padding=(0, 2, 0, 0))
    for one in comparisons:
        if one.outcome is not Outcome.SAME_DIGITS:
            found.add_row(f"[{_LOOK[one.outcome]}]{one.outcome.value}[/]", one.id, escape(one.detail))
    return found


def remarks(comparisons: Sequence[Comparison], named: str) -> Remarks:
    """Return what the page says of comparisons."""
    told = {
        one.id: (f"{capital(one.outcome.value)}{f' ({one.detail})' if one.detail else ''}, against {named}.",)
        for one in comparisons
    }
    return Remarks((f"Held against {named}: {counted(comparisons)}.",), told)


def as_data(comparisons: Sequence[Comparison], named: str) -> dict[str, Any]:
    """Return comparisons as JSON-able data."""
    return {"with": named, "claims": {one.id: one.to_data() for one in comparisons}}
