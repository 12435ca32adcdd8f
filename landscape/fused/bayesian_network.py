"""Training and records of mean-field Bayesian networks (`grokscape.landscape.learners.BayesianNetwork`), one by one.

A network is a row of two tensors. The upper, shape (inputs, 2 hidden), has the means of the first layer's weights and,
right of them, their log standard deviations; the last input is a one, for the bias. The lower, (2 outputs, hidden + 1),
has the means of the second layer's and, below them, their log standard deviations; the last column is the bias. Inputs
are zeros and ones, so that they are their own squares.

`how` is a tuple: where the product lies; numbers of inputs, hidden units and outputs; where the lower tensor begins in
a row; where things stand in `work`, as named below; `work`.
"""

from __future__ import annotations

import numpy as np

from grokscape.landscape.fused.blas import product, product_left_turned, product_right_turned
from grokscape.landscape.fused.compiled import IN_PARTS, compiled
from grokscape.landscape.fused.functions import exponential
from grokscape.landscape.fused.layers import matrix, part

# What stands in `work`: both tensors with variances in place of log standard deviations; and of some examples the
# inputs; what enters hidden units, and its variance; what leaves them, and its square; the same of outputs; errors.
UPPER, LOWER, INPUTS, ENTERING, HIDDEN, ENERGY, OUTPUTS, VARIANCE, ERRORS = range(9)

# Columns of what is added up of examples: with means as weights, and of a sample.
LOSS, WRONG, SAMPLED_LOSS, SAMPLED_WRONG = range(4)


@compiled()
def vary(row, how):
    """Write both tensors, with variances in place of log standard deviations, to their places in `work`."""
    _, inputs, hidden, outputs, start, places, work = how
    two = row.dtype.type(2)
    upper, both = matrix(row, 0, inputs, 2 * hidden), matrix(work, places[UPPER], inputs, 2 * hidden)
    for i in range(inputs):
        for w in range(hidden):
            both[i, w] = upper[i, w]
            both[i, hidden + w] = exponential(two * upper[i, hidden + w])
    size = outputs * (hidden + 1)
    lower, below = row[start : start + 2 * size], work[places[LOWER] : places[LOWER] + 2 * size]
    for i in range(size):
        below[i] = lower[i]
        below[size + i] = exponential(two * lower[size + i])


@compiled()
def enter(inputs, chosen, how):
    """Compute what enters hidden units on some examples, and its variance; return where it stands."""
    address, size, hidden, _, _, places, work = how
    n, own = len(chosen), matrix(work, places[INPUTS], len(chosen), size)
    for example in range(n):
        for i in range(size):
            own[example, i] = inputs[chosen[example], i]
    entering = matrix(work, places[ENTERING], n, 2 * hidden)
    product(address, own, matrix(work, places[UPPER], size, 2 * hidden), entering, work.dtype.type(0))
    return entering


@compiled()
def leave(n, how):
    """Compute what enters outputs, and its variance, given what leaves hidden units, and its square."""
    address, _, hidden, outputs, _, places, work = how
    zero, size = work.dtype.type(0), outputs * (hidden + 1)
    for below, above, into in ((0, HIDDEN, OUTPUTS), (size, ENERGY, VARIANCE)):
        weights = matrix(work, places[LOWER] + below, outputs, hidden + 1)
        left = matrix(work, places[above], n, hidden + 1)
        product_right_turned(address, left, weights, matrix(work, places[into], n, outputs), zero)


@compiled()
def complete(slope, at, work, varied, number, kl):
    """Turn derivatives by so many means and their variances into those by log standard deviations, prior included."""
    means, logs = part(slope, at, (number,)), part(slope, at + number, (number,))
    mean, variance = part(work, varied, (number,)), part(work, varied + number, (number,))
    one, two = work.dtype.type(1), work.dtype.type(2)
    for i in range(number):
        means[i] += kl * mean[i]
        logs[i] = logs[i] * two * variance[i] + kl * (variance[i] - one)


