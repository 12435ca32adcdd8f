"""The density of all eigenvalues of the Hessian."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from grokscape.reports.model_page.instrument import Callback, Effort, Instrument
from grokscape.reports.model_page.summary import CURVATURE, Quantity, Summary
from grokscape.reports.numbers import number

if TYPE_CHECKING:
    from grokscape.landscape.measures.curvature.density import SpectralDensity
    from grokscape.reports.model_page.subject import Subject


def _run(subject: Subject, effort: Effort, progress: Callback) -> SpectralDensity:
    from grokscape.landscape.measures.curvature.density import spectral_density

    return spectral_density(
        subject.problem,
        probes=effort.choose(8, 4),
        steps=effort.choose(64, 24),
        seed=effort.seed,
        progress=progress,
    )


def _summary(result: SpectralDensity) -> Summary:
    nodes, weights = result.nodes[0], result.weights[0]
    largest = float(np.abs(nodes).max())
    within, negative = (_share(weights, chosen) for chosen in (np.abs(nodes) <= largest / 100, nodes < -largest / 100))
    mean = Quantity("mean eigenvalue", float(result.moment()[0]))
    if not result.exact:
        low, high = (float(end[0]) for end in result.mean_interval())
        mean = dataclasses.replace(mean, low=low, high=high)
    count_of = "the eigenvalues, all of them computed" if result.exact else "Lanczos quadrature from random directions"
    return Summary(
        sentence=f"{_percent(within)} of the {result.size:,} eigenvalues lie within 1 % of the largest in magnitude "
        f"({number(largest)}) around zero; {_percent(negative)} lie below that.",
        quantities=(
            Quantity("share near zero", within[0], None if result.exact else within[1]),
            Quantity("share below", negative[0], None if result.exact else negative[1]),
            mean,
        ),
        formula=f"p(t) = (1/P) Σᵢ N(t; λᵢ, s²) with s = {number(float(result.width[0]), 3)}; {count_of}",
        units="per unit of eigenvalue, that is " + CURVATURE,
        error="none but rounding"
        if result.exact
        else "standard error over random directions; 95 % intervals of density and mean",
        source="Ghorbani, Krishnan and Xiao 2019",
        arxiv="1901.10159",
    )


def _share(weights: np.ndarray, chosen: np.ndarray) -> tuple[float, float]:
    """Return the share of the spectrum that is chosen, and its standard error over probes."""
    shares = np.where(chosen, weights, 0.0).sum(1)
    error = float(shares.std(ddof=1) / len(shares) ** 0.5) if len(shares) > 1 else 0.0
    return float(shares.mean()), error


def _percent(share: tuple[float, float]) -> str:
    return f"{100 * share[0]:.3g} %"


SPECTRAL_DENSITY = Instrument(
    name="spectral-density",
    title="Spectral density of the Hessian",
    about="density of all its eigenvalues",
    run=_run,
    summary=_summary,
    group="hessian",
    place=13,
)
