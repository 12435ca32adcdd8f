"""Folders of papers that do not hold what their names say are refused."""

from __future__ import annotations

import sys

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions import papers
from grokscape.predictions.checking import rooms
from grokscape.predictions.checking.registry import load

CLAIM = """
import dataclasses
from grokscape.predictions import Source
from tests.predictions.made_up.claims import claim
large = dataclasses.replace(
    claim(), id="{key}.large", source=Source(key="{key}", title="Large", authors="Doe")
)
"""


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Write folders of papers, which are then the only ones: ``folders({"doe2027/sizes": text})``."""
    before = set(sys.modules)
    monkeypatch.setattr(papers, "__path__", [str(tmp_path)])

    def write(files):
        for path, text in files.items():
            file = tmp_path / f"{path}.py"
            file.parent.mkdir(exist_ok=True)
            (file.parent / "__init__.py").touch()
            file.write_text(text)

    yield write
    for name in [name for name in set(sys.modules) - before if name.startswith(f"{papers.__name__}.")]:
        del sys.modules[name]
        if name.count(".") == papers.__name__.count(".") + 1:
            delattr(papers, name.rpartition(".")[2])


def test_a_claim_in_the_folder_of_its_source_is_found(folders):
    folders({"doe2027/sizes": CLAIM.format(key="doe2027"), "doe2027/setup": "WIDTH = 8"})
    assert list(load().claims) == ["doe2027.large"]
    assert rooms.modules() == [f"{papers.__name__}.doe2027.{name}" for name in ("setup", "sizes")]


def test_a_folder_whose_key_is_not_its_sources_is_refused(folders):
    folders({"doe2027/sizes": CLAIM.format(key="roe2027")})
    message = (
        r"^papers/doe2027 holds the claim 'roe2027\.large', whose source has the key 'roe2027'; move the claim to "
        r"papers/roe2027, or give folder and source the same key$"
    )
    with pytest.raises(InvalidInput, match=message):
        load()


def test_a_claim_outside_of_any_folder_is_refused(folders):
    folders({"doe2027": CLAIM.format(key="doe2027")})
    with pytest.raises(
        InvalidInput, match=r"^papers itself holds the claim 'doe2027\.large'.*move the claim to papers/"
    ):
        load()


@pytest.mark.parametrize(
    "second",
    [CLAIM.format(key="roe2027"), f"from {papers.__name__}.roe2027.sizes import large"],
    ids=["written again", "imported"],
)
def test_a_claim_in_two_folders_is_refused(folders, second):
    folders({"doe2027/sizes": second, "roe2027/sizes": CLAIM.format(key="roe2027")})
    message = (
        r"^the claim 'roe2027\.large' stands in 2 folders, papers/doe2027 and papers/roe2027; keep it in "
        "papers/roe2027 and import its module elsewhere, not the claim$"
    )
    with pytest.raises(InvalidInput, match=message):
        load()
