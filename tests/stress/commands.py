"""The command line in this process: its own claims alone, an executor without processes, and all that it says."""

from __future__ import annotations

import contextlib
import functools
import io
import signal
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any
from unittest import mock

from grokscape.predictions.checking.registry import Registry
from grokscape.predictions.prediction import Prediction
from grokscape.reports.claims_page import page
from grokscape.reports.cli import main


class Here(Executor):
    """Runs what is submitted at once, in this thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class TooSlow(BaseException):
    """A command took longer than it may."""


@dataclass(frozen=True)
class Answer:
    """What a command came to: its exit status (None if it raised or hung) and what it said."""

    status: int | None
    output: str
    errors: str
    slow: bool = False


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt what takes longer; also a system call that waits."""

    def stop(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


#: Compiled once: most of the time of a small report.
_environment = functools.cache(page.environment)


def run(
    arguments: Sequence[str], claims: Mapping[str, Prediction], seconds: float = 20.0, *, drawn: bool = True
) -> Answer:
    """Run a command line on some claims, with or without the drawings of the report."""
    output, errors = io.StringIO(), io.StringIO()
    registry = Registry(dict(claims), ())
    status, slow = None, False
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        mock.patch("grokscape.reports.commands.check.load", return_value=registry),
        mock.patch("grokscape.reports.commands.check.local_executor", return_value=contextlib.nullcontext(Here())),
        mock.patch("grokscape.reports.claims_page.page.environment", _environment),
        contextlib.ExitStack() as stack,
    ):
        for name in () if drawn else ("draw_criterion", "draw_panel"):
            stack.enter_context(mock.patch(f"grokscape.reports.claims_page.page.{name}", return_value=""))
        try:
            with time_limit(seconds):
                status = main(arguments)
        except TooSlow:
            slow = True
        except BaseException:
            traceback.print_exc()
    return Answer(status, output.getvalue(), errors.getvalue(), slow)
