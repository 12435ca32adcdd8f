"""What `efficiency_frontier` returns: losses against norm by data size, the norms needed, and where they cross."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from grokscape.landscape.fits.two_curves import CrossingSize
from grokscape.landscape.measures.result import Cost, Result


@dataclass(frozen=True, kw_only=True)
class EfficiencyFrontier(Result):
    """Training loss against norm by data size, for memorising and generalising networks, and their crossing.

    Attributes
    ----------
    sizes : array of int, shape (sizes,)
        Numbers of examples D.
    norms : array, shape (norms,)
    seeds : tuple of int
    level : float
        Training loss at which norms are compared.
    memorising_loss, generalising_loss : array, shape (seeds, sizes, norms)
        Mean loss on the D examples: of the twin trained on random labels for them; and of the generalising network on
        their true labels.
    converged : array of bool, shape (seeds, sizes, norms)
        Whether the twin had come to rest.
    generalising_converged : array of bool, shape (seeds, norms)
    accuracy : array, shape (seeds, norms)
        Of the generalising networks on `gate_split`.
    generalises : array of bool, shape (seeds, norms)
        Whether that accuracy is at least `gate`.
    counts : array of bool, shape (seeds, sizes, norms)
        Whether a point has part in `generalising_norm`: it generalises, or its loss is above the level, for then no
        generalising network reaches the level there either.
    gate : float
    gate_split : str
        "test" if the problem has test data, which no network was trained on here; else "train", and then the gate
        says only that everything is fitted.
    memorising_norm, generalising_norm : array, shape (seeds, sizes)
        Norm that the level needs; 0 where the smallest norm suffices, infinity where none does, NaN where the level is
        reached by networks that do not generalise alone.
    crossing : CrossingSize
        The data size at which both need the same norm.
    cost : Cost
    """

    sizes: np.ndarray
    norms: np.ndarray
    seeds: tuple[int, ...]
    level: float
    memorising_loss: np.ndarray
    generalising_loss: np.ndarray
    converged: np.ndarray
    generalising_converged: np.ndarray
    accuracy: np.ndarray
    generalises: np.ndarray
    counts: np.ndarray
    gate: float
    gate_split: str
    memorising_norm: np.ndarray
    generalising_norm: np.ndarray
    crossing: CrossingSize
    cost: Cost

    @property
    def unsettled(self) -> float:
        """Share of the points above the level whose minimisation had not come to rest.

        More steps might bring them below it, and the norms needed would be smaller; not by the same factor for both,
        so that the crossing would move. A crossing to be quoted has 0 here, or stays where it is with more steps.
        """
        above = np.stack([self.memorising_loss, self.generalising_loss]) > self.level
        resting = np.broadcast_to(self.generalising_converged[:, None], self.converged.shape)
        unsettled = above & ~np.stack([self.converged, resting])
        return float(unsettled.sum() / max(above.sum(), 1))

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each circuit, seed, size and norm; `needed` is the norm that the level needs there."""
        seeds, sizes, norms = np.meshgrid(self.seeds, self.sizes, self.norms, indexing="ij")
        shape = self.memorising_loss.shape
        pieces = []
        for circuit in ("memorising", "generalising"):
            memorising = circuit == "memorising"
            spread = {
                "loss": getattr(self, f"{circuit}_loss"),
                "converged": self.converged if memorising else self.generalising_converged[:, None],
                "accuracy": np.nan if memorising else self.accuracy[:, None],
                "counts": True if memorising else self.counts,
                "needed": getattr(self, f"{circuit}_norm")[..., None],
            }
            columns = {name: np.broadcast_to(values, shape).ravel() for name, values in spread.items()}
            where = {"seed": seeds.ravel(), "size": sizes.ravel(), "norm": norms.ravel()}
            pieces.append(pd.DataFrame({"circuit": circuit} | where | columns))
        return pd.concat(pieces, ignore_index=True)
