"""Modules that can be differentiated twice, where PyTorch's fastest kernels cannot, or are wrong."""

from __future__ import annotations

import contextlib
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils.weight_norm import WeightNorm as OldWeightNorm
from torch.overrides import TorchFunctionMode
from torch.utils import checkpoint

from grokscape.landscape import embeddings


class _Direct:
    """Takes the place of reentrant activation checkpointing: calls the function, and keeps what it needs."""

    @staticmethod
    def apply(function: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        del preserve
        return function(*args)


def _keep_activations(*args: Any, **kwargs: Any) -> Iterator[None]:
    """Take the place of the other kind of activation checkpointing, which runs code before and after the function."""
    del args, kwargs
    yield


#: What `torch.utils.checkpoint.checkpoint` calls.
_CHECKPOINTING = {"CheckpointFunction": _Direct, "_checkpoint_without_reentrant_generator": _keep_activations}


@contextlib.contextmanager
def without_checkpointing() -> Iterator[None]:
    """Keep all activations: recomputed in a backward pass, they would be those of the module's own parameters."""
    kept = {name: getattr(checkpoint, name) for name in _CHECKPOINTING if hasattr(checkpoint, name)}
    if any(kept[name] is _CHECKPOINTING[name] for name in kept):  # within such a block, of this thread or another
        yield
        return
    try:
        for name in kept:
            setattr(checkpoint, name, _CHECKPOINTING[name])
        yield
    finally:
        for name, original in kept.items():
            setattr(checkpoint, name, original)


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Turn autocasting off that a caller has on; a backward pass would be cast too."""
    with contextlib.ExitStack() as stack:
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        yield


@contextlib.contextmanager
def twice_differentiable() -> Iterator[None]:
    """Use only kernels that can be differentiated twice, in full precision.

    Fused attention and cuDNN's recurrent layers cannot, autocasting around the call would take digits away, and
    activation checkpointing would compute a second time with other parameters.
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with (
            sdpa_kernel(SDPBackend.MATH),
            without_checkpointing(),
            torch.backends.cudnn.flags(enabled=False) if torch.cuda.is_available() else contextlib.nullcontext(),
            full_precision(),
        ):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def make_twice_differentiable(module: nn.Module) -> None:
    """Replace what PyTorch differentiates wrongly in all parts of a module, in place.

    That are its kernel of weight normalisation, parametrised or by the old hook, and embeddings with flags
    (`grokscape.landscape.embeddings.repair`).

    ``w = g v / |v|`` is computed by operations whose derivatives are composed. The second derivative of the kernel
    (``torch._weight_norm``, PyTorch 2.13 on a CPU) is wrong: the Hessian that it gives is not even symmetric.
    """
    for part in module.modules():
        if type(part).__name__ == "_WeightNorm":
            part.forward = types.MethodType(_forward, part)
        for hook in part._forward_pre_hooks.values():
            if isinstance(hook, OldWeightNorm):
                hook.compute_weight = types.MethodType(_compute_weight, hook)  # type: ignore[method-assign]
    embeddings.repair(module)


def _forward(self: Any, weight_g: Tensor, weight_v: Tensor) -> Tensor:
    others = [axis for axis in range(weight_v.ndim) if axis != self.dim]  # all of them if it is -1
    return weight_v * (weight_g / torch.linalg.vector_norm(weight_v, dim=others, keepdim=self.dim != -1))


def _compute_weight(self: Any, module: nn.Module) -> Tensor:
    return _forward(self, getattr(module, self.name + "_g"), getattr(module, self.name + "_v"))


def make_statistics_differentiable(module: nn.Module) -> None:
    """Let normalisation layers of a module be differentiated by their running statistics, in place.

    PyTorch's kernel of batch normalisation takes them as constants; here it is written out, for evaluation alone. A
    subclass keeps its own forward pass: what it calls is replaced while it runs.
    """
    for part in module.modules():
        if isinstance(part, _NormBase) and part.running_mean is not None and not part.training:
            part.forward = types.MethodType(_standardised_forward, part)


def _standardised_forward(self: Any, *args: Any, **kwargs: Any) -> Any:
    with _Standardised():
        return type(self).forward(self, *args, **kwargs)


class _Standardised(TorchFunctionMode):
    """While this is entered, normalisation by running statistics is written out."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func not in _NORMALISATIONS:
            return func(*args, **kwargs)
        bound = _NORMALISATIONS[func].bind(*args, **kwargs)
        bound.apply_defaults()
        call = bound.arguments
        if call.get("training") or call.get("use_input_stats") or call["running_mean"] is None:
            return func(*args, **kwargs)
        inputs = call["input"]
        shape = (1, -1, *(1 for _ in inputs.shape[2:]))
        found = (inputs - call["running_mean"].view(shape)) / (call["running_var"].view(shape) + call["eps"]).sqrt()
        for name, combine in (("weight", torch.mul), ("bias", torch.add)):
            found = found if call[name] is None else combine(found, call[name].view(shape))
        return found


_NORMALISATIONS = {function: inspect.signature(function) for function in (F.batch_norm, F.instance_norm)}
