"""Tikeng Notsawo, Dumas and Rabusseau 2025: the l2 norm is no reliable proxy for generalisation.

What the paper says. Grokking is driven by whatever property of a model regularisation asks for, such as sparsity or low
rank, and not by the Euclidean norm of its parameters as such. Depth alone can regularise enough for a network to grok
or to lose its generalisation. The l2 norm often grows while the model generalises, so that it does not say how near
generalising is.

Set-up as published. Several models under regularisers other than weight decay.

What is checked. The sentence about the norm, under the usual weight decay: it rises from where a network fits modular
addition to where it generalises.

What is not checked, and why. Grokking under other regularisers and by depth alone: there are no such learners here.

Departures. The network and optimiser are those of power2022, on six tenths of the pairs; the control is of kumar2023.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="notsawo2025",
    title="Grokking beyond the Euclidean norm of model parameters",
    authors="Tikeng Notsawo, Dumas, Rabusseau",
    arxiv="2506.05718",
)
THEORY = "other than the norm"

claim = functools.partial(Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(10))
