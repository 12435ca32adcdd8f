"""Sentences and main numbers of each instrument, made from its result alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from landscape.measures.result import Result
from reports.measure_account import Account, Quantity
from reports.wording import capital, count, number

CURVATURE = "of the loss, per squared unit of the parameters"


def account(name: str, result: Result) -> Account:
    """Return what the page says of an instrument's result."""
    return _ACCOUNTS[name](result)


def title(name: str) -> str:
    """Return the heading of an instrument."""
    return TITLES.get(name, capital(name.replace("-", " ")))


TITLES = {
    "norm-profile": "Loss over the weight norm",
    "trace": "Trace of the Hessian",
    "progress": "Progress measures along the training",
    "eigenvalues": "Largest eigenvalues of the Hessian",
    "negative-eigenvalue": "Most negative eigenvalue of the Hessian",
    "homogeneity": "Homogeneity",
    "margin": "Efficiency: margin per norm",
    "frontier": "Efficiency frontier",
    "line": "Slice along a random direction",
    "plane": "Slice on a random plane",
    "straight-path": "Straight path to the second network",
    "low-loss-path": "Path of low loss to the second network",
}


# -- Norm --------------------------------------------------------------------------------------------------------------


def _norm_profile(result: Any) -> Account:
    train, test, critical = result.shape("train"), result.shape("test"), result.critical_norm()
    seeds = len(result.seeds)
    kept = int(result.converged[-1].sum())
    where = Quantity("critical norm / initial", critical.estimate, low=critical.low, high=critical.high)
    if np.isfinite(critical.estimate):
        minimum = f"; its minimum lies at {where.text} times the initial norm"
    else:
        inside = int(np.isfinite(critical.seeds).sum())
        minimum = f"; {inside} of {seeds} seeds have its minimum inside the norms measured"
    return Account(
        f"The training loss {_shape(train.kind)}. The test loss {_shape(test.kind)}{minimum}"
        + (f"; {round(test.agreement * seeds)} of {seeds} seeds agree." if np.isfinite(test.agreement) else "."),
        (
            Quantity("shape of training and test loss", np.nan, word=f"{train.kind}, {test.kind}"),
            where,
        ),
        "L_train and L_test of θ*(w) = argmin L_train(θ) subject to |θ| = w, by Adam on the sphere; L: falls, then is "
        "flat; U: rises on both sides of its minimum, by a factor of 2 or more",
        "the loss's own; norms in multiples of each seed's initial norm",
        f"95 % t interval over {count(seeds, 'seed')} (initialisations) of the parabola's vertex",
        "Liu, Michaud and Tegmark 2023 (Omnigrok)",
        arxiv="2210.01117",
        converged=bool(result.converged.all()),
        warnings=(
            *_unless(
                kept == seeds * len(result.scales),
                f"{kept} of {seeds * len(result.scales)} networks came to rest; the others are crosses in the figure, "
                "and take no part in shape or minimum.",
            ),
            *_unless(train.kind != "neither", f"Training loss: {train.reason}."),
            *_unless(test.kind != "neither", f"Test loss: {test.reason}."),
        ),
    )


def _shape(kind: str) -> str:
    return {"L": "has an L", "U": "has a U", "flat": "is flat"}.get(kind, "has neither an L nor a U that is certain")


# -- Curvature ---------------------------------------------------------------------------------------------------------


def _eigenvalues(result: Any) -> Account:
    values, residuals, converged = result.values[0], result.residuals[0], result.converged[0]
    gap = f", {number(values[0] / values[1], 3)} times the second" if len(values) > 1 and values[1] > 0 else ""
    if values[0] > 0:
        step = f" Gradient descent with steps above 2/λ₁ = {number(2 / values[0], 3)} is unstable here."
    else:
        step = " No direction curves upwards."
    return Account(
        f"The sharpest direction has curvature {number(values[0])}{gap}.{step}",
        (Quantity("λ₁", values[0], residuals[0]), Quantity(f"λ{_low(len(values))}", values[-1], residuals[-1]))
        if len(values) > 1
        else (Quantity("λ₁", values[0], residuals[0]),),
        "H v = λ v with H = ∂²L/∂θ², the largest λ (algebraic) first",
        CURVATURE,
        "the residual |H v − λ v|, measured with one more product: an eigenvalue lies within it",
        "thick-restart Lanczos, Wu and Simon 2000" if result.method == "lanczos" else "the whole matrix, diagonalised",
        converged=bool(converged.all()),
        warnings=_unless(
            converged.all(),
            f"{count(int((~converged).sum()), 'eigenvalue')} of {len(values)} have a residual above the tolerance of "
            f"{number(result.tolerance)}; the table says which.",
        ),
    )


