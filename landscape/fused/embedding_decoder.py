"""Training and records of an added embedding and its decoder (`EmbeddingDecoder`), run by run."""

from __future__ import annotations

import numpy as np

from grokscape.landscape.fused import feed_forward_kernel as feed_forward
from grokscape.landscape.fused.compiled import IN_PARTS, compiled
from grokscape.landscape.fused.layers import SQUARED_ERROR, matrix
from grokscape.landscape.fused.steps import adamw

# Columns of what is added up of each run's pairs and parallelograms.
TRAIN_LOSS, TEST_LOSS, TRAIN_RIGHT, TEST_RIGHT, KNOWN_RIGHT, REALISED, REACHED = range(7)


@compiled()
def gradient(row, slope, tokens, wanted, how):
    """Write the gradient of one run's loss, ``share / 2`` times the sum of squared errors, into `slope`.

    Parameters
    ----------
    row, slope : shape (parameters,)
    tokens : int32, shape (n, 2)
        The pairs trained on.
    wanted : shape (n, outputs)
    how : tuple
        `address`, `network`, `share`, `block` and `work`, as `feed_forward_kernel.gradient` has them.
    """
    address, network, share, block, work = how
    nothing, n = np.zeros(0, np.int64), len(tokens)
    feed_forward.gradient(
        address, row, slope, tokens, row[:0], nothing, wanted, network, SQUARED_ERROR, share, n, block, work
    )


@compiled()
def descend(rows, means, squares, tokens, wanted, rates, slope, parts, number, count, how):
    """Take `count` steps of AdamW, of which `number` is the first, all of one run before the next, in place.

    Parameters
    ----------
    rows, means, squares : shape (runs, parameters)
    tokens, wanted : shape (runs, n, ...)
        As in `gradient`, like `how`.
    rates : float64, shape (runs, parts, 5)
        Of parts of a row, in the order of the optimiser's fields.
    slope : shape (parameters,)
        Room for a gradient.
    parts : int64, shape (parts + 1,)
        Where each part begins, and where the last one ends.
    """
    for run in range(rows.shape[0]):
        for step in range(number, number + count):
            gradient(rows[run], slope, tokens[run], wanted[run], how)
            for part in range(parts.size - 1):
                own, rate = slice(parts[part], parts[part + 1]), rates[run, part]
                given = (rate[0], rate[1], rate[2], rate[3], rate[4])
                adamw(rows[run, own], slope[own], means[run, own], squares[run, own], given, step)


@compiled(IN_PARTS)
def of_outputs(outputs, targets, labels, trained, known, found):
    """Add up what one run's outputs on all pairs say: squared errors, and whose nearest target is their own.

    Parameters
    ----------
    outputs : shape (pairs, outputs)
    targets : shape (sums, outputs)
    labels : int64, shape (pairs,)
    trained, known : bool, shape (pairs,)
    found : float64, shape (7,)
    """
    zero, most = outputs.dtype.type(0), outputs.dtype.type(np.inf)
    found[:] = 0.0
    for n in range(outputs.shape[0]):
        label, nearest, least, error = labels[n], 0, most, zero
        for target in range(targets.shape[0]):
            distance = zero
            for c in range(outputs.shape[1]):
                gap = outputs[n, c] - targets[target, c]
                distance += gap * gap
            if distance < least:
                least, nearest = distance, target
            if target == label:
                error = distance
        right = 1.0 if nearest == label else 0.0
        if trained[n]:
            found[TRAIN_LOSS] += error
            found[TRAIN_RIGHT] += right
        else:
            found[TEST_LOSS] += error
            found[TEST_RIGHT] += right
        if known[n]:
            found[KNOWN_RIGHT] += right


@compiled(IN_PARTS)
def of_embedding(embedding, pairs, couples, trained, tolerance, found):
    """Count the parallelograms that one embedding realises, and the pairs that they or training reach.

    `grokscape.landscape.theory.parallelograms` has the formulas (`gaps`, `reach`).
    """
    symbols, dimension = embedding.shape
    sides, reached = np.empty((pairs.shape[0], dimension)), trained.copy()
    for d in range(dimension):
        total = squares = 0.0
        for i in range(symbols):
            total += np.float64(embedding[i, d])
        mean = total / symbols
        for i in range(symbols):
            gap = np.float64(embedding[i, d]) - mean
            squares += gap * gap
        spread = max(np.sqrt(squares / (symbols - 1)), np.finfo(np.float64).tiny)
        for pair in range(pairs.shape[0]):
            first, second = embedding[pairs[pair, 0], d], embedding[pairs[pair, 1], d]
            sides[pair, d] = (np.float64(first) - mean) / spread + (np.float64(second) - mean) / spread
    for couple in range(couples.shape[0]):
        first, second = couples[couple]
        total = 0.0
        for d in range(dimension):
            gap = sides[first, d] - sides[second, d]
            total += gap * gap
        if total / dimension < tolerance:
            found[REALISED] += 1.0
            reached[first] |= trained[second]
            reached[second] |= trained[first]
    found[REACHED] = np.sum(reached)


@compiled()
def measure(rows, targets, labels, trained, known, pairs, couples, tolerance, how, found):
    """Write what is found of each run into `found`, shape (runs, 7).

    Parameters
    ----------
    rows, targets, labels, trained, known : shape (runs, ...)
        As in `of_outputs` and `of_embedding`, like what follows.
    """
    address, network, _, block, work = how
    _, _, sizes, _, _, tables, _, _, _, _, _ = network
    inputs = np.zeros((len(pairs), 0), rows.dtype)
    outputs = np.empty((len(pairs), targets.shape[2]), rows.dtype)
    for run in range(rows.shape[0]):
        feed_forward.outputs(address, rows[run], pairs, inputs, network, block, work, outputs)
        of_outputs(outputs, targets[run], labels[run], trained[run], known[run], found[run])
        embedding = matrix(rows[run], tables[2], tables[1], sizes[0])
        of_embedding(embedding, pairs, couples, trained[run], tolerance, found[run])
