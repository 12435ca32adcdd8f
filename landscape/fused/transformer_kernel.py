r"""Outputs and gradients of the one-layer transformer, one run after another, a block of examples at a time.

A run's numbers come from the same instructions on memory laid out alike, whoever is computed before or after it.

Notes
-----
The formulas, for tokens ``t``, positions ``i``, heads ``j``, examples ``n``; ``=`` is what every sequence ends in.

*Stream.* Attention weights add up to one, and so scores and values are needed only less those of ``=``. They are linear
in ``e_t + p_i - e_= - p_=``. The rows of Y are ``e_t - e_=`` for each token, ``p_i - p_=`` for each position, and last
``l = e_= + p_=`` itself; a token at a position is the sum of two rows.

*Scores.* With the query ``q = l Wq / sqrt(size)`` spread over the matrix Q (a column for each head, zero outside it),
``K = Y Wk Q`` holds what rows add to the scores, ``u_nij = K[t_ni, j] + K[i, j]``, and the attention weights are
``a_nij = exp(u_nij) / (1 + sum_i exp(u_nij))``, the one standing for ``=``.

*Sides.* What attention finds goes two ways, through ``W = Win`` to the neurons and through ``W = U`` to the outputs,
and gets there by ``G = A W``, of which head j has the rows G_j. With ``V = Y Wv`` the rows of ``F_j = V_j G_j`` are
what tokens and positions say to each neuron (output) through head j. So an example needs no product, but looks up
``z_n = c + sum_ij a_nij T_ij[t_ni]`` in the tables ``T_ij[t] = F_j[t] + F_j[i]``. The constant c is
``l W + sum_j F_j[l]`` and the neurons' bias, or the residual stream's by W. That is ``positions * heads``
multiplications for each neuron in place of ``width``.

*Outputs.* ``z = h M + z of the outputs``, where ``h = relu(z of the neurons)`` and ``M = O U``.

*Backwards.* Let dx be the gradient of x. From dz of the outputs ``dM = h^T dz``, and ``dh = dz M^T``, which relu turns
into dz of the neurons. On each side ``dc = sum_n dz_n``; ``dT_ij[t]`` is the sum of ``a_nij dz_n`` over the n that have
t at i; ``da_nij = dz_n . T_ij[t_ni]``, of which both sides are added. Then
``du_nij = a_nij (da_nij - sum_i a_nij da_nij)``, which dK adds up by token and by position. What is left is small:
dF_j adds up dT_ij over positions or tokens, and has dc for l. ``dG_j = V_j^T dF_j``, ``dV_j = dF_j G_j^T``,
``dA = dG W^T``, ``dW = A^T dG + l^T dc``; ``dO = dM U^T``, and dU has ``O^T dM`` besides. ``dWv = Y^T dV``; with
``S = Wk Q``, ``dS = Y^T dK``, ``dWk = dS Q^T``, ``dQ = Wk^T dS``, ``dWq = l^T dq / sqrt(size)``. Last,
``dY = dV Wv^T + dK S^T``, to which l adds ``dc W^T`` of both sides and ``dq Wq^T / sqrt(size)``.

V is kept turned, so that what belongs to a head is a matrix without gaps.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from grokscape.landscape.fused.attention import (
    attend,
    attend_backwards,
    differences,
    differences_backwards,
    score,
    score_backwards,
    softmax,
    softmax_backwards,
    tabulate,
    tabulate_backwards,
)
from grokscape.landscape.fused.blas import product, product_both_turned, product_left_turned, product_right_turned
from grokscape.landscape.fused.compiled import compiled
from grokscape.landscape.fused.layers import (
    CROSS_ENTROPY,
    RELU,
    activate,
    activate_backwards,
    add_rows,
    add_to_rows,
    copy,
    entropy_backwards,
    matrix,
    squares_backwards,
)

#: The two ways from attention to the outputs.
NEURONS, OUTPUTS = range(2)


class Sizes(NamedTuple):
    """Sizes of a network; `columns` are neurons and outputs, `padded` how long a row of them is in memory."""

    positions: int
    tokens: int
    heads: int
    width: int
    columns: np.ndarray
    padded: np.ndarray


class Places(NamedTuple):
    """Where parameters stand in a row; `layers` are the weights W of both sides. Biases that there are not: -1."""

    embed: int
    position: int
    query: int
    key: int
    value: int
    attended: int
    out: int
    into_bias: int
    out_bias: int
    layers: np.ndarray


class Memory(NamedTuple):
    """Where arrays stand in a vector, their gradients under the same names in another.

    Before `summed` stand all gradients that are sums over examples. `tables` (T), `constant` (c), what is `before` the
    layer there (l, and the bias of what goes to the outputs), `merged` (G) and `mapped` (F) are there for each side.
    """

    keys: int
    readout: int
    tables: np.ndarray
    constant: np.ndarray
    summed: int
    stream: int
    query: int
    spread: int
    to_score: int
    values: int
    before: np.ndarray
    merged: np.ndarray
    mapped: np.ndarray
    weights: int
    totals: int
    hidden: int
    logits: int


@compiled()
def tables_of(sizes, memory, vector, side):
    """View one side's tables, shape (positions, tokens, heads, columns)."""
    rows = sizes.positions * sizes.tokens * sizes.heads
    flat = matrix(vector, memory.tables[side], rows, sizes.padded[side])
    return flat.reshape(sizes.positions, sizes.tokens, sizes.heads, sizes.padded[side])


