"""Slices and paths, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from grokscape.reports.model_page.account import Account, Quantity, unless
from grokscape.reports.numbers import number


def line(result: Any) -> Account:
    """Tell of the loss along a line."""
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


def plane(result: Any) -> Account:
    """Tell of the loss on a plane."""
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


def path(result: Any) -> Account:
    """Tell of a barrier."""
    bound = result.barrier_bound
    bent = hasattr(result, "settled")
    path = (
        f"a bent path {number(result.length / result.distance, 3)} times as long as the straight line"
        if bent
        else "the straight line"
    )
    if bound <= result.tolerance:
        kind = f"There is no barrier on {path}: its height is at most {number(bound, 3)}"
    elif result.barrier > min(result.tolerance, bound / 2):
        kind = f"There is a barrier on {path}: its height lies between {number(result.barrier)} and {number(bound)}"
    else:
        kind = (
            f"Whether there is a barrier on {path} is not settled: its height lies between {number(result.barrier)} "
            f"and {number(bound)}"
        )
    monotone = f"rises by {number(result.largest_rise, 3)} at most" if result.largest_rise > 0 else "never rises"
    warnings = unless(result.converged, "The bounds on the barrier lie further apart than was asked for.")
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
