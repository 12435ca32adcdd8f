"""Homogeneity and efficiency, in words."""

from __future__ import annotations

from typing import Any

from grokscape.reports.model_page.account import Account, Quantity, listed, unless
from grokscape.reports.numbers import capital, number


def homogeneity(result: Any) -> Account:
    """Tell of the degree of homogeneity."""
    degree, spread, residual = result.degree[0], result.spread[0], result.residual[0]
    worst = max(residual, result.scaling_residual[0])
    if result.homogeneous[0]:
        sentence = (
            f"The model is homogeneous of degree {number(degree, 3)}: doubling its weights multiplies its outputs by "
            f"{number(2**degree, 3)}."
        )
    else:
        why = f" Without {listed(result.breaking)} it would be." if result.breaking else ""
        sentence = (
            f"The model is not homogeneous: its outputs depart from the nearest degree, {number(degree, 3)}, by "
            f"{100 * worst:.2g} %.{why}"
        )
    return Account(
        sentence,
        (Quantity("κ", degree, spread), Quantity("relative departure", worst)),
        "J θ = κ z, by least squares over all outputs z with Jacobian J; checked by z(cθ) = c^κ z(θ) for "
        f"c = {number(result.factor)}",
        "none",
        "the standard deviation over examples of their own degrees",
        "Euler's theorem on homogeneous functions",
        warnings=unless(result.homogeneous[0], "Margin per norm^κ depends on the scale of the weights here."),
    )


def margin(result: Any) -> Account:
    """Tell of the margin that a norm buys."""
    value, error, margins = result.value[0], result.standard_error[0], result.margin[0]
    wrong = int((margins <= 0).sum())
    fitted = (
        "every training example is right" if not wrong else f"{wrong} of {len(margins)} training examples are wrong"
    )
    return Account(
        f"With norm {number(result.norm[0])} the model buys a mean margin of {number(float(margins.mean()))}, that is "
        f"{number(value)} per norm^κ with κ = {number(result.kappa, 3)}; {fitted}.",
        (Quantity("mean margin / norm^κ", value, error), Quantity("norm", result.norm[0])),
        "mean over training examples of z_label − max(other z), divided by |θ|^κ",
        "of the logits, per unit of norm to the power κ",
        "the standard error over examples, norm and κ held fixed",
        "Varma et al. 2023, section 5; Lyu and Li 2020 for the normalised margin",
        arxiv="2309.02390",
        warnings=unless(
            result.homogeneous[0], "The model is not homogeneous, so this value depends on the scale of its weights."
        ),
    )


def frontier(result: Any) -> Account:
    """Tell of the norm that memorising and generalising need."""
    crossing = result.crossing
    rest = result.converged.mean()
    passed = int(result.generalises.any(1).sum())
    return Account(
        f"{capital(crossing.sentence())}. In {passed} of {len(result.seeds)} seeds a network generalises "
        f"({result.gate_split} accuracy of {result.gate:.0%} or more) at some norm.",
        (Quantity("critical data size", crossing.estimate, low=crossing.lower, high=crossing.upper),),
        f"D* at which both need the same norm for a training loss of {number(result.level)}: fresh networks on D "
        "random labels, and networks on the true labels",
        "training examples",
        f"{crossing.coverage:.1%} interval over seeds"
        if crossing.method != "none"
        else "too few seeds with a crossing in range for an interval",
        "Varma et al. 2023, section 4",
        arxiv="2309.02390",
        converged=bool(rest == 1.0),
        warnings=unless(rest == 1.0, f"{1 - rest:.0%} of the memorising networks had not come to rest."),
    )
