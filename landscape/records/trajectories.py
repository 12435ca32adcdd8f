"""Trajectories as Parquet, read with limits: a few bytes can stand for more rows than any memory holds."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from grokscape.landscape.experiment import COLUMNS

#: Limits of what is read: bytes of the file, rows, and bytes of all texts in them together.
LARGEST, MOST_ROWS, MOST_TEXT = 2**28, 5 * 10**6, 2**28
#: Further limits, of what the footer says: groups of rows, and bytes of all columns when they are unpacked.
MOST_GROUPS, LARGEST_UNPACKED = 100, 2**29
#: Codecs and encodings that cannot make much out of little.
CODECS = {"SNAPPY", "UNCOMPRESSED"}
ENCODINGS = {"PLAIN", "RLE", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "BIT_PACKED"}
_NUMBERS = {"INT32", "INT64", "FLOAT", "DOUBLE"}
_TEXTS = ["split", "quantity"]


def encode(trajectory: pd.DataFrame) -> bytes:
    """Return a trajectory as Parquet."""
    buffer = io.BytesIO()
    trajectory[list(COLUMNS)].to_parquet(buffer, engine="pyarrow", compression="snappy", index=False)
    return buffer.getvalue()


def decode(content: bytes) -> pd.DataFrame:
    """Return the trajectory in a Parquet file.

    What the file says of pandas (an index, types of extensions) is not looked at.

    Raises
    ------
    ValueError
        If it is no such file, not of the four columns and their types, too large when it is unpacked, has a step that
        is no number, or a quantity twice at one step.
    """
    try:
        # As dictionaries: a long text that stands in every row takes its room once.
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=_TEXTS)
        _check_columns(file.schema)
        _check_size(file.metadata)
        table = file.read(use_threads=False, use_pandas_metadata=False)
    except ValueError:  # which many of Arrow's are
        raise
    except Exception as error:  # whatever a parser can raise at bytes that anybody may have chosen
        raise ValueError(f"{type(error).__name__}: {error!s:.200}") from None
    if not table.num_rows:
        return pd.DataFrame(
            {"step": np.array([], np.int64), "split": [], "quantity": [], "value": np.array([], np.float64)}
        )
    step, value = (_numbers(table, name) for name in ("step", "value"))
    splits, quantities = (_texts(table, name) for name in _TEXTS)
    if not np.isfinite(step).all():
        raise ValueError("it has a step that is no finite number")
    place, _ = pd.factorize(step)
    kind = splits[1].astype(np.int64) * len(quantities[0]) + quantities[1]
    if len(pd.unique(place * (len(splits[0]) * len(quantities[0])) + kind)) < len(step):
        raise ValueError("it has a quantity twice at one step of one split")
    columns = (step, splits[0].take(splits[1]), quantities[0].take(quantities[1]), value)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _check_columns(schema: pq.ParquetSchema) -> None:
    """Refuse other columns than the four, by what the footer says: one value in a row can be a list of any length."""
    columns = [schema.column(index) for index in range(min(len(schema), len(COLUMNS) + 1))]
    if [column.path for column in columns] != list(COLUMNS):
        more = " and more" if len(schema) > len(columns) else ""
        names = ", ".join(column.path[:40] for column in columns)
        raise ValueError(f"it has the columns {names}{more}, expected {', '.join(COLUMNS)}")
    for column in columns:
        if column.max_repetition_level:
            raise ValueError(f"its column {column.path} holds lists, expected one value in each row")
        if column.physical_type not in ({"BYTE_ARRAY"} if column.path in _TEXTS else _NUMBERS):
            expected = "text" if column.path in _TEXTS else "numbers"
            raise ValueError(f"its column {column.path} is of type {column.physical_type}, expected {expected}")


def _check_size(meta: pq.FileMetaData) -> None:
    """Refuse a file by what its footer says of sizes, before anything is unpacked."""
    if meta.num_rows > MOST_ROWS:
        raise ValueError(f"it has {meta.num_rows} rows, more than {MOST_ROWS}")
    if meta.num_row_groups > MOST_GROUPS:
        raise ValueError(f"it has {meta.num_row_groups} groups of rows, more than {MOST_GROUPS}")
    groups = [meta.row_group(index) for index in range(meta.num_row_groups)]
    chunks = [(group.num_rows, group.column(index)) for group in groups for index in range(group.num_columns)]
    honest = all(group.num_rows >= 0 and group.num_columns == meta.num_columns for group in groups)
    honest &= all(chunk.num_values == rows and chunk.total_uncompressed_size >= 0 for rows, chunk in chunks)
    if not honest or sum(group.num_rows for group in groups) != meta.num_rows:
        raise ValueError("its footer contradicts itself")
    if (size := sum(chunk.total_uncompressed_size for _, chunk in chunks)) > LARGEST_UNPACKED:
        raise ValueError(f"it would unpack to {size} bytes, more than {LARGEST_UNPACKED}")
    if codecs := {chunk.compression for _, chunk in chunks} - CODECS:
        raise ValueError(f"it is compressed by {', '.join(sorted(codecs))}, expected SNAPPY")
    if encodings := {name for _, chunk in chunks for name in chunk.encodings} - ENCODINGS:
        raise ValueError(f"it is encoded by {', '.join(sorted(encodings))}, expected PLAIN or a dictionary")


def _numbers(table: pa.Table, name: str) -> np.ndarray:
    column = table[name]
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise ValueError(f"its column {name} is of type {column.type!s:.100}, expected numbers")
    if name == "step" and column.null_count:
        raise ValueError("it has a step that is no finite number")
    # What pandas calls not a number it writes as absent.
    return np.asarray(column.to_numpy())


def _texts(table: pa.Table, name: str) -> tuple[pd.Index[Any], np.ndarray]:
    """Return the different texts of a column, and which of them stands in each row."""
    column = table[name].unify_dictionaries().combine_chunks()
    kind = column.type
    if not pa.types.is_dictionary(kind) or not _is_text(kind.value_type):
        raise ValueError(f"its column {name} is of type {kind!s:.100}, expected text")
    array = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    if array.null_count or array.dictionary.null_count:
        raise ValueError(f"its column {name} has rows without a text")
    words, codes = array.dictionary.to_pylist(), np.asarray(array.indices)
    if int(np.array([len(word) for word in words])[codes].sum()) > MOST_TEXT:
        raise ValueError(f"its column {name} is larger than {MOST_TEXT} bytes when it is unpacked")
    return pd.Index(words), codes


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
