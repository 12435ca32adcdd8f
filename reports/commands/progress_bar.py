"""How far a command is: a bar where there is a terminal, a line now and then where there is none."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

#: Seconds between two lines where there is no terminal.
INTERVAL = 15.0


class ProgressBar:
    """A bar that is kept up to date on a terminal; elsewhere a line every 15 seconds says the same.

    Parameters
    ----------
    console : Console
    task : str
        What is going on.
    """

    def __init__(self, console: Console, task: str) -> None:
        self._console, self._last_line = console, time.monotonic()
        columns = [
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[eta]}"),
        ]
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task(task, total=1.0, eta="")

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, task: str, share: float | None, eta: str) -> None:
        """Show how far the work is.

        Parameters
        ----------
        task : str
            What is going on.
        share : float or None
            Of the work that is done; None if that is unknown.
        eta : str
            How long the rest will take, in words.
        """
        self._bar.update(
            self._task, description=task, completed=share or 0.0, total=None if share is None else 1.0, eta=eta
        )
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line > INTERVAL:
            self._last_line = now
            done = "" if share is None else f"{100 * share:.0f} %, "
            self._console.print(f"{task}: {done}{eta}")
