"""Products of a loss's curvature matrices with vectors, without ever forming the matrices."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput, brief
from grokscape.landscape.measures.finite import need_finite
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import as_params
from grokscape.landscape.twice_differentiable import full_precision

Kind = Literal["hessian", "gauss_newton"]

#: Bytes beyond which a dense matrix is refused.
LARGEST_DENSE = 2**30


class Curvature:
    """The Hessian or Gauss-Newton matrix of the mean loss, of one network or of several side by side.

    Hessian: ``H = d^2 L / d theta^2``. Gauss-Newton: ``G = (1 / N) sum_i J_i^T (d^2 loss / d z^2) J_i`` with the
    Jacobian ``J_i = d z_i / d theta`` of the outputs z; positive semi-definite if the loss is convex in the outputs.

    On data of one batch, the graph of the gradient is built once and differentiated again for every product, which on
    a CPU is the cheapest method known; several batches are gone through anew, which bounds memory.

    Parameters
    ----------
    problem : Problem
    params : Tensor, shape (networks, P), optional
        The networks; by default the one that the problem starts from. None influences another.
    kind : {"hessian", "gauss_newton"}
    split : {"train", "test"}

    Attributes
    ----------
    matvecs : int
        Matrix-vector products so far, of one network each.
    """

    def __init__(self, problem: Problem, params: Any = None, *, kind: Kind = "hessian", split: str = "train") -> None:
        if kind not in ("hessian", "gauss_newton"):
            raise InvalidInput(f"kind is {kind!r}, expected 'hessian' or 'gauss_newton'")
        if split == "test":
            problem.need_test("the curvature of the test loss")
        self.problem, self.kind, self.split = problem, kind, split
        self.params = as_params(problem, params)
        self.matvecs = 0
        self._alone = len(self.params) == 1
        self._kept: Callable[[Tensor], Tensor] | None = None

    @property
    def size(self) -> int:
        """P, the order of each matrix."""
        return self.problem.size

    @property
    def count(self) -> int:
        """How many networks are measured side by side."""
        return len(self.params)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the parameters, and so of the products."""
        return self.params.dtype

    @property
    def device(self) -> torch.device:
        """Where the parameters lie."""
        return self.params.device

    @property
    def cost(self) -> Cost:
        """What the products so far cost."""
        return Cost(matvecs=self.matvecs)

    def matvec(self, vectors: Tensor) -> Tensor:
        """Multiply each network's matrix with its vector, shapes (networks, P).

        Raises
        ------
        InvalidInput
            If a function cannot be differentiated twice, or its second derivatives are wrong, or not finite where one
            network is measured alone (of several, it has NaN).
        """
        found = self.multiply(vectors)
        if self._alone:
            need_finite(self.problem, self.params, found, "second derivatives")
        return found

    @full_precision()
    def multiply(self, vectors: Tensor) -> Tensor:
        """Do the same, with NaN where a derivative is not a number: for losses that are infinite in places."""
        self.need_right()
        self.matvecs += self.count
        batches = self.problem.batches[self.split]
        if len(batches) == 1:
            if self._kept is None:
                self._kept = self._product(*batches[0])
            return self._kept(vectors)
        total = torch.zeros_like(self.params)
        for share, inputs, targets in self.problem.shares(self.split):
            total += share * self._product(inputs, targets)(vectors)
        return total

    def need_right(self) -> None:
        """Refuse wrong second derivatives, once they are asked for: what needs only gradients goes without."""
        if self.kind == "hessian" and self.problem.curvature_is_wrong:
            raise InvalidInput(
                "second derivatives by autograd are not those of the loss: products with the Hessian differ from "
                "differences of gradients; look for custom autograd functions, kernels whose second derivative is "
                "wrong or left out (detach() in a backward pass), and spectral normalisation in training mode"
            )

    def select(self, networks: Tensor) -> Curvature:
        """Return the curvature of some of the networks alone, by index."""
        other = copy.copy(self)
        other.params, other.matvecs, other._kept = self.params[networks], 0, None
        return other

    def dense(self) -> Tensor:
        """Return the matrices, shape (networks, P, P); costs P products of each network.

        Raises
        ------
        InvalidInput
            If they would take more than a gibibyte; the message gives the size.
        """
        size = self.count * self.size**2 * self.params.element_size()
        if size > LARGEST_DENSE:
            raise InvalidInput(
                f"the dense matrix of {self.size:,} parameters would take {size / 2**30:,.1f} GiB"
                + (f" for {self.count} networks" if self.count > 1 else "")
                + f", more than {LARGEST_DENSE / 2**30:.0f} GiB; choose fewer parameters with only=, or an estimator"
            )
        columns = [self.matvec(unit.expand(self.count, -1)) for unit in torch.eye(self.size).to(self.params)]
        matrix = torch.stack(columns, -1)
        return (matrix + matrix.mT) / 2

    def _product(self, inputs: object, targets: object) -> Callable[[Tensor], Tensor]:
        leaf = self.params.clone().requires_grad_()
        build = self._hessian if self.kind == "hessian" else self._gauss_newton
        return build(leaf, inputs, targets)

    def _hessian(self, leaf: Tensor, inputs: object, targets: object) -> Callable[[Tensor], Tensor]:
        # Networks share nothing, so the gradient of their summed losses holds each one's own.
        total = self.problem.losses(leaf, inputs, targets).sum()
        gradient = _gradient(total, leaf, create_graph=True)
        if not gradient.requires_grad:
            # Either the loss is linear in the parameters, or a function of the model does not let itself be
            # differentiated twice and says nothing; only elsewhere do the two look different.
            elsewhere = (leaf.detach() * 1.1 + 0.1).requires_grad_()
            there = _gradient(self.problem.losses(elsewhere, inputs, targets).sum(), elsewhere)
            if not torch.allclose(there, gradient, equal_nan=True):
                raise InvalidInput(_NO_SECOND.format("autograd lost it in between"))

        def product(vectors: Tensor) -> Tensor:
            return _second(gradient, leaf, vectors)

        return product

    def _gauss_newton(self, leaf: Tensor, inputs: object, targets: object) -> Callable[[Tensor], Tensor]:
        outputs = self.problem.outputs_of(leaf, inputs)
        if not isinstance(outputs, Tensor):
            raise InvalidInput(
                f"the Gauss-Newton matrix needs outputs that are one tensor, found {type(outputs).__name__}; let the "
                "model return the one of which the loss is taken, or use kind='hessian'"
            )
        fixed = outputs.detach().requires_grad_()
        losses = [self.problem.output_loss(one, targets) for one in fixed.unbind(0)]
        slope = _gradient(torch.stack(losses).sum(), fixed, create_graph=True)
        # J v as the derivative of J^T u with respect to u: reverse mode twice, which every module supports.
        dummy = torch.zeros_like(outputs, requires_grad=True)
        pulled = _gradient(outputs, leaf, dummy, create_graph=True)

        def product(vectors: Tensor) -> Tensor:
            pushed = _gradient(pulled, dummy, vectors, retain_graph=True)
            bent = (
                _gradient(slope, fixed, pushed, retain_graph=True) if slope.requires_grad else torch.zeros_like(pushed)
            )
            return _gradient(outputs, leaf, bent, retain_graph=True)

        return product


