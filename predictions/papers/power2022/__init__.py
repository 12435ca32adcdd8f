"""Power, Burda, Edwards, Babuschkin and Misra 2022: grokking itself.

What the paper says. On small tables of binary operations a network fits its training examples early, and answers the
held-out ones correctly only many times as many steps later. Less data make the delay longer, up to a share of the table
below which networks do not generalise within any budget that was tried. Weight decay lowers the share that is needed
more than any other intervention. Operations differ in how much data they need, symmetric ones needing less. What the
network learns can be seen in its output layer: a circle for addition, cosets for permutations.

Set-up as published. A transformer of two layers (width 128, four heads) on operations modulo 97 and on products in S5,
trained by AdamW in minibatches with learning rate 1e-3 and weight decay 1 (none in the first figure) for up to a
million steps.

What is checked. That generalising comes long after fitting, on modular addition.

What is not checked, and why. That weight decay is needed, the critical share of the data and other operations are the
subjects of later papers, whose claims say more: see varma2023. Sharpness and the pictures of embeddings are not claimed
with a number that a network this small could be held to.

Departures. A perceptron modulo 37 with full batches and a learning rate of 1e-2, on half of the pairs. Every pair has a
mirror image with the same answer, so that a network which treats both operands alike has seen many test pairs; the
claim counts those whose mirror image was not trained on.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="power2022",
    title="Grokking: Generalization beyond overfitting on small algorithmic datasets",
    authors="Power, Burda, Edwards, Babuschkin, Misra",
    arxiv="2201.02177",
)
THEORY = "the phenomenon"

claim = functools.partial(Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(10))
