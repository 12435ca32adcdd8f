"""``grokscape new paper``: write a folder whose claim runs as it stands, and is INCONCLUSIVE until it is filled in."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions import papers
from grokscape.predictions.checking import rooms
from grokscape.reports.commands import scaffold

#: The form of arXiv's identifiers, of today and of before 2007.
ARXIV = re.compile(r"(\d{4}\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7})(v\d+)?")

TESTING = "from grokscape.predictions.testing import made_up_record, verdict_on"


def run_new(options: argparse.Namespace, console: Console) -> int:
    """Write the files, and say what to do next."""
    refuse_key(options.key)
    if options.arxiv and not ARXIV.fullmatch(options.arxiv):
        raise InvalidInput(f"--arxiv is {options.arxiv!r}, expected an identifier such as 2309.02390")
    if not options.title.strip():
        raise InvalidInput("the title is empty; give that of the paper")
    words = {name: getattr(options, name) for name in ("key", "title", "arxiv", "authors")}
    if options.folder is None:
        files, next_steps = in_checkout(checkout(), words)
    else:
        files, next_steps = in_folder(options.folder, words)
    taken = [path for path in {path.parent for path in files} | set(files) if path.exists() and path != options.folder]
    if taken:
        raise InvalidInput(f"{taken[0]} is there already, and nothing is overwritten; choose another key or folder")
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        console.print(f"wrote {escape(str(path))}", soft_wrap=True)
    console.print(f"\n{escape(next_steps)}", soft_wrap=True)
    return 0


def refuse_key(key: str) -> None:
    """Refuse a key that is none, or that of a built-in paper."""
    if not re.fullmatch(r"[a-z]+\d{4}[a-z]?", key):
        raise InvalidInput(f"the key is {key!r}, expected an author and a year in lower case, such as doe2027")
    if any((Path(folder) / key).exists() for folder in papers.__path__):
        raise InvalidInput(f"the key {key!r} is that of a built-in paper; add a claim to its folder, or write {key}b")


def checkout() -> Path:
    """Return the root of the source checkout that this Grokscape runs from."""
    root = rooms.checkout()
    if root is None:
        raise InvalidInput(
            "this Grokscape is installed, and no source checkout; give a folder of your own with --folder"
        )
    return root


def in_checkout(root: Path, words: dict[str, str]) -> tuple[dict[Path, str], str]:
    """Return the files of a built-in paper, and what to do next."""
    key = words["key"]
    home, tests = root / "predictions" / "papers" / key, root / "tests" / "predictions" / "papers" / key
    package = f"grokscape.predictions.papers.{key}"
    files = {
        home / "__init__.py": scaffold.paper(**words),
        home / "first_claim.py": scaffold.claim_of_package(key, package),
        tests / "__init__.py": "",
        tests / "test_first_claim.py": scaffold.test(key, f"from {package}.first_claim import first_claim\n{TESTING}"),
    }
    return files, scaffold.next_steps(key, "", f"pytest tests/predictions/papers/{key}")


def in_folder(folder: Path, words: dict[str, str]) -> tuple[dict[Path, str], str]:
    """Return the files of a paper of the user's own, and what to do next."""
    key = words["key"]
    module = f"{key}_claims"
    files = {
        folder / f"{module}.py": scaffold.claim_alone(**words),
        folder / f"test_{key}.py": scaffold.test(key, f"{TESTING}\nfrom {module} import first_claim"),
    }
    return files, scaffold.next_steps(key, f" --module {folder / module}.py", f"pytest {folder}")
