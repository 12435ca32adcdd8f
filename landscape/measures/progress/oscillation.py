"""Oscillations of the loss early in training, as a predictor of what comes later (Notsawo et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.result import Cost, Result


@dataclass(frozen=True, kw_only=True)
class LossOscillation(Result):
    """Hjorth's parameters of a loss curve without its trend.

    With the spectral moments ``m_k = sum_w w^k |F(w)|^2`` of the residual's discrete Fourier transform, scaled so that
    m_0 is the residual's variance. Exact for this curve; nothing is sampled.

    Attributes
    ----------
    activity : float
        Spectral energy ``m_0``, the mean square of the residual.
    mobility : float
        ``sqrt(m_2 / m_0)``, the typical angular frequency, in radians per entry; NaN if nothing oscillates.
    complexity : float
        ``sqrt(m_4 / m_2)``, as Notsawo et al. write it; Hjorth's own is that over the mobility.
    frequencies : ndarray, shape (steps // 2 + 1,)
        In cycles per entry.
    power : ndarray, shape (steps // 2 + 1,)
        Adds up to `activity`.
    residual, trend : ndarray, shape (steps,)
        In units of the loss, or of its natural logarithm.
    logarithmic : bool
    degree : int
        Of the polynomial that was taken for the trend.
    cost : Cost
        Zero: the curve is given.
    """

    activity: float
    mobility: float
    complexity: float
    frequencies: np.ndarray
    power: np.ndarray
    residual: np.ndarray
    trend: np.ndarray
    logarithmic: bool
    degree: int
    cost: Cost = field(default_factory=Cost)

    def to_frame(self) -> pd.DataFrame:
        """Return the spectrum, columns frequency and power."""
        return pd.DataFrame({"frequency": self.frequencies, "power": self.power})


def loss_oscillation(
    losses: Sequence[float] | np.ndarray, *, steps: int = 400, degree: int = 3, logarithmic: bool = True
) -> LossOscillation:
    """Return the spectral energy of the oscillations at the start of a loss curve.

    A polynomial is fitted to the first entries and taken away; what remains is transformed. Notsawo et al. (2023,
    arXiv:2306.13253, section 3) filter out a slow part in a way they do not specify and do not take logarithms, so
    compare values only with those computed alike. Whether much or little oscillation predicts generalisation they
    leave open: calibrate the sign on other runs. The window must end before generalisation begins.

    Parameters
    ----------
    losses : sequence of float, shape (T,)
        Training loss at every step, evenly spaced.
    steps : int
        How many entries from the first on are used: theirs are 400. A shorter curve is used whole.
    degree : int
        Of the polynomial trend; 0 removes the mean alone.
    logarithmic : bool
        Whether the logarithm of the loss is analysed, so that a curve's scale does not matter.

    Raises
    ------
    InvalidInput
        If there are too few entries for the degree, or some are not finite or, for the logarithm, not positive.
    """
    values = np.asarray(losses, dtype=np.float64)
    if values.ndim != 1:
        raise InvalidInput(f"losses have shape {values.shape}, expected one loss for each step: shape (T,)")
    if degree < 0:
        raise InvalidInput(f"degree is {degree}, expected 0 or more")
    values = values[:steps]
    if len(values) < max(degree + 2, 4):
        raise InvalidInput(f"losses have {len(values)} entries, expected at least {max(degree + 2, 4)} for this degree")
    if not np.isfinite(values).all() or (logarithmic and values.min() <= 0):
        raise InvalidInput(
            "losses hold a value that is not finite"
            + (" or not positive" if logarithmic else "")
            + "; cut the curve before it"
            + (", or pass logarithmic=False" if logarithmic else "")
        )
    series = np.log(values) if logarithmic else values
    at = np.linspace(-1, 1, len(series))
    trend = np.polynomial.Chebyshev.fit(at, series, degree)(at)
    residual = series - trend
    frequencies = np.fft.rfftfreq(len(residual))
    power = np.abs(np.fft.rfft(residual)) ** 2 / len(residual) ** 2
    power[1 : (len(residual) + 1) // 2] *= 2
    angular = 2 * np.pi * frequencies
    moments = [float((angular**k * power).sum()) for k in (0, 2, 4)]
    # A residual of rounding errors alone has no frequency worth a name.
    still = moments[0] <= (1e-12 * np.abs(series).max()) ** 2
    return LossOscillation(
        activity=moments[0],
        mobility=float("nan") if still else (moments[1] / moments[0]) ** 0.5,
        complexity=float("nan") if still else (moments[2] / moments[1]) ** 0.5,
        frequencies=frequencies,
        power=power,
        residual=residual,
        trend=trend,
        logarithmic=logarithmic,
        degree=degree,
    )
