"""The examples in the documentation of the README's instruments run, and show what they say."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
import torch

from grokscape import landscape

README = Path(__file__).parents[2] / "README.md"


def instruments() -> list[str]:
    """Return the names in the first column of the README's table of instruments."""
    table = README.read_text().partition("| instrument | what it measures |")[2].partition("\n\n")[0]
    return [name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]


@pytest.mark.parametrize("name", instruments())
def test_an_instruments_example_shows_what_it_says(name: str) -> None:
    function = getattr(landscape, name)
    (test,) = doctest.DocTestFinder(recurse=False).find(function, name, globs={})
    assert test.examples
    threads, report = torch.get_num_threads(), []
    torch.set_num_threads(1)
    try:
        failed, _ = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    finally:
        torch.set_num_threads(threads)
    assert not failed, "".join(report)


def test_the_table_names_every_family() -> None:
    families = {getattr(landscape, name).__module__.split(".")[3] for name in instruments()}
    assert families == {"circuits", "curvature", "efficiency", "norm_profile", "paths", "progress", "sharpness"}
