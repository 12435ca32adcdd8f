"""The trace of the Hessian."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from grokscape.reports.model_page.instrument import Callback, Effort, Instrument, Panel
from grokscape.reports.model_page.summary import CURVATURE, Quantity, Summary, warn_unless
from grokscape.reports.numbers import number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from grokscape.landscape.measures.curvature.traces import Trace
    from grokscape.reports.model_page.subject import Subject

_SOURCES = {"xtrace": "XTrace, Epperly, Tropp and Webber 2024", "hutch++": "Hutch++, Meyer et al. 2021"}


def _run(subject: Subject, effort: Effort, progress: Callback) -> Trace:
    from grokscape.landscape.measures.curvature.traces import trace

    return trace(subject.problem, budget=effort.choose(100, 30), seed=effort.seed, progress=progress)


def _summary(result: Trace) -> Summary:
    value, error = result.estimate[0], result.standard_error[0]
    low, high = (float(end[0]) for end in result.interval())
    if result.exact:
        sentence = f"The eigenvalues of the Hessian add up to {number(value)}, exactly."
        quantity = Quantity("trace", value)
    else:
        sentence = (
            f"The eigenvalues of the Hessian add up to {number(value)}, between {number(low)} and {number(high)}."
        )
        quantity = Quantity("trace", value, low=low, high=high)
    return Summary(
        sentence=sentence,
        quantities=(quantity,),
        formula="tr H = Σᵢ Hᵢᵢ with H = ∂²L/∂θ²",
        units=CURVATURE,
        error="none but rounding: every entry of the diagonal was computed"
        if result.exact
        else "95 % t interval over probes",
        source="the definition" if result.exact else _SOURCES.get(result.method, "Hutchinson 1989"),
        arxiv="2301.07825" if result.method == "xtrace" else "",
        warnings=warn_unless(
            result.exact or error <= 0.1 * abs(value),
            f"The standard error is {100 * error / abs(value or 1):.0f} % of the trace; more matvecs would help.",
        ),
    )


def _panels(result: Trace) -> Sequence[Panel]:
    return (partial(_draw_samples, result),)


def _draw_samples(result: Trace, axes: Axes) -> Axes:
    """Draw the samples whose mean, or the diagonal whose sum, is the trace."""
    from grokscape.reports.figures.canvas import SERIES

    samples = np.sort(result.samples[0])
    axes.plot(np.arange(1, len(samples) + 1), samples, "." if len(samples) < 300 else "-", color=SERIES[0])
    if result.exact:
        axes.set(xlabel="rank", ylabel="entry of the diagonal", title="Diagonal of the Hessian, sorted")
        return axes
    low, high = (float(end[0]) for end in result.interval())
    axes.axhline(result.estimate[0], color=SERIES[1], label="mean and its 95 % interval")
    axes.axhspan(low, high, color=SERIES[1], alpha=0.2, linewidth=0)
    axes.legend()
    axes.set(xlabel="rank", ylabel="estimate of the trace", title="Estimates by single probes, sorted")
    return axes


def _table(result: Trace) -> pd.DataFrame:
    import pandas as pd

    samples = result.samples[0]
    return pd.DataFrame({"parameter" if result.exact else "probe": np.arange(len(samples)), "value": samples})


TRACE = Instrument(
    name="trace",
    title="Trace of the Hessian",
    about="trace of the Hessian",
    run=_run,
    summary=_summary,
    panels=_panels,
    table=_table,
    group="hessian",
    place=12,
)
