"""Outputs and gradients of feed-forward networks, one run after another, a block of examples at a time.

A run's numbers come from the same instructions on memory laid out alike, whoever is computed before or after it.
`network` is a tuple: which kind of first layer; activation; sizes of inputs (or embeddings) and layers; where weights
and biases stand in a row of parameters (-1: no biases); positions, tokens, where the embedding stands, and where in
`work` its tables and their gradient are; where in `work` each layer's sums, its activations and their errors are; how
long a row of outputs is in `work`; and, if outputs are turned, where in `work` each example has two numbers (its
largest logit, and the sum over its classes).
"""

from __future__ import annotations

from grokscape.landscape.fused.blas import product, product_both_turned, product_left_turned, product_right_turned
from grokscape.landscape.fused.compiled import compiled
from grokscape.landscape.fused.layers import (
    CROSS_ENTROPY,
    activate,
    activate_backwards,
    add_columns,
    add_rows,
    add_to_columns,
    add_to_rows,
    entropy_backwards,
    entropy_backwards_of_columns,
    look_up,
    look_up_backwards,
    matrix,
    part,
    squares_backwards,
)
from grokscape.landscape.fused.steps import project, take

# What the first layer does: multiply inputs; look up rows of its weights; look up rows that it makes of an embedding.
INPUTS, TABLES, EMBEDDED = range(3)


@compiled()
def tables_of(row, network, work):
    """Return the rows that tokens look up, shape (tables, tokens, neurons)."""
    kind, _, sizes, weights, _, tables, _, _, _, _, _ = network
    shape = (tables[0], tables[1], sizes[1])
    return part(row, weights[0], shape) if kind == TABLES else part(work, tables[3], shape)


@compiled()
def embed(address, row, network, work):
    """Apply the first layer to the embedding of every token."""
    kind, _, sizes, weights, _, tables, _, _, _, _, _ = network
    if kind == EMBEDDED:
        embedding = matrix(row, tables[2], tables[1], sizes[0])
        made = tables_of(row, network, work)
        for i in range(tables[0]):
            layer = matrix(row, weights[0] + i * sizes[0] * sizes[1], sizes[0], sizes[1])
            product(address, embedding, layer, made[i], row.dtype.type(0))


@compiled()
def embed_backwards(address, row, slope, network, work):
    """Turn the gradient of the rows looked up into that of the embedding and the first layer."""
    kind, _, sizes, weights, _, tables, _, _, _, _, _ = network
    if kind == EMBEDDED:
        zero, one = row.dtype.type(0), row.dtype.type(1)
        embedding, of_embedding = (
            matrix(row, tables[2], tables[1], sizes[0]),
            matrix(slope, tables[2], tables[1], sizes[0]),
        )
        for i in range(tables[0]):
            start = weights[0] + i * sizes[0] * sizes[1]
            errors = matrix(work, tables[4] + i * tables[1] * sizes[1], tables[1], sizes[1])
            product_left_turned(address, embedding, errors, matrix(slope, start, sizes[0], sizes[1]), zero)
            product_right_turned(address, errors, matrix(row, start, sizes[0], sizes[1]), of_embedding, one)


@compiled()
def last_of(network, work, n):
    """Return the outputs of n examples, later their errors: (examples, outputs) or, if turned, the reverse."""
    _, _, sizes, weights, _, _, before, _, _, width, sums = network
    start, outputs = before[weights.size - 1], sizes[weights.size]
    return matrix(work, start, outputs, n) if sums.size else matrix(work, start, n, width)


@compiled()
def forward(address, row, tokens, inputs, network, work):
    """Compute what every layer holds on some examples; it stays in `work`."""
    kind, activation, sizes, weights, biases, _, before, after, _, _, sums = network
    last, n, zero = weights.size - 1, max(tokens.shape[0], inputs.shape[0]), row.dtype.type(0)
    for layer in range(last + 1):
        size, turned = sizes[layer + 1], layer == last and sums.size > 0
        out = last_of(network, work, n) if layer == last else matrix(work, before[layer], n, size)
        if layer == 0 and kind != INPUTS:
            look_up(tables_of(row, network, work), tokens, out)
        else:
            into = inputs if layer == 0 else matrix(work, after[layer - 1], n, sizes[layer])
            weight = matrix(row, weights[layer], sizes[layer], size)
            if turned:
                product_both_turned(address, weight, into, out, zero)
            else:
                product(address, into, weight, out, zero)
        if biases[layer] >= 0:
            bias = part(row, biases[layer], (size,))
            if turned:
                add_to_columns(out, bias)
            else:
                add_to_rows(out, bias)
        if layer < last:
            activate(out, matrix(work, after[layer], n, size), activation)


