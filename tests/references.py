"""Slow, obvious implementations of what `landscape` computes cleverly; for the tests and the benchmark.

Everything here is written from the formulas: one network at a time, plain modules, ``torch.optim``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.models import Network, Perceptron, PerceptronNetwork, Transformer, TransformerNetwork
from grokscape.landscape.optimisers import SGD, AdamW, Optimiser
from grokscape.landscape.training.run import Run


class ReferenceTransformer(nn.Module):
    """The one-layer transformer at all positions: queries, keys, values, causal mask, ReLU layer, unembedding.

    Parameters
    ----------
    network : TransformerNetwork
        Its parameters are shared, under their names.
    """

    def __init__(self, network: TransformerNetwork) -> None:
        super().__init__()
        for name, parameter in network.named_parameters():
            self.register_parameter(name, parameter)
        self.has_bias = network.into_bias is not None

    def all_positions(self, inputs: Tensor) -> Tensor:
        """Map tokens (examples, n_positions) to logits (examples, n_positions + 1, n_classes)."""
        equals = torch.full_like(inputs[:, :1], self.embed.shape[0] - 1)
        tokens = torch.cat([inputs, equals], 1)
        stream = self.embed[tokens] + self.position
        examples, length, width = stream.shape
        size = self.query.shape[2]
        q = torch.einsum("btd,dhk->bhtk", stream, self.query)
        k = torch.einsum("btd,dhk->bhtk", stream, self.key)
        v = torch.einsum("btd,dhk->bhtk", stream, self.value)
        scores = q @ k.transpose(-1, -2) / size**0.5
        future = torch.ones(length, length, dtype=torch.bool, device=inputs.device).triu(1)
        weights = scores.masked_fill(future, -torch.inf).softmax(-1)
        mixed = (weights @ v).transpose(1, 2).reshape(examples, length, width)
        stream = stream + mixed @ self.attended
        neurons = stream @ self.into
        if self.has_bias:
            neurons = neurons + self.into_bias
        update = neurons.relu() @ self.out
        if self.has_bias:
            update = update + self.out_bias
        return (stream + update) @ self.unembed

    def forward(self, inputs: Tensor) -> Tensor:
        """Map tokens (examples, n_positions) to the logits at "=" (examples, n_classes)."""
        return self.all_positions(inputs)[:, -1]


class ReferencePerceptron(nn.Module):
    """A dense layer on explicit, concatenated one-hot (or embedded) operands, an activation, a dense layer.

    Parameters
    ----------
    network : PerceptronNetwork
        Its parameters are shared, under their names.
    activation : {"relu", "quadratic"}
    n_tokens : int
    """

    def __init__(self, network: PerceptronNetwork, *, activation: str, n_tokens: int) -> None:
        super().__init__()
        for name, parameter in network.named_parameters():
            self.register_parameter(name, parameter)
        self.activation, self.n_tokens = activation, n_tokens
        self.has_bias, self.has_embedding = network.hidden_bias is not None, network.embedding is not None

    def forward(self, inputs: Tensor) -> Tensor:
        """Map tokens (examples, n_positions) to logits (examples, n_classes)."""
        operands = F.one_hot(inputs, self.n_tokens).to(self.hidden.dtype)
        if self.has_embedding:
            operands = operands @ self.embedding
        hidden = operands.flatten(1) @ self.hidden.flatten(0, 1)
        if self.has_bias:
            hidden = hidden + self.hidden_bias
        active = hidden.clamp(min=0) if self.activation == "relu" else hidden * hidden
        logits = active @ self.output
        return logits + self.output_bias if self.has_bias else logits


def reference_of(run: Run, network: Network) -> nn.Module:
    """Return the reference module that shares the parameters of `network`."""
    if isinstance(run.model, Transformer):
        assert isinstance(network, TransformerNetwork)
        return ReferenceTransformer(network)
    assert isinstance(run.model, Perceptron)
    assert isinstance(network, PerceptronNetwork)
    return ReferencePerceptron(network, activation=run.model.activation, n_tokens=run.task.n_tokens)


def torch_optimiser(described: Optimiser, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the ``torch.optim`` optimiser that a description stands for."""
    if isinstance(described, AdamW):
        return torch.optim.AdamW(
            parameters,
            lr=described.lr,
            betas=(described.beta1, described.beta2),
            eps=described.eps,
            weight_decay=described.weight_decay,
        )
    assert isinstance(described, SGD)
    return torch.optim.SGD(
        parameters, lr=described.lr, momentum=described.momentum, weight_decay=described.weight_decay
    )


def training_data(run: Run) -> tuple[Tensor, Tensor]:
    """Return the training inputs and labels of a run."""
    train = run.task.split(run.n_train, seed=run.seed).train
    labels = run.task.labels if run.labels == "true" else run.task.random_labels(seed=run.seed)
    return run.task.inputs[train], labels[train]


def train_one(
    run: Run, *, device: str = "cpu", start: dict[str, Tensor] | None = None, steps: int | None = None
) -> dict[str, Tensor]:
    """Train one run as a textbook would, and return its last weights by name.

    Parameters
    ----------
    run : Run
        Its stop rules and records are ignored.
    device : str
    start : dict of Tensor, optional
        Weights to start from, in place of the run's own initialisation.
    steps : int, optional
        In place of the run's own.
    """
    network = run.model.build(run.task).to(getattr(torch, run.dtype))
    network.initialise(seed=run.seed, scale=run.initial_scale)
    if start is not None:
        network.load_state_dict(start)
    network.to(device)
    module = reference_of(run, network)
    inputs, labels = (tensor.to(device) for tensor in training_data(run))
    parameters = list(module.parameters())

    def project() -> None:
        if run.fixed_norm is not None:
            with torch.no_grad():
                norm = torch.sqrt(sum((parameter**2).sum() for parameter in parameters))
                for parameter in parameters:
                    parameter *= run.fixed_norm / norm

    project()
    optimiser = torch_optimiser(run.optimiser, parameters)
    for _ in range(run.steps if steps is None else steps):
        logits = module(inputs)
        if run.loss == "cross_entropy":
            loss = F.cross_entropy(logits, labels)
        else:
            loss = F.mse_loss(logits, F.one_hot(labels, run.task.n_classes).to(logits.dtype))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        project()
    return {name: parameter.detach().cpu().clone() for name, parameter in module.named_parameters()}
