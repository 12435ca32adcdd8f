"""Weight normalisation that can be differentiated twice."""

from __future__ import annotations

import types
from typing import Any

import torch
from torch import Tensor, nn


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
