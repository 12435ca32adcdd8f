"""Many embeddings and decoders over stacked parameters; their gradient is written out, which makes it fast."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.experiment import Weights
from grokscape.landscape.learners.embedding_parameters import Parameters
from grokscape.landscape.theory import parallelograms
from grokscape.landscape.training.arithmetic import BY_PYTORCH

if TYPE_CHECKING:
    from grokscape.landscape.learners.embedding_decoder import EmbeddingDecoder

#: (split, quantity) -> values of all runs, shape (runs,).
Found = dict[tuple[str, str], np.ndarray]


class EmbeddingEnsemble:
    """Runs of one `batch_key` over stacked parameters, in float32.

    Layers are matrices (runs, before + 1, after) whose last row is the bias, and activations have a last column of
    ones, so that one product does both. Outputs are filled up with zeros, which stay zero, to a multiple of 8: products
    of such widths are up to twice as fast.

    Parameters
    ----------
    runs : sequence of EmbeddingDecoder
    device : str
    """

    arithmetic = BY_PYTORCH

    def __init__(self, runs: Sequence[EmbeddingDecoder], device: str = "cpu") -> None:
        first = runs[0]
        self.symbols, self.outputs = first.symbols, first.outputs
        drawn = [_drawn(run) for run in runs]
        embedding, targets, *layers = (torch.stack(parts).to(device) for parts in zip(*drawn, strict=True))
        self.embedding = Parameters([embedding], [run.embedding for run in runs])
        self.decoder = Parameters(layers, [run.decoder for run in runs])
        # Which symbols make up each pair, ones and a two where it is a double: shape (pairs, symbols).
        pairs = torch.tensor(parallelograms.pairs(self.symbols))
        made_of = torch.nn.functional.one_hot(pairs, self.symbols).sum(1).float()
        self.made_of = made_of.to(device)
        chosen = torch.tensor(np.stack([run.train_pairs for run in runs]))
        labels = torch.tensor(np.stack([run.sums for run in runs]))
        trained = torch.zeros(labels.shape, dtype=torch.bool).scatter_(1, chosen, True)
        seen = torch.zeros(len(runs), targets.shape[1], dtype=torch.bool).scatter_(1, labels.gather(1, chosen), True)
        wanted = targets.cpu()[torch.arange(len(runs))[:, None], labels]
        self.runs = {
            "targets": targets,
            "labels": labels,
            "wanted": wanted,
            "trained": trained,
            "known": seen.gather(1, labels) & ~trained,
            "train_made_of": made_of[chosen],
            "train_wanted": wanted.gather(1, chosen[..., None].expand(-1, -1, wanted.shape[2])),
        }
        self.runs = {name: tensor.to(device) for name, tensor in self.runs.items()}
        self.number = 0
        self._prepare()

    def _prepare(self) -> None:
        """Make room for what the layers compute on the pairs trained on."""
        made_of = self.runs["train_made_of"]
        shapes = [layer.shape[1:] for layer in self.decoder.arrays]
        self.hidden = [made_of.new_ones(*made_of.shape[:2], before) for before, _ in shapes]
        self.after = [made_of.new_empty(*made_of.shape[:2], after) for _, after in shapes]
        self.one = made_of.new_ones(())

    def keep(self, staying: list[int]) -> None:
        """Let all but some runs leave."""
        self.runs = {name: tensor[staying] for name, tensor in self.runs.items()}
        self.embedding.keep(staying)
        self.decoder.keep(staying)
        self._prepare()

    @property
    def places(self) -> Tensor:
        """Embeddings, shape (runs, p, d)."""
        return self.embedding.arrays[0]

    def decode(self) -> Tensor:
        """Return the decoder's outputs on all pairs, shape (runs, pairs, outputs filled up)."""
        hidden = self.made_of @ self.places
        for index, layer in enumerate(self.decoder.arrays):
            # The hyperbolic tangent of PyTorch takes four times as long as its logistic function.
            inner = hidden.mul_(2).sigmoid_().mul_(2).sub_(1) if index else hidden
            hidden = torch.baddbmm(layer[:, -1:], inner, layer[:, :-1])
        return hidden

    def gradient(self) -> None:
        """Write the gradient of each run's loss into `gradients` of embedding and decoder."""
        made_of, wanted = self.runs["train_made_of"], self.runs["train_wanted"]
        layers = self.decoder.arrays
        self.hidden[0][..., :-1] = made_of @ self.places
        for index, layer in enumerate(layers):
            after = torch.bmm(self.hidden[index], layer, out=self.after[index])
            if index < len(layers) - 1:
                torch.sub(after.mul_(2).sigmoid_().mul_(2), self.one, out=self.hidden[index + 1][..., :-1])
        error = after.sub_(wanted).mul_(2 / (wanted.shape[1] * self.outputs))
        for index in reversed(range(len(layers))):
            before, weight = self.hidden[index], layers[index][:, :-1]
            torch.bmm(before.transpose(1, 2), error, out=self.decoder.gradients[index])
            if index:
                error = torch.bmm(error, weight.transpose(1, 2), out=self.after[index - 1])
                error.addcmul_(error, before[..., :-1].square(), value=-1)
        by_sum = torch.bmm(error, layers[0][:, :-1].transpose(1, 2))
        torch.bmm(made_of.transpose(1, 2), by_sum, out=self.embedding.gradients[0])

    def advance(self, steps: int = 1) -> None:
        """Take steps of AdamW on embeddings and decoder."""
        for _ in range(steps):
            self.number += 1
            self.gradient()
            self.embedding.step(self.number)
            self.decoder.step(self.number)

    def measure(self) -> Found:
        """Return (split, quantity) -> values, shape (runs,)."""
        outputs, targets = self.decode(), self.runs["targets"]
        # Of |output - target|^2 the square of the output is the same for all targets.
        nearest = torch.baddbmm(targets.square().sum(2)[:, None], outputs, targets.transpose(1, 2), alpha=-2).argmin(2)
        right = (nearest == self.runs["labels"]).cpu().numpy()
        loss = (outputs - self.runs["wanted"]).square_().sum(2).double().cpu().numpy() / self.outputs
        train = self.runs["trained"].cpu().numpy()
        places = self.places.double().cpu().numpy()
        realised = parallelograms.gaps(places, parallelograms.couples(self.symbols)) < parallelograms.TOLERANCE
        known = self.runs["known"].cpu().numpy()
        sums = [(values * chosen).sum(1) for values in (loss, right) for chosen in (train, ~train)]
        shares = [realised.mean(1), parallelograms.reach(self.symbols, train, realised)]
        return averages([*sums, (right & known).sum(1), *shares], train, known)

    def arrays_of(self, row: int) -> Weights:
        """Return a copy of one run's parameters and moments, for `restore`."""
        parts = {"embedding": self.embedding, "decoder": self.decoder}
        return {f"{part}/{name}": array for part in parts for name, array in parts[part].of_run(row).items()}

    def restore(self, saved: Sequence[Weights], number: int) -> None:
        """Put every run where `arrays_of` found it after so many steps."""
        self.number = number
        for part, parameters in (("embedding", self.embedding), ("decoder", self.decoder)):
            parameters.restore([{name: arrays[f"{part}/{name}"] for name in parameters.KEPT} for arrays in saved])

    def embedding_of(self, row: int) -> np.ndarray:
        """Return one run's embedding, float32 of shape (p, d)."""
        return self.places[row].cpu().numpy().copy()


