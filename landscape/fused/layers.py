"""What feed-forward networks are made of, forwards and backwards, on the examples of one run."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from grokscape.landscape.fused.compiled import IN_PARTS, compiled
from grokscape.landscape.fused.functions import exponential, tangent

# Activations and losses as compiled code knows them.
LINEAR, RELU, QUADRATIC, TANH = range(4)
CROSS_ENTROPY, SQUARED_ERROR = range(2)


@intrinsic
def _to_pointer(typing: Any, address: Any) -> Any:  # noqa: ARG001
    """Turn an address into what `numba.carray` takes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(address), generate


@compiled()
def part(vector, start, shape):
    """View a part of a vector as an array, without counting the view among the vector's references.

    (Counting takes a tenth of the step of a small network; whoever calls compiled code holds its arrays.)
    """
    return carray(_to_pointer(vector.ctypes.data + start * vector.itemsize), shape, vector.dtype)


@compiled()
def matrix(vector, start, rows, columns):
    """View a part of a vector as a matrix."""
    return part(vector, start, (rows, columns))


@compiled()
def look_up(tables, tokens, out):
    """``out[n] = sum_i tables[i, tokens[n, i]]``; one table may serve all positions.

    (Written with indices: loops over rows that are cut out first take four times as long.)
    """
    last = tables.shape[0] - 1
    for n in range(out.shape[0]):
        first = tokens[n, 0]
        if tokens.shape[1] == 2:
            second = tokens[n, 1]
            for w in range(out.shape[1]):
                out[n, w] = tables[0, first, w] + tables[last, second, w]
        else:
            for w in range(out.shape[1]):
                out[n, w] = tables[0, first, w]
            for i in range(1, tokens.shape[1]):
                more = tokens[n, i]
                for w in range(out.shape[1]):
                    out[n, w] += tables[min(i, last), more, w]


@compiled()
def look_up_backwards(errors, tokens, tables):
    """Add to the gradient of the tables what each example says of the rows that it looked up."""
    last = tables.shape[0] - 1
    for n in range(errors.shape[0]):
        row = errors[n]
        for i in range(tokens.shape[1]):
            into = tables[min(i, last), tokens[n, i]]
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
def add_to_columns(out, bias):
    """Add a bias to every column."""
    for c in range(out.shape[0]):
        row, more = out[c], bias[c]
        for n in range(row.size):
            row[n] += more


@compiled(IN_PARTS)
def add_columns(errors, out):
    """Add all columns to `out`, the gradient of a bias."""
    for c in range(errors.shape[0]):
        row, total = errors[c], errors.dtype.type(0)
        for n in range(row.size):
            total += row[n]
        out[c] += total


@compiled(IN_PARTS)
def entropy_backwards_of_columns(logits, classes, most, total, share):
    """Turn logits (classes, examples) into the gradient of ``share * sum_n cross_entropy_n``.

    With an example in each column loops run over many examples, not over a few classes, which is twice as fast.
    """
    n, lowest, zero = logits.shape[1], logits.dtype.type(-np.inf), logits.dtype.type(0)
    for i in range(n):
        most[i] = lowest
        total[i] = zero
    for c in range(logits.shape[0]):
        row = logits[c]
        for i in range(n):
            most[i] = most[i] if not row[i] > most[i] else row[i]
    for c in range(logits.shape[0]):
        row = logits[c]
        for i in range(n):
            row[i] -= most[i]
    flat = logits.reshape(-1)
    for i in range(flat.size):
        flat[i] = exponential(flat[i])
    for c in range(logits.shape[0]):
        row = logits[c]
        for i in range(n):
            total[i] += row[i]
    for i in range(n):
        total[i] = share / total[i]
    for c in range(logits.shape[0]):
        row = logits[c]
        for i in range(n):
            row[i] *= total[i]
    for i in range(n):
        logits[classes[i], i] -= share


@compiled()
def copy(row, out):
    """``out = row``, as far as `out` goes (assigning one slice to another takes seconds to compile)."""
    for k in range(out.size):
        out[k] = row[k]
