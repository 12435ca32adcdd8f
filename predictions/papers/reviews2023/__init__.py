"""The reviews of Varma et al. 2023: other readings of the same experiments, each where it predicts something else.

What the reviews say. Four anonymous reviewers read the paper on circuit efficiency for a conference. One asks whether
its predictions do not follow from more data helping generalisation, without any efficiency. Two read ungrokking as
catastrophic forgetting, and ask whether accuracy on the removed examples is kept. One suggests that memorising circuits
are not less efficient but more numerous, so that noise alone would find them.

Set-up as published. None: the reviews propose no experiments of their own. The networks, optimisers and budgets are
those of the claims of Varma et al., so that readings are compared on the same learner.

What is checked. One claim for each of the four predictions that can be told apart: equal accuracy of two histories on
equally many examples, an advantage of removed examples over never seen ones, ungrokking by noise without pressure on
the norm, and none by pressure without noise. Every claim here is a rival's: PASS speaks for the rival, FAIL for circuit
efficiency or for a third reading.

What is not checked, and why. That norm is a poor measure of efficiency because layers can be rescaled, that no theory
says why generalising is slow, and that there may be a continuum of circuits are objections that predict no number.

Departures common to all claims. Those of the claims of Varma et al.: perceptrons modulo 37 at the quick tier.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="reviews2023",
    title="Reviews of Explaining grokking through circuit efficiency",
    authors="Anonymous ICLR reviewers",
    url="https://openreview.net/forum?id=7Zbg38nA0J",
)

claim = functools.partial(Prediction, source=SOURCE, kind="rival", calibration_seeds=calibration(10))
