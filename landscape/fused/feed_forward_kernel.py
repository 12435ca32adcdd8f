"""Outputs and gradients of feed-forward networks, one run after another, a block of examples at a time.

A run's numbers come from the same instructions on memory laid out alike, whoever is computed before or after it.
`network` is a tuple: which kind of first layer; activation; sizes of inputs (or embeddings) and layers; where weights
and biases stand in a row of parameters (-1: no biases); positions, tokens, where the embedding stands, and where in
`work` its tables and their gradient are; where in `work` each layer's sums, its activations and their errors are; and
how long a row of outputs is in `work`.
"""

from __future__ import annotations

from landscape.fused.blas import product, product_left_turned, product_right_turned
from landscape.fused.compiled import compiled
from landscape.fused.layers import (
    CROSS_ENTROPY,
    activate,
    activate_backwards,
    add_rows,
    add_to_rows,
    entropy_backwards,
    look_up,
    look_up_backwards,
    matrix,
    squares_backwards,
)

# What the first layer does: multiply inputs; look up rows of its weights; look up rows that it makes of an embedding.
INPUTS, TABLES, EMBEDDED = range(3)


@compiled()
def tables_of(row, network, work):
    """Return the rows that tokens look up, shape (positions, tokens, neurons)."""
    kind, _, sizes, weights, _, tables, _, _, _, _ = network
    number = tables[0] * tables[1] * sizes[1]
    flat = row[weights[0] : weights[0] + number] if kind == TABLES else work[tables[3] : tables[3] + number]
    return flat.reshape(tables[0], tables[1], sizes[1])


@compiled()
def embed(address, row, network, work):
    """Apply the first layer to the embedding of every token."""
    kind, _, sizes, weights, _, tables, _, _, _, _ = network
    if kind == EMBEDDED:
        embedding = matrix(row, tables[2], tables[1], sizes[0])
        made = tables_of(row, network, work)
        for i in range(tables[0]):
            layer = matrix(row, weights[0] + i * sizes[0] * sizes[1], sizes[0], sizes[1])
            product(address, embedding, layer, made[i], row.dtype.type(0))


@compiled()
def embed_backwards(address, row, slope, network, work):
    """Turn the gradient of the rows looked up into that of the embedding and the first layer."""
    kind, _, sizes, weights, _, tables, _, _, _, _ = network
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
def forward(address, row, tokens, inputs, network, work):
    """Compute what every layer holds on some examples; it stays in `work`."""
    kind, activation, sizes, weights, biases, _, before, after, _, width = network
    layers, n = weights.size, max(tokens.shape[0], inputs.shape[0])
    for layer in range(layers):
        size = sizes[layer + 1]
        bias = row[biases[layer] : biases[layer] + size] if biases[layer] >= 0 else row[:0]
        out = matrix(work, before[layer], n, size if layer < layers - 1 else width)
        if layer == 0 and kind != INPUTS:
            look_up(tables_of(row, network, work), tokens, bias, out)
        else:
            into = inputs if layer == 0 else matrix(work, after[layer - 1], n, sizes[layer])
            product(address, into, matrix(row, weights[layer], sizes[layer], size), out, row.dtype.type(0))
            add_to_rows(out, bias)
        if layer < layers - 1:
            activate(out, matrix(work, after[layer], n, size), activation)


@compiled()
def backward(address, row, slope, first, tokens, inputs, network, work):
    """Add to a run's gradient what some examples say, given the outputs' errors in their place in `work`."""
    kind, activation, sizes, weights, biases, tables, before, after, back, width = network
    zero, one = row.dtype.type(0), row.dtype.type(1)
    n, last = max(tokens.shape[0], inputs.shape[0]), weights.size - 1
    errors = matrix(work, before[last], n, width)
    for layer in range(last, -1, -1):
        size = sizes[layer + 1]
        if biases[layer] >= 0:
            add_rows(errors, slope[biases[layer] : biases[layer] + size])
        if layer == 0:
            if kind == INPUTS:
                product_left_turned(address, inputs, errors, matrix(slope, weights[0], sizes[0], size), one)
            else:
                look_up_backwards(errors, tokens, first.reshape(tables[0], tables[1], size))
        else:
            own = matrix(work, after[layer - 1], n, sizes[layer])
            below = matrix(work, back[layer - 1], n, sizes[layer])
            product_left_turned(address, own, errors, matrix(slope, weights[layer], sizes[layer], size), one)
            product_right_turned(address, errors, matrix(row, weights[layer], sizes[layer], size), below, zero)
            activate_backwards(below, matrix(work, before[layer - 1], n, sizes[layer]), own, activation)
            errors = below


@compiled()
def gradients(address, rows, slopes, tokens, inputs, classes, values, network, loss, n, block, work):
    """Write every run's gradient of its mean loss on its n examples into `slopes`, shape (runs, parameters).

    Parameters
    ----------
    tokens : int32, shape (runs, n, positions)
        Or (runs, 0, 0), as all that a network or a loss has no use for.
    inputs : shape (runs, at least n * size)
        Each run's examples end to end.
    classes : int64, shape (runs, n)
    values : shape (runs, n, outputs)
    """
    kind, _, sizes, weights, _, tables, before, _, _, width = network
    outputs, last = sizes[weights.size], weights.size - 1
    share = rows.dtype.type(1 / n if loss == CROSS_ENTROPY else 2 / (n * outputs))
    number = tables[0] * tables[1] * sizes[1]
    for run in range(rows.shape[0]):
        row, slope = rows[run], slopes[run]
        slope[:] = rows.dtype.type(0)
        embed(address, row, network, work)
        first = work[tables[4] : tables[4] + number] if kind == EMBEDDED else slope[weights[0] : weights[0] + number]
        if kind == EMBEDDED:
            first[:] = rows.dtype.type(0)
        for start in range(0, n, block):
            end = min(start + block, n)
            some_tokens = tokens[run, start:end]
            some_inputs = matrix(inputs[run], 0, 0, 0)
            if kind == INPUTS:
                some_inputs = matrix(inputs[run], start * sizes[0], end - start, sizes[0])
            forward(address, row, some_tokens, some_inputs, network, work)
            errors = matrix(work, before[last], end - start, width)
            if loss == CROSS_ENTROPY:
                entropy_backwards(errors, classes[run, start:end], outputs, share)
            else:
                squares_backwards(errors, classes[run, start:end], values[run, start:end], outputs, share)
            backward(address, row, slope, first, some_tokens, some_inputs, network, work)
        embed_backwards(address, row, slope, network, work)


@compiled()
def outputs(address, row, tokens, inputs, network, block, work, out):
    """Write one run's outputs on all examples into `out`, shape (examples, outputs)."""
    _, _, _, weights, _, _, before, _, _, width = network
    embed(address, row, network, work)
    for start in range(0, out.shape[0], block):
        end = min(start + block, out.shape[0])
        forward(address, row, tokens[start:end], inputs[start:end], network, work)
        found = matrix(work, before[weights.size - 1], end - start, width)
        for n in range(end - start):
            for c in range(out.shape[1]):
                out[start + n, c] = found[n, c]
