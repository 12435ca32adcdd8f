"""Snapshots of interrupted trainings as bytes: a checksum, then safetensors with the trajectory in its header."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import safetensors.numpy

from grokscape.landscape.experiment import COLUMNS, Snapshot
from grokscape.landscape.records import trajectories
from grokscape.landscape.records.weight_files import in_order, tensors

#: Bytes; a training that needs more leaves no snapshot.
LARGEST = 2**30


def encode(snapshot: Snapshot, identity: str) -> bytes:
    """Return the snapshot of the experiment of an identity as bytes."""
    rows = json.dumps([snapshot.rows[column].tolist() for column in COLUMNS])
    meta = {"step": str(snapshot.step), "rows": rows, "identity": identity}
    payload = safetensors.numpy.save(in_order(snapshot.arrays), metadata=meta)
    return hashlib.sha256(payload).digest() + payload


def decode(content: bytes, identity: str) -> Snapshot:
    """Return the snapshot that `encode` turned into these bytes.

    Raises
    ------
    ValueError
        If they are not what was written, or were written for another experiment.
    """
    checksum, payload = content[:32], content[32:]
    if hashlib.sha256(payload).digest() != checksum:
        raise ValueError("it does not match its checksum")
    arrays = tensors(payload)
    length = int.from_bytes(payload[:8], "little")
    try:
        meta = json.loads(payload[8 : 8 + length])["__metadata__"]
        rows = pd.DataFrame(dict(zip(COLUMNS, json.loads(meta["rows"]), strict=True)))
        step = int(meta["step"])
        # The table must be one that a record could hold.
        trajectories.decode(trajectories.encode(rows))
    except Exception as error:  # whatever a table of somebody's own can raise
        raise ValueError(f"its records cannot be read ({type(error).__name__}: {error!s:.200})") from None
    if meta.get("identity") != identity:
        raise ValueError("it is not the snapshot of this experiment")
    return Snapshot(step, rows, arrays)
