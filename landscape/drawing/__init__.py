"""Pictures of what the instruments measured; nothing here computes anything.

Each family of instruments has a file of its name here, which registers how its results are drawn. It is loaded, and a
plotting library with it, when the first of them is drawn.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = __name__.removesuffix("drawing") + "measures."


@functools.singledispatch
def draw(result: object, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a measurement on `ax`, or on a new figure, and return the axes.

    Parameters
    ----------
    result : Result
        Of any instrument. A result of your own is drawn by what you register: ``@draw.register`` before a function
        whose first parameter has the result's class as its annotation.
    ax : Axes, optional
    **options
        Those of the drawing, such as `quantities` of `grokscape.landscape.drawing.progress.draw_progress`.

    Raises
    ------
    TypeError
        If nothing is registered for such a result.
    """
    for kind in type(result).__mro__:
        family, _, file = kind.__module__.removeprefix(MEASURES).partition(".")
        if kind.__module__.startswith(MEASURES) and file:
            importlib.import_module(f"{__name__}.{family}")
    found = draw.dispatch(type(result))
    if found is draw.dispatch(object):
        raise TypeError(
            f"a {type(result).__name__} has no drawing; register one with @grokscape.landscape.drawing.draw.register"
        )
    return found(result, ax, **options)
