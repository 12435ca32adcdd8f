"""Truong, Truong, Luu and Phan 2026: the delay is the time that weight decay takes from one norm to another.

What the paper says. A network that memorises has a larger weight norm than one that generalises. Weight decay contracts
the norm exponentially, so that the delay of grokking is the logarithm of the ratio of the two squared norms, divided by
an effective rate that is at least learning rate times weight decay. The law is derived, and fitted to 293 runs with an
R2 above 0.97. Where the optimiser is SGD networks do not grok that do under AdamW.

Set-up as published. Modular addition and other tasks; the paper's network is not known here beyond its modulus, share
of the data, optimiser and budget, which `PAPER` in `setup` has.

What is checked. The law without a free constant on the students of Omnigrok, where nothing but decay moves the weights
between fitting and generalising; and, up to a factor of two, on a transformer on modular addition.

What is not checked, and why. The comparison of optimisers, and the law's fit across runs with a constant of its own: a
claim here is decided within seeds.

Departures. Norms where the paper has squared norms, which is a factor of two in the law; the norm after generalising is
that at which test accuracy first stays above its level, where the run ends.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="truong2026a",
    title="The norm-separation delay law of grokking: A first-principles theory of delayed generalization",
    authors="Truong Xuan Khanh, Truong Quynh Hoa, Luu Duc Trung, Phan Thanh Duc",
    arxiv="2603.13331",
)
THEORY = "norm separation"

claim = functools.partial(Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(10))
