"""Arguments that several commands share, refused before any work is done."""

from __future__ import annotations

from pathlib import Path

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records import inside
from grokscape.landscape.records.store import Store
from grokscape.predictions.prediction import TIERS


def refuse_tier(tier: str) -> None:
    """Refuse a tier that does not exist."""
    if tier not in TIERS:
        raise InvalidInput(f"--tier is {tier!r}, expected one of {', '.join(TIERS)}")


def refuse_device(device: str) -> None:
    """Refuse a device that this machine does not have."""
    if device == "cpu":
        return
    import torch

    if not device.startswith("cuda") or not torch.cuda.is_available():
        raise InvalidInput(
            f"--device is {device!r}, expected cpu, or cuda where PyTorch finds a CUDA device (not here)"
        )


def store_at(path: Path) -> Store | None:
    """Open the store at a path, None if there is none: nothing is made."""
    return Store(path) if inside.kind(path / "store.json") else None


def existing_store(path: Path) -> Store:
    """Open a store that must be there already."""
    store = store_at(path)
    if store is None:
        raise InvalidInput(f"there is no store at {path}; give the folder that grokscape check used with --store")
    return store
