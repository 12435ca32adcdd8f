"""The ways of writing a training in JAX that are compared; this module loads without JAX."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmark.numbers import Numbers

if TYPE_CHECKING:
    from tests.benchmark.jax_side import Training


@dataclass(frozen=True)
class Way:
    """How a training is written down.

    Attributes
    ----------
    one_hot : bool
        Multiply one-hot tokens by a table; otherwise take the table's rows.
    one_by_one : bool
        Call one compiled program for one run after another; otherwise all runs are one program under ``vmap``.
    turned : bool
        Keep matrices as (outputs, inputs), as Equinox and PyTorch do, not as (inputs, outputs), as Flax does. The
        function is the same, but XLA computes some gradients in another order on a CPU.
    tables : bool
        Of the transformer: attention looked up in small tables, as Grokscape computes it.
    """

    one_hot: bool = False
    one_by_one: bool = False
    turned: bool = False
    tables: bool = False

    @property
    def name(self) -> str:
        """What it is called where it is printed."""
        said = ["JAX one by one" if self.one_by_one else "JAX vmap"]
        said += ["one-hot"] * self.one_hot + ["(out, in)"] * self.turned + ["tables"] * self.tables
        return ", ".join(said)

    @property
    def is_usual(self) -> bool:
        """Whether most would write it so."""
        return not (self.one_by_one or self.turned)


#: What the names mean.
LEGEND = """JAX: all runs one program under vmap, or one program called for one by one; tokens are gathered, or one-hot;
matrices are (in, out), as Flax has them, or (out, in), as Equinox does; attention as in the papers, or by the tables of
Grokscape's algebra. Ratios are others' times over the trainer's, with quartiles: above 1, the trainer is faster."""

#: For tokens, for features, and for the transformer besides: as usual first, then what was found faster on a CPU.
OF_TOKENS = (Way(), Way(one_hot=True), Way(turned=True), Way(turned=True, one_by_one=True))
OF_FEATURES = (Way(), Way(turned=True), Way(turned=True, one_by_one=True))
OF_TABLES = (Way(tables=True), Way(tables=True, one_hot=True), Way(tables=True, turned=True, one_by_one=True))


def missing() -> str:
    """Return what keeps JAX from being compared, or ""."""
    absent = [name for name in ("jax", "optax") if importlib.util.find_spec(name) is None]
    return f"{' and '.join(absent)} not installed (pip install 'grokscape[bench]')" if absent else ""


def training(numbers: Numbers, way: Way) -> Training:
    """Return trainings in JAX, which is loaded now."""
    from tests.benchmark.jax_side import Training

    return Training(numbers, way)


def load() -> str:
    """Load JAX and what it computes on, or raise what keeps it from that; return ""."""
    import jax

    jax.devices()
    return ""
