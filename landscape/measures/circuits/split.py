"""One network taken apart into a generalising and a memorising circuit, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch

from grokscape.landscape.measures.circuits.circuit import Circuit, centred
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Split(Result):
    """One network taken apart into a generalising and a memorising circuit.

    Attributes
    ----------
    method : str
    whole, generalising, memorising : Circuit
    nulls : tuple of Circuit
        The generalising circuit's rivals by chance: parts of the same size chosen at random.
    checks : mapping of str to float
        Numbers between 0 and 1, defined before any network was looked at, on which the trust rests:

        ``beats the null``
            ``(a - a_0) / (1 - a_0)``, a the generalising part's test accuracy and a_0 the nulls' mean one.
        ``keeps held-out outputs``
            ``1 - |z - z_g|^2 / |z|^2`` over the test data, z the whole's logits centred over classes and z_g the
            generalising part's: on data never seen, the generalising part does what the whole does.
        ``knows no example``
            The generalising part's mean test margin by its training margin: larger where it was trained on, it
            memorises too. 0 if the test margin is not positive.
        ``rest does not generalise``
            1 minus the memorising part's test accuracy above chance, as a share of what is possible above chance.
        ``converged``
            1 or 0.

        They judge what the circuits do. Neurons without effect can be on either side, and norms attributed by
        relevance are not judged at all.
    members : array of bool, or None
        Which neurons, shape (units,), or weights, shape (P,), make up the generalising circuit; None if the outputs
        are split and not the weights.
    residual : float
        ``|z - z_g - z_m| / |z|`` over the training and test data: how far the parts are from adding up to the whole.
    shared_norm : float
        L2 norm of the weights that run in both circuits and are counted in the norm of either:
        ``norm_g^2 + norm_m^2 - shared_norm^2 = norm^2``, unless weights join units of the one to units of the other.
    evidence : mapping of str to array
        Raw samples on which the choice rests; the function that made the split names them.
    converged : bool
    seed : int
    cost : Cost
        One evaluation is counted for the training data and one for the test data.
    """

    method: str
    whole: Circuit
    generalising: Circuit
    memorising: Circuit
    nulls: tuple[Circuit, ...]
    checks: Mapping[str, float]
    members: np.ndarray | None = None
    residual: float
    shared_norm: float = 0.0
    evidence: Mapping[str, np.ndarray] = field(default_factory=dict)
    converged: bool = True
    seed: int
    cost: Cost

    @property
    def trust(self) -> float:
        """The least of the checks: 0, the parts are not what they are called; 1, no check speaks against it."""
        return min(self.checks.values())

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each circuit (the nulls numbered by ``sample``) and each of train and test."""
        circuits = [(self.whole, 0), (self.generalising, 0), (self.memorising, 0)]
        circuits += [(null, number) for number, null in enumerate(self.nulls)]
        return pd.DataFrame(
            {
                "circuit": circuit.name,
                "sample": sample,
                "split": split,
                "loss": scores.loss,
                "accuracy": scores.accuracy,
                "margin": scores.margin,
                "norm": circuit.norm,
            }
            for circuit, sample in circuits
            for split, scores in (("train", circuit.train), ("test", circuit.test))
        )


def checks(
    problem: Problem,
    whole: Circuit,
    generalising: Circuit,
    memorising: Circuit,
    nulls: Sequence[Circuit],
    *,
    classes: int,
    converged: bool,
) -> dict[str, float]:
    """Return the numbers on which a split's trust rests (see `Split`)."""
    by_chance = float(np.mean([null.test.accuracy for null in nulls]))
    outputs = kept = 0.0
    for inputs, _ in problem.batches["test"]:
        z = centred(whole.outputs(inputs)).double()
        outputs += float(z.square().sum())
        kept += float((z - centred(generalising.outputs(inputs))).square().sum())
    train, test = generalising.train.margin, generalising.test.margin
    return {
        "beats the null": _above(generalising.test.accuracy, by_chance),
        "keeps held-out outputs": _clip(1 - kept / outputs) if outputs else 0.0,
        "knows no example": 0.0 if test <= 0 else 1.0 if train <= test else test / train,
        "rest does not generalise": 1 - _above(memorising.test.accuracy, 1 / classes),
        "converged": float(converged),
    }


def residual(problem: Problem, whole: Circuit, parts: Sequence[Circuit]) -> float:
    """Return how far parts are from adding up to the whole, as a share of the whole's logits centred over classes."""
    missing = total = 0.0
    for split in ("train", "test"):
        for inputs, _ in problem.batches[split]:
            z = centred(whole.outputs(inputs)).double()
            together = torch.stack([centred(part.outputs(inputs)).double() for part in parts]).sum(0)
            total += float(z.square().sum())
            missing += float((z - together).square().sum())
    return (missing / total) ** 0.5 if total else 0.0


def _above(value: float, base: float) -> float:
    """Return how far a share lies above a base, as a share of what is possible."""
    return _clip((value - base) / (1 - base)) if base < 1 else 0.0


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))
