"""What feed-forward networks are made of, forwards and backwards, on the examples of one run."""

from __future__ import annotations

import numpy as np

from landscape.fused.compiled import IN_PARTS, compiled
from landscape.fused.functions import exponential, tangent

# Activations and losses as compiled code knows them.
LINEAR, RELU, QUADRATIC, TANH = range(4)
CROSS_ENTROPY, SQUARED_ERROR = range(2)


@compiled()
def matrix(vector, start, rows, columns):
    """View a part of a vector as a matrix."""
    return vector[start : start + rows * columns].reshape(rows, columns)


@compiled()
def look_up(tables, tokens, bias, out):
    """``out[n] = sum_i tables[i, tokens[n, i]] + bias`` (no bias if it is empty)."""
    for n in range(out.shape[0]):
        row, first = out[n], tables[0, tokens[n, 0]]
        if tokens.shape[1] == 2:
            second = tables[1, tokens[n, 1]]
            for w in range(row.size):
                row[w] = first[w] + second[w]
        else:
            for w in range(row.size):
                row[w] = first[w]
            for i in range(1, tokens.shape[1]):
                more = tables[i, tokens[n, i]]
                for w in range(row.size):
                    row[w] += more[w]
        if bias.size:
            for w in range(row.size):
                row[w] += bias[w]


@compiled()
def look_up_backwards(errors, tokens, tables):
    """Add to the gradient of the tables what each example says of the rows that it looked up."""
    for n in range(errors.shape[0]):
        row = errors[n]
        for i in range(tokens.shape[1]):
            into = tables[i, tokens[n, i]]
            for w in range(row.size):
                into[w] += row[w]


@compiled()
def add_to_rows(out, bias):
    """Add a bias to every row."""
    for n in range(out.shape[0]):
        row = out[n]
        for w in range(bias.size):
            row[w] += bias[w]


@compiled()
def add_rows(errors, out):
    """Add all rows to `out`, the gradient of a bias."""
    for n in range(errors.shape[0]):
        row = errors[n]
        for w in range(out.size):
            out[w] += row[w]


@compiled()
def activate(before, after, activation):
    """Apply an activation: the square from one array to another, whose derivative needs both, others in place.

    (A loop from one array to another that may be the same is not turned into vector instructions.)
    """
    x, y = before.reshape(-1), after.reshape(-1)
    zero = x.dtype.type(0)
    if activation == RELU:
        for i in range(x.size):
            x[i] = x[i] if not x[i] < zero else zero
    elif activation == QUADRATIC:
        for i in range(x.size):
            y[i] = x[i] * x[i]
    elif activation == TANH:
        for i in range(x.size):
            x[i] = tangent(x[i])


@compiled()
def activate_backwards(errors, before, after, activation):
    """Multiply errors by the derivative of an activation, given what went in and what came out."""
    e, x, y = errors.reshape(-1), before.reshape(-1), after.reshape(-1)
    zero, one, two = e.dtype.type(0), e.dtype.type(1), e.dtype.type(2)
    if activation == RELU:
        for i in range(e.size):
            e[i] = e[i] if y[i] > zero else zero
    elif activation == QUADRATIC:
        for i in range(e.size):
            e[i] = e[i] * (two * x[i])
    elif activation == TANH:
        for i in range(e.size):
            e[i] = e[i] * (one - y[i] * y[i])


@compiled(IN_PARTS)
def entropy_backwards(logits, classes, number, share):
    """Turn logits into the gradient of ``share * sum_n cross_entropy_n``.

    Columns from `number` on are no outputs and become 0: rows whose length is a multiple of a vector's are faster.
    """
    lowest, zero = logits.dtype.type(-np.inf), logits.dtype.type(0)
    for n in range(logits.shape[0]):
        row = logits[n]
        most = lowest
        for c in range(number):
            most = most if not row[c] > most else row[c]
        for c in range(number):
            row[c] -= most
        for c in range(number, row.size):
            row[c] = lowest
    flat = logits.reshape(-1)
    for i in range(flat.size):
        flat[i] = exponential(flat[i])
    for n in range(logits.shape[0]):
        row = logits[n]
        total = zero
        for c in range(number):
            total += row[c]
        factor = share / total
        for c in range(number):
            row[c] *= factor
        for c in range(number, row.size):
            row[c] = zero
        row[classes[n]] -= share


@compiled()
def squares_backwards(outputs, classes, values, number, share):
    """Turn outputs into the gradient of ``share * sum_n |outputs_n - label_n|^2 / 2``.

    The label is a vector of `values`, or where that is empty the one-hot vector of a class.
    """
    for n in range(outputs.shape[0]):
        row = outputs[n]
        if values.shape[1]:
            wanted = values[n]
            for c in range(number):
                row[c] = share * (row[c] - wanted[c])
        else:
            row[classes[n]] -= row.dtype.type(1)
            for c in range(number):
                row[c] *= share
        for c in range(number, row.size):
            row[c] = row.dtype.type(0)


@compiled()
def copy(row, out):
    """``out = row``, as far as `out` goes (assigning one slice to another takes seconds to compile)."""
    for k in range(out.size):
        out[k] = row[k]
