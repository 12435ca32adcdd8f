"""Published results: one file for each source, with all that its part of the report is drawn from.

``<folder>/<key>/verdicts.json`` holds the verdicts on the claims of a source, by claim and tier, each with the
fingerprints of what was frozen and of its runs. Texts that occur several times stand in it once, evidence is in columns
(`columns`), and nothing is rounded: a verdict that is read equals the one that was published. The same verdicts give
the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records import inside, strict_json
from grokscape.landscape.records.files import write_output
from grokscape.landscape.records.inside import Damaged, shown
from grokscape.predictions.checking.columns import packed, unpacked
from grokscape.predictions.checking.frozen import first_runs, frozen_hash, run_hash
from grokscape.predictions.checking.retired import RETIRED
from grokscape.predictions.checking.verdict_data import verdict_of
from grokscape.predictions.checking.verdict_files import UNJUDGED, understood
from grokscape.predictions.judge import correct_families, uncorrected
from grokscape.predictions.prediction import TIERS, Prediction
from grokscape.predictions.verdict import Status, Verdict

#: Name of the form of a file.
SCHEMA = "grokscape-published/1"

#: Name of the file in the folder of a source.
FILE = "verdicts.json"

#: Bytes of one file at most.
LARGEST = 2**26

#: Statuses that are not published: the measurement did not bear on the claim, or the check broke.
REFUSED = (Status.INVALID, Status.ERROR)

#: Characters from which on a text that occurs twice is written once.
_LONG = 12


@dataclass(frozen=True)
class Published:
    """A published verdict.

    Attributes
    ----------
    verdict : mapping
        As `Verdict.to_data` returns it; the evidence as `Rows`.
    frozen : str
        `frozen_hash` of the claim at that time.
    runs : str
        `run_hash` of all runs behind the verdict.
    first_runs : str
        `run_hash` of those that the claim asked for before it had seen any: what its code alone decides.
    """

    verdict: Mapping[str, Any]
    frozen: str
    runs: str
    first_runs: str

    @classmethod
    def of(cls, claim: Prediction, verdict: Verdict) -> Published:
        """Return what is published of a verdict on a claim.

        Raises
        ------
        InvalidInput
            If what is frozen of the claim cannot be written as data.
        """
        asked = first_runs(claim, verdict.tier) if verdict.tier in claim.tiers else {}
        data = {**replace(verdict, evidence=()).to_data(), "evidence": verdict.evidence}
        return cls(data, frozen_hash(claim, verdict.tier), run_hash(verdict.runs), run_hash(asked))

    @property
    def id(self) -> str:
        return str(self.verdict["id"])

    @property
    def tier(self) -> str:
        return str(self.verdict["tier"])

    @property
    def status(self) -> str:
        return str(self.verdict["status"])

    @property
    def date(self) -> str:
        """The day on which it was judged, as 2026-11-30; "" where that is not on record."""
        return str(self.verdict.get("provenance", {}).get("date", ""))[:10]

    @property
    def place(self) -> tuple[str, int]:
        """Where it stands in a file: by claim, then by tier."""
        return self.id, TIERS.index(self.tier)


def refuse_unpublishable(verdicts: Iterable[Verdict]) -> None:
    """Refuse verdicts of which some say nothing of their claim.

    Raises
    ------
    InvalidInput
        Names each of them.
    """
    found = [f"{verdict.id} is {verdict.status}" for verdict in verdicts if verdict.status in REFUSED]
    if found:
        raise InvalidInput(
            f"nothing is published, because {', '.join(found)}; mend what is wrong, or check and publish a selection "
            "without"
        )


def publish(claims: Iterable[Prediction], verdicts: Sequence[Verdict], folder: Path) -> tuple[list[Path], list[str]]:
    """Write verdicts into the files of their sources, beside what these hold of other claims and tiers.

    p-values are corrected anew for all that is published of a source. A claim that is NOT RUN now keeps the verdict
    that was published of it.

    Parameters
    ----------
    claims : iterable of Prediction
        At least those that the verdicts are on.
    verdicts : sequence of Verdict
    folder : Path
        That of all sources; folders in it are made where they are missing.

    Returns
    -------
    paths : list of Path
        The files that were written.
    notes : list of str
        A sentence about each verdict that was kept instead of a new one.

    Raises
    ------
    InvalidInput
        If a verdict is INVALID or ERROR, or a file that is there already cannot be read; nothing is written then.
    """
    refuse_unpublishable(verdicts)
    by_id = {claim.id: claim for claim in claims}
    sources: dict[str, list[Published]] = defaultdict(list)
    for verdict in verdicts:
        sources[by_id[verdict.id].source.key].append(Published.of(by_id[verdict.id], verdict))
    notes: list[str] = []
    written: dict[Path, list[Published]] = {}
    for key, new in sorted(sources.items()):
        path = folder / key / FILE
        written[path] = merged(read(path) if path.exists() else [], new, notes)
    for path, entries in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_output(path, content(path.parent.name, entries))
    return list(written), notes


def merged(old: Iterable[Published], new: Iterable[Published], notes: list[str]) -> list[Published]:
    """Return what a file holds when new verdicts have come to those it held, corrected together; add to the notes.

    Verdicts on claims that were retired since are left out.
    """
    found = {entry.place: entry for entry in old if entry.id not in RETIRED}
    for entry in new:
        kept = found.get(entry.place)
        if kept is not None and entry.status in UNJUDGED and kept.status not in UNJUDGED:
            notes.append(f"{entry.id} is {entry.status} this time; what is published of it ({kept.status}) stays")
        else:
            found[entry.place] = entry
    return corrected([found[place] for place in sorted(found)])


def corrected(entries: Sequence[Published]) -> list[Published]:
    """Return published verdicts with p-values that are corrected for all of them together."""
    verdicts = correct_families(uncorrected(verdict_of(entry.verdict)) for entry in entries)
    return [
        replace(entry, verdict={**entry.verdict, "status": v.status.value, "reason": v.reason, "p_holm": v.p_holm,
                                "family": v.family})
        for entry, v in zip(entries, verdicts, strict=True)
    ]  # fmt: skip


def load_published(folder: Path, keys: Iterable[str] | None = None) -> tuple[list[Published], list[str]]:
    """Return all that is published in a folder, by source, claim and tier, and a sentence about what cannot be read.

    Parameters
    ----------
    folder : Path
    keys : iterable of str, optional
        Sources; without them all that have a file.
    """
    found: list[Published] = []
    complaints: list[str] = []
    for key in sorted(path.name for path in folder.iterdir() if path.is_dir()) if keys is None else keys:
        path = folder / key / FILE
        if not path.exists():
            continue
        try:
            found += read(path)
        except InvalidInput as error:
            complaints.append(str(error))
    return found, complaints


def read(path: Path) -> list[Published]:
    """Return what a file holds.

    Raises
    ------
    InvalidInput
        If it cannot be read, or is of another form.
    """
    real = Path(os.path.realpath(path))
    try:
        return parsed(strict_json.parse(inside.read(real, real.parent, LARGEST)))
    except (OSError, ValueError, Damaged) as error:
        raise InvalidInput(
            f"{shown(path)} cannot be read as published results ({shown(error)}); restore it, or publish again"
        ) from error


def parsed(data: Any) -> list[Published]:
    """Return what a file holds, from its data.

    Raises
    ------
    ValueError
        If they are of another form.
    """
    if not isinstance(data, dict) or "schema" not in data:
        raise ValueError(f"it says nowhere that it is {SCHEMA}")
    if data["schema"] != SCHEMA:
        raise ValueError(f"it is {data['schema']!r:.40}, expected {SCHEMA!r}")
    rest = {name: value for name, value in data.items() if name != "sha256"}
    if data.get("sha256") != _digest(rest):
        raise ValueError("it does not match its checksum")
    try:
        texts, found = data["texts"], [_entry(entry, data["texts"]) for entry in data["verdicts"]]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(
            f"a part of it is missing or of another form ({type(error).__name__}: {error!s:.80})"
        ) from None
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("its texts are not all texts")
    places = [entry.place for entry in found]
    if len(set(places)) < len(places):
        raise ValueError("it holds two verdicts on one claim at one tier")
    foreign = [entry.id for entry in found if entry.id.partition(".")[0] != data["source"]]
    if foreign:
        raise ValueError(f"it holds the claim {foreign[0]!r:.80}, which is not of its source {data['source']!r:.40}")
    return found


def content(source: str, entries: Iterable[Published]) -> Iterator[bytes]:
    """Yield the content of the file of a source, in lines that can be told apart: two for each verdict."""
    rows = [(entry, _without_evidence(entry)) for entry in sorted(entries, key=lambda entry: entry.place)]
    uses = Counter(text for _, bare in rows for text in _texts(bare))
    shared = {text: place for place, text in enumerate(t for t, n in uses.items() if n > 1 and len(t) >= _LONG)}

    def short(text: str) -> str:
        return f"${shared[text]}" if text in shared else f"${text}" if text.startswith("$") else text

    data = {
        "schema": SCHEMA,
        "source": source,
        "texts": list(shared),
        "verdicts": [
            {**_mapped(bare, short), "evidence": packed(entry.verdict.get("evidence", ()))} for entry, bare in rows
        ],
    }
    yield b"{\n"
    for name in ("schema", "source"):
        yield _line(name, data[name])
    for name in ("texts", "verdicts"):
        lines: list[Any] = data[name]  # type: ignore[assignment]
        yield f'"{name}": [\n'.encode()
        yield b",\n".join(_json(line).replace(b',"evidence":{', b',\n"evidence":{') for line in lines)
        yield b"\n],\n"
    yield f'"sha256": "{_digest(data)}"\n}}\n'.encode()


def _without_evidence(entry: Published) -> dict[str, Any]:
    verdict = {name: value for name, value in entry.verdict.items() if name != "evidence"}
    return {"frozen": entry.frozen, "runs": entry.runs, "first_runs": entry.first_runs, "verdict": verdict}


def _entry(data: Mapping[str, Any], texts: Sequence[str]) -> Published:
    def whole(text: str) -> str:
        if not text.startswith("$"):
            return text
        return text[1:] if text[1:].startswith("$") else texts[int(text[1:])]

    bare = _mapped({name: value for name, value in data.items() if name != "evidence"}, whole)
    verdict = bare["verdict"]
    found = {**understood({**verdict, "evidence": []}, verdict["id"], verdict["tier"]), "evidence": ()}
    verdict_of(found)  # with all that a verdict has
    hashes = {name: bare[name] for name in ("frozen", "runs", "first_runs")}
    if not all(isinstance(value, str) for value in hashes.values()):
        raise TypeError("a fingerprint is no text")
    return Published({**found, "evidence": unpacked(data["evidence"])}, **hashes)


def _mapped(value: Any, function: Callable[[str], str]) -> Any:
    """Return data with a function applied to each text; not to names."""
    if isinstance(value, str):
        return function(value)
    if isinstance(value, Mapping):
        return {name: _mapped(item, function) for name, item in value.items()}
    return [_mapped(item, function) for item in value] if isinstance(value, list | tuple) else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _line(name: str, value: Any) -> bytes:
    return f'"{name}": '.encode() + _json(value) + b",\n"


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
