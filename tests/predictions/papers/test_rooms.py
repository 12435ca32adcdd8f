"""The laws of the folders of papers, so that any of them can be read, moved and cited by itself.

A source is a folder named by its key. Its ``__init__`` is its page; set-ups (``setup``, ``*_setup``) hold what topics
have in common; every other module is a topic, which defines claims and is imported by none, except by a replication,
whose subject is other claims. That arrows between papers run back in time is a contract of import-linter.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest

from grokscape.predictions import papers
from grokscape.predictions.checking.registry import claims_of

ROOT = Path(papers.__path__[0])
FOLDERS = sorted(folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists())
FILES = [file for folder in FOLDERS for file in sorted((ROOT / folder).glob("*.py"))]
TOPICS = [file for file in FILES if file.stem != "__init__" and not re.fullmatch(r"(\w+_)?setup", file.stem)]
FACES = {"grokscape.landscape", "grokscape.predictions"}
LIBRARIES = {"numpy", "pandas", "scipy", "torch"} | sys.stdlib_module_names


def name(file):
    return file.relative_to(ROOT).as_posix()


def module(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join([papers.__name__, *(part for part in parts if part != "__init__")])


def imports(file):
    """Yield (module, names) for each import of a file."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module, tuple(alias.name for alias in node.names)


def papers_imported(file):
    """Return the modules of papers that a file imports, whichever way it is written."""
    modules = {module(file) for file in FILES}
    found = set()
    for source, names in imports(file):
        if source.startswith(f"{papers.__name__}."):
            inner = {f"{source}.{name}" for name in names} & modules
            found |= inner or {source}
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_bears_the_key_of_its_source_and_tells_of_it(folder):
    page = importlib.import_module(f"{papers.__name__}.{folder}")
    assert page.SOURCE.key == folder
    assert len(page.__doc__) > 500
    assert "checked" in page.__doc__
    own = ROOT / folder / "__init__.py"
    assert not papers_imported(own), "a page costs nothing to import"


@pytest.mark.parametrize("file", TOPICS, ids=name)
def test_a_topic_holds_claims_of_its_folder(file):
    claims = claims_of(importlib.import_module(module(file)))
    assert claims
    for claim in claims:
        assert claim.source.key == file.parent.name
        assert claim.id.startswith(f"{file.parent.name}.")


@pytest.mark.parametrize("file", [file for file in FILES if file not in TOPICS], ids=name)
def test_a_set_up_holds_no_claims(file):
    assert not claims_of(importlib.import_module(module(file)))


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_paper_imports_the_faces_other_papers_and_libraries(file):
    for source, _ in imports(file):
        known = source in FACES or source.startswith(f"{papers.__name__}.") or source.split(".")[0] in LIBRARIES
        assert known, f"import from {' or '.join(sorted(FACES))} what {source} is needed for"


@pytest.mark.parametrize("file", FILES, ids=name)
def test_nobody_imports_a_topic(file):
    if any("replicate" in names for _, names in imports(file)):
        return
    leaves = {module(topic) for topic in TOPICS}
    assert not papers_imported(file) & leaves, "move what both need to a setup.py"


@pytest.mark.parametrize("file", FILES, ids=name)
def test_ids_are_written_whole(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                assert keyword.arg != "id" or isinstance(keyword.value, ast.Constant | ast.Name), ast.unparse(keyword)


@pytest.mark.parametrize("file", TOPICS, ids=name)
def test_each_topic_has_tests_of_its_own(file):
    assert (Path(__file__).parent / file.parent.name / f"test_{file.name}").exists()
