"""Kumar, Bordelon, Gershman and Pehlevan 2023: grokking as the transition from lazy to rich training.

What the paper says. A network groks where it first fits its training data almost without changing its features, as a
kernel machine would (lazily), and only later learns the features that generalise (richly). Output scale or initial
weights set how lazy the start is. Grokking therefore needs no weight decay and no way from a large norm to a small one:
networks grok by plain gradient descent while their weight norm rises. A kernel that is badly aligned with the task and
a training set of middling size make the delay visible.

Set-up as published. A perceptron with 100 hidden units on addition modulo 23, trained on nine tenths of all pairs by
full-batch gradient descent with learning rate 100 on the squared error, without weight decay; and a polynomial
regression that is solved in theory. The activation and the scale of the initial weights were not found.

What is checked. The claim that contradicts the theories of weight norm: grokking without weight decay, with a norm that
rises from fitting to generalising.

What is not checked, and why. How the delay depends on laziness and on the alignment of the kernel: nothing here
measures a tangent kernel.

Departures. Squared activation, initial weights at 2.5 times the usual scale, and a learning rate of 15 to match them.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="kumar2023",
    title="Grokking as the transition from lazy to rich training dynamics",
    authors="Kumar, Bordelon, Gershman, Pehlevan",
    arxiv="2310.06110",
)
THEORY = "lazy to rich"

claim = functools.partial(Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(10))
