"""Reading PostgreSQL: COPY … TO STDOUT as CSV, parsed into Arrow, every part in the exported snapshot that it names."""

import re
import threading
from binascii import unhexlify
from collections.abc import Iterator
from queue import Queue
from typing import TYPE_CHECKING

from landbridge.connectors.postgres.session import SETTINGS, Server, asyncpg_arguments, border
from landbridge.connectors.postgres.snapshots import BEGIN, HEX, taking_part
from landbridge.contracts.values import Part
from landbridge.errors import SourceError, Unreachable
from landbridge.schema.arrow import arrow_schema, arrow_type
from landbridge.schema.model import TableSchema

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_BYTES = 4 << 20  # CSV bytes parsed at a time; a chunk holds whole rows, so one wide row may exceed it
CHUNKS_AHEAD = 1


def batches(server: Server, part: Part) -> "Iterator[pa.RecordBatch]":
    """See Source.batches. A thread receives while the caller parses; it waits when two chunks lie ready."""
    chunks: Queue[bytes | int | Exception] = Queue(CHUNKS_AHEAD)
    stop = threading.Event()
    receiver = threading.Thread(target=_receive, args=(server, part, chunks, stop), daemon=True)
    receiver.start()
    rows = 0
    try:
        while not isinstance(item := chunks.get(), int):
            if isinstance(item, Exception):
                where = f"part {part.number} of {part.connection}\n{part.sql}"
                with border(SourceError, where, more=_asyncpg_errors()):
                    raise item
            for batch in _parse(item, part.schema):
                rows += batch.num_rows
                yield batch
        if rows != item:
            raise SourceError(f"part {part.number} of {part.connection}: postgres sent {item} rows, {rows} were read")
    finally:
        stop.set()
        while receiver.is_alive():
            if not chunks.empty():
                chunks.get()
            receiver.join(0.01)


def _asyncpg_errors() -> tuple[type[Exception], ...]:
    import asyncpg

    return asyncpg.PostgresError, asyncpg.InterfaceError


def _receive(server: Server, part: Part, chunks: "Queue[bytes | int | Exception]", stop: threading.Event) -> None:
    import asyncio

    try:
        chunks.put(asyncio.run(_copy(server, part, chunks, stop)))
    except OSError as error:  # a TimeoutError as well
        chunks.put(Unreachable(f"connection to postgres at {server.host}:{server.port} lost: {error}"))
    except Exception as error:  # noqa: BLE001 - whatever ends this thread is raised by the one who waits for it
        chunks.put(error)


async def _copy(server: Server, part: Part, chunks: "Queue[bytes | int | Exception]", stop: threading.Event) -> int:
    """Rows by the server's own count, after all chunks. Each message of COPY holds whole rows, by the protocol."""
    import asyncpg

    waiting: list[bytes] = []
    size = 0

    def hand_over() -> None:
        nonlocal size
        chunks.put(b"".join(waiting))  # blocks this loop, which has nothing else to do: that is the backpressure
        waiting.clear()
        size = 0
        if stop.is_set():
            raise ConnectionAbortedError("the reader stopped early")

    async def receive(data: bytes) -> None:
        nonlocal size
        waiting.append(data)
        size += len(data)
        if size >= CHUNK_BYTES:
            hand_over()

    connection = await asyncpg.connect(**asyncpg_arguments(server))
    try:
        await connection.execute(SETTINGS)
        await connection.execute(BEGIN)
        if part.snapshot:
            await connection.execute(taking_part(part.snapshot))
        tag = await connection.copy_from_query(part.sql, output=receive, format="csv")
        if waiting:
            hand_over()
        return int(tag.removeprefix("COPY "))
    finally:
        connection.terminate()


def _parse(csv: bytes, schema: TableSchema) -> "list[pa.RecordBatch]":
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    types = {c.name: pa.string() if c.type.kind in HEX else arrow_type(c.type) for c in schema.columns}
    quoted = b'"' in csv
    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(csv),
            arrow_csv.ReadOptions(column_names=list(types), use_threads=False, block_size=len(csv) + 1),
            arrow_csv.ParseOptions(
                quote_char='"' if quoted else False, newlines_in_values=quoted, ignore_empty_lines=False
            ),
            arrow_csv.ConvertOptions(
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        raise _cannot_travel(str(error), schema) from None  # pyarrow's text quotes the value
    for number, column in enumerate(schema.columns):
        if column.type.kind in HEX:
            decoded = pa.chunked_array([_unhex(chunk) for chunk in table.column(number).chunks], pa.binary())
            table = table.set_column(number, column.name, decoded.cast(arrow_type(column.type)))
    found: list[pa.RecordBatch] = table.cast(arrow_schema(schema)).to_batches()
    return found


def _unhex(text: "pa.StringArray") -> "pa.BinaryArray":
    """Binary values of an array of hex texts: two digits a byte, so that offsets are halved."""
    import numpy as np
    import pyarrow as pa

    validity, offsets, digits = text.buffers()
    ends = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    data = unhexlify(memoryview(digits)[ends[0] : ends[-1]]) if digits else b""
    halved = ((ends - ends[0]) // 2).astype(np.int32)
    plain = validity if text.offset == 0 else text.is_valid().buffers()[1]
    return pa.BinaryArray.from_buffers(pa.binary(), len(text), [plain, pa.py_buffer(halved), pa.py_buffer(data)])


def _cannot_travel(words: str, schema: TableSchema) -> SourceError:
    found = re.search(r"CSV column #(\d+)", words)
    if not found:
        return SourceError("postgres sent rows that are not the columns asked for")
    column = schema.columns[int(found.group(1))]
    return SourceError(
        f"column {column.name} ({column.native or column.type}) holds a value that {column.type} cannot carry: "
        f"{UNFIT.get(column.type.kind, 'text that is not UTF-8')}",
        hint="filter such rows out, or cast the column to text in source_query",
    )


UNFIT = {
    "decimal": "NaN",
    "date": "infinity, or a year before 1 or after 9999",
    "timestamp": "infinity, or a year before 1 or after 9999",
    "timestamptz": "infinity, or a year before 1 or after 9999",
    "time": "24:00",
}
