"""``grokscape check --publish``: where results are published, and what is refused before anything is trained."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records.writable import refuse_unwritable
from grokscape.predictions.checking import rooms
from grokscape.predictions.checking.published import FILE, publish, read
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.verdict import Verdict
from grokscape.reports.numbers import count, size


def publishing_folder(options: argparse.Namespace, claims: Sequence[Prediction]) -> Path | None:
    """Return the folder in which each source has its file of results, None if nothing is to be published.

    Raises
    ------
    InvalidInput
        If claims have no folder there, it cannot be written, or a file in it cannot be read.
    """
    if not options.publish and options.publish_to is None:
        return None
    keys = sorted({claim.source.key for claim in claims})
    if options.publish_to is None:
        if rooms.checkout() is None:
            raise InvalidInput(
                "--publish writes into a source checkout, and this Grokscape is installed without one; give a folder "
                "with --publish-to"
            )
        foreign = sorted(set(keys) - set(rooms.sources()))
        if foreign:
            raise InvalidInput(
                f"--publish writes the results of built-in papers, and {foreign[0]!r} is none; give a folder with "
                "--publish-to"
            )
    folder = rooms.folder() if options.publish_to is None else Path(options.publish_to)
    if not folder.is_dir():
        raise InvalidInput(f"--publish-to is {str(folder)!r}, expected a folder that exists; make it first")
    refuse_unwritable(folder / FILE, options.store)
    for key in keys:
        path = folder / key / FILE
        if path.exists():
            read(path)
            refuse_unwritable(path, options.store)
    return folder


def publish_results(claims: Sequence[Prediction], verdicts: Sequence[Verdict], folder: Path, console: Console) -> None:
    """Publish verdicts, and say where, how large it is, and what was not run.

    Raises
    ------
    InvalidInput
        If a verdict is INVALID or ERROR; nothing is written then.
    OSError
        If a file cannot be written.
    """
    paths, notes = publish(claims, verdicts, folder)
    for note in notes:
        console.print(f"[yellow]note[/] {escape(note)}")
    total = sum(path.stat().st_size for path in paths)
    console.print(
        f"published: {count(len(verdicts), 'verdict')} in {count(len(paths), 'file')} of {size(total)}, below "
        f"{escape(str(folder))}"
    )
    idle = [verdict.id for verdict in verdicts if verdict.status.value == "NOT RUN"]
    if idle:
        console.print(f"published as NOT RUN, where nothing was known of them: {escape(', '.join(idle))}")
