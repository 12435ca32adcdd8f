"""The field's forms of sharpness, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from grokscape.reports.model_page.instrument import Callback, Effort, Instrument, Panel
from grokscape.reports.model_page.summary import Quantity, Summary, warn_unless
from grokscape.reports.numbers import listed, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from grokscape.landscape.measures.sharpness.forms import Sharpness
    from grokscape.reports.model_page.subject import Subject

#: Form -> its name, and its formula; H is the Hessian, T = diag |θ|, L the training loss.
FORMS = {
    "lambda_max": ("λ₁", "largest eigenvalue of H"),
    "trace": ("tr H", "trace of H, by XTrace"),
    "keskar": ("Keskar", "100 (max L(θ + y) − L) / (1 + L) over a box |yᵢ| ≤ 0.001 (|θᵢ| + 1); Keskar et al. 2017"),
    "sam_step": ("SAM, one step", "L(θ + e) − L at the first-order solution e; Foret et al. 2021"),
    "sam": ("SAM", "max L(θ + e) − L over |e| ≤ 0.05; Foret et al. 2021"),
    "adaptive_step": ("adaptive, one step", "the same for the adaptive form"),
    "adaptive": ("adaptive", "max L(θ + e) − L over |T⁻¹ e| ≤ 0.5; Kwon et al. 2021"),
    "adaptive_lambda_max": ("adaptive λ₁", "largest eigenvalue of T H T"),
    "norm_normalised": ("λ₁ |θ|²", "largest eigenvalue of H times the squared norm"),
}


def _run(subject: Subject, effort: Effort, progress: Callback) -> Sharpness:
    from grokscape.landscape.measures.sharpness.forms import sharpness

    return sharpness(
        subject.problem,
        budget=effort.choose(100, 30),
        iterations=effort.choose(100, 30),
        seed=effort.seed,
        progress=progress,
    )


def _summary(result: Sharpness) -> Summary:
    values = {form: float(value[0]) for form, value in zip(result.forms, result.value, strict=True)}
    errors = {form: float(error[0]) for form, error in zip(result.forms, result.error, strict=True)}
    # A single step is what it is; only what iterates can fail to converge.
    iterated = [
        (form, done[0]) for form, done in zip(result.forms, result.converged, strict=True) if "step" not in form
    ]
    unconverged = [FORMS[form][0] for form, done in iterated if not done]
    rises = [
        f"by {number(values[form], 3)} within {where}"
        for form, where in (("sam", "a distance of 0.05"), ("adaptive", "0.5 in units of the weights themselves"))
        if form in values
    ]
    return Summary(
        sentence=f"Around the model the training loss rises {' and '.join(rises)}, at least. The largest eigenvalue is "
        f"{number(values['lambda_max'], 3)}; times the squared norm, {number(values['norm_normalised'], 3)}.",
        quantities=tuple(
            Quantity(FORMS[form][0], values[form], errors[form])
            for form in ("sam", "adaptive", "adaptive_lambda_max", "norm_normalised")
        ),
        units="rises: the loss's own; eigenvalues: of the loss, per squared unit of the parameters (adaptive: of the "
        "loss)",
        error="the residual of an eigenvalue; the standard error of the trace; of a rise, which is a lower bound, how "
        "much more a linear loss would still gain",
        source="Dinh et al. 2017 on what changes under rescaling: the adaptive forms do not",
        arxiv="1703.04933",
        converged=not unconverged,
        warnings=warn_unless(not unconverged, f"Not converged: {listed(unconverged)}." if unconverged else ""),
        terms=tuple((FORMS[form][0], FORMS[form][1]) for form in result.forms),
    )


def _panels(result: Sharpness) -> Sequence[Panel]:
    return (partial(_draw_forms, result),)


def _draw_forms(result: Sharpness, axes: Axes) -> Axes:
    """Draw every form in a row of its own; the scale is logarithmic if all are positive."""
    from grokscape.reports.figures.canvas import GRID, SERIES

    names = [FORMS[form][0] for form in result.forms]
    places = np.arange(len(names))
    value, done = result.value[:, 0], result.converged[:, 0]
    for chosen, marker in ((~result.lower_bound, "o"), (result.lower_bound, ">")):
        for fine, face in ((True, SERIES[0]), (False, "none")):
            some = chosen & (done == fine)
            axes.scatter(value[some], places[some], marker=marker, s=36, facecolors=face, edgecolors=SERIES[0])
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    if np.all(value > 0):
        axes.set_xscale("log")
    axes.set(xlabel="sharpness (triangles: lower bounds)", title="Forms of sharpness")
    return axes


SHARPNESS = Instrument(
    name="sharpness",
    title="Sharpness",
    about="the field's forms of sharpness, side by side",
    run=_run,
    summary=_summary,
    panels=_panels,
    group="hessian",
    place=14,
)
