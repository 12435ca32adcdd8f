"""An instrument is one file: it is found by being there, and nothing else knows its name."""

from __future__ import annotations

import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.reports import gallery
from grokscape.reports.cli import main
from grokscape.reports.model_page import instruments
from grokscape.reports.model_page.instrument import Instrument
from grokscape.reports.model_page.instruments import all_instruments
from tests.reports.model_page.measured import TINY, section, text

MADE_UP = """
from dataclasses import dataclass

import pandas as pd

from grokscape.landscape.measures.result import Result
from grokscape.reports.model_page.instrument import Instrument
from grokscape.reports.model_page.summary import Quantity, Summary


@dataclass(frozen=True, kw_only=True)
class Weights(Result):
    values: tuple[float, ...]

    def to_frame(self):
        return pd.DataFrame({"weight": self.values})

    def plot(self, ax=None):
        ax.plot(sorted(self.values))
        ax.set(title="Weights, sorted")
        return ax


def run(subject, effort, progress):
    progress(1.0)
    return Weights(values=tuple(subject.problem.start[:5].tolist()))


def summary(result):
    return Summary(
        sentence=f"The first of {len(result.values)} weights was read.",
        quantities=(Quantity("first weight", result.values[0]),),
        units="none",
        error="none",
        source="this test",
    )


MADE_UP = Instrument(
    name="made-up", title="Weights as they are", about="weights, read", run=run, summary=summary, group="reading",
)
"""


@pytest.fixture
def one_file(tmp_path, monkeypatch):
    """A folder with a model, while one more file lies beside the instruments."""
    folder = tmp_path / "instruments"
    folder.mkdir()
    (folder / "made_up_in_a_test.py").write_text(MADE_UP)
    monkeypatch.setattr(instruments, "__path__", [*instruments.__path__, str(folder)])
    monkeypatch.chdir(tmp_path)
    Path("tiny.py").write_text(TINY)
    yield folder
    sys.modules.pop(f"{instruments.__name__}.made_up_in_a_test", None)


def test_one_file_is_listed_runs_and_is_drawn(one_file, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["measure", "--list"])
    assert stop.value.code == 0
    assert re.search(r"^  made-up +weights, read \[reading\]$", capsys.readouterr().out, re.M)
    assert main(["measure", "tiny.py:make", "--what", "reading", "--json", "out.json"]) == 0
    found = json.loads(Path("out.json").read_text())["measured"]["made-up"]
    assert len(found["table"]) == 5
    shown = section(Path("grokscape-measured.html").read_text(), "made-up")
    for words in ("Weights as they are", "The first of 5 weights was read.", "first weight", "this test"):
        assert words in text(shown)
    assert "Weights, sorted" in shown
    assert "<svg" in shown
    assert 'download="made-up.csv"' in shown


def test_two_of_one_name_are_refused(one_file):
    (one_file / "made_up_in_a_test.py").write_text(MADE_UP.replace('name="made-up"', 'name="trace"'))
    with pytest.raises(InvalidInput, match="two instruments have the name 'trace', expected one; rename one of them"):
        all_instruments()


@pytest.mark.parametrize("field", ["name", "group"])
@pytest.mark.parametrize("word", ["Norm", "a b", "é", "<b>", "1st"])
def test_names_that_are_no_anchors_are_refused(field, word):
    parts = {"name": "fine", "title": "", "about": "", "run": None, "summary": None, field: word}
    with pytest.raises(InvalidInput, match=f"{field} of an instrument is '{word}', expected lower-case letters"):
        Instrument(**parts)


def test_an_instrument_has_a_name():
    with pytest.raises(InvalidInput, match="name of an instrument is ''"):
        Instrument(name="", title="", about="", run=None, summary=None)


def test_the_page_keeps_the_order_in_which_it_is_read():
    assert [instrument.name for instrument in all_instruments()] == [
        "norm-profile",
        *("eigenvalues", "negative-eigenvalue", "trace", "spectral-density", "sharpness"),
        *("homogeneity", "margin", "frontier"),
        *("line", "plane", "straight-path", "low-loss-path"),
        "progress",
    ]


def test_the_gallery_has_a_script_for_each_file():
    scripts, files = ({file.name for file in pkgutil.iter_modules(of.__path__)} for of in (gallery, instruments))
    assert scripts - files == {"circuits"}  # which takes more than a model and data
    assert files <= scripts


def test_listing_loads_nothing_heavy():
    program = (
        "import sys; from grokscape.reports.model_page.instruments import all_instruments; all_instruments(); "
        "assert not {'torch', 'pandas', 'matplotlib', 'seaborn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
