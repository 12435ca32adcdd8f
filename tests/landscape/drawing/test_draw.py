"""Each result is drawn by what its family registers, and a result of one's own by what one registers oneself."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from dataclasses import dataclass

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from grokscape.landscape import drawing, measures
from grokscape.landscape.drawing import draw
from grokscape.landscape.measures.result import Result

mpl.use("Agg")

FAMILIES = [module.name for module in pkgutil.iter_modules(measures.__path__) if module.ispkg]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_has_a_drawing_that_registers_all_its_results(family: str) -> None:
    importlib.import_module(f"{drawing.__name__}.{family}")
    face = importlib.import_module(f"{measures.__name__}.{family}")
    results = [kind for kind in vars(face).values() if isinstance(kind, type) and issubclass(kind, Result)]
    assert results
    for kind in results:
        assert draw.dispatch(kind).__module__ == f"{drawing.__name__}.{family}", kind


@dataclass(frozen=True, kw_only=True)
class Own(Result):
    height: float

    def to_frame(self) -> pd.DataFrame:
        return pd.DataFrame({"height": [self.height]})


@dataclass(frozen=True, kw_only=True)
class Drawn(Own):
    pass


@draw.register
def draw_own(result: Drawn, ax: Axes | None = None, *, colour: str = "black") -> Axes:
    ax = plt.subplots()[1] if ax is None else ax
    ax.axhline(result.height, color=colour)
    return ax


def test_a_result_of_ones_own_is_drawn_by_what_is_registered_with_its_options() -> None:
    ax = plt.subplots()[1]
    assert Drawn(height=2.0).plot(ax, colour="red") is ax
    assert ax.lines[0].get_color() == "red"
    with pytest.raises(TypeError, match="colours"):
        Drawn(height=2.0).plot(ax, colours="red")
    plt.close("all")


@pytest.mark.parametrize("thing", [Own(height=1.0), 3])
def test_what_nobody_draws_is_refused_and_how_to_register_is_said(thing: object) -> None:
    name = type(thing).__name__
    with pytest.raises(TypeError, match=f"a {name} has no drawing; register one with @grokscape.landscape.drawing"):
        draw(thing)


def test_instruments_load_no_picture() -> None:
    names = [f"{measures.__name__}.{family}" for family in FAMILIES]
    program = f"import sys, {', '.join(names)}; print([m for m in sys.modules if 'drawing' in m or m == 'matplotlib'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
