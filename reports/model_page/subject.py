"""What is measured: a user's model, loss and data, bound into a problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grokscape.landscape.initialisation import Initialise
    from grokscape.landscape.measures.progress import Context
    from grokscape.landscape.problem import Problem
    from grokscape.landscape.problem.networks import Network


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Attributes
    ----------
    problem : Problem
    target : str
        As the user named it.
    model : str
        The class of the model, in words.
    checkpoints : tuple of (int, network)
        By step, in the order of training; networks as they were given, with their own buffers.
    other : network, or None
        A second network of the same architecture.
    initialise : callable or None
        Draws a fresh model by seed, where the model's own ``reset_parameters`` do not serve.
    context : grokscape.landscape.measures.progress.Context or None
        What some progress measures need.
    """

    problem: Problem
    target: str
    model: str
    checkpoints: tuple[tuple[int, Network], ...] = ()
    other: Network | None = None
    initialise: Initialise | None = None
    context: Context | None = None

    @property
    def path_ends(self) -> tuple[Network, Network]:
        """The two networks between which a path is measured: to `other`, or else between the outer checkpoints."""
        if self.other is not None:
            return self.problem.start, self.other
        return self.checkpoints[0][1], self.checkpoints[-1][1]