def _negative(result: Any) -> Account:
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
        warnings=_unless(converged, "The residual is above the tolerance; a still smaller eigenvalue may exist."),
    )


def _trace(result: Any) -> Account:
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
        warnings=_unless(
            result.exact or error <= 0.1 * abs(value),
            f"The standard error is {100 * error / abs(value or 1):.0f} % of the trace; more products would help.",
        ),
    )


# -- Efficiency --------------------------------------------------------------------------------------------------------


def _homogeneity(result: Any) -> Account:
    degree, spread, residual = result.degree[0], result.spread[0], result.residual[0]
    worst = max(residual, result.scaling_residual[0])
    if result.homogeneous[0]:
        sentence = (
            f"The model is homogeneous of degree {number(degree, 3)}: doubling its weights multiplies its outputs by "
            f"{number(2**degree, 3)}."
        )
    else:
        why = f" Without {_listed(result.breaking)} it would be." if result.breaking else ""
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
        warnings=_unless(result.homogeneous[0], "Margin per norm^κ depends on the scale of the weights here."),
    )


def _margin(result: Any) -> Account:
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
        warnings=_unless(
            result.homogeneous[0], "The model is not homogeneous, so this value depends on the scale of its weights."
        ),
    )


def _frontier(result: Any) -> Account:
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
        warnings=_unless(rest == 1.0, f"{1 - rest:.0%} of the memorising networks had not come to rest."),
    )


# -- Slices and paths --------------------------------------------------------------------------------------------------


def _line(result: Any) -> Account:
    middle = int(np.abs(result.offsets).argmin())
    lowest = int(np.nanargmin(result.train_loss))
    here = result.train_loss[middle]
    where = (
        "lies here, at the middle"
        if lowest == middle
        else f"lies at offset {number(result.offsets[lowest], 3)}, at {number(result.train_loss[lowest])}"
    )
    ends = (result.train_loss[0], result.train_loss[-1])
    sentence = (
        f"The training loss is {number(here)} here and rises to {number(ends[0])} and {number(ends[1])} at the two "
        f"ends of the line; its lowest value on it {where}."
        if min(ends) > here
        else f"The training loss is {number(here)} here, {number(ends[0])} and {number(ends[1])} at the two ends of "
        f"the line; its lowest value on it {where}."
    )
    if not np.isnan(result.test_loss).all():
        best = int(np.nanargmin(result.test_loss))
        at = number(result.offsets[best], 3)
        sentence += f" The test loss is {number(result.test_loss[middle])} here and lowest at offset {at}."
    return Account(
        sentence,
        (
            Quantity("loss here", here),
            Quantity("curvature along it", result.curvature[middle], result.curvature_error[middle]),
        ),
        "L(θ + s d) with a Gaussian direction d, each filter of it scaled to the norm of the model's own; "
        "curvature is the second difference in s",
        "the loss's own; s counts lengths of d",
        "a third of the change when the spacing is doubled, and rounding",
        "Li et al. 2018, section 4",
        arxiv="1712.09913",
    )


def _plane(result: Any) -> Account:
    middle = (int(np.abs(result.first).argmin()), int(np.abs(result.second).argmin()))
    finite = result.train_loss[np.isfinite(result.train_loss)]
    here = result.train_loss[middle]
    lower = float((finite < here).mean())
    return Account(
        f"On a random plane of side {number(np.ptp(result.first))} the training loss ranges from "
        f"{number(finite.min())} to {number(finite.max())}; it is {number(here)} here, and lower than that on "
        f"{100 * lower:.3g} % of the plane.",
        (Quantity("loss here", here), Quantity("share of the plane that is lower", lower)),
        "L(θ + a d₁ + b d₂) with two Gaussian directions, each filter scaled to the norm of the model's own",
        "the loss's own",
        f"none but rounding; the cosine between the directions is {number(result.cosine, 2)}",
        "Li et al. 2018, section 4",
        arxiv="1712.09913",
    )


