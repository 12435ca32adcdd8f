"""The console that everything is printed on."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from grokscape.landscape.printable import printable


class SafeConsole(Console):
    """Shows every text as it reads: what would act on a terminal is written out, see `printable`.

    Rich turns each string (printed, or in a table's cell) into a text here, and adds its own colours later.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as a text, with markup."""
        return super().render_str(printable(text), **options)
