"""Each source has one folder of papers, which bears its key; a claim stands there and nowhere else."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from pathlib import Path

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions import papers
from grokscape.predictions.prediction import Prediction


def modules() -> list[str]:
    """Return the names of all modules in the folders of papers, set-ups among them."""
    return [m.name for m in pkgutil.walk_packages(papers.__path__, f"{papers.__name__}.") if not m.ispkg]


def folder() -> Path:
    """Return the folder that holds those of all papers."""
    return Path(papers.__path__[0])


def sources() -> list[str]:
    """Return the keys of all sources that have a folder."""
    return sorted(m.name for m in pkgutil.iter_modules(papers.__path__) if m.ispkg)


def checkout() -> Path | None:
    """Return the root of the source checkout that this Grokscape runs from, None if it is installed without one."""
    root = folder().resolve().parents[1]
    return root if (root / "pyproject.toml").is_file() and (root / "tests" / "predictions").is_dir() else None


def refuse_misplaced(claims: Iterable[tuple[str, Prediction]]) -> None:
    """Refuse claims that stand in two folders, or in one that is not their source's.

    Parameters
    ----------
    claims : iterable of (str, Prediction)
        Each with the name of a module that holds it.

    Raises
    ------
    InvalidInput
        Names the claim, the folders, and what to do.
    """
    folders: dict[str, list[str]] = {}
    sources: dict[str, str] = {}
    for module, claim in claims:
        folder, _, _ = module.removeprefix(f"{papers.__name__}.").rpartition(".")
        places = folders.setdefault(claim.id, [])
        if folder not in places:
            places.append(folder)
        sources[claim.id] = claim.source.key
    for id, places in folders.items():
        key = sources[id]
        if len(places) > 1:
            raise InvalidInput(
                f"the claim {id!r} stands in {len(places)} folders, {' and '.join(map(_path, places))}; keep it in "
                f"{_path(key)} and import its module elsewhere, not the claim"
            )
        if places != [key]:
            raise InvalidInput(
                f"{_path(places[0])} holds the claim {id!r}, whose source has the key {key!r}; move the claim to "
                f"{_path(key)}, or give folder and source the same key"
            )


def _path(folder: str) -> str:
    return "/".join(["papers", *folder.split(".")]) if folder else "papers itself"
