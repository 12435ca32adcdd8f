"""The instruments that ``grokscape measure`` knows, with the settings it runs them with.

An instrument is imported when it runs, so that ``--help`` can name all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grokscape.reports.model_page import requirements as obstacles

if TYPE_CHECKING:
    from grokscape.landscape.measures.result import Result
    from grokscape.reports.model_page.target import Subject

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Setting:
    """How carefully, and from which seed, to measure."""

    seed: int = 0
    quick: bool = False

    def choose(self, usual: int, quick: int) -> int:
        """Return one of two amounts of work."""
        return quick if self.quick else usual


@dataclass(frozen=True)
class Instrument:
    """An instrument on the command line.

    Attributes
    ----------
    name : str
    about : str
        What it measures, for the help text.
    run : callable
        ``run(subject, setting, progress) -> Result``.
    obstacle : callable
        ``obstacle(subject)``, why it cannot be used there; empty if it can.
    group : str
        Another name, for several instruments together.
    asked_only : bool
        Whether it is left out unless it, or its group, is named: for what takes long.
    """

    name: str
    about: str
    run: Callable[[Subject, Setting, Progress], Result]
    obstacle: Callable[[Subject], str] = lambda _: ""
    group: str = ""
    asked_only: bool = False


# -- How each is run ---------------------------------------------------------------------------------------------------


def _norm_profile(subject: Subject, setting: Setting, progress: Progress) -> Result:
    import numpy as np

    from grokscape.landscape.measures.norm_profile.profile import norm_profile
    from grokscape.landscape.optimisers import AdamW

    options: dict[str, Any] = {}
    if setting.quick:  # fewer norms, and larger steps than those published
        options = {"scales": 10.0 ** np.linspace(-1, 1, 7), "steps": 1000}
        options["optimiser"] = AdamW(lr=1e-2, weight_decay=0.0, beta2=0.999)
    return norm_profile(
        subject.problem,
        seeds=range(setting.seed, setting.seed + 4),
        initialise=subject.initialise,
        progress=progress,
        **options,
    )


def _eigenvalues(subject: Subject, setting: Setting, progress: Progress) -> Result:
    from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues

    k = min(setting.choose(10, 3), subject.problem.size)
    return top_eigenvalues(
        subject.problem, k, tolerance=1e-4, max_matvecs=setting.choose(1000, 200), seed=setting.seed, progress=progress
    )


def _negative_eigenvalue(subject: Subject, setting: Setting, progress: Progress) -> Result:
    from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues

    found = top_eigenvalues(
        subject.problem,
        1,
        negative=True,
        tolerance=1e-3,
        max_matvecs=setting.choose(1000, 200),
        seed=setting.seed,
        progress=progress,
    )
    assert found.smallest is not None
    return found.smallest


def _trace(subject: Subject, setting: Setting, progress: Progress) -> Result:
    from grokscape.landscape.measures.curvature.traces import trace

    return trace(subject.problem, budget=setting.choose(100, 30), seed=setting.seed, progress=progress)


def _density(subject: Subject, setting: Setting, progress: Progress) -> Result:
    from grokscape.landscape.measures.curvature.density import spectral_density

    return spectral_density(
        subject.problem,
        probes=setting.choose(8, 4),
        steps=setting.choose(64, 24),
        seed=setting.seed,
        progress=progress,
    )


def _sharpness(subject: Subject, setting: Setting, progress: Progress) -> Result:
    from grokscape.landscape.measures.sharpness.forms import sharpness

    return sharpness(
        subject.problem,
        budget=setting.choose(100, 30),
        iterations=setting.choose(100, 30),
        seed=setting.seed,
        progress=progress,
    )


def _homogeneity(subject: Subject, *_: Any) -> Result:
    from grokscape.landscape.measures.efficiency.degree import homogeneity

    return homogeneity(subject.problem)


def _margin(subject: Subject, *_: Any) -> Result:
    from grokscape.landscape.measures.efficiency.per_norm import efficiency

    return efficiency(subject.problem)


def _frontier(subject: Subject, setting: Setting, progress: Progress) -> Result:
    """Hold memorising and generalising networks at norms around the present one, on a quarter of the data and more."""
    import numpy as np

    from grokscape.landscape.initialisation import fresh
    from grokscape.landscape.measures.efficiency.frontier import efficiency_frontier

    problem = subject.problem
    norm = float(problem.start.norm())
    start = fresh(problem, setting.seed, subject.initialise)
    losses = problem.evaluate(_rows(problem.start, start))["loss"]
    n = problem.count["train"]
    shares = (0.25, 0.5, 1.0) if setting.quick else (0.125, 0.25, 0.5, 1.0)
    return efficiency_frontier(
        problem,
        sorted({max(2, round(n * share)) for share in shares}),
        np.geomspace(norm / 4, norm * 2, setting.choose(8, 5)),
        level=max(2 * float(losses[0]), float(losses[1]) / 20),
        seeds=range(setting.seed, setting.seed + setting.choose(6, 2)),
        steps=setting.choose(1000, 300),
        initialise=subject.initialise,
        progress=progress,
    )


def _line(subject: Subject, setting: Setting, progress: Progress) -> Result:
    from grokscape.landscape.measures.paths.slices import line_slice

    return line_slice(subject.problem, setting.seed, points=setting.choose(51, 21), progress=progress)


def _plane(subject: Subject, setting: Setting, progress: Progress) -> Result:
    from grokscape.landscape.measures.paths.slices import plane_slice

    seeds = (setting.seed, setting.seed + 1)
    return plane_slice(subject.problem, seeds, points=setting.choose(31, 15), progress=progress)


def _straight_path(subject: Subject, setting: Setting, progress: Progress) -> Result:
    from grokscape.landscape.measures.paths.straight import interpolate

    return interpolate(subject.problem, *obstacles.ends(subject), points=setting.choose(51, 21), progress=progress)


def _bent_path(subject: Subject, setting: Setting, progress: Progress) -> Result:
    from grokscape.landscape.measures.paths.bent import low_loss_path

    return low_loss_path(
        subject.problem, *obstacles.ends(subject), steps=setting.choose(500, 100), seed=setting.seed, progress=progress
    )


def _progress(subject: Subject, setting: Setting, progress: Progress) -> Result:
    from grokscape.landscape.measures.progress import Context
    from grokscape.landscape.measures.progress import progress as progress_measures

    context = subject.context or Context(seed=setting.seed, examples=setting.choose(64, 16))
    return progress_measures(subject.problem, dict(subject.checkpoints), context=context, progress=progress)


def _rows(*networks: Any) -> Any:
    import torch

    return torch.stack(networks)


INSTRUMENTS = (
    Instrument(
        "norm-profile",
        "train and test loss over the weight norm: is there an L and a U?",
        _norm_profile,
        lambda subject: obstacles.no_test(subject) or obstacles.redrawn(subject),
    ),
    Instrument("eigenvalues", "largest eigenvalues of the Hessian", _eigenvalues, group="hessian"),
    Instrument("negative-eigenvalue", "its most negative eigenvalue", _negative_eigenvalue, asked_only=True),
    Instrument("trace", "trace of the Hessian", _trace, group="hessian"),
    Instrument("spectral-density", "density of all its eigenvalues", _density, group="hessian"),
    Instrument("sharpness", "the field's forms of sharpness, side by side", _sharpness, group="hessian"),
    Instrument("homogeneity", "degree of homogeneity κ of the model", _homogeneity, obstacles.one_tensor, "efficiency"),
    Instrument("margin", "margin per norm^κ", _margin, obstacles.classifies, "efficiency"),
    Instrument(
        "frontier",
        "norm that memorising and generalising need, by data size",
        _frontier,
        lambda subject: obstacles.classifies(subject) or obstacles.redrawn(subject),
        "efficiency",
        asked_only=True,
    ),
    Instrument("line", "loss along a random direction", _line, group="slices"),
    Instrument("plane", "loss on a random plane", _plane, group="slices"),
    Instrument(
        "straight-path", "loss on the straight line to a second network", _straight_path, obstacles.no_ends, "paths"
    ),
    Instrument("low-loss-path", "a bent path of low loss to it", _bent_path, obstacles.no_ends, "paths"),
    Instrument("progress", "progress measures along checkpoints", _progress, obstacles.no_training),
)
