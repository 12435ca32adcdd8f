"""Whether a network can be trained in an ensemble, found out on a few examples before any training."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from grokscape.landscape.embeddings import scaled_by_frequency
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models import Network

#: Examples on which a network is tried.
FEW = 8


@torch.no_grad()
def checked_network(build: Callable[[], Network], inputs: Tensor) -> Network:
    """Build a network; refuse one whose training in an ensemble would not be the training that its description says.

    Parameters
    ----------
    build : callable
    inputs : Tensor, shape (N, ...)

    Raises
    ------
    InvalidInput
        If it has no way to be initialised by a seed, nothing to train, weights that are not there, buffers that are
        drawn anew at each building, normalisation over a batch, state that a forward pass changes, an output that is
        random, or one that depends on which other examples are in the batch; or if it fails.
    """
    network = build()
    name = type(network).__name__
    if not callable(getattr(network, "initialise", None)):
        raise InvalidInput(
            f"the model built a {name} without a method initialise(seed=, scale=), expected a "
            "grokscape.landscape.models.Network"
        )
    for parameter_name, parameter in network.named_parameters():
        if is_lazy(parameter) or parameter.is_meta:
            raise InvalidInput(
                f"{name} has no numbers in {parameter_name!r} (it is lazy or on the meta device); give sizes"
            )
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise InvalidInput(f"no parameter of {name} requires a gradient, so there is nothing to train; unfreeze some")
    scaled = scaled_by_frequency(network)
    if scaled is not None:
        raise InvalidInput(
            f"module {scaled!r} of {name} has scale_grad_by_freq=True, but a run descends along the gradient of its "
            "loss; leave the flag out"
        )
    for part_name, part in network.named_modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and (part.training or part.running_mean is None):
            raise InvalidInput(
                f"module {part_name!r} of {name} is a {type(part).__name__} that normalises over its batch, so that "
                "what is recorded on all inputs would not be what is trained; use LayerNorm or GroupNorm, or build the "
                "network with that part in evaluation mode"
            )
        if isinstance(part, nn.modules.dropout._DropoutNd) and part.training and part.p:
            raise InvalidInput(
                f"module {part_name!r} of {name} drops out at random, but a run is decided by its description; set p "
                "to 0"
            )
    _check_buffers(name, network, build)
    network.initialise(seed=0)
    _check_outputs(name, network, inputs[:FEW])
    return network


def _check_buffers(name: str, network: nn.Module, build: Callable[[], Network]) -> None:
    again = dict(build().named_buffers()) if any(True for _ in network.buffers()) else {}
    for key, buffer in network.named_buffers():
        if not torch.equal(buffer, again[key]) and not torch.isnan(buffer).any():
            raise InvalidInput(
                f"buffer {key!r} of {name} holds other numbers each time it is built, but a run is decided by its "
                "description; draw them with a seed that the model's description holds"
            )


def _check_outputs(name: str, network: nn.Module, few: Tensor) -> None:
    tried = copy.deepcopy(network)  # a forward pass may change its state
    before = {key: buffer.clone() for key, buffer in tried.named_buffers()}
    outputs = []
    try:
        with torch.random.fork_rng(devices=[]):
            for seed in (0, 1):
                torch.manual_seed(seed)
                outputs.append(tried(few))
        half = tried(few[: (len(few) + 1) // 2])
    except Exception as error:  # whatever somebody's network can raise
        raise InvalidInput(
            f"{name} fails on the first {len(few)} inputs of its task ({type(error).__name__}: {error!s:.200}); check "
            "that its sizes are those of the task"
        ) from error
    if not all(isinstance(output, Tensor) for output in (*outputs, half)):
        raise InvalidInput(f"{name} returns a {type(half).__name__}, expected a tensor, shape (examples, outputs)")
    for key, buffer in tried.named_buffers():
        if not torch.equal(buffer, before.get(key, buffer)):
            raise InvalidInput(
                f"a forward pass of {name} changes its buffer {key!r}, but a run keeps parameters alone; leave the "
                "state out, or build the network in evaluation mode"
            )
    if not torch.equal(*outputs) and torch.isfinite(outputs[0]).all():
        raise InvalidInput(
            f"{name} gives other outputs when it is asked again, but a run is decided by its description; turn off "
            "what is random or remembered"
        )
    together = outputs[0][: len(half)]
    tolerance = 1e3 * torch.finfo(half.dtype).eps * float(together.abs().max())
    if half.shape != together.shape or not (half - together).abs().max() <= tolerance:
        raise InvalidInput(
            f"the outputs of {name} for an example depend on which others are in the batch, so that what is recorded "
            "on all inputs would not be what is trained; normalise over features instead of examples"
        )