@compiled(IN_PARTS)
def gradient(row, slope, inputs, labels, chosen, noise, kl, how):
    """Write the gradient of a network's loss on some examples into `slope`.

    Parameters
    ----------
    row, slope : shape (parameters,)
    inputs : shape (all examples, inputs)
    labels : int64, shape (all examples,)
    chosen : int64, shape (n,)
    noise : shape (n, hidden + outputs)
    kl : of the kind of the parameters
        Weight of the divergence from the prior.
    how : tuple
    """
    address, ins, hidden, outputs, start, places, work = how
    n, zero, one = len(chosen), row.dtype.type(0), row.dtype.type(1)
    half, two, share = row.dtype.type(0.5), row.dtype.type(2), row.dtype.type(1 / len(chosen))
    vary(row, how)
    entering = enter(inputs, chosen, how)
    left, energy = matrix(work, places[HIDDEN], n, hidden + 1), matrix(work, places[ENERGY], n, hidden + 1)
    for example in range(n):
        for w in range(hidden):
            deviation = np.sqrt(entering[example, hidden + w])
            entered = entering[example, w] + deviation * noise[example, w]
            entered = entered if not entered < zero else zero
            left[example, w] = entered
            energy[example, w] = entered * entered
            # The derivative of what enters by its variance.
            entering[example, hidden + w] = half * noise[example, w] / deviation
        left[example, hidden] = energy[example, hidden] = one
    leave(n, how)
    logits, spread = matrix(work, places[OUTPUTS], n, outputs), matrix(work, places[VARIANCE], n, outputs)
    for example in range(n):
        most, total = row.dtype.type(-np.inf), zero
        for c in range(outputs):
            deviation = np.sqrt(spread[example, c])
            logits[example, c] += deviation * noise[example, hidden + c]
            spread[example, c] = half * noise[example, hidden + c] / deviation
            most = most if not logits[example, c] > most else logits[example, c]
        for c in range(outputs):
            logits[example, c] = exponential(logits[example, c] - most)
            total += logits[example, c]
        for c in range(outputs):
            logits[example, c] *= share / total
        logits[example, labels[chosen[example]]] -= share
        for c in range(outputs):
            spread[example, c] *= logits[example, c]
    size = outputs * (hidden + 1)
    product_left_turned(address, logits, left, matrix(slope, start, outputs, hidden + 1), zero)
    product_left_turned(address, spread, energy, matrix(slope, start + size, outputs, hidden + 1), zero)
    errors = matrix(work, places[ERRORS], n, 2 * hidden)
    below = matrix(work, places[LOWER], 2 * outputs, hidden + 1)
    for example in range(n):
        for w in range(2 * hidden):
            errors[example, w] = zero
        for c in range(outputs):
            error, energetic = logits[example, c], two * spread[example, c]
            for w in range(hidden):
                errors[example, w] += error * below[c, w] + energetic * below[outputs + c, w] * left[example, w]
        for w in range(hidden):
            error = errors[example, w] if left[example, w] > zero else zero
            errors[example, w] = error
            errors[example, hidden + w] = error * entering[example, hidden + w]
    own = matrix(work, places[INPUTS], n, ins)
    product_left_turned(address, own, errors, matrix(slope, 0, ins, 2 * hidden), zero)
    for i in range(ins):
        at = places[UPPER] + 2 * hidden * i
        complete(slope, 2 * hidden * i, work, at, hidden, kl)
    complete(slope, start, work, places[LOWER], size, kl)


@compiled()
def epoch(row, slope, inputs, labels, order, noise, batch, rate, kl, how):
    """Take a step of gradient descent on each batch of a network's examples, in place.

    Parameters
    ----------
    order : int64, shape (n,)
        The examples in the order in which they come, like `noise`, shape (n, hidden + outputs).
    batch : int
    rate : of the kind of the parameters
    row, slope, inputs, labels, kl, how
        As in `gradient`.
    """
    for start in range(0, len(order), batch):
        some = slice(start, min(start + batch, len(order)))
        gradient(row, slope, inputs, labels, order[some], noise[some], kl, how)
        for i in range(row.size):
            row[i] -= rate * slope[i]


@compiled(IN_PARTS)
def look(row, inputs, labels, order, noise, block, how, found):
    """Add up losses and errors on some examples, shape (4,), a block at a time; the rest as in `epoch`."""
    _, _, hidden, outputs, _, places, work = how
    zero, one = row.dtype.type(0), row.dtype.type(1)
    found[:] = 0.0
    vary(row, how)
    for start in range(0, len(order), block):
        chosen, drawn = order[start : start + block], noise[start : start + block]
        n = len(chosen)
        entering = enter(inputs, chosen, how)
        left, energy = matrix(work, places[HIDDEN], n, hidden + 1), matrix(work, places[ENERGY], n, hidden + 1)
        logits, variance = matrix(work, places[OUTPUTS], n, outputs), matrix(work, places[VARIANCE], n, outputs)
        for sampled in range(2):
            for example in range(n):
                for w in range(hidden):
                    entered = entering[example, w]
                    if sampled:
                        entered += np.sqrt(entering[example, hidden + w]) * drawn[example, w]
                    entered = entered if not entered < zero else zero
                    left[example, w] = entered
                    energy[example, w] = entered * entered
                left[example, hidden] = energy[example, hidden] = one
            leave(n, how)
            for example in range(n):
                if sampled:
                    for c in range(outputs):
                        logits[example, c] += np.sqrt(variance[example, c]) * drawn[example, hidden + c]
                likely, label = 0, labels[chosen[example]]
                for c in range(1, outputs):
                    # A number that is none counts as the largest, as in PyTorch.
                    most, other = logits[example, likely], logits[example, c]
                    if other > most or (other != other and most == most):
                        likely = c
                most, total = np.float64(logits[example, likely]), 0.0
                for c in range(outputs):
                    total += exponential(np.float64(logits[example, c]) - most)
                found[LOSS + 2 * sampled] += np.log(total) + most - np.float64(logits[example, label])
                found[WRONG + 2 * sampled] += 1.0 if likely != label else 0.0


@compiled(IN_PARTS)
def divergence(row, how):
    """Return what means and what standard deviations add to the divergence from the prior, in double precision."""
    _, inputs, hidden, outputs, start, _, _ = how
    means = deviations = 0.0
    for i in range(inputs + 1):
        at, number = (2 * hidden * i, hidden) if i < inputs else (start, outputs * (hidden + 1))
        mean, log = part(row, at, (number,)), part(row, at + number, (number,))
        for j in range(number):
            twice = 2.0 * np.float64(log[j])
            means += np.float64(mean[j]) * np.float64(mean[j])
            deviations += exponential(twice) - 1.0 - twice
    return means / 2.0, deviations / 2.0