def _path(result: Any) -> Account:
    bound = result.barrier_bound
    bent = hasattr(result, "settled")
    path = (
        f"a bent path {number(result.length / result.distance, 3)} times as long as the straight line"
        if bent
        else "the straight line"
    )
    if bound <= result.tolerance:
        kind = f"There is no barrier on {path}, to within {number(bound, 3)}"
    elif result.barrier > result.tolerance:
        kind = f"There is a barrier on {path}: its height lies between {number(result.barrier)} and {number(bound)}"
    else:
        kind = f"A barrier on {path} is small: its height lies between {number(result.barrier)} and {number(bound)}"
    monotone = f"rises by {number(result.largest_rise, 3)} at most" if result.largest_rise > 0 else "never rises"
    warnings = _unless(result.converged, "The bounds on the barrier lie further apart than was asked for.")
    if bent and not result.settled:
        warnings += ("The path had not come to rest: more steps may find a lower one.",)
    return Account(
        f"{kind}. From the first network to the second the training loss {monotone}.",
        (Quantity("barrier", result.barrier, low=result.barrier, high=bound),),
        "max over t of f(t) − ((1 − t) f(0) + t f(1)) with f(t) = L(γ(t))"
        + (", γ a Bézier curve whose inner point is trained" if bent else ", γ straight"),
        "the loss's own",
        "measured at the points sampled from below; from above by "
        + (
            "a bound on the curvature that was given"
            if result.rigorous
            else "the curvature at those points, an estimate"
        ),
        "Garipov et al. 2018" if bent else "Frankle et al. 2020, section 2",
        arxiv="1802.10026" if bent else "1912.05671",
        converged=bool(result.converged and (not bent or result.settled)),
        warnings=warnings,
    )


def _progress(result: Any) -> Account:
    from landscape.measures.progress import MEASURES

    steps, values = result.steps, result.values
    parts = []
    for name, word in (
        ("weight_norm", "the weight norm"),
        ("test_loss", "the test loss"),
        ("test_accuracy", "test accuracy"),
    ):
        if name in values and np.isfinite(values[name][[0, -1]]).all():
            parts.append(f"{word} goes from {number(values[name][0], 3)} to {number(values[name][-1], 3)}")
    told = f"{_listed(parts)}." if parts else f"{len(values)} quantities were followed."
    sources = [MEASURES[name] for name in result.quantities if name in MEASURES]
    return Account(
        f"From step {steps[0]} to step {steps[-1]}, over {count(len(steps), 'checkpoint')}, {told}",
        tuple(
            Quantity(name.replace("_", " "), float(values[name][-1]))
            for name in ("weight_norm", "distance_from_start", "kernel_distance")
            if name in values
        ),
        "",
        "the numbers above are those of the last checkpoint",
        "two standard errors over random draws where a band is drawn, otherwise none but rounding",
        "; ".join(dict.fromkeys(measure.source.split(",")[0].split(";")[0] for measure in sources)),
        warnings=tuple(
            f"Left out: {', '.join(sorted(result.left_out)).replace('_', ' ')}; the factory can return 'context', a "
            "landscape.measures.progress.Context that says what they need."
            for _ in range(bool(result.left_out))
        ),
        terms=tuple((capital(measure.name.replace("_", " ")), measure.formula) for measure in sources),
    )


_ACCOUNTS: dict[str, Callable[[Any], Account]] = {
    "norm-profile": _norm_profile,
    "eigenvalues": _eigenvalues,
    "trace": _trace,
    "negative-eigenvalue": _negative,
    "homogeneity": _homogeneity,
    "margin": _margin,
    "frontier": _frontier,
    "line": _line,
    "plane": _plane,
    "straight-path": _path,
    "low-loss-path": _path,
    "progress": _progress,
}


def _unless(fine: Any, warning: str) -> tuple[str, ...]:
    return () if fine else (warning,)


def _low(n: int) -> str:
    return str(n).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
