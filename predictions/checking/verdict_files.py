"""Verdicts in a store: one file for each claim and tier, whole or not there, and held to the schema when it is read."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grokscape.landscape.records import inside, strict_json
from grokscape.landscape.records.files import write_atomically
from grokscape.landscape.records.inside import FOLDER, Damaged, shown
from grokscape.landscape.records.store import Store
from grokscape.predictions.checking import version_1
from grokscape.predictions.checking.schema import Check, checker
from grokscape.predictions.evidence import Rows
from grokscape.predictions.verdict import Status, Verdict

#: Statuses that hold no evidence about their claim.
UNJUDGED = (Status.ERROR, Status.NOT_RUN)

#: Bytes of one verdict, and of all of a tier together.
LARGEST, LARGEST_TOGETHER = 2**25, 2**28


def save_verdict(store: Store, verdict: Verdict) -> None:
    """Keep a verdict for the report."""
    data = json.loads(json.dumps(verdict.to_data(), allow_nan=False))  # as it will be read
    content = json.dumps(data | {"sha256": _digest(data)})
    write_atomically(store.place("verdicts", verdict.tier, f"{verdict.id}.json"), content.encode())


def keep_verdict(store: Store, verdict: Verdict) -> str:
    """Save a verdict, unless it says nothing of its claim (ERROR, NOT RUN) and a stored one does.

    Returns what a reader should know of that, as a sentence; "" if it was saved.
    """
    if verdict.status in UNJUDGED:
        file = store.path / "verdicts" / verdict.tier / f"{verdict.id}.json"
        with contextlib.suppress(OSError, ValueError, Damaged):
            stored = _verdict(inside.read(file, store.path, LARGEST), verdict.id, verdict.tier)
            if stored["status"] not in UNJUDGED:
                when = stored.get("provenance", {}).get("date", "an earlier check")
                return f"{verdict.id} is {verdict.status} this time; the store keeps its {stored['status']} of {when}"
    save_verdict(store, verdict)
    return ""


def load_verdicts(store: Store, tier: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the kept verdicts of a tier as data, by id, and a sentence about each file that cannot be read.

    Those of version 1 come as if they were written today. Their evidence, which is nearly all of them, is kept in
    columns (`Rows`).
    """
    found, complaints, room = [], [], LARGEST_TOGETHER
    folder = store.path / "verdicts" / tier
    if inside.kind(folder) not in ("", FOLDER):
        complaints.append(f"{folder} is {inside.kind(folder)}, expected {FOLDER}; remove it and check the claims again")
    for file in inside.entries(folder):
        if file.suffix != ".json" or file.name.startswith("."):
            continue
        try:
            content = inside.read(file, store.path, min(LARGEST, room))
            verdict = _verdict(content, file.stem, tier)
            found.append(verdict | {"evidence": Rows.of(verdict.get("evidence", ()))})
            room -= len(content)
        except (OSError, ValueError, Damaged) as error:
            complaints.append(f"{shown(file)} cannot be read ({shown(error)}); check the claim again")
    return found, complaints


def verify_verdicts(store: Store) -> Iterator[tuple[Path, str]]:
    """Read every kept verdict of a store; set aside and yield, with the reason, each that cannot be read."""
    for tier in inside.entries(store.path / "verdicts"):
        for file in inside.entries(tier):
            if file.suffix != ".json" or file.name.startswith("."):
                continue
            try:
                _verdict(inside.read(file, store.path, LARGEST), file.stem, tier.name)
            except FileNotFoundError:
                continue
            except (ValueError, Damaged) as error:
                yield file, f"{shown(file)} cannot be read ({shown(error)}); {store.put_aside(file)}"


def _verdict(content: bytes, id: str, tier: str) -> dict[str, Any]:
    """Return the verdict that a file holds, as one of today, or raise ValueError with what is wrong with it."""
    return understood(strict_json.parse(content), id, tier)


def understood(data: Any, id: str, tier: str) -> dict[str, Any]:
    """Return a verdict that somebody else may have written as one of today.

    Raises
    ------
    ValueError
        If it does not fit its schema or its checksum, or is on another claim or tier.
    """
    old = isinstance(data, dict) and data.get("schema") == version_1.SCHEMA
    if wrong := _check("verdict_1.schema.json" if old else "verdict.schema.json")(data):
        raise ValueError(f"verdict{wrong}")
    # Verdicts made by hand, or before there were checksums, have none.
    if data.pop("sha256", None) not in (None, _digest(data)):
        raise ValueError("it does not match its checksum")
    if data["id"] != id:
        raise ValueError("it holds another claim's verdict")
    if data["tier"] != tier:
        raise ValueError("it holds a verdict of another tier")
    return version_1.upgraded(data) if old else data


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


@functools.cache
def _check(file: str) -> Check:
    schema = json.loads((Path(__file__).parent / file).read_bytes())
    # One made by hand or by another version may lack something, which the page then does not show.
    return checker(schema | {"required": ["id", "tier", "status"]}, schema["$defs"])
