"""What the page says about homogeneity and margins follows from their numbers."""

from __future__ import annotations

from torch import nn

from grokscape.landscape.measures.efficiency.degree import homogeneity
from grokscape.landscape.measures.efficiency.per_norm import efficiency
from grokscape.landscape.problem import Problem
from grokscape.reports.model_page.instruments.efficiency import HOMOGENEITY, MARGIN


def test_homogeneous_models_and_what_breaks_them(problem):
    summary = HOMOGENEITY.summary(homogeneity(problem))
    assert "homogeneous of degree 2: doubling its weights multiplies its outputs by 4." in summary.sentence
    assert summary.warnings == ()
    data = problem.all_data("train")
    biased = Problem(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2)), nn.functional.cross_entropy, data)
    summary = HOMOGENEITY.summary(homogeneity(biased))
    assert "Without 0.bias" in summary.sentence or "Without 1.bias" in summary.sentence
    assert summary.warnings


def test_the_table_holds_the_margins_that_are_drawn(problem):
    found = efficiency(problem)
    table = MARGIN.table(found)
    assert len(table) == 12
    assert table["margin"].mean() == found.margin.mean()
    wrong = int((table["margin"] <= 0).sum())
    assert f"{wrong} of 12 training examples are wrong" in MARGIN.summary(found).sentence