def averages(sums: Sequence[np.ndarray], trained: np.ndarray, known: np.ndarray) -> Found:
    """Return what is recorded of runs.

    Parameters
    ----------
    sums : sequence of array, shape (runs,)
        Of losses on pairs trained on and on others; of correct answers on both, and on pairs of known sums; then the
        shares of parallelograms realised and of pairs reached.
    trained, known : array of bool, shape (runs, pairs)
    """
    *losses, of_train, of_test, of_known, realised, reached = sums
    found = {("", "quality"): realised, ("", "predicted accuracy"): reached}
    rights = (of_train, of_test)
    for split, chosen, loss, right in zip(("train", "test"), (trained, ~trained), losses, rights, strict=True):
        found[split, "loss"], found[split, "accuracy"] = loss / chosen.sum(1), right / chosen.sum(1)
    on_known = of_known / np.maximum(known.sum(1), 1)
    found["test", "accuracy on known sums"] = on_known
    found["", "lower accuracy"] = np.minimum(found["train", "accuracy"], on_known)
    return found


def decoder_size(sizes: Sequence[int]) -> int:
    """Return how many numbers a decoder has whose layers have these sizes, its outputs filled up."""
    filled = [*sizes[:-1], sizes[-1] + -sizes[-1] % 8]
    return sum((before + 1) * after for before, after in itertools.pairwise(filled))


def _drawn(run: EmbeddingDecoder) -> tuple[Tensor, ...]:
    """Draw embeddings from U(-1/2, 1/2), targets from N(0, I), and dense layers as PyTorch does."""

    def uniform(name: str, shape: tuple[int, int], bound: float) -> Tensor:
        drawn = randomness.generator(run.seed, name).uniform(-bound, bound, shape)
        return torch.tensor(drawn, dtype=torch.float32)

    shape = (2 * run.symbols - 1, run.outputs)
    targets = torch.tensor(randomness.generator(run.seed, "targets").normal(size=shape), dtype=torch.float32)
    *layers, last = (
        uniform(f"layer/{index}", (before + 1, after), before**-0.5)
        for index, (before, after) in enumerate(itertools.pairwise(run.sizes))
    )
    fill = (0, -run.outputs % 8)
    last, targets = (torch.nn.functional.pad(array, fill) for array in (last, targets))
    return uniform("embedding", (run.symbols, run.dimension), 0.5), targets, *layers, last
