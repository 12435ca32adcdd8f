"""Liu, Kitouni, Nolte, Michaud, Tegmark and Williams 2022 (arXiv:2205.10343): representations that generalise.

What the paper says. A toy that adds symbols generalises once its embeddings form the parallelograms that equal sums ask
for, and its test accuracy can be predicted from them. A training set asks for some of them; from a critical share of
all pairs on, about two fifths, it leaves no embedding but a line. An effective loss, the mean square by which these
parallelograms are missed relative to the spread of the embeddings, describes the dynamics: their rate is its third
eigenvalue, lambda_3. The learning rate and the weight decay of the decoder decide between four phases: comprehension,
grokking (generalising late), memorisation and confusion. In transformers, regularising the decoder turns grokking into
comprehension.

Set-up as published. Ten symbols, ordinary (not modular) addition, 55 unordered pairs, 45 of them trained on in full
batches. Embeddings have one dimension and AdamW at rate 1e-3; the decoder has two hidden layers of 200 (tanh), AdamW at
1e-4, and 30 outputs: a fixed random vector for each of 19 sums, under squared error. A parallelogram counts as realised
where it is missed by less than 0.01 of the variance; a quality index above 0.95, the share of all that are realised, is
a line. Fitting and generalising are accuracies of 90 % within 100 000 steps, and generalising is late from 1000 steps
on (table 1). The transformer learns addition modulo 53, with 256 dimensions.

What is checked. Parallelograms and the accuracy predicted from them (`effective_theory`); the critical fraction and the
flow of the effective loss, by computation alone (`effective_loss`); both against training, necessary, sufficient and
fast enough (`critical_size`); the phases, their order and the representations in them (`phases`); and what weight decay
does to the delay, in the toy and in transformers (`decay`).

What is not checked, and why. Permutations, cross-entropy, small starts and batches (appendix G), MNIST (in the paper's
second version), dropout, and the circle that appears in a transformer's embeddings: they need learners, or records of
them, that the toy here, which adds in full batches under squared error, does not have.

Departures common to all claims. At quick, layers of 64 in place of 200, with embeddings and decoder three times as
fast, their ratio kept; standard has the paper's network. Accuracies are those of held-out pairs, where the paper counts
all; phases and delays count only held-out pairs whose sum some training pair has, as no learner can know the others.

Seeds. Twenty calibrate (0 to 19) and twenty others judge: of twelve, one dissenter was too many for fifteen claims at
once.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Amendment, Prediction, Source, calibration

SOURCE = Source(
    key="liu2022",
    title="Towards understanding grokking: an effective theory of representation learning",
    authors="Liu, Kitouni, Nolte, Michaud, Tegmark, Williams",
    arxiv="2205.10343",
)
THEORY = "effective theory of representation learning"
#: Of every claim of this paper.
NEW_SEEDS = Amendment(
    date="2026-11-25",
    what="Judged once more, on other seeds and more of them.",
    why="The first ones left eight of the fifteen claims of this paper that there then were at quick undecided.",
    seeds="100-111, and more in a few claims",
)
claim = functools.partial(
    Prediction, source=SOURCE, theory=THEORY, calibration_seeds=calibration(20), amendments=(NEW_SEEDS,)
)
