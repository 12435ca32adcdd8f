"""Modules that can be differentiated twice, where PyTorch's fastest kernels cannot, or are wrong."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.instancenorm import _InstanceNorm


@contextlib.contextmanager
def twice_differentiable() -> Iterator[None]:
    """Use only kernels that can be differentiated twice: fused attention and cuDNN's recurrent layers cannot."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with (
            sdpa_kernel(SDPBackend.MATH),
            torch.backends.cudnn.flags(enabled=False) if torch.cuda.is_available() else contextlib.nullcontext(),
        ):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def make_twice_differentiable(module: nn.Module) -> None:
    """Replace PyTorch's kernel of ``parametrizations.weight_norm`` in all parts of a module, in place.

    ``w = g v / |v|`` is computed by operations whose derivatives are composed. The second derivative of the kernel
    (``torch._weight_norm``, PyTorch 2.13 on a CPU) is wrong: the Hessian that it gives is not even symmetric.
    """
    for part in module.modules():
        if type(part).__name__ == "_WeightNorm":
            part.forward = types.MethodType(_forward, part)


def _forward(self: Any, weight_g: Tensor, weight_v: Tensor) -> Tensor:
    others = [axis for axis in range(weight_v.ndim) if axis != self.dim]  # all of them if it is -1
    return weight_v * (weight_g / torch.linalg.vector_norm(weight_v, dim=others, keepdim=self.dim != -1))


def make_statistics_differentiable(module: nn.Module) -> None:
    """Let normalisation layers of a module be differentiated by their running statistics, in place.

    PyTorch's kernel of batch normalisation takes them as constants; here it is written out, for evaluation alone.
    """
    for part in module.modules():
        if isinstance(part, _NormBase) and part.running_mean is not None and not part.training:
            name = "_apply_instance_norm" if isinstance(part, _InstanceNorm) else "forward"
            setattr(part, name, types.MethodType(_standardised, part))


def _standardised(self: Any, inputs: Tensor) -> Tensor:
    shape = (1, -1, *(1 for _ in inputs.shape[2:]))
    scaled = (inputs - self.running_mean.view(shape)) / (self.running_var.view(shape) + self.eps).sqrt()
    return scaled * self.weight.view(shape) + self.bias.view(shape) if self.affine else scaled
