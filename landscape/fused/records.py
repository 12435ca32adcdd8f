"""What a record says of one run, as compiled code: one pass over its outputs, in double precision."""

from __future__ import annotations

import numpy as np

from grokscape.landscape.fused.compiled import IN_PARTS, compiled
from grokscape.landscape.fused.functions import exponential

# Columns of what is found for each split.
COUNT, LOSS, ACCURACY, MARGIN, LABEL_LOGIT, VARIANCE, LEAST_MARGIN = range(7)


@compiled(IN_PARTS)
def of_classes(logits, classes, members, squared, found):
    """Add up what logits say of labels that are classes.

    `grokscape.landscape.training.measurements.behaviour` has the formulas.

    Parameters
    ----------
    logits : shape (examples, classes)
    classes : int64, shape (examples,)
    members : bool, shape (splits, examples)
    squared : bool
        Whether the loss is the squared error, not cross-entropy.
    found : float64, shape (splits, 7)
    """
    number = logits.shape[1]
    row = np.empty(number, np.float64)
    found[:] = 0.0
    found[:, LEAST_MARGIN] = np.inf
    for n in range(logits.shape[0]):
        label = classes[n]
        total = squares = variance = 0.0
        for c in range(number):
            row[c] = logits[n, c]
            total += row[c]
        wanted, mean = row[label], total / number
        for c in range(number):
            gap = row[c] - mean
            variance += gap * gap
        other = -np.inf
        row[label] = -np.inf
        for c in range(number):
            # A number that is none stays one, as in PyTorch's maximum.
            other = row[c] if row[c] > other or row[c] != row[c] else other
        row[label] = wanted
        if squared:
            for c in range(number):
                gap = row[c] - (1.0 if c == label else 0.0)
                squares += gap * gap
            loss = squares / number
        else:
            most = wanted if wanted > other else other
            total = 0.0
            for c in range(number):
                total += exponential(row[c] - most)
            loss = np.log(total) + most - wanted
        margin = wanted - other
        for split in range(members.shape[0]):
            if members[split, n]:
                sums = found[split]
                sums[COUNT] += 1.0
                sums[LOSS] += loss
                sums[ACCURACY] += 1.0 if margin > 0.0 else 0.0
                sums[MARGIN] += margin
                sums[LABEL_LOGIT] += wanted - mean
                sums[VARIANCE] += variance / number
                if margin < sums[LEAST_MARGIN] or margin != margin:
                    sums[LEAST_MARGIN] = margin


@compiled(IN_PARTS)
def of_values(outputs, values, members, tolerance, found):
    """Add up loss and accuracy where labels are values, shape (examples, outputs); the rest as in `of_classes`."""
    found[:] = 0.0
    for n in range(outputs.shape[0]):
        total = 0.0
        for c in range(outputs.shape[1]):
            gap = np.float64(outputs[n, c]) - np.float64(values[n, c])
            total += gap * gap
        total /= outputs.shape[1]
        for split in range(members.shape[0]):
            if members[split, n]:
                found[split, COUNT] += 1.0
                found[split, LOSS] += total
                found[split, ACCURACY] += 1.0 if total < tolerance else 0.0


@compiled(IN_PARTS)
def sums_of_squares(row, starts, ends, found):
    """Write the sum of squares of each tensor of a run."""
    for i in range(starts.size):
        total = 0.0
        for j in range(starts[i], ends[i]):
            value = np.float64(row[j])
            total += value * value
        found[i] = total
