"""The instruments of ``grokscape measure``: each is defined whole in a file here, which is found by being here."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from grokscape.landscape.errors import InvalidInput
from grokscape.reports.model_page.instrument import Instrument


def all_instruments() -> tuple[Instrument[Any], ...]:
    """Return every instrument that a file of this folder defines, in the order of the page.

    Raises
    ------
    InvalidInput
        If two have one name.
    """
    files = [importlib.import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__)]
    found = [value for file in files for value in vars(file).values() if isinstance(value, Instrument)]
    names = [instrument.name for instrument in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"two instruments have the name {name!r}, expected one; rename one of them")
    return tuple(sorted(found, key=lambda instrument: instrument.place))
