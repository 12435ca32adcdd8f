"""What the page says about a trace follows from its numbers."""

from __future__ import annotations

import dataclasses

import numpy as np

from grokscape.landscape.measures.curvature.traces import trace
from grokscape.reports.model_page.instruments.trace import TRACE


def test_exact_and_estimated_traces(problem):
    exact = trace(problem)
    assert TRACE.summary(exact).sentence.endswith(", exactly.")
    estimated = trace(problem, budget=6)
    summary = TRACE.summary(estimated)
    low, high = (float(end[0]) for end in estimated.interval())
    assert (summary.quantities[0].low, summary.quantities[0].high) == (low, high)
    rough = dataclasses.replace(estimated, standard_error=np.abs(estimated.estimate))
    assert "The standard error is 100 % of the trace" in TRACE.summary(rough).warnings[0]


def test_the_table_holds_the_samples_that_are_drawn(problem):
    exact, estimated = trace(problem), trace(problem, budget=6)
    assert list(TRACE.table(exact)) == ["parameter", "value"]
    assert list(TRACE.table(estimated)) == ["probe", "value"]
    assert TRACE.table(exact)["value"].sum() == exact.estimate[0]
