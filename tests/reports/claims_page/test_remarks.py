from __future__ import annotations

from grokscape.reports.claims_page.page import render
from grokscape.reports.claims_page.remarks import Remarks
from tests.reports.conftest import HOSTILE


def test_remarks_stand_at_the_top_and_beside_their_claim(verdicts):
    remarks = Remarks(("Two differ.",), {verdicts[0]["id"]: ("Stale: since 2026 it has changed.",)})
    page = render(verdicts, tier="quick", remarks=remarks)
    assert page.count("Two differ.") == 1
    assert page.count("Stale: since 2026 it has changed.") == 2  # in the overview and at the claim


def test_without_remarks_the_page_is_as_before(verdicts, honest_page):
    assert render(verdicts, tier="quick", remarks=Remarks()) == honest_page
    assert 'class="remark"' not in honest_page


def test_remarks_are_escaped(verdicts):
    page = render(verdicts, tier="quick", remarks=Remarks((HOSTILE,), {verdicts[0]["id"]: (HOSTILE,)}))
    assert "<script>window.pwned" not in page
    assert "<img src=x" not in page
