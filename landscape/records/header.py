"""The header of a stored run: what was trained, how, and what proves the other files."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from grokscape.landscape.description import class_of
from grokscape.landscape.records import strict_json

FORMAT = 1
TRAJECTORY, WEIGHTS, HEADER = "trajectory.parquet", "weights.safetensors", "run.json"
#: Bytes of a header; descriptions take some thousand.
LARGEST = 2**22
_DIGEST = re.compile(r"[0-9a-f]{64}")


def encode(experiment: Mapping[str, Any], info: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Return the header of a training as bytes.

    Raises
    ------
    ValueError
        If it could not be read again.
    """
    header: dict[str, Any] = {
        "format": FORMAT,
        "experiment": experiment,
        "info": info,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    header["sha256"] = _digest(header)
    content = json.dumps(header, indent=1, sort_keys=True).encode()
    decode(content)
    return content


def decode(content: bytes) -> dict[str, Any]:
    """Return what `encode` turned into these bytes.

    Raises
    ------
    ValueError
        If they are not what was written, or something is missing or of the wrong type.
    """
    header = strict_json.parse(content)
    if not isinstance(header, dict) or "sha256" not in header:
        raise ValueError("it is no header of a run")
    if header["sha256"] != _digest({name: value for name, value in header.items() if name != "sha256"}):
        raise ValueError("it does not match its checksum")
    if header.get("format") != FORMAT or isinstance(header["format"], bool):
        raise ValueError(f"it has format {header.get('format')!r:.50}, expected {FORMAT}")
    experiment, info, files = (header.get(part) for part in ("experiment", "info", "files"))
    if not isinstance(experiment, dict) or not isinstance(experiment.get("kind"), str):
        raise ValueError("it describes no experiment")
    if not isinstance(info, dict):
        raise ValueError("it does not say how the training went")
    if not _is_count(info.get("last_step", 0)):
        raise ValueError(f"its last step is {info['last_step']!r:.50}, expected a number of steps")
    seconds = info.get("seconds", 0.0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e10:
        raise ValueError(f"its seconds are {seconds!r:.50}, expected a duration")
    # A name is joined to a path: no other than these two is ever opened.
    if not isinstance(files, dict) or set(files) != {TRAJECTORY, WEIGHTS}:
        raise ValueError(f"it names other files than {TRAJECTORY} and {WEIGHTS}")
    if not all(isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in files.values()):
        raise ValueError("the checksum of a file is no SHA-256")
    return header


def identity_of(header: Mapping[str, Any]) -> str:
    """Return the identity of what a header describes; computed from data, so that unknown kinds can be checked too."""
    canonical = json.dumps(header["experiment"], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def describe(header: Mapping[str, Any]) -> str:
    """Return one line about a stored experiment, as well as this process can tell.

    It is written from the data alone. No description is built: a stranger may have chosen sizes that take for ever.
    """
    return _told(header["experiment"])


def _told(value: Any) -> str:
    if isinstance(value, list):
        return f"({', '.join(map(_told, value))}{',' if len(value) == 1 else ''})"
    if not isinstance(value, dict):
        return repr(value)
    known = class_of(value.get("kind"))
    names = [field.name for field in dataclasses.fields(known)] if known else []  # type: ignore[arg-type]
    if known is None or set(names) != set(value) - {"kind"}:
        return json.dumps(value)
    return f"{known.__qualname__}({', '.join(f'{name}={_told(value[name])}' for name in names)})"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _digest(header: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()
