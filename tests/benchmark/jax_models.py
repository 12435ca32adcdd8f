"""The learners that are compared, as functions from parameters and inputs to outputs, in JAX.

One network at a time; ``vmap`` makes many of it. Parameters have the names and shapes of Grokscape's networks. Tokens
are integers of shape (examples, positions), or one-hot vectors of shape (examples, positions, tokens).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

Tensors = dict[str, Any]

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "quadratic": jnp.square}


def looked_up(table: Any, tokens: Any) -> Any:
    """Return the row of a table for every token."""
    return table[tokens] if jnp.issubdtype(tokens.dtype, jnp.integer) else tokens @ table


def perceptron(model: dict[str, Any], parameters: Tensors, tokens: Any) -> Any:
    """Two layers without biases on concatenated one-hot operands."""
    first = parameters["hidden"]
    if jnp.issubdtype(tokens.dtype, jnp.integer):
        hidden = sum(table[token] for table, token in zip(first, tokens.T, strict=True))
    else:
        hidden = tokens.reshape(len(tokens), -1) @ first.reshape(-1, first.shape[-1])
    return ACTIVATIONS[model["activation"]](hidden) @ parameters["output"]


def dense(model: dict[str, Any], parameters: Tensors, inputs: Any) -> Any:
    """A multilayer perceptron with biases."""
    hidden, layers = inputs, len(parameters) // 2
    for layer in range(layers):
        hidden = hidden @ parameters[f"weights.{layer}"] + parameters[f"biases.{layer}"]
        hidden = ACTIVATIONS[model["activation"]](hidden) if layer < layers - 1 else hidden
    return hidden


def transformer(model: dict[str, Any], parameters: Tensors, tokens: Any) -> Any:
    """One layer of attention and one of neurons, read at the last position, the only one that asks queries.

    The last token is "=". All positions before may be attended to, so there is nothing to mask.
    """
    stream = looked_up(parameters["embed"], tokens) + parameters["position"]
    last = stream[:, -1]
    query = jnp.einsum("nd,dhk->nhk", last, parameters["query"])
    key = jnp.einsum("ntd,dhk->nthk", stream, parameters["key"])
    value = jnp.einsum("ntd,dhk->nthk", stream, parameters["value"])
    scores = jnp.einsum("nhk,nthk->nht", query, key) / query.shape[-1] ** 0.5
    mixed = jnp.einsum("nht,nthk->nhk", jax.nn.softmax(scores), value)
    last = last + mixed.reshape(last.shape) @ parameters["attended"]
    neurons = jax.nn.relu(last @ parameters["into"] + parameters["into_bias"])
    return (last + neurons @ parameters["out"] + parameters["out_bias"]) @ parameters["unembed"]


def transformer_by_tables(model: dict[str, Any], parameters: Tensors, tokens: Any) -> Any:
    """The same function by Grokscape's algebra: scores and values looked up, neighbouring matrices multiplied first."""
    heads = model["heads"]
    equals = parameters["embed"][-1] + parameters["position"][-1]
    query = jnp.einsum("d,dhk->hk", equals, parameters["query"]) / parameters["query"].shape[-1] ** 0.5
    to_score = jnp.einsum("dhk,hk->dh", parameters["key"], query)
    to_value = parameters["value"].reshape(len(equals), -1)
    stream = parameters["embed"][:-1] + parameters["position"][:-1, None]  # (positions, tokens, width)
    value = equals @ to_value
    score_tables, value_tables = stream @ to_score, stream @ to_value - value
    places = [tokens[:, place] for place in range(len(stream))]
    scores = [looked_up(table, token) for table, token in zip(score_tables, places, strict=True)]
    scores.append(jnp.broadcast_to(equals @ to_score, scores[0].shape))
    weights = jax.nn.softmax(jnp.stack(scores), axis=0)[:-1]
    values = [looked_up(table, token) for table, token in zip(value_tables, places, strict=True)]
    mixed = sum(
        (weight[..., None] * value.reshape(len(value), heads, -1)).reshape(value.shape)
        for weight, value in zip(weights, values, strict=True)
    )
    attended, into, unembed = parameters["attended"], parameters["into"], parameters["unembed"]
    constant = equals + value @ attended
    neurons = jax.nn.relu(mixed @ (attended @ into) + (constant @ into + parameters["into_bias"]))
    logits = mixed @ (attended @ unembed) + neurons @ (parameters["out"] @ unembed)
    return logits + (constant + parameters["out_bias"]) @ unembed
