"""Liu, Michaud and Tegmark 2023 (arXiv:2210.01117), Omnigrok: grokking beyond algorithmic data.

What the paper says. Minimise the training loss over all directions at each weight norm: what is left of it is an L over
the norm, which falls and stays at zero, and the test loss there is a U, with its bottom near the norm of the usual
initial weights. A network that starts far outside fits at once, and generalises when weight decay has brought its norm
down to the bottom of the U: after a time inverse to weight decay, never without it, and sooner the more data there are,
which widen the U. So images, film reviews and molecules grok from large initial weights, and modular addition does not
where the norm is held at the right one. Grokking is dramatic on algorithmic data because there the representation
decides.

Set-up as published. Teacher and student: 5 inputs, two hidden layers of 100 (tanh), 100 examples, AdamW at rate 3e-4
for 100 000 full-batch steps, from twice the usual weights; an answer is right if its error is below 0.01 (0.001 in the
authors' code). MNIST: two hidden layers of 200, 1000 images in batches of 200, from eight times the usual weights.
Reviews: two layers of LSTM on 1000 of IMDb's, weight decay 1 from six times the usual weights, none from the usual
ones. Molecules: 100 of QM9 and their polarizability, a graph network, no weight decay, from three times the usual
weights. Modular addition: a transformer with 128 dimensions, p = 113, 30 % of all pairs, at 0.8 of its initial norm and
without weight decay, or free with weight decay 1. Landscapes take ordinary steps of Adam and rescale all weights after
each.

What is checked. The landscape and its growth with data (`landscape`); the student, by the norm that it starts from and
generalises at (`norm`) and by weight decay (`weight_decay`); the delay by data size (`data_size`); grokking on digits
and MNIST (`images`), on `film_reviews` and on `molecules`; a network held at a norm (`constrained_norm`); and what the
representation decides (`representation`).

What is not checked, and why. Landscapes of images, reviews, molecules and transformers, the critical data size, and
cross-entropy (the appendices): the student's landscape stands for them. The plane of norm and messiness, of which a
line is checked. Delays of a transformer by weight decay (appendix C).

Departures common to all claims. No verdict looks at the best accuracy or loss seen during training, which the paper's
landscapes of real data show: to stop there takes the test examples. It is drawn beside, and decides nothing. An answer
of a student is right as in the authors' code. Weight decay is decoupled. Networks on real data are smaller than the
paper's, and trained on the full batch; all arms of a claim have the same weight decay, unless that is what they differ
in.

Seeds. Twenty calibrate at most (0 to 19), ten judge; on molecules, which differ much, twenty. What ten left undecided
is judged on twenty others, by the same criteria.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="liu2023",
    title="Omnigrok: Grokking beyond algorithmic data",
    authors="Liu, Michaud, Tegmark",
    arxiv="2210.01117",
)
THEORY = "weight norm and the LU landscape"

claim = functools.partial(Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(20))
