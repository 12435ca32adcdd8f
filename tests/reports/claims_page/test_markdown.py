from __future__ import annotations

import re

from grokscape.reports.claims_page.markdown import results_table
from tests.reports.conftest import poisoned


def test_claims_are_counted_by_source_tier_and_kind(verdicts):
    head, _, *rows = results_table(verdicts).splitlines()
    assert head == "| source | tier | claims | hold | fail | undecided | not judged |"
    link = "[One et al. 2024](<https://arxiv.org/abs/2401.01234>)"
    stated, rival, all_of_them = rows
    assert stated.startswith(f"| {link} | quick | stated |")
    assert rival.startswith(f"| {link} | quick | rival readings |")
    counts = [[int(cell) for cell in row.split(" | ")[3:6]] for row in rows]
    assert [a + b for a, b in zip(counts[0], counts[1], strict=True)] == counts[2]
    assert all_of_them == "| all | quick | all | 4 | 1 | 1 | 3 |"
    other = [verdicts[0] | {"tier": "standard"}]
    assert "| standard | stated | 1 | 0 | 0 | 0 |" in results_table(verdicts + other)


def test_nothing_is_a_table_without_rows():
    assert len(results_table([]).splitlines()) == 2


def test_what_people_write_makes_no_markup(verdicts):
    for line in results_table([poisoned(verdict) for verdict in verdicts]).splitlines()[2:]:
        assert not re.search(r"(?<!\\)<(?!https://arxiv)", line)
        assert line.count(" | ") == 6
