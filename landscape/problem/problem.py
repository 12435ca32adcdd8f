"""A model, a loss and data, bound together: the loss as a function of one flat vector of parameters."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import vmap

from grokscape.landscape.classification import correct
from grokscape.landscape.embeddings import RefuseFlags
from grokscape.landscape.errors import InvalidInput, brief
from grokscape.landscape.problem.batches import Batch, chosen, concatenate, kept, length, part, split_batch, to_device
from grokscape.landscape.problem.checks import validate
from grokscape.landscape.problem.containers import copied, each_tensor, emptied, filled, tensors
from grokscape.landscape.problem.examples import need_separable, same_alone
from grokscape.landscape.problem.given_loss import GivenLoss
from grokscape.landscape.problem.gradient_check import wrong_curvature
from grokscape.landscape.problem.hooks import take_watchers_off
from grokscape.landscape.problem.memory import need_no_reading, settle_memory
from grokscape.landscape.problem.reading import as_batches
from grokscape.landscape.problem.varied_model import Function, VariedModel
from grokscape.landscape.problem.weighing import weighing, weights
from grokscape.landscape.twice_differentiable import full_precision


class Problem(VariedModel):
    """The mean loss of a model on data, as a function of its chosen parameters.

    ``L(theta) = (1 / N) sum_i loss(model(theta, x_i), y_i)``, with theta a vector (P,). Every instrument takes a
    `Problem`. The model given is copied and never touched: its mode, gradients, buffers and the global random state
    stay as they are.

    Parameters
    ----------
    model : nn.Module or callable
        A module, or a function ``f(parameters, inputs) -> outputs`` of a dict of tensors; then give `parameters`.
        Of a module, what only wraps it (`torch.compile`, `nn.DataParallel`), hooks on gradients, and forward hooks that
        change nothing are left out (these are called a few times, to find that out).
        Inputs that are a tuple (or a list, which a loader makes of it) are passed as several arguments to a module.
        Outputs are a tensor, or a tuple, dict or dataclass of them and of None, numbers and words; one with a single
        tensor, such as ``(logits, None)``, counts as that tensor everywhere but in the loss and in `accuracy`.
    loss : callable
        ``loss(outputs, targets)``, a scalar (the mean over its batch) or one value for each example, shape (n,). The
        mean over several batches is that over all data at once: of one value for each example, over all examples (also
        those whose value is 0 because they are ignored); of PyTorch's own losses (also under `functools.partial`), over
        what they divide by (targets that are not ignored, their class weights, or numbers). Any other scalar must be
        the mean over examples, which is tried on all batches; one that weighs examples unequally or compares them needs
        all data in one batch. A loss that holds the module (a penalty on ``model.parameters()``, a second pass) sees
        the varied parameters in it; one that holds the tensors themselves is refused.
    train, test : pair of (inputs, targets), or iterable of such pairs
        The data, with examples along the first axis. Batches are read once, copied and kept, so that every evaluation
        sees the same data even if a loader shuffles or writes its next batch over the last. They are moved to the
        model's device, and floating-point data take its precision. Two tuples of two, ``((a, b), (c, d))``, are read as
        what model and loss run on: two batches, or several inputs with several targets. Of an iterable that does not
        say how long it is, at most a million examples and 8 GiB are read.
    parameters : mapping of str to Tensor, optional
        Where a function starts from; for a module, its own parameters.
    only : str or sequence of str, optional
        Glob patterns; only parameters with a matching name are varied, the others stay constant. For a module,
        parameters that do not require a gradient stay constant too.
    accuracy : callable, optional
        ``accuracy(outputs, targets)``, one value between 0 and 1 for each example, shape (n,); examples whose value is
        NaN do not count. By default, whether the target's output is strictly the largest, if targets are class indices
        (of several positions, the share); otherwise accuracy is NaN. Targets that are no class, or that a loss of
        PyTorch's own ignores, do not count. Classes lie along axis 1 or the last, as shapes or else the loss tell; NaN
        if neither does.
    batch_size : int, optional
        Cut tensors into batches of this size, to bound memory. By default they stay whole, which is fastest.
    limit : int, optional
        Read at most so many examples of each split.
    training_mode : bool
        Run a module as in training (with the statistics of each batch, so that values depend on how data are cut;
        dropout is refused, because it is random). By default it runs as in evaluation.

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
        call, or the loss is neither a mean nor one value for each example, or pairs outputs with others' targets; if
        the model cannot be copied, draws at random, keeps something between calls that changes the loss, uses trainable
        tensors that are not varied, or computes with few digits; if its gradient clearly is not that of the loss
        (`grokscape.landscape.problem.gradient_check`).
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
        limit: int | None = None,
        training_mode: bool = False,
    ) -> None:
        if not callable(loss):
            raise InvalidInput(f"loss is {brief(repr(loss), 80)}, expected a function loss(outputs, targets)")
        self._accuracy = accuracy
        self.weighing = weighing(loss)
        self.class_axis: int | None = -1
        super().__init__(model, parameters, only, training_mode)
        mode = training_mode if self.template is not None else None
        self._loss = GivenLoss(loss, self._originals, self._original_buffers, mode)
        data = {"train": train} if test is None else {"train": train, "test": test}
        self.batches = {
            split: as_batches(some, split, self.start, batch_size, limit=limit, runs=self._runs)
            for split, some in data.items()
        }
        self._weigh()
        with RefuseFlags():
            take_watchers_off(self)
            validate(self)
        settle_memory(self)
        need_no_reading(self)
        for split in self.batches:
            need_separable(self, split, batch_size)

    # -- what it is made of --------------------------------------------------------------------------------------------

    def need_test(self, instrument: str) -> None:
        """Refuse a problem without test data."""
        if "test" not in self.batches:
            raise InvalidInput(f"{instrument} compares with the test loss, but no test data were given; pass test=")

    def subset(self, indices: Tensor) -> Problem:
        """Return the same problem with only these of its training examples (counted over all batches in turn).

        Where batches differ in more than their number of examples, each run of indices in one batch becomes a batch.
        """
        self.need_examples("a subset of the data")
        return self._with_training(chosen(self.batches["train"], indices))

    def relabelled(self, targets: Any) -> Problem:
        """Return the same problem with other training targets, for all examples in turn."""
        inputs, _ = self.all_data("train")
        return self._with_training([(inputs, to_device(targets, self.start))])

    def _with_training(self, data: list[Batch]) -> Problem:
        """Return the same problem with other training data, cut like these."""
        size = max(map(length, self.batches["train"])) if len(self.batches["train"]) > 1 else None
        return self.with_batches(train=kept(data, "train", size))

    def with_batches(self, **batches: list[Batch]) -> Problem:
        """Return the same problem with other batches in some splits, on its device and in its precision."""
        other = copy.copy(self)
        other.batches = self.batches | batches
        other._weigh()
        return other

    def _weigh(self) -> None:
        """Take stock of the batches: how many examples they hold, and how much they weigh in the mean loss."""
        self.count = {split: sum(map(length, batches)) for split, batches in self.batches.items()}
        self._weights = {split: weights(self.weighing, batches) for split, batches in self.batches.items()}
        for split, found in self._weights.items():
            if not sum(found) > 0:
                raise InvalidInput(
                    f"{split} targets hold none that counts: all are ignored by the loss, or their classes weigh "
                    "nothing; check ignore_index and the class weights"
                )

    def need_examples(self, instrument: str) -> None:
        """Refuse to separate examples that are not along the first axis, or depend on the rest of their batch."""
        if not self.separable:
            raise InvalidInput(
                f"{instrument} takes examples apart along the first axis, but some of a batch alone have other outputs "
                "than in the batch, or the model fails on them; bring data and model to have examples along the first "
                "axis of inputs, outputs and targets (batch_first=True), or give all data in one batch and use "
                "instruments that leave it whole"
            )

    @functools.cached_property
    def separable(self) -> bool:
        """Whether the later half of a batch has the same outputs alone; taken for granted in training mode."""
        _, inputs, targets = next(self.shares("train"))
        return self.training_mode or same_alone(self, (inputs, targets), length((inputs, targets)) // 2) is True

    def all_data(self, split: str) -> Batch:
        """Return all of a split's data as one batch."""
        return concatenate(self.batches[split])

    # -- one network ---------------------------------------------------------------------------------------------------

    def raw_loss(self, outputs: Any, targets: Any, vector: Tensor | None = None) -> Any:
        """Return what the loss gives: by contract a scalar or one value for each example.

        A loss that holds the model sees in it the parameters of the vector (P,), by default those at the start, and
        the frozen parameters and buffers that the problem carries.
        """
        if self.writes:
            outputs, targets = copied(outputs), copied(targets)
        outputs = self.whole_outputs(outputs)
        if not self._loss.runs_model:
            return self._loss(outputs, targets)
        tensors_by_name = self._buffers | self.everything(self.start if vector is None else vector)
        varied_buffers = len(self._buffers) < len(self._original_buffers)
        return self._loss.at(tensors_by_name, outputs, targets, varied_buffers)

    @property
    def given_loss(self) -> GivenLoss:
        """The loss as it was given, and how it depends on the model."""
        return self._loss

    @full_precision()
    def batch_loss(self, vector: Tensor, inputs: Any, targets: Any) -> Tensor:
        """Return the mean loss on one batch, differentiable, shape ()."""
        return self.raw_loss(self.outputs(vector, inputs), targets, vector).mean()

    @full_precision()
    def output_loss(self, outputs: Any, targets: Any) -> Tensor:
        """Return the mean loss of given outputs, differentiable, shape ()."""
        self._loss.need_outputs_alone("the loss of given outputs")
        return self.raw_loss(outputs, targets).mean()

    @functools.cached_property
    def curvature_is_wrong(self) -> bool:
        """Whether second derivatives by autograd are clearly not those of the loss; see `gradient_check`."""
        return wrong_curvature(self)

    def shares(self, split: str) -> Iterator[tuple[float, Any, Any]]:
        """Yield every batch with its share in the split's mean loss, but those that have none."""
        return ((share, *batch) for share, batch in self.shared(split) if share)

    def shared(self, split: str) -> Iterator[tuple[float, Batch]]:
        """Yield every batch with its share in the split's mean loss; where that is 0, the loss may be NaN."""
        total = sum(self._weights[split])
        return (
            (weight / total, batch) for weight, batch in zip(self._weights[split], self.batches[split], strict=True)
        )

    def _runs(self, batch: Batch) -> bool:
        """Return whether model and loss run on a batch."""
        try:
            with torch.no_grad():
                outputs = self._function(self.everything(self.start), batch[0])
                return bool(self._loss.at(self._buffers | self.everything(self.start), outputs, batch[1]).ndim < 2)
        except Exception:  # whatever somebody else's module can raise
            return False

    # -- many networks -------------------------------------------------------------------------------------------------

    @functools.cached_property
    def vectorised(self) -> bool:
        """Whether `torch.func.vmap` can run several of these networks at once; some modules (LSTM) have no rule."""
        if self._loss.reads_hooks:  # they keep what one network did
            return False
        _, *batch = next(self.shares("train"))
        two = next(split_batch((batch[0], batch[1]), 2))
        params = self.start.expand(2, -1).clone().requires_grad_()
        inputs, targets = two if self._runs(copied(two)) else batch  # a model may insist on its batch
        try:
            with torch.enable_grad():  # whoever asks first may not want gradients
                losses = vmap(lambda row: self.batch_loss(row, inputs, targets))(params)
                torch.autograd.grad(losses.sum(), params)
        except Exception:  # whatever somebody else's module can raise
            return False
        return True

    def outputs_of(self, params: Tensor, inputs: Any, *, own: bool = False) -> Any:
        """Return the outputs of several networks, shape (networks, n, ...), differentiable.

        Parameters
        ----------
        params : Tensor, shape (networks, P)
        inputs : Tensor
            Shape (n, ...), or (networks, n, ...) if every network has its `own`.
        own : bool
        """
        return self._each(self.outputs, params, (inputs,), own)

    def losses(self, params: Tensor, inputs: Any, targets: Any, *, own: bool = False) -> Tensor:
        """Return the mean loss of several networks on one batch, shape (networks,), differentiable (see above)."""
        return self._each(self.batch_loss, params, (inputs, targets), own)

    def _each(self, function: Callable[..., Any], params: Tensor, data: tuple[Any, ...], own: bool) -> Any:
        form, contents = (emptied(data), tensors(data)) if own else (data, [])
        if len(params) > 1 and self.vectorised:
            result: Any = None

            def tensors_of(row: Tensor, *mine: Tensor) -> tuple[Tensor, ...]:
                nonlocal result
                outputs = function(row, *filled(form, mine))
                result = emptied(outputs)
                return tuple(tensors(outputs))

            found = vmap(tensors_of)(params, *contents)
            return filled(result, found)
        results = [
            function(row, *filled(form, (leaf[index] for leaf in contents)))
            for index, row in enumerate(params.unbind(0))
        ]
        return each_tensor(lambda *leaves: torch.stack(leaves), *results)

    @full_precision()
    def gradients(self, params: Tensor, split: str = "train") -> tuple[Tensor, Tensor]:
        """Return loss (networks,) and gradient (networks, P) of several networks on a whole split."""
        losses, gradients = params.new_zeros(len(params)), torch.zeros_like(params)
        for share, inputs, targets in self.shares(split):
            leaf = params.detach().requires_grad_()
            values = self.losses(leaf, inputs, targets)
            losses += share * values.detach()
            (gradient,) = torch.autograd.grad(values.sum(), leaf, allow_unused=True)
            if gradient is not None:  # no chosen parameter has a part in the loss
                gradients += share * gradient
        return losses, gradients

    @torch.no_grad()
    @full_precision()
    def evaluate(self, params: Tensor, split: str = "train") -> dict[str, Tensor]:
        """Return ``loss`` and ``accuracy`` of several networks on a whole split, each float64 of shape (networks,)."""
        loss = torch.zeros(len(params), dtype=torch.float64)
        found: list[list[tuple[float, int]]] = [[] for _ in params]
        for share, (inputs, targets) in self.shared(split):
            outputs = None if self._loss.reads_hooks else self.outputs_of(params, inputs)
            for index, mine in enumerate(found):
                one = self.outputs(params[index], inputs) if self._loss.reads_hooks else part(outputs, index)
                if share:
                    loss[index] += share * float(self.raw_loss(one, targets, params[index]).mean())
                mine.append(self.accuracy(one, targets))
        return {"loss": loss, "accuracy": torch.tensor([_mean(mine) for mine in found], dtype=torch.float64)}

    def accuracy(self, outputs: Any, targets: Any) -> tuple[float, int]:
        """Return the mean of `correct` over the examples that count, NaN if none does, and how many they are."""
        found = self.correct(outputs, targets)
        counted = found[~found.isnan()]
        return float((found if counted.numel() == found.numel() else counted).mean()), counted.numel()

    def correct(self, outputs: Any, targets: Any) -> Tensor:
        """Return for each example how correct the outputs are, between 0 and 1, shape (n,); NaN where undefined."""
        if self._accuracy is None:
            return correct(outputs, targets, self.class_axis, self.weighing.ignored)
        found = torch.as_tensor(self._accuracy(self.whole_outputs(outputs), targets)).double()
        n = len(next(iter(tensors((targets, outputs)))))
        if tuple(found.shape) not in {(), (n,)}:
            raise InvalidInput(
                f"accuracy returned shape {tuple(found.shape)} on {n} examples, expected one value for each: shape "
                f"({n},)"
            )
        return found.expand(n)

    def classes_last(self, outputs: Tensor) -> Tensor:
        """Return outputs with the classes along the last axis."""
        return outputs.movedim(1, -1) if self.class_axis == 1 else outputs


def _mean(found: list[tuple[float, int]]) -> float:
    """Return the mean over batches of means over so many examples; NaN if there are none."""
    total = sum(count for _, count in found)
    return sum(count / total * value for value, count in found if count) if total else math.nan
