"""Snapshots of interrupted trainings as bytes: a checksum, then safetensors with the trajectory in its header."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import safetensors.numpy

from landscape.experiment import COLUMNS, Snapshot
from landscape.training.files import in_order


def encode(snapshot: Snapshot) -> bytes:
    """Return a snapshot as bytes."""
    rows = json.dumps([snapshot.rows[column].tolist() for column in COLUMNS])
    meta = {"step": str(snapshot.step), "rows": rows}
    payload = safetensors.numpy.save(in_order(snapshot.arrays), metadata=meta)
    return hashlib.sha256(payload).digest() + payload


def decode(content: bytes) -> Snapshot:
    """Return the snapshot that `encode` turned into these bytes.

    Raises
    ------
    ValueError
        If they are not what was written.
    """
    checksum, payload = content[:32], content[32:]
    if hashlib.sha256(payload).digest() != checksum:
        raise ValueError("the snapshot does not match its checksum")
    length = int.from_bytes(payload[:8], "little")
    meta = json.loads(payload[8 : 8 + length])["__metadata__"]
    rows = pd.DataFrame(dict(zip(COLUMNS, json.loads(meta["rows"]), strict=True)))
    return Snapshot(int(meta["step"]), rows, safetensors.numpy.load(payload))
