"""What a claim wants drawn of its evidence, besides its criteria."""

from __future__ import annotations

from dataclasses import dataclass

from grokscape.predictions.evidence import CLAIM


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What the report draws besides the criteria: a quantity against the level it was measured at.

    Attributes
    ----------
    quantities : tuple of str
        Drawn in one panel, for the claim and its controls.
    x, y : str
        Axis labels.
    log_x, log_y : bool
    title : str
    figure : str
        Which figure of the paper it draws again from our evidence ("figure 4"); such curves stand in the paper's
        section of the report.
    each_seed : bool
        Draw every seed's own line however many levels there are: for what happens in single runs, such as plateaus.
    """

    quantities: tuple[str, ...]
    x: str
    y: str
    title: str
    log_x: bool = False
    log_y: bool = False
    figure: str = ""
    each_seed: bool = False


@dataclass(frozen=True, kw_only=True)
class PhaseDiagram:
    """A quantity over two variables, with boundaries, drawn from the claim's own arm.

    Attributes
    ----------
    panels : tuple of (title, tuple of (y, quantity))
        Side by side; each row ``y`` of a panel shows a quantity against the levels it was measured at, which may differ
        between seeds.
    boundaries : tuple of str
        Quantities that are values of x, measured at levels that are values of y.
    x, y, value : str
        Labels of the axes and of the colours. Values lie between 0 and 1.
    title : str
    log_x : bool
    figure : str
        As of `Curve`.
    categories : tuple of (str, float)
        Where values say which kind, not how much: the kinds by name and value, ascending; the legend shows names.
    """

    panels: tuple[tuple[str, tuple[tuple[float, str], ...]], ...]
    boundaries: tuple[str, ...]
    x: str
    y: str
    value: str
    title: str
    log_x: bool = False
    figure: str = ""
    categories: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """A learner's way through a plane: two quantities, measured at the same steps.

    Attributes
    ----------
    name : str
        Which learner.
    x, y : str
        Quantities.
    arm : str
    marks : tuple of (str, quantity)
        What happens on the way, and the quantity that says at which step.
    """

    name: str
    x: str
    y: str
    arm: str = CLAIM
    marks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class PhasePortrait:
    """Two quantities against each other while learners are trained: a phase portrait.

    Attributes
    ----------
    trajectories : tuple of Trajectory
    x, y : str
        Axis labels.
    title : str
    log_x, log_y : bool
    figure : str
        As of `Curve`.
    """

    trajectories: tuple[Trajectory, ...]
    x: str
    y: str
    title: str
    log_x: bool = False
    log_y: bool = False
    figure: str = ""
