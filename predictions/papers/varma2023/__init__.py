"""Varma, Shah, Kenton, Kramar and Kumar 2023: grokking explained by the efficiency of circuits.

What the paper says. A network can fit its training data by two circuits: one memorises, one generalises. Weight decay
favours the circuit that buys more logit for the same weight norm, the more efficient one. Memorising becomes less
efficient with every further example, generalising does not, so that there is a critical size of the training set above
which generalising is the more efficient. Grokking happens above it, because the generalising circuit is also the slower
to be learnt. From this the paper predicts two new phenomena and finds both: a network that has generalised loses its
generalisation when it goes on training on less than the critical size (ungrokking), and near that size networks settle
on middling accuracy (semi-grokking).

Set-up as published. A transformer of one layer (width 128, four heads, 512 hidden units), trained on addition modulo
113 by full-batch AdamW with learning rate 1e-3, beta2 0.98 and weight decay 1. Ungrokking starts from a network that
was trained on all 12 769 pairs and goes on with 390 to 1494 of them, ten seeds on each of seven sizes; also on nine
other tasks, which are not named in what could be read of the paper. Semi-grokking: ten seeds on each of twenty sizes
between 1500 and 2050.

What is checked. The toy model of section 3 and the theorems of appendix D; efficiency by data size, its spread and the
random-label twin that stands for the memorising circuit; circuits told apart by their logits, and the norm that moves
between them; ungrokking, how sharp it is, that it depends neither on weight decay nor on new examples, and that it
occurs on other tasks; the critical size from both sides; semi-grokking and what becomes of its plateaus; the time that
generalising takes. A second learner, perceptrons with quadratic activation, is held to the same thresholds.

What is not checked, and why. In-context against in-weights learning (section 6) and implicit regularisers other than
weight decay (section 7) are conjectures that the paper does not test. That plateaus end has no quick tier: none ended
within the budget of one.

Departures common to all claims. The quick tier trains perceptrons with ReLU on addition modulo 37, with a learning rate
of 1e-2; the standard tier a smaller transformer, with an eps of 1e-4 that keeps AdamW's normalised steps from
destroying a network whose gradients vanish; the paper's tier has the published network. The paper compares weight norms
at equal logits by eye; here efficiency is the mean margin over the norm to the power of the network's degree of
homogeneity, one number without a scale. Test accuracy after ungrokking is that on removed examples, which were trained
on before, as in the paper. Perceptrons stay below the 95 % of trigonometric logits by which the paper selects
generalising networks.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="varma2023",
    title="Explaining grokking through circuit efficiency",
    authors="Varma, Shah, Kenton, Kramár, Kumar",
    arxiv="2309.02390",
)
THEORY = "circuit efficiency"

claim = functools.partial(Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(10))
