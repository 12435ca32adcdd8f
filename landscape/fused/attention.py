"""Attention that looks up what tokens say, forwards and backwards, on the examples of one run.

The formulas are those of `grokscape.landscape.fused.transformer_kernel`.
"""

from __future__ import annotations

from grokscape.landscape.fused.compiled import IN_PARTS, compiled
from grokscape.landscape.fused.functions import exponential
from grokscape.landscape.fused.layers import copy


@compiled()
def differences(embed, position, stream):
    """Write the rows of Y."""
    tokens, positions = embed.shape[0] - 1, position.shape[0] - 1
    e, p, last = embed[tokens], position[positions], stream[tokens + positions]
    for t in range(tokens):
        row, own = stream[t], embed[t]
        for k in range(row.size):
            row[k] = own[k] - e[k]
    for i in range(positions):
        row, own = stream[tokens + i], position[i]
        for k in range(row.size):
            row[k] = own[k] - p[k]
    for k in range(last.size):
        last[k] = e[k] + p[k]


@compiled()
def differences_backwards(errors, embed, position):
    """Write the gradients of embeddings, given those of Y."""
    tokens, positions = embed.shape[0] - 1, position.shape[0] - 1
    e, p, last = embed[tokens], position[positions], errors[tokens + positions]
    copy(last, e)
    copy(last, p)
    for t in range(tokens):
        row = errors[t]
        copy(row, embed[t])
        for k in range(row.size):
            e[k] -= row[k]
    for i in range(positions):
        row = errors[tokens + i]
        copy(row, position[i])
        for k in range(row.size):
            p[k] -= row[k]


@compiled()
def tabulate(mapped, tables):
    """``tables[i, t, j] = mapped[j, t] + mapped[j, tokens + i]``."""
    positions, tokens, heads, width = tables.shape
    for i in range(positions):
        for t in range(tokens):
            for j in range(heads):
                out, token, position = tables[i, t, j], mapped[j, t], mapped[j, tokens + i]
                for c in range(width):
                    out[c] = token[c] + position[c]


@compiled()
def tabulate_backwards(tables, constant, mapped):
    """Write the gradient of what was tabulated; the last row, which is in `constant`, has that one's."""
    positions, tokens, heads, width = tables.shape
    for j in range(heads):
        own = mapped[j]
        own[:] = own.dtype.type(0)
        copy(constant, own[tokens + positions])
        for i in range(positions):
            position = own[tokens + i]
            for t in range(tokens):
                errors, token = tables[i, t, j], own[t]
                for c in range(width):
                    token[c] += errors[c]
                for c in range(width):
                    position[c] += errors[c]


@compiled()
def score(keys, tokens, scores):
    """``scores[i, j, n] = keys[tokens[n, i], j] + keys[all tokens + i, j]``."""
    positions, heads, examples = scores.shape
    first = keys.shape[0] - positions - 1
    for n in range(examples):
        for i in range(positions):
            token = tokens[n, i]
            for j in range(heads):
                scores[i, j, n] = keys[token, j] + keys[first + i, j]


@compiled()
def score_backwards(errors, tokens, keys):
    """Add to the gradient of the keys what each example says of those that it looked up."""
    positions, heads, examples = errors.shape
    first = keys.shape[0] - positions - 1
    for n in range(examples):
        for i in range(positions):
            token = tokens[n, i]
            for j in range(heads):
                error = errors[i, j, n]
                keys[token, j] += error
                keys[first + i, j] += error


@compiled()
def softmax(scores, totals):
    """Turn scores, shape (positions, columns), into the softmax of each column and one more score, which is 0."""
    totals[:] = totals.dtype.type(0)
    for i in range(scores.shape[0]):
        row = scores[i]
        for c in range(totals.size):
            totals[c] = totals[c] if not row[c] > totals[c] else row[c]  # the largest, for now
    for i in range(scores.shape[0]):
        row = scores[i]
        for c in range(totals.size):
            row[c] = exponential(row[c] - totals[c])
    for c in range(totals.size):
        totals[c] = exponential(-totals[c])
    for i in range(scores.shape[0]):
        row = scores[i]
        for c in range(totals.size):
            totals[c] += row[c]
    for i in range(scores.shape[0]):
        row = scores[i]
        for c in range(totals.size):
            row[c] /= totals[c]


@compiled()
def softmax_backwards(weights, errors, totals):
    """Turn the errors of what `softmax` made into those of the scores."""
    totals[:] = totals.dtype.type(0)
    for i in range(weights.shape[0]):
        weight, error = weights[i], errors[i]
        for c in range(totals.size):
            totals[c] += weight[c] * error[c]
    for i in range(weights.shape[0]):
        weight, error = weights[i], errors[i]
        for c in range(totals.size):
            error[c] = weight[c] * (error[c] - totals[c])


@compiled()
def attend(tables, tokens, weights, constant, out):
    """``out[n] = constant + sum_ij weights[i, j, n] tables[i, tokens[n, i], j]``, four heads in one go."""
    positions, _, heads, width = tables.shape
    for n in range(out.shape[0]):
        row = out[n]
        for c in range(width):
            row[c] = constant[c]
        for i in range(positions):
            rows = tables[i, tokens[n, i]]
            j = 0
            while j + 4 <= heads:
                t0, t1, t2, t3 = rows[j], rows[j + 1], rows[j + 2], rows[j + 3]
                w0, w1, w2, w3 = weights[i, j, n], weights[i, j + 1, n], weights[i, j + 2, n], weights[i, j + 3, n]
                for c in range(width):
                    row[c] += (w0 * t0[c] + w1 * t1[c]) + (w2 * t2[c] + w3 * t3[c])
                j += 4
            while j < heads:
                t0, w0 = rows[j], weights[i, j, n]
                for c in range(width):
                    row[c] += w0 * t0[c]
                j += 1


@compiled(IN_PARTS)
def attend_backwards(errors, tables, tokens, weights, of_tables, of_weights):
    """Add to the gradients of tables and weights what each example says of them."""
    positions, _, heads, width = tables.shape
    for n in range(errors.shape[0]):
        row = errors[n]
        for i in range(positions):
            token = tokens[n, i]
            for j in range(heads):
                table, of_table, weight = tables[i, token, j], of_tables[i, token, j], weights[i, j, n]
                total = errors.dtype.type(0)
                for c in range(width):
                    total += row[c] * table[c]
                    of_table[c] += weight * row[c]
                of_weights[i, j, n] += total
