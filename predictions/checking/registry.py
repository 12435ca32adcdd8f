"""Finding claims: built in, installed as plugins, or in a file of the user's own."""

from __future__ import annotations

import difflib
import fnmatch
import importlib.metadata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.printable import error_text
from grokscape.landscape.user_modules import import_module
from grokscape.predictions.checking import rooms
from grokscape.predictions.checking.retired import RETIRED, refuse_retired
from grokscape.predictions.prediction import Prediction

#: Entry-point group under which a package names modules with claims.
GROUP = "grokscape.predictions"

#: Top-level names under which parts of Grokscape were imported before they stood under one name.
OLD_NAMES = ("landscape", "predictions", "reports")


@dataclass(frozen=True)
class Registry:
    """Claims by id, and the modules that a worker must import to know what they train.

    Attributes
    ----------
    claims : dict of str to Prediction
        In the order in which they were found.
    modules : tuple of str
    """

    claims: dict[str, Prediction]
    modules: tuple[str, ...]

    def select(self, patterns: Sequence[str]) -> list[Prediction]:
        """Return the claims whose ids match any of the patterns (ids or globs); all of them for no patterns.

        Raises
        ------
        InvalidInput
            If a pattern matches nothing.
        """
        chosen: dict[str, Prediction] = {}
        for pattern in patterns or ["*"]:
            matches = [id for id in self.claims if fnmatch.fnmatchcase(id, pattern)]
            if not matches:
                raise InvalidInput(self._no_match(pattern))
            chosen.update((id, self.claims[id]) for id in matches)
        return list(chosen.values())

    def _no_match(self, pattern: str) -> str:
        """Return what a pattern that matches nothing may have meant."""
        retired = [id for id in RETIRED if fnmatch.fnmatchcase(id, pattern)]
        if retired:
            return RETIRED[retired[0]].told(retired[0])
        nearest = difflib.get_close_matches(pattern, self.claims, 3, 0.5)
        alike = f"nearest are {', '.join(nearest)}" if nearest else "none is like it"
        return f"no claim matches {pattern!r}; of {len(self.claims)} {alike}; grokscape list shows all"


def load(modules: Sequence[str] = ()) -> Registry:
    """Collect the built-in claims, those of installed plugins, and those of the given modules or files.

    Parameters
    ----------
    modules : sequence of str
        Dotted names, or paths of .py files.

    Raises
    ------
    InvalidInput
        If a module does not import, holds no claims, or reuses an id; or if a built-in claim is not in the folder of
        its source.
    """
    builtin = rooms.modules()
    rooms.refuse_misplaced((name, claim) for name in builtin for claim in claims_of(import_module(name)))
    plugins = [point.value for point in importlib.metadata.entry_points(group=GROUP)]
    claims: dict[str, Prediction] = {}
    where: dict[str, str] = {}
    for name in [*builtin, *plugins, *modules]:
        found = claims_of(imported(name))
        if not found and name not in builtin:
            raise InvalidInput(f"module {name!r} holds no claims; assign each Prediction to a name at its top level")
        for claim in found:
            if claims.get(claim.id) is claim:
                continue  # imported from where it was found already
            if claim.id in claims:
                raise InvalidInput(f"the id {claim.id!r} of {name} is taken by {where[claim.id]}; ids are never reused")
            refuse_retired(claim.id, name)
            claims[claim.id], where[claim.id] = claim, name
    return Registry(claims, (*plugins, *modules))


def claims_of(module: ModuleType) -> list[Prediction]:
    """Return the claims that a module defines, in order, each once however many names it has."""
    return list({id(claim): claim for claim in _predictions(vars(module).values())}.values())


def imported(name: str) -> ModuleType:
    """Import a module of claims; of one that was written against names of before, say the new ones."""
    try:
        return import_module(name)
    except InvalidInput as error:
        cause = error.__cause__
        old = (cause.name or "").partition(".")[0] if isinstance(cause, ImportError) else ""
        if cause is None or old not in OLD_NAMES:
            raise
        now = ", ".join(f"grokscape.{package}" for package in OLD_NAMES)
        raise InvalidInput(
            f"module {name!r} does not import ({error_text(cause)}); Grokscape's names are {now} now: write "
            f"from grokscape.{old} import ..."
        ) from error


def _predictions(values: Iterable[object]) -> Iterable[Prediction]:
    for value in values:
        if isinstance(value, Prediction):
            yield value
