"""How sudden a transition is: an error function fitted to a training curve of accuracy.

Miller et al. 2024 (arXiv:2402.08946) describe the transition from a low accuracy to a high one by::

    A(t) = (low + high) / 2  +  (high - low) / 2 * erf(s (t - t*))

with two free numbers, the time t* of the middle and the sharpness s. The steepest slope, at t*, is
``(high - low) s / sqrt(pi)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.special import erf, erfinv

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.fits.crossing import first_crossing

#: Steepness beyond which the whole transition lies between two records that are as close as any; the data say no more.
_STEEPEST = 10.0


@dataclass(frozen=True)
class Transition:
    """A fitted transition from low to high.

    Attributes
    ----------
    time : float
        t*, in steps; the last step if censored.
    sharpness : float
        s, in 1 / steps; not a number if censored.
    rmse : float
        Root mean square of what the fit leaves, over the time in which it makes the middle 98 % of the transition: a
        long stay at either end neither helps nor hurts. Not a number if censored.
    rise : float
        ``high - low``.
    censored : bool
        True if accuracy did not come to stay above the middle: the transition, if any, lies beyond `time`.
    """

    time: float
    sharpness: float
    rmse: float
    rise: float = 1.0
    censored: bool = False

    @property
    def steepest(self) -> float:
        """``(high - low) s / sqrt(pi)``, the greatest slope of the fit: the absolute sharpness, in 1 / steps."""
        return self.rise * self.sharpness / math.sqrt(math.pi)

    @property
    def stretch(self) -> float:
        """``s t*``: the same for two transitions of which one is the other in slow motion."""
        return self.sharpness * self.time


def fit_transition(steps: np.ndarray, accuracy: np.ndarray, low: float, high: float) -> Transition:
    """Fit the time and the sharpness of a transition by least squares.

    Every record counts for the time it stands for (the trapezoid rule), so that the fit is the same for records at
    every step and for log-spaced ones.

    Parameters
    ----------
    steps, accuracy : array, shape (records,)
        Ascending steps and the accuracy there.
    low, high : float
        Where accuracy comes from (chance) and goes to; fixed, not fitted.

    Returns
    -------
    Transition

    Raises
    ------
    InvalidInput
        If high is not above low, or there are fewer than three records, or steps do not ascend.
    """
    steps, accuracy = np.asarray(steps, float), np.asarray(accuracy, float)
    if high <= low:
        raise InvalidInput(f"high is {high}, expected more than low, {low}")
    if len(steps) < 3 or len(steps) != len(accuracy) or (np.diff(steps) <= 0).any():
        raise InvalidInput("expected three or more records at ascending steps; record the accuracy more often")
    middle = first_crossing(steps, accuracy, above=(low + high) / 2)
    if middle.censored:
        return Transition(middle.step, math.nan, math.nan, high - low, censored=True)
    height = 2 * (accuracy - low) / (high - low) - 1
    gaps = np.diff(steps)
    weight = np.sqrt(np.append(gaps, 0.0) + np.append(0.0, gaps))
    limit = math.log(_STEEPEST / gaps.min())

    def left(parameters: np.ndarray) -> np.ndarray:
        shift, log_sharpness = parameters
        return np.asarray(weight * (erf(np.exp(min(log_sharpness, limit)) * (steps - shift * unit)) - height))

    unit = max(middle.step, float(gaps.min()))
    guess = np.array([middle.step / unit, math.log(_steepness(steps, height, middle.step))])
    best = least_squares(left, guess, x_scale=(0.1, 0.5), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    time, sharpness = float(best.x[0]) * unit, math.exp(min(float(best.x[1]), limit))
    under_way = np.abs(sharpness * (steps - time)) <= erfinv(0.98)
    if under_way.any():
        share = np.square(weight[under_way]) / np.square(weight[under_way]).sum()
        rmse = float(np.sqrt(share @ np.square(left(best.x) / weight)[under_way]))
    else:
        rmse = 0.0  # no record lies within the transition
    return Transition(time, sharpness, rmse * (high - low) / 2, high - low)


def _steepness(steps: np.ndarray, height: np.ndarray, middle: float) -> float:
    """Return a first guess of s: from where the height crosses 1/2 for good, ``erf(0.477)``, after the middle."""
    after = first_crossing(steps, height, above=0.5)
    return float(erfinv(0.5) / max(after.step - middle, float(np.diff(steps).min())))
