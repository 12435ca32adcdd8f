"""The largest eigenvalues of the Hessian, and its most negative one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grokscape.reports.model_page.instrument import Callback, Effort, Instrument
from grokscape.reports.model_page.summary import CURVATURE, Quantity, Summary, warn_unless
from grokscape.reports.numbers import count, number

if TYPE_CHECKING:
    from grokscape.landscape.measures.curvature.eigenvalues import Eigenvalues
    from grokscape.reports.model_page.subject import Subject

_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _largest(subject: Subject, effort: Effort, progress: Callback) -> Eigenvalues:
    from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues

    k = min(effort.choose(10, 3), subject.problem.size)
    return top_eigenvalues(
        subject.problem, k, tolerance=1e-4, max_matvecs=effort.choose(1000, 200), seed=effort.seed, progress=progress
    )


def _most_negative(subject: Subject, effort: Effort, progress: Callback) -> Eigenvalues:
    from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues

    found = top_eigenvalues(
        subject.problem,
        1,
        negative=True,
        tolerance=1e-3,
        max_matvecs=effort.choose(1000, 200),
        seed=effort.seed,
        progress=progress,
    )
    assert found.smallest is not None
    return found.smallest


def _summary_of_largest(result: Eigenvalues) -> Summary:
    values, residuals, converged = result.values[0], result.residuals[0], result.converged[0]
    gap = f", {number(values[0] / values[1], 3)} times the second" if len(values) > 1 and values[1] > 0 else ""
    if values[0] > 0:
        step = f" Gradient descent with steps above 2/λ₁ = {number(2 / values[0], 3)} is unstable here."
    else:
        step = " No direction curves upwards."
    first = Quantity("λ₁", values[0], residuals[0])
    last = Quantity(f"λ{str(len(values)).translate(_SUBSCRIPT)}", values[-1], residuals[-1])
    return Summary(
        sentence=f"The sharpest direction has curvature {number(values[0])}{gap}.{step}",
        quantities=(first, last) if len(values) > 1 else (first,),
        formula="H v = λ v with H = ∂²L/∂θ², the largest λ (algebraic) first",
        units=CURVATURE,
        error="the residual |H v − λ v|, measured with one more product: an eigenvalue lies within it",
        source="thick-restart Lanczos, Wu and Simon 2000"
        if result.method == "lanczos"
        else "the whole matrix, diagonalised",
        converged=bool(converged.all()),
        warnings=warn_unless(
            converged.all(),
            f"{count(int((~converged).sum()), 'eigenvalue')} of {len(values)} have a residual above the tolerance of "
            f"{number(result.tolerance)}; the table says which.",
        ),
    )


def _summary_of_most_negative(result: Eigenvalues) -> Summary:
    value, residual, converged = result.values[0, 0], result.residuals[0, 0], bool(result.converged[0, 0])
    return Summary(
        sentence=f"The loss curves downwards along some direction, by {number(value)}: this is no minimum."
        if value < -residual
        else f"No direction curves downwards beyond the error: the smallest eigenvalue is {number(value)}.",
        quantities=(Quantity("λ_min", value, residual),),
        formula="H v = λ v with H = ∂²L/∂θ², the smallest λ (algebraic)",
        units=CURVATURE,
        error="the residual |H v − λ v|: an eigenvalue lies within it",
        source="thick-restart Lanczos on −H, Wu and Simon 2000",
        converged=converged,
        warnings=warn_unless(converged, "The residual is above the tolerance; a still smaller eigenvalue may exist."),
    )


EIGENVALUES = Instrument(
    name="eigenvalues",
    title="Largest eigenvalues of the Hessian",
    about="largest eigenvalues of the Hessian",
    run=_largest,
    summary=_summary_of_largest,
    group="hessian",
    place=10,
)
NEGATIVE_EIGENVALUE = Instrument(
    name="negative-eigenvalue",
    title="Most negative eigenvalue of the Hessian",
    about="its most negative eigenvalue",
    run=_most_negative,
    summary=_summary_of_most_negative,
    panels=lambda _: (),  # one number
    on_request=True,
    place=11,
)
