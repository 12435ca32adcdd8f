"""Miller, Gleeson, O'Neill, Bui and Levi 2024 (arXiv:2402.08946): measuring sharpness in grokking.

What the paper says. The accuracy of a learner that groks goes through its transition as an error function of time, in
training and in testing. The function's time says when, and its slope how sharply: sharpness is absolute (the steepest
slope in testing) or relative (to the slope in training), and the relative gap is the ratio of the two times, less 1. On
parity in longer strings, the larger a network's relative gap, the less sharp its transition, in both measures. The same
is found of the linear estimators of Levi et al. 2023.

Set-up as published. Networks: parity of 3 bits in strings of 25 to 45, three seeds each, one hidden layer of 1000,
batches of 32 at rate 0.01 and weight decay 0.01, 750 examples, 3000 epochs, generalised at 99 %. Linear students:
formulas for late times, rate 0.01, a threshold of 1e-10, and 120 values of lambda from 1.003 to 1.1.

What is checked. The form, and gap against sharpness, of linear students (`linear`) and of networks (`networks`). Beside
each stands a rival reading: that a later transition is the same one in slow motion, which makes sharpness fall by
construction.

What is not checked, and why. Numbers of the text, and slopes of sharpness against the gap: the paper's code and figures
were known when these claims were written, and its abstract, but not its sections, which the claims therefore do not
name.

Departures common to all claims. Linear students have lambda below 1, where their theory holds, but for the one claim
about the authors' range. Networks are trained on full batches with momentum 0.9, which gives the same relative gaps in
a few hundred steps; at quick they have 200 hidden units and three lengths. The residue of a fit is taken over the
middle 98 % of the transition.

Seeds. Twenty calibrate (0 to 19). Twelve judge linear students, and fifteen networks: as many as decide whether
sharpness in a transition's own time has a trend.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="miller2024",
    title="Measuring sharpness in grokking",
    authors="Miller, Gleeson, O'Neill, Bui, Levi",
    arxiv="2402.08946",
)
THEORY = "sharpness of grokking"

claim = functools.partial(Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(20))
