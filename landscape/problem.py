"""A model, a loss and data, bound together: the loss as a function of one flat vector of parameters."""

from __future__ import annotations

import copy
import fnmatch
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils import _pytree as pytree

from landscape.batches import Batch, joined, length, taken
from landscape.classification import right
from landscape.errors import InvalidInput
from landscape.layout import Layout
from landscape.probe import probe
from landscape.twice_differentiable import make_twice_differentiable, twice_differentiable

Function = Callable[[dict[str, Tensor], Any], Any]


class Problem:
    """The mean loss of a model on data, as a function of its chosen parameters.

    ``L(theta) = (1 / N) sum_i loss(model(theta, x_i), y_i)``, with theta a vector (P,). Every instrument takes a
    `Problem`. The model given is copied and never touched: its mode, gradients, buffers and the global random state
    stay as they are.

    Parameters
    ----------
    model : nn.Module or callable
        A module, or a function ``f(parameters, inputs) -> outputs`` of a dict of tensors; then give `parameters`.
        Inputs that are a tuple (or a list, which a loader makes of it) are passed as several arguments to a module.
    loss : callable
        ``loss(outputs, targets)``, a scalar (the mean over its batch) or one value for each example, shape (n,). A
        scalar that weighs examples unequally (class weights, ``ignore_index``) or compares them depends on how data are
        cut into batches; give it all data in one.
    train, test : pair of (inputs, targets), or iterable of such pairs
        The data. Batches are read once and kept, so that every evaluation sees the same data even if a loader
        shuffles. They are moved to the model's device, and floating-point data take its precision.
    parameters : mapping of str to Tensor, optional
        Where a function starts from; for a module, its own parameters.
    only : str or sequence of str, optional
        Glob patterns; only parameters with a matching name are varied, the others stay constant. For a module,
        parameters that do not require a gradient stay constant too.
    accuracy : callable, optional
        ``accuracy(outputs, targets)``, one value between 0 and 1 for each example, shape (n,). By default, whether
        the target's output is strictly the largest, if targets are class indices; otherwise accuracy is NaN.
    batch_size : int, optional
        Cut tensors into batches of this size, to bound memory. By default they stay whole, which is fastest.
    training_mode : bool
        Run a module as in training (batch statistics; dropout is refused, because it is random). By default it runs as
        in evaluation.

    Attributes
    ----------
    layout : Layout
        Names and shapes of the varied parameters; tied ones occur once.
    start : Tensor, shape (P,)
        Their values when the problem was made.

    Raises
    ------
    InvalidInput
        If nothing can be varied, a weight is not finite, data are empty, model or loss fail or change from call to
        call, or the loss is neither a mean nor one value for each example.
    """

    @torch.inference_mode(False)  # tensors that are made here must take gradients
    def __init__(
        self,
        model: nn.Module | Function,
        loss: Callable[[Any, Any], Tensor],
        train: Batch | Iterable[Batch],
        test: Batch | Iterable[Batch] | None = None,
        *,
        parameters: Mapping[str, Tensor] | None = None,
        only: str | Sequence[str] | None = None,
        accuracy: Callable[[Any, Any], Tensor] | None = None,
        batch_size: int | None = None,
        training_mode: bool = False,
    ) -> None:
        if not callable(loss):
            raise InvalidInput(f"loss is {loss!r:.80}, expected a function loss(outputs, targets)")
        self._loss, self._accuracy = loss, accuracy
        everything = self._adopt(model, parameters, training_mode)
        chosen = _chosen(everything, only)
        self.layout = Layout({name: everything[name].shape for name in chosen})
        if not self.layout.size:
            raise InvalidInput("the chosen parameters have no elements; nothing can be varied")
        kinds = {(everything[name].dtype, everything[name].device) for name in chosen}
        if len(kinds) > 1:
            raise InvalidInput(
                f"parameters have several precisions or devices ({', '.join(sorted(map(str, kinds)))}); convert the "
                "model to one of them, for instance with model.float()"
            )
        ((self.dtype, self.device),) = kinds
        if self.dtype not in (torch.float32, torch.float64):
            raise InvalidInput(
                f"parameters are {self.dtype}, expected torch.float32 or torch.float64: with fewer digits curvature "
                "and small steps are lost, and of complex numbers the imaginary part; convert with model.float()"
            )
        self.start = self.layout.row({name: everything[name].detach() for name in chosen}).clone()
        self._constants = {name: t.detach() for name, t in everything.items() if name not in self.layout.shapes}
        self._buffers = {} if self.template is None else dict(self.template.named_buffers())
        self.batches = {"train": taken(train, "train", self.start, batch_size)}
        if test is not None:
            self.batches["test"] = taken(test, "test", self.start, batch_size)
        self.count = {split: sum(map(length, batches)) for split, batches in self.batches.items()}
        probe(self)

    # -- what it is made of --------------------------------------------------------------------------------------------

    def _adopt(
        self, model: nn.Module | Function, parameters: Mapping[str, Tensor] | None, training_mode: bool
    ) -> dict[str, Tensor]:
        """Take a private copy of the model; return all of its parameters by name."""
        self.template: nn.Module | None = None
        if isinstance(model, nn.Module):
            if parameters is not None:
                raise InvalidInput("parameters are given beside a module, which has its own; leave them out")
            try:
                self.template = copy.deepcopy(model).train(training_mode)
            except RuntimeError as error:
                raise InvalidInput(
                    f"the model cannot be copied ({error!s:.120}); detach the tensors that it keeps between calls"
                ) from error
            make_twice_differentiable(self.template)
            if training_mode:
                _refuse_dropout(self.template)
            self._function: Function = self._call_module
            return dict(self.template.named_parameters())
        if not callable(model) or not isinstance(parameters, Mapping) or not parameters:
            raise InvalidInput(
                f"model is {model!r:.80}, expected an nn.Module, or a function f(parameters, inputs) together with "
                "parameters={name: tensor}"
            )
        self._function = model
        copies = {name: tensor.detach().clone() for name, tensor in parameters.items()}
        return {name: tensor.requires_grad_(tensor.is_floating_point()) for name, tensor in copies.items()}

    def _call_module(self, parameters: dict[str, Tensor], inputs: Any) -> Any:
        assert self.template is not None
        arguments = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)  # a loader makes lists of tuples
        # Copies: what a module writes into its buffers must not reach the next evaluation.
        parameters = {name: buffer.clone() for name, buffer in self._buffers.items()} | parameters
        with twice_differentiable():
            return functional_call(self.template, parameters, arguments)

    def as_it_is(self, inputs: Any) -> Any:
        """Return the outputs of the module with the tensors that it has itself."""
        arguments = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
        assert self.template is not None
        with twice_differentiable():
            return self.template(*arguments)

    def need_test(self, instrument: str) -> None:
        """Refuse a problem without test data."""
        if "test" not in self.batches:
            raise InvalidInput(f"{instrument} compares with the test loss, but no test data were given; pass test=")

    def subset(self, indices: Tensor) -> Problem:
        """Return the same problem with only these of its training examples (counted over all batches in turn)."""
        whole = self.whole("train")
        return self._with_training(pytree.tree_map(lambda leaf: leaf[indices.to(leaf.device)], whole))

    def relabelled(self, targets: Any) -> Problem:
        """Return the same problem with other training targets, for all examples in turn."""
        inputs, _ = self.whole("train")
        return self._with_training((inputs, targets))

    def carried(self) -> dict[str, Tensor]:
        """Return what a network has besides the varied parameters, by name: frozen parameters and buffers."""
        return self._constants | self._buffers

    def buffers(self) -> dict[str, Tensor]:
        """Return the buffers by name."""
        return dict(self._buffers)

    def carrying(self, tensors: Mapping[str, Tensor], varied: Sequence[str] = ()) -> Problem:
        """Return the same problem with other frozen parameters and buffers; those named as varied end its vectors."""
        other, known = copy.copy(self), self.carried() | dict(tensors)
        other.layout = Layout(self.layout.shapes | {name: known[name].shape for name in varied})
        other.start = torch.cat([self.start, *(known[name].to(self.start).reshape(-1) for name in varied)])
        other._constants = {name: known[name] for name in self._constants if name not in varied}
        other._buffers = {name: known[name] for name in self._buffers if name not in varied}
        if self.template is not None:
            other._function = other._call_module  # bound to the copy, not to this problem
        return other

    def _with_training(self, data: Batch) -> Problem:
        """Return the same problem with other training data, cut like these."""
        other = copy.copy(self)
        size = max(map(length, self.batches["train"])) if len(self.batches["train"]) > 1 else None
        other.batches = self.batches | {"train": taken(data, "train", self.start, size)}
        other.count = self.count | {"train": length(data)}
        return other

    def whole(self, split: str) -> Batch:
        """Return all of a split's data as one batch."""
        return joined(self.batches[split])

    # -- one network ---------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """P, how many numbers can be varied."""
        return self.layout.size

    def everything(self, vector: Tensor) -> dict[str, Tensor]:
        """Return all parameters by name: those of a vector (P,), and those that stay constant."""
        return self._constants | self.layout.tensors(vector)

    def outputs(self, vector: Tensor, inputs: Any) -> Any:
        """Return the model's outputs with the parameters of a vector (P,)."""
        return self._function(self.everything(vector), inputs)

    def raw_loss(self, outputs: Any, targets: Any) -> Any:
        """Return what the loss gives: by contract a scalar or one value for each example."""
        return self._loss(outputs, targets)

    def batch_loss(self, vector: Tensor, inputs: Any, targets: Any) -> Tensor:
        """Return the mean loss on one batch, differentiable, shape ()."""
        return self._loss(self.outputs(vector, inputs), targets).mean()

    def output_loss(self, outputs: Any, targets: Any) -> Tensor:
        """Return the mean loss of given outputs, differentiable, shape ()."""
        return self._loss(outputs, targets).mean()

    def shares(self, split: str) -> Iterator[tuple[float, Any, Any]]:
        """Yield every batch with the share of the split's examples that it holds."""
        for batch in self.batches[split]:
            yield length(batch) / self.count[split], *batch

    # -- many networks -------------------------------------------------------------------------------------------------

    @functools.cached_property
    def vectorised(self) -> bool:
        """Whether `torch.func.vmap` can run several of these networks at once; some modules (LSTM) have no rule."""
        inputs, targets = pytree.tree_map(lambda leaf: leaf[:2], self.batches["train"][0])
        rows = self.start.expand(2, -1).clone().requires_grad_()
        try:
            with torch.enable_grad():  # whoever asks first may not want gradients
                losses = vmap(lambda row: self.batch_loss(row, inputs, targets))(rows)
                torch.autograd.grad(losses.sum(), rows)
        except (RuntimeError, TypeError, ValueError, NotImplementedError):
            return False
        return True

    def outputs_of(self, rows: Tensor, inputs: Any, *, own: bool = False) -> Any:
        """Return the outputs of several networks, shape (networks, n, ...), differentiable.

        Parameters
        ----------
        rows : Tensor, shape (networks, P)
        inputs : Tensor
            Shape (n, ...), or (networks, n, ...) if every network has its `own`.
        own : bool
        """
        return self._each(self.outputs, rows, (inputs,), own)

    def losses(self, rows: Tensor, inputs: Any, targets: Any, *, own: bool = False) -> Tensor:
        """Return the mean loss of several networks on one batch, shape (networks,), differentiable (see above)."""
        return self._each(self.batch_loss, rows, (inputs, targets), own)

    def _each(self, function: Callable[..., Any], rows: Tensor, data: tuple[Any, ...], own: bool) -> Any:
        if len(rows) > 1 and self.vectorised:
            return vmap(function, in_dims=(0, *((0 if own else None) for _ in data)))(rows, *data)
        results = []
        for index, row in enumerate(rows.unbind(0)):
            mine = pytree.tree_map(lambda leaf, index=index: leaf[index], data) if own else data
            results.append(function(row, *mine))
        return pytree.tree_map(lambda *leaves: torch.stack(leaves), *results)

    def gradients(self, rows: Tensor, split: str = "train") -> tuple[Tensor, Tensor]:
        """Return loss (networks,) and gradient (networks, P) of several networks on a whole split."""
        losses, gradients = rows.new_zeros(len(rows)), torch.zeros_like(rows)
        for share, inputs, targets in self.shares(split):
            leaf = rows.detach().requires_grad_()
            values = self.losses(leaf, inputs, targets)
            losses += share * values.detach()
            (gradient,) = torch.autograd.grad(values.sum(), leaf, allow_unused=True)
            if gradient is not None:  # no chosen parameter has a part in the loss
                gradients += share * gradient
        return losses, gradients

    @torch.no_grad()
    def evaluate(self, rows: Tensor, split: str = "train") -> dict[str, Tensor]:
        """Return ``loss`` and ``accuracy`` of several networks on a whole split, each float64 of shape (networks,)."""
        totals = {name: torch.zeros(len(rows), dtype=torch.float64) for name in ("loss", "accuracy")}
        for share, inputs, targets in self.shares(split):
            outputs = self.outputs_of(rows, inputs)
            for index in range(len(rows)):
                one = pytree.tree_map(lambda leaf, index=index: leaf[index], outputs)
                totals["loss"][index] += share * float(self._loss(one, targets).mean())
                totals["accuracy"][index] += share * float(self.rightness(one, targets).mean())
        return totals

    def rightness(self, outputs: Any, targets: Any) -> Tensor:
        """Return for each example how right the outputs are, between 0 and 1, shape (n,); NaN where undefined."""
        if self._accuracy is not None:
            return self._accuracy(outputs, targets).double()
        return right(outputs, targets)


def _chosen(everything: Mapping[str, Tensor], only: str | Sequence[str] | None) -> list[str]:
    """Return the names of the parameters to vary."""
    free = [name for name, tensor in everything.items() if tensor.requires_grad]
    if not free:
        raise InvalidInput("no parameter requires a gradient, so there is nothing to vary; unfreeze some")
    if only is None:
        return free
    patterns = [only] if isinstance(only, str) else list(only)
    for pattern in patterns:
        if not fnmatch.filter(free, pattern):
            raise InvalidInput(f"only={pattern!r} matches no free parameter; there are {', '.join(free)}")
    return [name for name in free if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def _refuse_dropout(module: nn.Module) -> None:
    for name, part in module.named_modules():
        rate = getattr(part, "p", getattr(part, "dropout", 0.0))
        if "dropout" in type(part).__name__.lower() and rate:
            raise InvalidInput(f"module {name!r} drops out at random in training mode; set its rate to 0")
