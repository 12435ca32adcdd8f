"""Truong, Doan, Luu and Phan 2026: held at a norm, networks grok all the same, exponentially later in the norm.

What the paper says. Networks are held at a weight norm throughout training. They generalise at whatever norm they are
held at, and the time they take grows exponentially with the norm relative to the critical one, at which free training
generalises: with an exponent near 7.5, and an R2 of 0.996 over four moduli. What looks like a norm that prevents
grokking is a budget that ended too early. A LayerNorm in the network removes the law. This contradicts the reading of
Omnigrok that generalising waits at a critical norm; whether these claims hold or fail says how literally that norm may
be taken.

Set-up as published. A perceptron and a transformer on modular addition under AdamW, with the weights projected back to
a norm after each step, sixteen seeds for each norm, and 160 000 steps.

What is checked. That networks held above the critical norm generalise, only later; the exponential law; and that
LayerNorm removes it.

What is not checked, and why. Which single group of weights it is whose norm matters under LayerNorm: networks are held
at the norm of all their weights here.

Departures common to all claims. The perceptrons of truong2026a: modulo 23, squared activation, homogeneous of degree 3.
Here the free norm rises to the critical one and stays, where the paper's falls to it. Each seed is fitted alone, where
the paper fits medians over seeds.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="truong2026b",
    title="The weight norm sets the grokking timescale: A causal delay law",
    authors="Truong Xuan Khanh, Doan Hoang Viet, Luu Duc Trung, Phan Thanh Duc",
    arxiv="2606.13753",
)
THEORY = "norm as timescale"

claim = functools.partial(Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(10))
