"""Miller, O'Neill and Bui 2023 (arXiv:2310.17247): grokking beyond neural networks, and model complexity.

What the paper says. Linear regression, Gaussian processes and Bayesian networks grok too, so that grokking is specific
neither to networks and SGD nor to weight-norm regularisation. Between low error at high complexity and low error at low
complexity lies a path on which the objective falls: where learning starts from the former, and the latter is harder to
come by, it groks (mechanism 1). Irrelevant coordinates that conceal a rule lengthen the gap about exponentially. A
Bayesian network groks the later, the larger its initial means, and lowers its error first and its complexity
afterwards. Without the complexity term of their objectives, linear regression and Gaussian process classification do
not grok.

Set-up as published. Linear regression (2.1.1): features x, x^2, x^3 and sin 100x of two examples of y = 0.3 x, from
weights of 0.0005 and 0.9, by gradient descent at rate 0.001. Classification (2.1.2): variational Gaussian processes,
not whitened, Adam at rate 0.01, on the sign of a number (20 examples, length 0.005) and on a parity of 3 bits among 37
(1000 examples). Concealment (2.2): six operations modulo 7 with 0 to 40 random bits appended, 600 examples, one hidden
layer of 1000, batches of 32 at rate 0.1, weight decay 0.01. Regression (2.3.1): a noisy sine, 50 examples, Adam at rate
0.04 on log length and log outputscale, from three starts. Bayesian network (2.3.2): parity of 3 bits among 30, 1000
examples, one hidden layer of 200, mean-field posterior of deviation 0.01 around means of a given scale.

What is checked. Linear regression (`linear_regression`) and its start (`start_weights`); Gaussian process regression
(`gp_regression`, `time_at_complexity`), classification (`gp_classification`, `gp_zero_one`) and what it takes
(`gp_parametrisation`); the Bayesian network (`bayesian_network`, `bayesian_complexity`); concealment from networks
(`concealment`, `parity`) and from Gaussian processes; what the weights of networks do (`weight_norm`); and mechanism 1,
for all learners (`parsimony`) and for a network's path from memorising to generalising (`paths`).

What is not checked, and why. That there is no sphere of weights on which learning is best, as it names no quantity. The
parsimony that mechanism 1 assumes. Initial scales from 1 down to 1e-8 and appendix O, whose conclusions were not found:
the appendices were known from the authors' code alone when these claims were written, and the notes say which sentences
are ours.

Departures common to all claims. Low is an error of 0.05, and of 0.1 in the two regressions; it has to stay low, where
the paper takes the first crossing, and what never comes is censored, where the paper takes the budget for it.
Complexity is counted in nats per training example. Data are drawn anew for each seed, and test sets are of 500 and
more.

Seeds. Twenty calibrate (0 to 19), ten for the Bayesian network. Ten judge what is decided by means or costly, twelve
what a median decides: that all agree has p = 0.0005, which stands among all claims of these authors. Twenty and more
judge what is cheap.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source, calibration

SOURCE = Source(
    key="miller2023",
    title="Grokking beyond neural networks: an empirical exploration with model complexity",
    authors="Miller, O'Neill, Bui",
    arxiv="2310.17247",
)
THEORY = "model complexity"

claim = functools.partial(Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(20))
