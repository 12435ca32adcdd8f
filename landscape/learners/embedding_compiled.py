"""Embeddings and decoders in compiled code, each computed by itself."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.experiment import Session, Weights
from grokscape.landscape.fused.feed_forward import FeedForward
from grokscape.landscape.fused.memory import BOUNDARY, integers
from grokscape.landscape.layout import Layout
from grokscape.landscape.learners.embedding_ensemble import EmbeddingEnsemble, Found, averages
from grokscape.landscape.learners.embedding_parameters import Parameters
from grokscape.landscape.theory import parallelograms
from grokscape.landscape.training.arithmetic import COMPILED, difference, proven

if TYPE_CHECKING:
    from grokscape.landscape.learners.embedding_decoder import EmbeddingDecoder

#: Steps of each run between two moments at which the process can be interrupted.
AT_ONCE = 100

#: The parts of a run, which have an optimiser each.
PARTS = ("embedding", "decoder")


class CompiledDecoders:
    """What `EmbeddingEnsemble` does, in compiled code, one run after another: batch-invariant.

    A run is a row of parameters, in which each tensor begins on a boundary.

    Parameters
    ----------
    ensemble : EmbeddingEnsemble
        Whose runs go on from where they stand. It stays as it is.
    """

    arithmetic = COMPILED

    def __init__(self, ensemble: EmbeddingEnsemble) -> None:
        from grokscape.landscape.fused import embedding_decoder
        from grokscape.landscape.fused.blas import product_address

        self.kernel: Any = embedding_decoder
        dtype, symbols, outputs = ensemble.places.dtype, ensemble.symbols, ensemble.outputs
        self.layout, feed_forward = _network(ensemble)
        pairs = parallelograms.pairs(symbols)
        self.pairs, self.couples = pairs.astype(np.int32), parallelograms.couples(symbols)
        self.outputs, self.number = outputs, ensemble.number
        self.runs = {name: ensemble.runs[name] for name in ("targets", "labels", "trained", "known", "train_wanted")}
        runs, n = self.runs["train_wanted"].shape[:2]
        self.runs["tokens"] = torch.from_numpy(self.pairs)[self.runs["trained"].nonzero()[:, 1].view(runs, n)]
        network, block, work = feed_forward.network(self.layout, dtype, len(pairs))
        self.how = (product_address(dtype), network, work.dtype.type(2 / (n * outputs)), block, work)

        parts = (ensemble.embedding, ensemble.decoder)
        self.runs["rates"] = torch.stack([part.hyper_parameters() for part in parts], 1)
        self.starts = integers([0, self.layout.slices()["weights/0"].start, self.layout.width])
        saved = [ensemble.arrays_of(row) for row in range(runs)]
        for name in Parameters.KEPT:
            rows = np.stack([np.concatenate([arrays[f"{part}/{name}"] for part in PARTS]) for arrays in saved])
            self.runs[name] = self.layout.spread(torch.from_numpy(rows))
        self.slope = torch.zeros_like(self.runs["values"][0])

    def _arrays(self, *names: str) -> list[np.ndarray]:
        return [self.runs[name].numpy() for name in names]

    def gradient(self, row: int) -> Tensor:
        """Return the gradient of one run's loss, of embedding and decoder end to end."""
        values, tokens, wanted = (array[row] for array in self._arrays("values", "tokens", "train_wanted"))
        self.kernel.gradient(values, self.slope.numpy(), tokens, wanted, self.how)
        return self.layout.compact(self.slope)

    def advance(self, steps: int = 1) -> None:
        """Take steps of AdamW on embeddings and decoders."""
        arrays = self._arrays("values", "mean", "square", "tokens", "train_wanted", "rates")
        slope, last = self.slope.numpy(), self.number + steps
        while self.number < last:
            count = min(AT_ONCE, last - self.number)
            self.kernel.descend(*arrays, slope, self.starts, self.number + 1, count, self.how)
            self.number += count

    def measure(self) -> Found:
        """Return (split, quantity) -> values, shape (runs,)."""
        arrays = self._arrays("values", "targets", "labels", "trained", "known")
        trained, known = arrays[-2:]
        sums = np.zeros((len(trained), 7))
        self.kernel.measure(*arrays, self.pairs, self.couples, parallelograms.TOLERANCE, self.how, sums)
        sums /= [self.outputs, self.outputs, 1, 1, 1, len(self.couples), len(self.pairs)]
        return averages(list(sums.T), trained, known)

    def keep(self, staying: list[int]) -> None:
        """Let all but some runs leave."""
        self.runs = {name: tensor[staying] for name, tensor in self.runs.items()}

    def arrays_of(self, row: int) -> Weights:
        """Return a copy of one run's parameters and moments, for `EmbeddingEnsemble.restore`."""
        embedding = self.layout.shapes["embedding"].numel()
        halves = {name: self.layout.compact(self.runs[name][row]).tensor_split([embedding]) for name in Parameters.KEPT}
        return {
            f"{part}/{name}": half.numpy().copy()
            for name, both in halves.items()
            for part, half in zip(PARTS, both, strict=True)
        }

    def embedding_of(self, row: int) -> np.ndarray:
        """Return one run's embedding, float32 of shape (p, d)."""
        return self.layout.tensors(self.runs["values"][row])["embedding"].numpy().copy()


def _network(ensemble: EmbeddingEnsemble) -> tuple[Layout, FeedForward]:
    """Return where parameters stand in a row, in the order of `arrays_of`, and how they are computed."""
    shapes = {"embedding": ensemble.places.shape[1:]}
    for index, layer in enumerate(ensemble.decoder.arrays):
        _, before, after = layer.shape
        # The first layer is applied to symbols, not to pairs: it is the same for both of a pair, and linear.
        shapes[f"weights/{index}"] = torch.Size((before - 1, after) if index else (1, before - 1, after))
        shapes[f"bias/{index}"] = torch.Size((after,))
    weights, biases = (tuple(name for name in shapes if name.startswith(kind)) for kind in ("weights", "bias"))
    network = FeedForward(weights=weights, biases=biases, activation="tanh", tokens=True, embedding="embedding")
    return Layout(shapes, boundary=BOUNDARY), network


def chosen(
    like: EmbeddingDecoder, ensemble: EmbeddingEnsemble, session: Session
) -> EmbeddingEnsemble | CompiledDecoders:
    """Return compiled code for an ensemble of runs like one, or where there is none the ensemble; note why."""

    def complaint(seed: int) -> str:
        fresh = EmbeddingEnsemble([dataclasses.replace(like, seed=seed)])
        fresh.gradient()
        expected = torch.cat([fresh.embedding.slopes, fresh.decoder.slopes])
        return difference("gradient", CompiledDecoders(fresh).gradient(0), expected)

    shape = f"{like.symbols} {like.n_train} {like.sizes}"
    made = proven(type(like).__name__, shape, complaint, lambda: CompiledDecoders(ensemble), session)
    return made or ensemble
