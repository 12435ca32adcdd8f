"""Levi, Beck and Bar-Sinai 2023 (arXiv:2310.16441): linear estimators grok, which is no understanding.

What the paper says. A linear student that learns from a linear teacher by gradient descent groks: its accuracy, the
share of examples within a threshold, rises on training examples long before it rises on others. With lambda inputs for
each example, the losses follow from the Marchenko-Pastur law, accuracy is a function of the loss, and the time between
the two rises can be computed. It grows with lambda up to 1, and first grows and then falls with the number of outputs;
above lambda = 1 the student never generalises. Weight decay leaves losses that the same law gives. Nothing is
understood in all this: the sudden jump is an artefact of the threshold, and no loss shows it.

Set-up as published. Inputs from a standard normal distribution; student and teacher drawn with variance 1 / (2 inputs
outputs); squared error, full-batch gradient descent at rate 0.01. Figure 1 has 1000 inputs, one output, a threshold of
0.001 and lambda = 0.1, 0.9 and 1.5; figure 3, weight decays of 1e-5, 1e-3 and 1e-2; figure 5, two layers of 1000
inputs, five outputs and a threshold of 1e-4.

What is checked. The losses, accuracy as a function of them, and the plateau above lambda = 1 (`losses`); how long a
student groks, by lambda and by the number of outputs, and what its jump is (`gaps`); the formula for that time
(`gap_formula`); and what weight decay leaves (`decay`).

What is not checked, and why. Networks of two layers, tanh, noise on labels, a scaled start, and how long a student
groks under weight decay: the learner here is the linear one without noise, whose losses are exact at any step.

Departures common to all claims. At quick, 300 inputs in place of 1000. Each seed is one draw of the examples, where the
theory is about their mean; a draw at these sizes scatters by a fifth, so that most claims are about means over ratios
and seeds.

Seeds. Twenty calibrate (0 to 19). Ten judge what is decided by means; twelve what is decided by medians, which makes a
rule sure where no seed dissents; twenty what scatters most.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="levi2023",
    title="Grokking in linear estimators: a solvable model that groks without understanding",
    authors="Levi, Beck, Bar-Sinai",
    arxiv="2310.16441",
)
THEORY = "linear estimators"

claim = functools.partial(Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(20))
