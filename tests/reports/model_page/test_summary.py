"""How main numbers are written."""

from __future__ import annotations

import math

import pytest

from grokscape.reports.model_page.summary import Quantity, Summary, warn_unless


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (Quantity("a", 1.5), "1.5"),
        (Quantity("a", 1.5, 0.25), "1.5 ± 0.25"),
        (Quantity("a", 1.5, math.nan), "1.5"),
        (Quantity("a", 0.9, low=0.8, high=1.1), "0.9 [0.8, 1.1]"),
        (Quantity("a", math.nan, low=0.0, high=math.inf), "in [0, ∞]"),
        (Quantity("a", math.nan, low=math.nan, high=math.nan), "not determined"),
        (Quantity("a", math.nan, word="U"), "U"),
    ],
)
def test_quantities(quantity, text):
    assert quantity.text == text


def test_only_terms_that_have_a_text_are_shown():
    summary = Summary(sentence="s", quantities=(), units="metres", error="", source="", terms=(("κ", "degree"),))
    assert summary.meaning == [("κ", "degree"), ("Units", "metres")]


def test_a_warning_is_given_unless_all_is_fine():
    assert warn_unless(True, "mind the gap") == ()
    assert warn_unless(False, "mind the gap") == ("mind the gap",)