def _second(gradient: Tensor, leaf: Tensor, vectors: Tensor) -> Tensor:
    """Return the derivative of a gradient, or say which operation has none."""
    if not gradient.requires_grad:  # the loss is linear in the parameters
        return torch.zeros_like(leaf)
    try:
        (found,) = torch.autograd.grad(gradient, leaf, vectors, retain_graph=True, allow_unused=True)
    except (NotImplementedError, RuntimeError) as error:
        if "deriv" not in str(error) and "differentiate twice" not in str(error):
            raise
        raise InvalidInput(_NO_SECOND.format(brief(str(error), 160))) from error
    if found is None:
        raise InvalidInput(_NO_SECOND.format("autograd lost it in between"))
    return found


_NO_SECOND = (
    "the gradient of the loss cannot be differentiated again ({}); replace the operation or the autograd function in "
    "question by one that can be differentiated twice"
)


def _gradient(
    value: Tensor,
    leaf: Tensor,
    weight: Tensor | None = None,
    *,
    create_graph: bool = False,
    retain_graph: bool | None = None,
) -> Tensor:
    """Return the gradient with respect to `leaf`: zero where it has no part in the value."""
    if not value.requires_grad:
        return torch.zeros_like(leaf)
    (found,) = torch.autograd.grad(
        value, leaf, weight, create_graph=create_graph, retain_graph=retain_graph, allow_unused=True
    )
    return torch.zeros_like(leaf) if found is None else found
