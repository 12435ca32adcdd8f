"""The toy of the effective theory: embeddings that are added, then decoded (Liu et al. 2022, arXiv:2205.10343).

Each of p symbols has a trainable embedding ``E_i`` in R^d, and the sum of two symbols (not modulo p) is asked for as
one of ``2 p - 1`` fixed random vectors::

    output(i, j) = D(E_i + E_j),    loss = mean over pairs and outputs of (output - target_(i + j))^2

with a perceptron D of tanh layers. That operands are added before they are decoded is built in, so that what remains to
be learnt is where the symbols lie. Embeddings and decoder have an optimiser each.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from grokscape.landscape import randomness
from grokscape.landscape.experiment import Experiment, Outcome, Session, Snapshot
from grokscape.landscape.learners.embedding_compiled import CompiledDecoders, chosen
from grokscape.landscape.learners.embedding_ensemble import EmbeddingEnsemble, decoder_size
from grokscape.landscape.learners.embedding_log import EmbeddingLog
from grokscape.landscape.learners.embedding_parameters import Parameters
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.theory import parallelograms
from grokscape.landscape.training.schedule import Schedule
from grokscape.landscape.training.stop import Stop

#: The authors' settings, which are those of torch.optim.AdamW.
EMBEDDING = AdamW(lr=1e-3, weight_decay=0.0, beta2=0.999)
DECODER = AdamW(lr=1e-4, weight_decay=0.0, beta2=0.999)


@dataclass(frozen=True, kw_only=True)
class EmbeddingDecoder(Experiment, kind="embedding_decoder"):
    """Full-batch training of embeddings and decoder on some of the sums.

    It records loss and accuracy (nearest target) on "train" and "test", on "test" also "accuracy on known sums" (pairs
    whose sum some training pair has; the vector of any other sum cannot be known), and of the embedding: "quality" (the
    share of all parallelograms that are realised, RQI) and "predicted accuracy" (the share of all pairs that are
    trained on or linked to one that is by a realised parallelogram). The last embedding is kept as the weights
    "embedding". And for stop rules "lower accuracy", the smaller of that on "train" and that on known sums.

    Runs of a batch are independent. On a CPU, compiled code computes each by itself, and a run's record is
    batch-invariant. Where PyTorch computes them (on other devices, or without a compiler), all are computed at once,
    and a run may differ by rounding, which training can amplify.

    Parameters
    ----------
    symbols : int
        p.
    dimension : int
        d.
    widths : tuple of int
        Hidden layers of the decoder.
    outputs : int
        Length of the targets, drawn from N(0, I).
    n_train : int
        Pairs trained on, of p (p + 1) / 2 with i <= j.
    seed : int
        Decides embeddings, decoder, targets and training set, each independently.
    draw : int
        Which of the training sets of a seed; those of one draw are nested in size.
    labels : {"true", "shuffled"}
        Shuffled labels deal the sums out at random, so that no place of the symbols is better than another.
    embedding, decoder : AdamW
    steps : int
    record : Schedule
    stop : tuple of Stop
        The run ends when any of them is met.
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "train": ("loss", "accuracy"),
        "test": ("loss", "accuracy", "accuracy on known sums"),
        "": ("quality", "predicted accuracy", "lower accuracy"),
    }

    symbols: int = 10
    dimension: int = 1
    widths: tuple[int, ...] = (200, 200)
    outputs: int = 30
    n_train: int = 45
    seed: int
    draw: int = 0
    labels: Literal["true", "shuffled"] = "true"
    embedding: AdamW = EMBEDDING
    decoder: AdamW = DECODER
    steps: int
    record: Schedule = field(default_factory=lambda: Schedule(per_decade=20, every=100))
    stop: tuple[Stop, ...] = ()

    #: Compiled runs take as long in any batch, and small batches leave no worker idle at the end; where PyTorch
    #: computes them, so many share the fixed cost of its operations.
    largest_batch: ClassVar[int | None] = 16

    def validate(self) -> None:
        if not 3 <= self.symbols <= parallelograms.MOST_SYMBOLS:
            self.refuse("symbols", f"between 3 and {parallelograms.MOST_SYMBOLS}")
        number = parallelograms.number_of_pairs(self.symbols)
        if not 1 <= self.n_train < number:
            self.refuse("n_train", f"between 1 and {number - 1}", f"there are {number} pairs, and one must be left")
        if not self.widths or min(self.widths) < 1:
            self.refuse("widths", "at least one width, each at least 1")
        for name, least in (("dimension", 1), ("outputs", 1), ("steps", 1), ("seed", 0), ("draw", 0)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers that enter and leave each layer of the decoder."""
        return (self.dimension, *self.widths, self.outputs)

    @property
    def train_pairs(self) -> np.ndarray:
        """Indices of the pairs trained on, ascending, int64 of shape (n_train,)."""
        number = len(parallelograms.pairs(self.symbols))
        return np.sort(randomness.permutation(number, self.seed, f"pairs/{self.draw}")[: self.n_train])

    @property
    def sums(self) -> np.ndarray:
        """What counts as each pair's sum, int64 of shape (pairs,)."""
        true = parallelograms.sums(self.symbols)
        return true if self.labels == "true" else true[randomness.permutation(len(true), self.seed, "labels")]

    @property
    def batch_key(self) -> str:
        shape = "-".join(map(str, (self.symbols, self.n_train, *self.sizes)))
        moments = [(optimiser.beta1, optimiser.beta2, optimiser.eps) for optimiser in (self.embedding, self.decoder)]
        return f"{shape}|{moments}|{self.record.canonical}"

    @property
    def work(self) -> float:
        # Beside the multiplications of narrow layers, AdamW, tanh, records and the fixed cost of operations count.
        weights = sum((before + 1.0) * after for before, after in itertools.pairwise(self.sizes))
        step = self.n_train * (2 * weights + 22 * sum(self.widths)) + 40 * weights + 5e4
        records = self.record.count(self.steps)
        return self.steps * step + 2 * records * parallelograms.number_of_pairs(self.symbols) * weights

    def memory(self, batch_size: int) -> float:
        weights = sum((before + 1.0) * after for before, after in itertools.pairwise(self.sizes))
        recorded = 2000.0 * batch_size * self.record.count(self.steps)
        return recorded + 4 * batch_size * (
            12 * weights + 4 * parallelograms.number_of_pairs(self.symbols) * sum(self.sizes)
        )

    def misfit_of_record(self, found: Outcome) -> str:
        last, steps = found.info.get("last_step"), found.trajectory["step"]
        if last is None or last > self.steps or steps.empty or steps.max() != last:
            return f"it ended at step {last!r} of {self.steps}, or has no record of that step as its last"
        embedding, shape = found.weights.get(last, {}).get("embedding"), (self.symbols, self.dimension)
        return "" if embedding is not None and embedding.shape == shape else f"it has no embedding of shape {shape}"

    def misfit_of_snapshot(self, snapshot: Snapshot) -> str:
        recorded = snapshot.rows["step"]
        if not 0 <= snapshot.step < self.steps or (len(recorded) and recorded.max() > snapshot.step):
            return f"it stands at step {snapshot.step} of {self.steps}"
        sizes = {"embedding": self.symbols * self.dimension, "decoder": decoder_size(self.sizes)}
        expected = {f"{part}/{name}": ((size,), "float32") for part, size in sizes.items() for name in Parameters.KEPT}
        expected["held"] = ((len(self.stop),), "int64")
        found = {
            name: (array.shape, str(array.dtype)) for name, array in snapshot.arrays.items() if name != "arithmetic"
        }
        wrong = sorted(name for name in expected | found if found.get(name) != expected.get(name))
        return f"it has no {wrong[0]!r:.100} of {expected.get(wrong[0], 'any kind')}" if wrong else ""

    @classmethod
    def train(cls, batch: Sequence[EmbeddingDecoder], session: Session) -> Iterator[tuple[EmbeddingDecoder, Outcome]]:
        """Train runs together, each from where an interrupted training left it."""
        groups: dict[int, list[EmbeddingLog]] = {}
        for run in batch:
            log = EmbeddingLog(run, session.snapshot(run))
            groups.setdefault(log.step, []).append(log)
        for part, group in enumerate(groups.values()):
            for finished, done in _train(group, session):
                session.report((part + done) / len(groups))
                yield from finished


def _train(
    logs: list[EmbeddingLog], session: Session
) -> Iterator[tuple[list[tuple[EmbeddingDecoder, Outcome]], float]]:
    """Train runs that stand at one step; yield at every record who is finished, and which share is done."""
    began, size = time.perf_counter(), len(logs)
    resumed, ensemble = logs[0].step, _ensemble(logs, session)
    last = max(log.run.steps for log in logs)
    for step in sorted(set().union(*(log.due for log in logs))):
        if step <= resumed:
            continue
        ensemble.advance(step - ensemble.number)
        measured = {key: column.tolist() for key, column in ensemble.measure().items()}
        finished, staying = [], []
        for row, log in enumerate(logs):
            values = {key: column[row] for key, column in measured.items()}
            reason = log.note(step, values) if step in log.due else None
            if reason is None:
                staying.append(row)
                continue
            info = {"stopped_by": reason, "ensemble": size, "seconds": (time.perf_counter() - began) / size}
            finished.append((log.run, log.outcome(ensemble.embedding_of(row), info)))
        yield finished, step / last
        if not staying:
            return
        if finished:
            logs = [logs[row] for row in staying]
            ensemble.keep(staying)
        if session.wants_snapshot():
            for row, log in enumerate(logs):
                session.save(log.run, log.snapshot(step, ensemble.arrays_of(row)))


def _ensemble(logs: list[EmbeddingLog], session: Session) -> EmbeddingEnsemble | CompiledDecoders:
    """Return runs that stand at one step, by the arithmetic that is there."""
    ensemble, step = EmbeddingEnsemble([log.run for log in logs], session.device), logs[0].step
    if step > 0:
        ensemble.restore([log.arrays for log in logs], step)
    found = chosen(logs[0].run, ensemble, session)
    for log in logs:
        log.computed_by(found.arithmetic)
    return found
