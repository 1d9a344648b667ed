"""Batches as they leave a source: renamed, and masked before anything is written."""

import hmac
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from landbridge.errors import ConfigError, SourceError
from landbridge.schema.arrow import arrow_schema, arrow_type
from landbridge.schema.canonical import from_text, to_text
from landbridge.schema.columns import HASHED, Columns, Pick, leaving
from landbridge.schema.model import Column, TableSchema

if TYPE_CHECKING:
    import pyarrow as pa


def masked(
    batches: "Iterable[pa.RecordBatch]", schema: TableSchema, columns: Columns, key: bytes | None
) -> "Iterator[pa.RecordBatch]":
    """Batches of `leaving(schema, columns)`, from those of `schema` that a source gives.

    Raises SourceError for a value that cannot be hashed, ConfigError where there is no `key` to hash with.
    """
    import pyarrow as pa

    wire = arrow_schema(leaving(schema, columns))
    picks = [columns.pick(column.name) for column in schema.columns]
    for batch in batches:
        given = zip(batch.columns, schema.columns, picks, strict=True)
        arrays = [_masked(array, column, pick, key) for array, column, pick in given]
        yield pa.RecordBatch.from_arrays(arrays, schema=wire)


def _masked(array: "pa.Array", column: Column, pick: Pick, key: bytes | None) -> "pa.Array":
    import pyarrow as pa

    if pick.mask == "null":
        return pa.nulls(len(array), arrow_type(column.type))
    if pick.mask == "constant":
        return pa.repeat(from_text(pick.value or "", column.type), len(array))
    return _hashed(array, column, key) if pick.mask == "hash" else array


def _hashed(array: "pa.Array", column: Column, key: bytes | None) -> "pa.Array":
    """NULL stays NULL. Each distinct value is hashed once; that takes about 3 microseconds."""
    import pyarrow as pa

    if not key:
        raise ConfigError(f"column {column.name} is to be hashed without a key", hint="set masking_key")
    values = array.dictionary_encode()
    try:
        texts = to_text(values.dictionary, column.type)
    except ValueError:  # Arrow's own words may quote the value
        raise SourceError(f"column {column.name} holds a value that has no text, and cannot be hashed") from None
    keyed = hmac.new(key, digestmod="sha256")
    return pa.array([_digest(keyed, text) for text in texts.to_pylist()], pa.string()).take(values.indices)


def _digest(keyed: hmac.HMAC, text: str) -> str:
    this = keyed.copy()
    this.update(text.encode())
    return this.hexdigest()[: HASHED.length]
