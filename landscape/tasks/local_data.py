"""Files of data that others collected: found without importing a package, read without executing anything.

They are looked for inside installed packages and then in a folder of the user's own, the one that the environment
variable ``GROKSCAPE_DATA`` names (by default ``~/.cache/grokscape``). Nothing is ever downloaded.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
import os
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from grokscape.landscape.errors import InvalidInput

#: The environment variable that names the user's folder of data.
VARIABLE = "GROKSCAPE_DATA"


def folder() -> Path:
    """Return the user's folder of data, whether or not it exists."""
    return Path(os.environ.get(VARIABLE) or Path.home() / ".cache" / "grokscape").expanduser()


def in_package(package: str, path: str) -> Path | None:
    """Return a file inside an installed top-level package, which is not imported; None if there is no such file."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    places = spec.submodule_search_locations if spec is not None else None
    return next((Path(place) / path for place in places or () if (Path(place) / path).is_file()), None)


def in_folder(name: str) -> Path | None:
    """Return a file of the user's folder, plain or with ``.gz`` behind its name; None if there is neither."""
    return next((file for suffix in ("", ".gz") if (file := folder() / f"{name}{suffix}").is_file()), None)


def read(path: Path, limit: int) -> bytes:
    """Return a file's content, decompressed if its name ends in ``.gz``.

    Raises
    ------
    InvalidInput
        If there are more than `limit` bytes in the end (a small archive can unpack to anything), or it is no gzip file.
    """
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if path.suffix == ".gz":
        # One member, which is what every file here has; what would follow is not read.
        unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            content = unpacking.decompress(content, limit + 1)
        except zlib.error as error:
            raise InvalidInput(f"{path} is no gzip file ({error}); replace it") from None
        if not unpacking.eof and len(content) <= limit:
            raise InvalidInput(f"{path} is cut short; replace it")
    if len(content) > limit:
        raise InvalidInput(f"{path} holds more than {limit} bytes, the most that is expected; replace it")
    return content


def idx(content: bytes, path: Path) -> np.ndarray:
    """Return the array in an IDX file of bytes (``00 00 08 d``, then d sizes as big-endian int32, then the data).

    Raises
    ------
    InvalidInput
        If it is no such file, or has more or fewer data than its sizes say.
    """
    dimensions = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    begin = 4 + 4 * dimensions
    shape = tuple(np.frombuffer(content[4:begin], ">i4").tolist()) if len(content) >= begin else ()
    if not shape or min(shape) < 0 or len(content) - begin != math.prod(shape):
        raise InvalidInput(f"{path} is no complete IDX file of bytes; replace it with the file as it was published")
    return np.frombuffer(content, np.uint8, offset=begin).reshape(shape)


def table(content: bytes, columns: int, path: Path) -> np.ndarray:
    """Return comma-separated numbers between 0 and 255 as uint8, shape (rows, columns).

    Raises
    ------
    InvalidInput
        If the file holds anything else.
    """
    try:
        numbers = np.loadtxt(content.decode("ascii").splitlines(), delimiter=",", ndmin=2)
    except ValueError as error:
        raise InvalidInput(f"{path} is no table of numbers ({error}); replace it") from None
    if numbers.shape[1] != columns or not np.array_equal(numbers, numbers.clip(0, 255).round()):
        raise InvalidInput(f"{path} is no table of {columns} columns of whole numbers from 0 to 255; replace it")
    return numbers.astype(np.uint8)


def fingerprint(arrays: Iterable[np.ndarray]) -> str:
    """Return the SHA-256 over types, shapes and little-endian contents of arrays, in hexadecimal."""
    digest = hashlib.sha256()
    for array in arrays:
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{plain.dtype.str}{plain.shape}".encode())
        digest.update(plain.tobytes())
    return digest.hexdigest()
