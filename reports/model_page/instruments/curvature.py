"""Curvature, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from grokscape.reports.model_page.account import Account, Quantity, unless
from grokscape.reports.numbers import count, number

CURVATURE = "of the loss, per squared unit of the parameters"
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def eigenvalues(result: Any) -> Account:
    """Tell of the largest eigenvalues."""
    values, residuals, converged = result.values[0], result.residuals[0], result.converged[0]
    gap = f", {number(values[0] / values[1], 3)} times the second" if len(values) > 1 and values[1] > 0 else ""
    if values[0] > 0:
        step = f" Gradient descent with steps above 2/λ₁ = {number(2 / values[0], 3)} is unstable here."
    else:
        step = " No direction curves upwards."
    return Account(
        f"The sharpest direction has curvature {number(values[0])}{gap}.{step}",
        (
            Quantity("λ₁", values[0], residuals[0]),
            Quantity(f"λ{str(len(values)).translate(_SUBSCRIPT)}", values[-1], residuals[-1]),
        )
        if len(values) > 1
        else (Quantity("λ₁", values[0], residuals[0]),),
        "H v = λ v with H = ∂²L/∂θ², the largest λ (algebraic) first",
        CURVATURE,
        "the residual |H v − λ v|, measured with one more product: an eigenvalue lies within it",
        "thick-restart Lanczos, Wu and Simon 2000" if result.method == "lanczos" else "the whole matrix, diagonalised",
        converged=bool(converged.all()),
        warnings=unless(
            converged.all(),
            f"{count(int((~converged).sum()), 'eigenvalue')} of {len(values)} have a residual above the tolerance of "
            f"{number(result.tolerance)}; the table says which.",
        ),
    )


def negative(result: Any) -> Account:
    """Tell of the smallest eigenvalue."""
    value, residual, converged = result.values[0, 0], result.residuals[0, 0], bool(result.converged[0, 0])
    kind = (
        f"The loss curves downwards along some direction, by {number(value)}: this is no minimum."
        if value < -residual
        else f"No direction curves downwards beyond the error: the smallest eigenvalue is {number(value)}."
    )
    return Account(
        kind,
        (Quantity("λ_min", value, residual),),
        "H v = λ v with H = ∂²L/∂θ², the smallest λ (algebraic)",
        CURVATURE,
        "the residual |H v − λ v|: an eigenvalue lies within it",
        "thick-restart Lanczos on −H, Wu and Simon 2000",
        converged=converged,
        warnings=unless(converged, "The residual is above the tolerance; a still smaller eigenvalue may exist."),
    )


def trace(result: Any) -> Account:
    """Tell of a trace."""
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
    names = {"xtrace": "XTrace, Epperly, Tropp and Webber 2024", "hutch++": "Hutch++, Meyer et al. 2021"}
    return Account(
        sentence,
        (quantity,),
        "tr H = Σᵢ Hᵢᵢ with H = ∂²L/∂θ²",
        CURVATURE,
        "none but rounding: every entry of the diagonal was computed"
        if result.exact
        else "95 % t interval over probes",
        "the definition" if result.exact else names.get(result.method, "Hutchinson 1989"),
        arxiv="2301.07825" if result.method == "xtrace" else "",
        warnings=unless(
            result.exact or error <= 0.1 * abs(value),
            f"The standard error is {100 * error / abs(value or 1):.0f} % of the trace; more products would help.",
        ),
    )


def density(result: Any) -> Account:
    """Tell of a spectral density."""
    nodes, weights = result.nodes[0], result.weights[0]
    largest = float(np.abs(nodes).max())
    within, negative = (_share(weights, chosen) for chosen in (np.abs(nodes) <= largest / 100, nodes < -largest / 100))
    low, high = (float(end[0]) for end in result.mean_interval())
    count_of = "the eigenvalues, all of them computed" if result.exact else "Lanczos quadrature from random directions"
    return Account(
        f"{_percent(within)} of the {result.size:,} eigenvalues lie within 1 % of the largest in magnitude "
        f"({number(largest)}) around zero; {_percent(negative)} lie below that.",
        (
            Quantity("share near zero", within[0], within[1]),
            Quantity("share below", negative[0], negative[1]),
            Quantity("mean eigenvalue", float(result.moment()[0]), low=low, high=high),
        ),
        f"p(t) = (1/P) Σᵢ N(t; λᵢ, s²) with s = {number(float(result.width[0]), 3)}; {count_of}",
        "per unit of eigenvalue, that is " + CURVATURE,
        "none but rounding"
        if result.exact
        else "standard error over random directions; 95 % intervals of density and mean",
        "Ghorbani, Krishnan and Xiao 2019",
        arxiv="1901.10159",
    )


def _share(weights: np.ndarray, chosen: np.ndarray) -> tuple[float, float]:
    """Return the share of the spectrum that is chosen, and its standard error over probes."""
    shares = np.where(chosen, weights, 0.0).sum(1)
    error = float(shares.std(ddof=1) / len(shares) ** 0.5) if len(shares) > 1 else 0.0
    return float(shares.mean()), error


def _percent(share: tuple[float, float]) -> str:
    return f"{100 * share[0]:.3g} %"
