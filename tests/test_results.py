"""The README's table of results is what the published verdicts say: ``python -m tests.test_results`` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

from grokscape.predictions.checking import rooms
from grokscape.predictions.checking.published import load_published
from grokscape.reports.claims_page.markdown import results_table

README = Path(__file__).parents[1] / "README.md"
TABLE = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.DOTALL)


def table() -> str:
    entries, complaints = load_published(rooms.folder(), rooms.sources())
    assert not complaints
    return results_table([entry.verdict for entry in entries])


def test_the_readme_counts_what_is_published():
    assert TABLE.search(README.read_text())[0] == f"<!-- results -->\n{table()}<!-- end of results -->"


if __name__ == "__main__":
    README.write_text(TABLE.sub(lambda found: found[1] + table() + found[2], README.read_text()))
