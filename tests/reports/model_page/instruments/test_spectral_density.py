"""What the page says about a spectral density follows from its numbers."""

from __future__ import annotations

from grokscape.landscape.measures.curvature.density import spectral_density
from grokscape.reports.model_page.instruments.spectral_density import SPECTRAL_DENSITY


def test_only_estimates_have_an_error(problem):
    exact, estimated = (spectral_density(problem, steps=6, probes=3, method=method) for method in ("dense", "lanczos"))
    assert exact.exact
    assert not estimated.exact
    for quantity in SPECTRAL_DENSITY.summary(exact).quantities:
        assert quantity.text == f"{quantity.value:.4g}".replace("-", "−")
    near, _, mean = SPECTRAL_DENSITY.summary(estimated).quantities
    assert "±" in near.text
    low, high = (float(end[0]) for end in estimated.mean_interval())
    assert (mean.low, mean.high) == (low, high)
