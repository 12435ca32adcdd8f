"""Sharpness, in words."""

from __future__ import annotations

from typing import Any

from grokscape.reports.model_page.account import Account, Quantity, listed, unless
from grokscape.reports.numbers import number

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


def sharpness(result: Any) -> Account:
    """Tell of the forms of sharpness."""
    values = {form: float(value[0]) for form, value in zip(result.forms, result.value, strict=True)}
    errors = {form: float(error[0]) for form, error in zip(result.forms, result.error, strict=True)}
    # A single step is what it is; only what iterates can fail to converge.
    iterated = [
        (form, done[0]) for form, done in zip(result.forms, result.converged, strict=True) if "step" not in form
    ]
    unsettled = [FORMS[form][0] for form, done in iterated if not done]
    rises = [
        f"by {number(values[form], 3)} within {where}"
        for form, where in (("sam", "a distance of 0.05"), ("adaptive", "0.5 in units of the weights themselves"))
        if form in values
    ]
    return Account(
        f"Around the model the training loss rises {' and '.join(rises)}, at least. The largest eigenvalue is "
        f"{number(values['lambda_max'], 3)}; times the squared norm, {number(values['norm_normalised'], 3)}.",
        tuple(
            Quantity(FORMS[form][0], values[form], errors[form])
            for form in ("sam", "adaptive", "adaptive_lambda_max", "norm_normalised")
        ),
        "",
        "rises: the loss's own; eigenvalues: of the loss, per squared unit of the parameters (adaptive: of the loss)",
        "the residual of an eigenvalue; the standard error of the trace; of a rise, which is a lower bound, how much "
        "more a linear loss would still gain",
        "Dinh et al. 2017 on what changes under rescaling: the adaptive forms do not",
        arxiv="1703.04933",
        converged=not unsettled,
        warnings=unless(not unsettled, f"Not converged: {listed(unsettled)}." if unsettled else ""),
        terms=tuple((FORMS[form][0], FORMS[form][1]) for form in result.forms),
    )
