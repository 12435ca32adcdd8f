"""What someone who knows JAX well would write to train many small networks: ``jit``, ``lax.scan`` and optax.

It knows nothing of Grokscape: it is handed arrays and returns arrays, in a process that never loads torch. Where JAX
leaves a choice that matters, a `Way` makes it, and the benchmark times them all: the fastest counts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from tests.benchmark import jax_models
from tests.benchmark.numbers import Numbers, Parameters
from tests.benchmark.ways import Way

Tensors = dict[str, Any]

#: Matrices that layers multiply by.
MATRICES = ("output", "weights", "attended", "into", "out", "unembed")


class Training:
    """Trainings of many networks that take their steps together.

    Parameters
    ----------
    numbers : Numbers
    way : Way
    """

    def __init__(self, numbers: Numbers, way: Way) -> None:
        forward = _forward(numbers.model, way)
        self.one_by_one = way.one_by_one
        loss = {"cross_entropy": optax.softmax_cross_entropy, "mse": optax.squared_error}[numbers.loss]
        optimiser = _optimiser(numbers.optimiser)
        self.turned = {name for name in numbers.parameters if way.turned and name.partition(".")[0] in MATRICES}

        def objective(parameters: Tensors, inputs: Any, labels: Any) -> Any:
            return loss(forward(self._turn(parameters), inputs), labels).mean()

        def train(parameters: Tensors, state: Any, inputs: Any, labels: Any, steps: int) -> Any:
            def step(carry: tuple[Tensors, Any], _: None) -> tuple[tuple[Tensors, Any], None]:
                parameters, state = carry
                gradient = jax.grad(objective)(parameters, inputs, labels)
                updates, state = optimiser.update(gradient, state, parameters)
                return (optax.apply_updates(parameters, updates), state), None

            return jax.lax.scan(step, (parameters, state), None, length=steps)[0]

        def all_runs(parameters: Tensors, state: Any, inputs: Any, labels: Any, steps: int) -> Any:
            return jax.vmap(partial(train, steps=steps))(parameters, state, inputs, labels)

        self.train = jax.jit(train if way.one_by_one else all_runs, static_argnames="steps", donate_argnums=(0, 1))
        whole = (self._turn(numbers.parameters), _tokens(numbers, way), numbers.labels)
        runs = range(len(numbers.labels))
        parts = [jax.tree.map(lambda a, r=run: a[r], whole) for run in runs] if way.one_by_one else [whole]
        start = optimiser.init if way.one_by_one else jax.vmap(optimiser.init)
        self.states, self.data = [], []
        for parameters, inputs, labels in jax.tree.map(jnp.array, parts):
            self.states.append((parameters, start(parameters)))
            self.data.append((inputs, labels))

    def advance(self, steps: int) -> None:
        """Take some steps, and wait until they are taken."""
        both = zip(self.states, self.data, strict=True)
        self.states = [self.train(*state, *data, steps=steps) for state, data in both]
        jax.block_until_ready(self.states)

    def weights(self) -> Parameters:
        """Return the parameters of all runs."""
        parts = [{name: np.asarray(v) for name, v in self._turn(parameters).items()} for parameters, _ in self.states]
        return {name: np.stack([part[name] for part in parts]) for name in parts[0]} if self.one_by_one else parts[0]

    def _turn(self, parameters: Tensors) -> Tensors:
        return {name: value.mT if name in self.turned else value for name, value in parameters.items()}


def _forward(model: dict[str, Any], way: Way) -> Callable[[Tensors, Any], Any]:
    forward = {
        "perceptron": jax_models.perceptron,
        "dense": jax_models.dense,
        "transformer": jax_models.transformer_by_tables if way.tables else jax_models.transformer,
    }[model["kind"]]
    return partial(forward, model)


def _optimiser(described: dict[str, Any]) -> optax.GradientTransformation:
    rate, decay = described["lr"], described["weight_decay"]
    if described["kind"] == "adamw":
        moments = {"b1": described["beta1"], "b2": described["beta2"], "eps": described["eps"]}
        return optax.adamw(rate, weight_decay=decay, **moments)
    return optax.chain(optax.add_decayed_weights(decay), optax.sgd(rate, momentum=described["momentum"]))


def _tokens(numbers: Numbers, way: Way) -> NDArray[Any]:
    """Return inputs as a way's forward pass reads them: tokens with "=" behind, or one-hot; features as they are."""
    inputs, parameters = numbers.inputs, numbers.parameters
    if not np.issubdtype(inputs.dtype, np.integer):
        return inputs
    if numbers.model["kind"] == "perceptron":
        n_tokens = parameters["hidden"].shape[2]
    else:
        n_tokens = parameters["embed"].shape[1] - way.tables
        if not way.tables:
            inputs = np.concatenate([inputs, np.full_like(inputs[..., :1], n_tokens - 1)], axis=-1)
    return np.eye(n_tokens, dtype=numbers.labels.dtype)[inputs] if way.one_hot else inputs.astype(np.int32)