@compiled()
def mapped_of(sizes, memory, vector, side):
    """View one side's F, shape (heads, rows of Y, columns)."""
    rows = sizes.tokens + sizes.positions + 1
    flat = matrix(vector, memory.mapped[side], sizes.heads * rows, sizes.padded[side])
    return flat.reshape(sizes.heads, rows, sizes.padded[side])


@compiled()
def weights_of(sizes, memory, vector, examples):
    """View attention weights, shape (positions, heads, examples)."""
    return matrix(vector, memory.weights, sizes.positions * sizes.heads, examples).reshape(
        sizes.positions, sizes.heads, examples
    )


@compiled()
def prepare(address, row, sizes, places, memory, work):
    """Compute what depends on no example: keys, both sides' tables and constants, the readout M."""
    zero = row.dtype.type(0)
    tokens, positions, heads, width = sizes.tokens, sizes.positions, sizes.heads, sizes.width
    rows, size = tokens + positions + 1, width // heads
    stream = matrix(work, memory.stream, rows, width)
    embed, position = matrix(row, places.embed, tokens + 1, width), matrix(row, places.position, positions + 1, width)
    differences(embed, position, stream)
    last = stream[rows - 1 :]
    query, spread = matrix(work, memory.query, 1, width), matrix(work, memory.spread, width, heads)
    product(address, last, matrix(row, places.query, width, width), query, zero)
    scale = row.dtype.type(1 / np.sqrt(size))
    for k in range(width):
        spread[k, k // size] = query[0, k] * scale
    to_score, keys = matrix(work, memory.to_score, width, heads), matrix(work, memory.keys, rows, heads)
    product(address, matrix(row, places.key, width, width), spread, to_score, zero)
    product(address, stream, to_score, keys, zero)
    values = matrix(work, memory.values, width, rows)
    product_both_turned(address, matrix(row, places.value, width, width), stream, values, zero)
    attended = matrix(row, places.attended, width, width)
    for side in range(2):
        layer = matrix(row, places.layers[side], width, sizes.columns[side])
        merged = matrix(work, memory.merged[side], width, sizes.padded[side])
        product(address, attended, layer, merged, zero)
        before = matrix(work, memory.before[side], 1, width)
        copy(last[0], before[0])
        if side == OUTPUTS and places.out_bias >= 0:
            add_to_rows(before, row[places.out_bias : places.out_bias + width])
        constant = matrix(work, memory.constant[side], 1, sizes.padded[side])
        product(address, before, layer, constant, zero)
        if side == NEURONS and places.into_bias >= 0:
            add_to_rows(constant, row[places.into_bias : places.into_bias + layer.shape[1]])
        mapped = mapped_of(sizes, memory, work, side)
        for j in range(heads):
            own = slice(j * size, (j + 1) * size)
            product_left_turned(address, values[own], merged[own], mapped[j], zero)
            add_to_rows(constant, mapped[j, rows - 1])
        tabulate(mapped, tables_of(sizes, memory, work, side))
    readout = matrix(work, memory.readout, sizes.columns[NEURONS], sizes.padded[OUTPUTS])
    unembed = matrix(row, places.layers[OUTPUTS], width, sizes.columns[OUTPUTS])
    product(address, matrix(row, places.out, sizes.columns[NEURONS], width), unembed, readout, zero)


@compiled()
def forward(address, tokens, sizes, memory, work):
    """Compute attention weights, neurons and outputs of some examples; they stay in `work`."""
    n = tokens.shape[0]
    rows, columns = sizes.tokens + sizes.positions + 1, sizes.heads * n
    weights = weights_of(sizes, memory, work, n)
    score(matrix(work, memory.keys, rows, sizes.heads), tokens, weights)
    softmax(weights.reshape(sizes.positions, columns), work[memory.totals : memory.totals + columns])
    hidden = matrix(work, memory.hidden, n, sizes.padded[NEURONS])
    logits = matrix(work, memory.logits, n, sizes.padded[OUTPUTS])
    for side in range(2):
        constant = work[memory.constant[side] : memory.constant[side] + sizes.padded[side]]
        attend(tables_of(sizes, memory, work, side), tokens, weights, constant, hidden if side == NEURONS else logits)
    activate(hidden, hidden, RELU)
    readout = matrix(work, memory.readout, sizes.columns[NEURONS], sizes.padded[OUTPUTS])
    product(address, hidden, readout, logits, work.dtype.type(1))


@compiled()
def backward(address, tokens, sizes, memory, work, errors):
    """Add to the gradients of keys, tables, constants and readout what some examples say, given that of the outputs.

    The gradient of the outputs is in their own place in `work`; all others are in `errors`.
    """
    zero, one = work.dtype.type(0), work.dtype.type(1)
    n = tokens.shape[0]
    rows, columns = sizes.tokens + sizes.positions + 1, sizes.heads * n
    hidden = matrix(work, memory.hidden, n, sizes.padded[NEURONS])
    of_hidden = matrix(errors, memory.hidden, n, sizes.padded[NEURONS])
    of_outputs = matrix(work, memory.logits, n, sizes.padded[OUTPUTS])
    readout = matrix(work, memory.readout, sizes.columns[NEURONS], sizes.padded[OUTPUTS])
    of_readout = matrix(errors, memory.readout, sizes.columns[NEURONS], sizes.padded[OUTPUTS])
    product_left_turned(address, hidden, of_outputs, of_readout, one)
    product_right_turned(address, of_outputs, readout, of_hidden, zero)
    activate_backwards(of_hidden, hidden, hidden, RELU)
    weights, of_weights = weights_of(sizes, memory, work, n), weights_of(sizes, memory, errors, n)
    of_weights[:] = zero
    for side in range(2):
        of_side = of_hidden if side == NEURONS else of_outputs
        add_rows(of_side, errors[memory.constant[side] : memory.constant[side] + sizes.padded[side]])
        tables, of_tables = tables_of(sizes, memory, work, side), tables_of(sizes, memory, errors, side)
        attend_backwards(of_side, tables, tokens, weights, of_tables, of_weights)
    flat, of_flat = weights.reshape(sizes.positions, columns), of_weights.reshape(sizes.positions, columns)
    softmax_backwards(flat, of_flat, work[memory.totals : memory.totals + columns])
    score_backwards(of_weights, tokens, matrix(errors, memory.keys, rows, sizes.heads))


@compiled()
def finish(address, row, slope, sizes, places, memory, work, errors):
    """Turn the gradients of keys, tables, constants and readout into those of the parameters, in `slope`."""
    zero, one = row.dtype.type(0), row.dtype.type(1)
    tokens, positions, heads, width = sizes.tokens, sizes.positions, sizes.heads, sizes.width
    rows, size = tokens + positions + 1, width // heads
    neurons, outputs = sizes.columns[NEURONS], sizes.columns[OUTPUTS]
    stream, of_stream = matrix(work, memory.stream, rows, width), matrix(errors, memory.stream, rows, width)
    last, of_last = stream[rows - 1 :], of_stream[rows - 1 :]
    values, of_values = matrix(work, memory.values, width, rows), matrix(errors, memory.values, width, rows)
    attended = matrix(row, places.attended, width, width)
    of_attended = matrix(slope, places.attended, width, width)
    for side in range(2):
        kept = zero if side == NEURONS else one
        layer = matrix(row, places.layers[side], width, sizes.columns[side])
        of_layer = matrix(slope, places.layers[side], width, sizes.columns[side])
        merged = matrix(work, memory.merged[side], width, sizes.padded[side])
        of_merged = matrix(errors, memory.merged[side], width, sizes.padded[side])
        of_constant = matrix(errors, memory.constant[side], 1, sizes.padded[side])
        of_mapped = mapped_of(sizes, memory, errors, side)
        tabulate_backwards(tables_of(sizes, memory, errors, side), of_constant[0], of_mapped)
        for j in range(heads):
            own = slice(j * size, (j + 1) * size)
            product(address, values[own], of_mapped[j], of_merged[own], zero)
            product_right_turned(address, merged[own], of_mapped[j], of_values[own], kept)
        product_right_turned(address, of_merged, layer, of_attended, kept)
        product_left_turned(address, attended, of_merged, of_layer, zero)
        product_left_turned(address, matrix(work, memory.before[side], 1, width), of_constant, of_layer, one)
        product_right_turned(address, of_constant, layer, matrix(errors, memory.before[side], 1, width), zero)
    if places.into_bias >= 0:
        copy(errors[memory.constant[NEURONS] :], slope[places.into_bias : places.into_bias + neurons])
    if places.out_bias >= 0:
        copy(errors[memory.before[OUTPUTS] :], slope[places.out_bias : places.out_bias + width])

    unembed = matrix(row, places.layers[OUTPUTS], width, outputs)
    of_unembed = matrix(slope, places.layers[OUTPUTS], width, outputs)
    of_readout = matrix(errors, memory.readout, neurons, sizes.padded[OUTPUTS])
    product_right_turned(address, of_readout, unembed, matrix(slope, places.out, neurons, width), zero)
    product_left_turned(address, matrix(row, places.out, neurons, width), of_readout, of_unembed, one)

    of_keys = matrix(errors, memory.keys, rows, heads)
    to_score, of_to_score = matrix(work, memory.to_score, width, heads), matrix(errors, memory.to_score, width, heads)
    spread, of_spread = matrix(work, memory.spread, width, heads), matrix(errors, memory.spread, width, heads)
    product_left_turned(address, stream, of_keys, of_to_score, zero)
    product_right_turned(address, of_to_score, spread, matrix(slope, places.key, width, width), zero)
    product_left_turned(address, matrix(row, places.key, width, width), of_to_score, of_spread, zero)
    of_query, scale = matrix(errors, memory.query, 1, width), row.dtype.type(1 / np.sqrt(size))
    for k in range(width):
        of_query[0, k] = of_spread[k, k // size] * scale
    product_left_turned(address, last, of_query, matrix(slope, places.query, width, width), zero)

    value = matrix(row, places.value, width, width)
    product_both_turned(address, stream, of_values, matrix(slope, places.value, width, width), zero)
    product_both_turned(address, of_values, value, of_stream, zero)
    product_right_turned(address, of_keys, to_score, of_stream, one)
    for side in range(2):
        add_to_rows(of_last, errors[memory.before[side] : memory.before[side] + width])
    product_right_turned(address, of_query, matrix(row, places.query, width, width), of_last, one)
    differences_backwards(
        of_stream,
        matrix(slope, places.embed, tokens + 1, width),
        matrix(slope, places.position, positions + 1, width),
    )


@compiled()
def gradients(address, rows, slopes, tokens, classes, sizes, places, memory, loss, block, work, errors):
    """Write every run's gradient of its mean loss into `slopes`, shape (runs, parameters).

    Parameters
    ----------
    tokens : int32, shape (runs, n, positions)
    classes : int64, shape (runs, n)
    """
    n, outputs = classes.shape[1], sizes.columns[OUTPUTS]
    share = rows.dtype.type(1 / n if loss == CROSS_ENTROPY else 2 / (n * outputs))
    none = np.zeros((n, 0), rows.dtype)
    for run in range(rows.shape[0]):
        row, slope = rows[run], slopes[run]
        prepare(address, row, sizes, places, memory, work)
        errors[: memory.summed] = rows.dtype.type(0)
        for start in range(0, n, block):
            end = min(start + block, n)
            some = tokens[run, start:end]
            forward(address, some, sizes, memory, work)
            logits = matrix(work, memory.logits, end - start, sizes.padded[OUTPUTS])
            if loss == CROSS_ENTROPY:
                entropy_backwards(logits, classes[run, start:end], outputs, share)
            else:
                squares_backwards(logits, classes[run, start:end], none[start:end], outputs, share)
            backward(address, some, sizes, memory, work, errors)
        finish(address, row, slope, sizes, places, memory, work, errors)


@compiled()
def outputs(address, row, tokens, sizes, places, memory, block, work, out):
    """Write one run's outputs on all examples into `out`, shape (examples, outputs)."""
    prepare(address, row, sizes, places, memory, work)
    for start in range(0, out.shape[0], block):
        end = min(start + block, out.shape[0])
        forward(address, tokens[start:end], sizes, memory, work)
        found = matrix(work, memory.logits, end - start, sizes.padded[OUTPUTS])
        for n in range(end - start):
            for c in range(out.shape[1]):
                out[start + n, c] = found[n, c]
