"""What the page says about an instrument's result: a sentence, the main numbers, and what they mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

from grokscape.reports.numbers import interval, number

#: Units of what is measured of the Hessian.
CURVATURE = "of the loss, per squared unit of the parameters"


@dataclass(frozen=True)
class Quantity:
    """A number with what is known of its error.

    Attributes
    ----------
    name : str
    value : float
    error : float or None
        Standard error, or a bound on the numerical error.
    low, high : float or None
        Ends of an interval.
    word : str
        What was found, where that is a word and no number.
    """

    name: str
    value: float
    error: float | None = None
    low: float | None = None
    high: float | None = None
    word: str = ""

    @property
    def text(self) -> str:
        """The number as the page writes it: ``0.9 [0.8, 1.1]``, or ``12.1 ± 0.3``."""
        if self.word:
            return self.word
        if math.isnan(self.value):
            known = self.low is not None and self.high is not None and not math.isnan(self.low + self.high)
            return f"in {interval(self.low, self.high)}" if known else "not determined"
        if self.low is not None or self.high is not None:
            return f"{number(self.value)} {interval(self.low, self.high)}"
        if self.error is None or math.isnan(self.error):
            return number(self.value)
        return f"{number(self.value)} ± {number(self.error, 2)}"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """An instrument's result in words.

    Attributes
    ----------
    sentence : str
        Made of the numbers.
    quantities : tuple of Quantity
        The main ones, for the overview.
    formula, units, error, source : str
        What is meant; `error` says what stands behind the ± or the interval.
    arxiv : str
        Identifier of the source, if it is there.
    converged : bool or None
        None where nothing has to converge.
    warnings : tuple of str
    terms : tuple of (term, text)
        Formulas of several quantities, in place of `formula`.
    """

    sentence: str
    quantities: tuple[Quantity, ...]
    units: str
    error: str
    source: str
    formula: str = ""
    arxiv: str = ""
    converged: bool | None = None
    warnings: tuple[str, ...] = ()
    terms: tuple[tuple[str, str], ...] = ()

    @property
    def meaning(self) -> list[tuple[str, str]]:
        """What is meant, as pairs of a term and its text."""
        pairs = [*self.terms, ("Formula", self.formula), ("Units", self.units), ("Error", self.error)]
        return [(term, text) for term, text in pairs if text]


def warn_unless(fine: object, warning: str) -> tuple[str, ...]:
    """Return a warning as a tuple of one, or an empty tuple if all is fine."""
    return () if fine else (warning,)
