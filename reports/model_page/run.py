"""Which instruments to use on a subject, and running them one after another."""

from __future__ import annotations

import difflib
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grokscape.landscape.errors import InvalidInput
from grokscape.reports.model_page.instrument import Effort, Instrument
from grokscape.reports.model_page.instruments import all_instruments
from grokscape.reports.model_page.summary import Summary

if TYPE_CHECKING:
    from grokscape.landscape.measures.result import Result
    from grokscape.reports.model_page.subject import Subject


@dataclass(frozen=True)
class InstrumentRun:
    """What came of an instrument.

    Attributes
    ----------
    instrument : Instrument
    result : Result or None
        None if it failed.
    seconds : float
    failure : str
        Why it failed, in one line.
    error : BaseException or None
    warnings : tuple of str
        Issued while it ran.
    """

    instrument: Instrument[Any]
    result: Result | None
    seconds: float
    failure: str = ""
    error: BaseException | None = None
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.instrument.name

    @property
    def summary(self) -> Summary | None:
        """The result in words, None if there is none."""
        return None if self.result is None else self.instrument.summary(self.result)


def choose(text: str | None) -> list[Instrument[Any]]:
    """Return the instruments that a comma-separated list names, in their own order; all of them for None.

    Raises
    ------
    InvalidInput
        If a name is unknown; says which there are, and the nearest.
    """
    instruments = all_instruments()
    if text is None:
        return list(instruments)
    groups = {instrument.group for instrument in instruments} - {""}
    known = [*sorted(groups), *(instrument.name for instrument in instruments if instrument.name not in groups)]
    wanted = [word.strip().lower() for word in text.split(",") if word.strip()]
    if not wanted:
        raise InvalidInput(f"--what names nothing, expected some of {', '.join(known)}")
    for word in wanted:
        if word not in known:
            near = difflib.get_close_matches(word, known, n=1, cutoff=0.4)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise InvalidInput(f"--what names {word!r}, {meant}expected some of {', '.join(known)}")
    return [instrument for instrument in instruments if {instrument.name, instrument.group} & set(wanted)]


def plan(subject: Subject, text: str | None) -> tuple[list[Instrument[Any]], dict[Instrument[Any], str]]:
    """Return the instruments to use on a subject, and those that are left out with the reason.

    Raises
    ------
    InvalidInput
        If nothing remains.
    """
    from grokscape.reports.model_page.target import one_line

    use, left_out = [], {}
    for instrument in choose(text):
        try:
            reason = instrument.unmet(subject)
        except Exception as error:  # of the user's own code, such as its initialise
            reason = one_line(error)
        if not reason and text is None and instrument.on_request:
            reason = f"it takes long, so it has to be asked for: --what {instrument.name}"
        if reason:
            left_out[instrument] = reason
        else:
            use.append(instrument)
    if not use:
        reasons = "; ".join(f"{instrument.name}: {reason}" for instrument, reason in left_out.items())
        raise InvalidInput(f"nothing can be measured on {subject.target} ({reasons})")
    return use, left_out


def measure(
    subject: Subject, instruments: Sequence[Instrument[Any]], effort: Effort, progress: Callable[[str, float], None]
) -> Iterator[InstrumentRun]:
    """Run instruments in turn; one that fails does not take the others with it.

    Parameters
    ----------
    subject : Subject
    instruments : sequence of Instrument
    effort : Effort
    progress : callable
        ``progress(name, share)``, a callback that receives how far an instrument is.
    """
    from grokscape.reports.model_page.target import one_line

    for instrument in instruments:
        progress(instrument.name, 0.0)
        began, result, failure, error = time.perf_counter(), None, "", None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = instrument.run(subject, effort, lambda share: progress(instrument.name, share))  # noqa: B023
            except Exception as raised:
                failure, error = one_line(raised), raised
        yield InstrumentRun(
            instrument,
            result,
            time.perf_counter() - began,
            failure,
            error,
            tuple(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught)),
        )
