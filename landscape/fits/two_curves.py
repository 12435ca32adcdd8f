"""The data size at which memorising comes to need more norm than generalising: pure arithmetic on measured norms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from grokscape.landscape.errors import InvalidInput

#: Fewest seeds whose extremes enclose the median with 95 % probability: 1 - 2 / 2^6 = 96.9 %.
FEWEST_FOR_ORDER = 6


@dataclass(frozen=True, kw_only=True)
class CrossingSize:
    """The data size at which two circuits need the same norm, with an interval over seeds.

    Attributes
    ----------
    estimate : float
        In examples: the median over seeds, or with fewer than six seeds the geometric mean. NaN if it lies outside of
        the sizes measured, or is known only to lie between two of them.
    lower, upper : float
        The interval; 0 or infinity where it is open because the crossing is out of range in too many seeds.
    side : str
        "within", "below" (memorising needs more norm at every size measured), "above" (generalising does), or
        "unknown".
    seed_lower, seed_upper : array, shape (seeds,)
        Bounds from each seed: equal bounds where its crossing is known; the neighbouring sizes where one of the norms
        around it is out of range; 0 or infinity where the crossing is.
    method : str
        "order" (exact order statistics of the median), "t" (Student's t on log sizes; fewer than six seeds) or "none".
    coverage : float
        Nominal probability that the interval holds the truth; exact order statistics give at least what was asked.
    """

    estimate: float
    lower: float
    upper: float
    side: str
    seed_lower: np.ndarray
    seed_upper: np.ndarray
    method: str
    coverage: float

    @property
    def censored(self) -> np.ndarray:
        """Which seeds' crossings are known only to lie between two bounds, shape (seeds,)."""
        return self.seed_lower != self.seed_upper

    def sentence(self) -> str:
        """Describe the crossing in words."""
        where = {
            "within": "between two of the sizes" if np.isnan(self.estimate) else f"at {self.estimate:.3g} examples",
            "below": "below the smallest size measured",
            "above": "above the largest size measured",
            "unknown": "not determined",
        }[self.side]
        if self.method == "none":
            return f"crossing {where}; too few seeds with a crossing in range for an interval"
        how = "order statistics" if self.method == "order" else "t on log sizes"
        return (
            f"crossing {where}, {self.coverage:.1%} interval {self.lower:.3g} to {self.upper:.3g} "
            f"({how}, {len(self.seed_lower)} seeds)"
        )


def norm_needed(norms: np.ndarray, losses: np.ndarray, level: float) -> float:
    """Return the norm at which a curve of loss against norm first comes down to a level.

    Log loss is interpolated in log norm (monotone cubic) between the last norm above the level and the first at or
    below it. 0 if the smallest norm suffices already, infinity if none suffices, NaN if no loss is known: a curve is
    never continued.

    Parameters
    ----------
    norms, losses : array, shape (points,)
        Ascending positive norms, and positive losses; NaN marks points that do not count.
    level : float
        Positive.
    """
    known = ~np.isnan(losses)
    norms, losses = np.asarray(norms)[known], np.asarray(losses)[known]
    if not len(norms):
        return np.nan
    enough = np.flatnonzero(losses <= level)
    if not len(enough):
        return np.inf
    first = int(enough[0])
    if first == 0:
        return 0.0
    x, y = np.log(norms), np.log(np.maximum(losses, 1e-300))
    curve = PchipInterpolator(x, y)
    return float(np.exp(brentq(lambda at: float(curve(at)) - np.log(level), x[first - 1], x[first])))


def crossing_size(
    sizes: np.ndarray, memorising: np.ndarray, generalising: np.ndarray, *, confidence: float = 0.95
) -> CrossingSize:
    """Return the data size D* at which memorising comes to need more norm than generalising.

    In each seed, ``log norm_memorising - log norm_generalising`` is interpolated linearly in ``log D`` to its change
    of sign from negative to positive. If noise makes it change several times, the middle change counts. Nothing is
    extrapolated: a seed whose norms never cross is known only to lie below or above.

    Parameters
    ----------
    sizes : array, shape (sizes,)
        Ascending numbers of examples D.
    memorising, generalising : array, shape (seeds, sizes)
        Norm that each circuit needs; 0 and infinity stand for "less" and "more than measured", NaN for not known.
    confidence : float
        Of the interval for the median over seeds.

    Raises
    ------
    InvalidInput
        If shapes do not fit, sizes do not ascend, or the confidence is not in (0, 1).
    """
    sizes = np.asarray(sizes, dtype=float)
    memorising, generalising = (np.atleast_2d(np.asarray(a, dtype=float)) for a in (memorising, generalising))
    if sizes.ndim != 1 or len(sizes) < 2 or (sizes <= 0).any() or (np.diff(sizes) <= 0).any():
        raise InvalidInput(f"sizes are {sizes.tolist()}, expected at least two ascending positive numbers of examples")
    if memorising.shape != generalising.shape or memorising.shape[1] != len(sizes):
        raise InvalidInput(
            f"norms have shapes {memorising.shape} and {generalising.shape}, expected (seeds, {len(sizes)}) for both"
        )
    if not 0 < confidence < 1:
        raise InvalidInput(f"confidence is {confidence}, expected a number between 0 and 1, such as 0.95")
    bounds = np.array([_of_one_seed(sizes, m, g) for m, g in zip(memorising, generalising, strict=True)])
    lower, upper = bounds.T
    return _over_seeds(lower, upper, sizes, confidence)


def _of_one_seed(sizes: np.ndarray, memorising: np.ndarray, generalising: np.ndarray) -> tuple[float, float]:
    """Return bounds of one seed's crossing; equal if it is known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.log(memorising) - np.log(generalising)
    sizes, excess = sizes[~np.isnan(excess)], excess[~np.isnan(excess)]
    if not len(sizes) or excess[0] >= 0 > excess[-1]:  # nothing known, or the wrong way round
        return 0.0, np.inf
    positive = excess >= 0
    changes = np.flatnonzero(positive[1:] != positive[:-1]).tolist()
    # -1 and the last index stand for a crossing before and behind the sizes measured.
    changes = [-1] * int(positive[0]) + changes + [len(sizes) - 1] * int(not positive[-1])
    at = changes[len(changes) // 2]
    if at < 0:
        return 0.0, float(sizes[0])
    if at + 1 == len(sizes):
        return float(sizes[-1]), np.inf
    if not np.isfinite(excess[at : at + 2]).all():
        return float(sizes[at]), float(sizes[at + 1])
    share = excess[at] / (excess[at] - excess[at + 1])
    crossing = float(sizes[at] * (sizes[at + 1] / sizes[at]) ** share)
    return crossing, crossing


def _over_seeds(lower: np.ndarray, upper: np.ndarray, sizes: np.ndarray, confidence: float) -> CrossingSize:
    n, known = len(lower), lower == upper
    low, high, method, coverage = 0.0, np.inf, "none", 0.0
    # The k-th smallest and k-th largest value miss the median with probability 2 P(Binomial(n, 1/2) < k).
    outside = 2 * stats.binom.cdf(np.arange(n // 2 + 1) - 1, n, 0.5)
    k = int(np.flatnonzero(outside <= 1 - confidence)[-1])
    if n >= FEWEST_FOR_ORDER and k >= 1:
        low, high = np.sort(lower)[k - 1], np.sort(upper)[-k]
        method, coverage = "order", 1 - float(outside[k])
    elif n >= 2 and known.all():
        logs = np.log(lower)
        half = stats.t.ppf((1 + confidence) / 2, n - 1) * logs.std(ddof=1) / np.sqrt(n)
        low, high = np.exp(logs.mean() - half), np.exp(logs.mean() + half)
        method, coverage = "t", confidence
    centre = (np.exp(np.log(lower).mean()),) * 2 if method == "t" else (_median(lower), _median(upper))
    if centre[1] <= sizes[0] and centre[0] < centre[1]:
        side = "below"
    elif centre[0] >= sizes[-1] and centre[0] < centre[1]:
        side = "above"
    else:
        side = "within" if np.isfinite(centre[1]) and centre[0] > 0 else "unknown"
    return CrossingSize(
        estimate=float(centre[0]) if centre[0] == centre[1] else np.nan,
        lower=float(low),
        upper=float(high),
        side=side,
        seed_lower=lower,
        seed_upper=upper,
        method=method,
        coverage=coverage,
    )


def _median(values: np.ndarray) -> float:
    """Return the median; two middle values give their geometric mean, which 0 and infinity absorb."""
    low, high = np.sort(values)[[(len(values) - 1) // 2, len(values) // 2]]
    return float(low if low == high else np.sqrt(low) * np.sqrt(high))
