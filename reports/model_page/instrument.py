"""An instrument as ``grokscape measure`` knows it: its name, what it requires, measures, says and draws."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from grokscape.landscape.errors import InvalidInput
from grokscape.reports.model_page.requirements import Requirement
from grokscape.reports.model_page.summary import Summary

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from grokscape.landscape.measures.result import Result
    from grokscape.reports.model_page.subject import Subject

R = TypeVar("R", bound="Result")

#: Receives the share of the work that is done.
Callback = Callable[[float], None]
#: Draws on axes, and returns them with the panel's title.
Panel = Callable[["Axes"], "Axes"]


@dataclass(frozen=True)
class Effort:
    """How thoroughly, and from which seed, to measure."""

    seed: int = 0
    quick: bool = False

    def choose(self, usual: int, quick: int) -> int:
        """Return one of two amounts of work."""
        return quick if self.quick else usual


def own_plot(result: Result) -> Sequence[Panel]:
    """Return a result's own plot as the only panel."""
    return (result.plot,)


def own_table(result: Result) -> pd.DataFrame:
    """Return a result's own table."""
    return result.to_frame()


@dataclass(frozen=True, kw_only=True)
class Instrument(Generic[R]):
    """An instrument on the command line, and its section of the page.

    It is defined whole in one file of `grokscape.reports.model_page.instruments`, which imports torch, pandas and
    matplotlib only when the instrument runs or draws: ``--help`` names all instruments at once.

    Attributes
    ----------
    name : str
        On the command line: lower case, with hyphens.
    title : str
        Heading of its section.
    about : str
        What it measures, in a line of the help text.
    run : callable
        ``run(subject, effort, progress) -> result``; `progress` is a callback that receives the share done.
    summary : callable
        ``summary(result) -> Summary``.
    requires : tuple of Requirement
        Of what is measured; where one is not met, the instrument is left out and the page says why.
    panels : callable
        ``panels(result)``, the functions that draw the figure's panels, each on axes of its own; none for no figure.
    table : callable
        ``table(result)``, the data drawn, for the CSV file.
    group : str
        Another name, for several instruments together.
    on_request : bool
        Whether it is left out unless it, or its group, is named: for what takes long.
    place : int
        Where it stands on the page: sections are sorted by it.
    """

    name: str
    title: str
    about: str
    run: Callable[[Subject, Effort, Callback], R]
    summary: Callable[[R], Summary]
    requires: tuple[Requirement, ...] = ()
    panels: Callable[[R], Sequence[Panel]] = own_plot
    table: Callable[[R], pd.DataFrame] = own_table
    group: str = ""
    on_request: bool = False
    place: int = 100

    def __post_init__(self) -> None:
        for field in ("name", "group"):  # anchors of the page and names of files are made of them
            value = getattr(self, field)
            if not re.fullmatch("[a-z][a-z0-9-]*", value) and (field == "name" or value):
                raise InvalidInput(f"{field} of an instrument is {value!r}, expected lower-case letters and hyphens")

    def unmet(self, subject: Subject) -> str:
        """Return why the first requirement that is not met is not; "" if the instrument can be used."""
        return next((reason for requirement in self.requires if (reason := requirement(subject))), "")

    @property
    def help_line(self) -> str:
        """A line for the help text."""
        group = f" [{self.group}]" if self.group else ""
        return f"{self.name:<20} {self.about}{group}" + (" (only if asked for)" if self.on_request else "")
