"""Results as Snowflake encodes them: Arrow, in chunks."""

import base64
import gzip
import secrets

import pyarrow as pa
import pyarrow.compute as pc

from tests.servers.snowflake.state import STATE

INTEGERS = (pa.int8(), pa.int16(), pa.int32(), pa.int64())
FIRST_ROWS = 1000


def encoded(data: dict, address: str) -> dict:
    """The answer to a query, as Snowflake sends it. `address` is this server's, where the chunks can be fetched."""
    raw = base64.b64decode(data["rowsetBase64"])
    if not raw:
        return data
    table = with_null_timestamps(pa.ipc.open_stream(raw).read_all())
    if STATE.settings.arrow == 1:
        table = narrowed(table)
    return data | in_chunks(table, address)


def in_chunks(table: pa.Table, address: str) -> dict:
    """Snowflake sends the first rows at once and the others as addresses that any process can fetch, without a session.

    fakesnow sends everything at once.
    """
    rows = STATE.settings.chunk_rows
    first = table.num_rows if table.num_rows <= rows else min(FIRST_ROWS, rows)
    chunks = [chunk(table.slice(start, rows), address) for start in range(first, table.num_rows, rows)]
    sent = {"rowsetBase64": base64.b64encode(ipc(table.slice(0, first))).decode(), "returned": table.num_rows}
    return sent | ({"chunks": chunks, "chunkHeaders": {}} if chunks else {})


def chunk(part: pa.Table, address: str) -> dict:
    """Keep a part of a result, and say where."""
    raw, name = ipc(part), secrets.token_hex(12)
    STATE.chunks[name] = gzip.compress(raw, 1)
    sizes = {"uncompressedSize": len(raw), "compressedSize": len(STATE.chunks[name])}
    return {"url": f"{address}test/chunks/{name}", "rowCount": part.num_rows, **sizes}


def ipc(table: pa.Table) -> bytes:
    """An Arrow stream."""
    if STATE.settings.arrow == 2:
        table = narrowed(table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def replaced(table: pa.Table, change) -> pa.Table:
    """The table with `change(array, field)` for each column; names and metadata stay."""
    arrays = [change(column.combine_chunks(), field) for column, field in zip(table.columns, table.schema, strict=True)]
    fields = [x.with_type(array.type).with_nullable(True) for x, array in zip(table.schema, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=table.schema.metadata))


def with_null_timestamps(table: pa.Table) -> pa.Table:
    """A NULL timestamp is a null struct. fakesnow sends a struct of nulls: 1970 in connector 4, an error in 5."""

    def change(array: pa.Array, field: pa.Field) -> pa.Array:
        if not pa.types.is_struct(field.type):
            return array
        parts = array.flatten()
        fields = [x.with_nullable(True) for x in field.type]
        return pa.StructArray.from_arrays(parts, fields=fields, mask=pc.is_null(parts[0]))

    return replaced(table, change)


def narrowed(table: pa.Table) -> pa.Table:
    """NUMBER travels as the narrowest integer that holds the unscaled values. fakesnow sends decimals and int64."""

    def change(array: pa.Array, field: pa.Field) -> pa.Array:
        is_number = (field.metadata or {}).get(b"logicalType") == b"FIXED"
        return narrowest(array) if is_number else array

    return replaced(table, change)


def narrowest(array: pa.Array) -> pa.Array:
    """Unscaled integers of a decimal or integer array, as narrow as they go; unchanged beyond 64 bits."""
    unscaled = array
    if pa.types.is_decimal(array.type):
        wide = array.cast(pa.decimal128(38, array.type.scale))
        unscaled = pa.Array.from_buffers(pa.decimal128(38, 0), len(wide), wide.buffers(), offset=wide.offset)
    for kind in INTEGERS:
        try:
            return unscaled.cast(kind)
        except pa.ArrowInvalid:
            continue
    return array