@compiled()
def backward(address, row, slope, first, tokens, inputs, network, work):
    """Add to a run's gradient what some examples say, given the outputs' errors in their place in `work`."""
    kind, activation, sizes, weights, biases, _, before, after, back, _, sums = network
    zero, one = row.dtype.type(0), row.dtype.type(1)
    n, last = max(tokens.shape[0], inputs.shape[0]), weights.size - 1
    errors = last_of(network, work, n)
    for layer in range(last, -1, -1):
        size, turned, under = sizes[layer + 1], layer == last and sums.size > 0, max(layer - 1, 0)
        if biases[layer] >= 0:
            bias = part(slope, biases[layer], (size,))
            if turned:
                add_columns(errors, bias)
            else:
                add_rows(errors, bias)
        if layer == 0 and kind != INPUTS:
            look_up_backwards(errors, tokens, first)
            break
        own = inputs if layer == 0 else matrix(work, after[under], n, sizes[layer])
        into = matrix(slope, weights[layer], sizes[layer], size)
        weight = matrix(row, weights[layer], sizes[layer], size)
        below = matrix(work, back[under], n, sizes[layer])
        if turned:
            product_both_turned(address, own, errors, into, one)
        else:
            product_left_turned(address, own, errors, into, one)
        if layer > 0:
            if turned:
                product_both_turned(address, errors, weight, below, zero)
            else:
                product_right_turned(address, errors, weight, below, zero)
            activate_backwards(below, matrix(work, before[under], n, sizes[layer]), own, activation)
            errors = below


@compiled()
def gradient(address, row, slope, tokens, inputs, classes, values, network, loss, share, n, block, work):
    """Write a run's gradient of ``share * sum_n loss_n`` into `slope`; the squared error counts half.

    Parameters
    ----------
    tokens : int32, shape (n, positions)
        Or (n, 0), as all that a network or a loss has no use for.
    inputs : shape (at least n * size,)
        The examples end to end.
    classes : int64, shape (n,)
    values : shape (n, outputs)
    """
    kind, _, sizes, weights, _, tables, _, _, _, _, sums = network
    outputs = sizes[weights.size]
    slope[:] = row.dtype.type(0)
    embed(address, row, network, work)
    shape = (tables[0], tables[1], sizes[1])
    first = part(work, tables[4], shape) if kind == EMBEDDED else part(slope, weights[0], shape)
    if kind == EMBEDDED:
        first[:] = row.dtype.type(0)
    for start in range(0, n, block):
        end = min(start + block, n)
        some_inputs = matrix(inputs, start * sizes[0], end - start, sizes[0] if kind == INPUTS else 0)
        forward(address, row, tokens[start:end], some_inputs, network, work)
        errors = last_of(network, work, end - start)
        if loss != CROSS_ENTROPY:
            squares_backwards(errors, classes[start:end], values[start:end], outputs, share)
        elif sums.size:
            most, total = part(work, sums[0], (block,)), part(work, sums[1], (block,))
            entropy_backwards_of_columns(errors, classes[start:end], most, total, share)
        else:
            entropy_backwards(errors, classes[start:end], outputs, share)
        backward(address, row, slope, first, tokens[start:end], some_inputs, network, work)
    embed_backwards(address, row, slope, network, work)


@compiled()
def share_of(rows, network, loss, n):
    """Return by what to multiply losses for their mean."""
    _, _, sizes, weights, _, _, _, _, _, _, _ = network
    return rows.dtype.type(1 / n if loss == CROSS_ENTROPY else 2 / (n * sizes[weights.size]))


@compiled()
def gradients(address, rows, slopes, tokens, inputs, classes, values, network, loss, n, block, work):
    """Write every run's gradient of its mean loss into `slopes`; arrays are as in `gradient`, one after another."""
    share = share_of(rows, network, loss, n)
    for run in range(rows.shape[0]):
        gradient(
            address, rows[run], slopes[run], tokens[run], inputs[run], classes[run], values[run],
            network, loss, share, n, block, work,
        )  # fmt: skip


@compiled()
def train(
    address, rows, slopes, tokens, inputs, classes, values, network, loss, n, block, work,
    optimiser, kept, also_kept, rates, norms, number, count,
):  # fmt: skip
    """Take `count` steps of every run, of which `number` is the first, and all of one run before the next begins.

    So what a run is made of stays in the cache. If there are `norms`, a run is scaled to its own after every step.
    """
    share = share_of(rows, network, loss, n)
    for run in range(rows.shape[0]):
        for step in range(number, number + count):
            gradient(
                address, rows[run], slopes[run], tokens[run], inputs[run], classes[run], values[run],
                network, loss, share, n, block, work,
            )  # fmt: skip
            take(optimiser, rows[run], slopes[run], kept[run], also_kept[run], rates[run], step)
            if norms.size:
                project(rows[run], norms[run])


@compiled()
def outputs(address, row, tokens, inputs, network, block, work, out):
    """Write one run's outputs on all examples into `out`, shape (examples, outputs)."""
    embed(address, row, network, work)
    for start in range(0, out.shape[0], block):
        end = min(start + block, out.shape[0])
        forward(address, row, tokens[start:end], inputs[start:end], network, work)
        found = last_of(network, work, end - start)
        for n in range(end - start):
            for c in range(out.shape[1]):
                out[start + n, c] = found[n, c]
