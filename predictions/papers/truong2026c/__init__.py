"""Truong 2026: under cross-entropy the weight norm delays generalising through the scale of the logits.

What the paper says. At a higher weight norm the logits are larger, and this is how the norm delays generalising under
cross-entropy. A temperature that gives the logits the scale they have at a lower norm takes most of the delay away,
0.83 and 0.89 of it at two moduli; a lower temperature at a fixed norm makes the same delay as the higher norm. Nearly
all of the variance of the delay goes through the logits' scale. Under squared error the norm acts by another route.

Set-up as published. The networks of truong2026b, held at two norms with and without a temperature.

What is checked. That a temperature undoes the norm, that a temperature alone delays as much as the norm, and that
neither is so under squared error.

What is not checked, and why. The decomposition of variance over many norms and temperatures: a claim here compares four
runs of one seed.

Departures common to all claims. The perceptrons of truong2026a are homogeneous of degree 3, so that the temperature
follows from the two norms and is not fitted to the logits that were measured. Shares of the delay are of its logarithm.
The paper's network has biases and GELU, and is not homogeneous.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="truong2026c",
    title="What does the weight norm control in grokking? Logit-scale mediation under cross-entropy",
    authors="Truong Xuan Khanh",
    arxiv="2606.18465",
)
THEORY = "logit scale"

claim = functools.partial(Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(10))
