"""What the suites ask of a database under test, and the way of rows through it: written, published, read again."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import uuid4

import pyarrow as pa

from landbridge.connectors.registry import Connector
from landbridge.contracts.values import Filter, Landing, Load, Published, Read, Write, WriteMode
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.columns import Columns
from landbridge.schema.model import Column, Relation, TableSchema, Type
from landbridge.schema.names import qualify


class System(Protocol):
    """A connector, and a way around it."""

    connector: Connector

    def relation(self, table: str) -> Relation:
        """A place for a table that no other test uses."""
        ...

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement on a connection of its own, committed; rows if it has any."""
        ...


NUMBERS = TableSchema((Column("id", Type("int64")), Column("note", Type("text"))))


def numbers(start: int, stop: int, note: str = "") -> pa.RecordBatch:
    """Rows of NUMBERS with the ids from `start` to before `stop`, all with the same note."""
    ids = list(range(start, stop))
    return pa.record_batch([ids, [note] * len(ids)], schema=arrow_schema(NUMBERS))


def load_of(rows: int, load_id: str | None = None) -> Load:
    """A new attempt at loading so many rows."""
    return Load(load_id or uuid4().hex, "a pipeline", "a parcel", attempt=uuid4().hex, rows=rows)


def land(
    system: System,
    table: str,
    schema: TableSchema,
    batches: Sequence[pa.RecordBatch],
    load: Load | None = None,
    *,
    mode: WriteMode = "full",
) -> Landing:
    """Prepare and append, each batch in a call of its own; nothing is published."""
    write = Write("it", system.relation(table), mode)
    landing = system.connector.prepare(write, schema, load or load_of(sum(batch.num_rows for batch in batches)))
    first = 0
    for batch in batches:
        assert system.connector.append(landing, [batch], first) == batch.num_rows
        first += batch.num_rows
    return landing


def publish(system: System, table: str, schema: TableSchema, batches: Sequence[pa.RecordBatch]) -> Published:
    """The whole load of a table."""
    return system.connector.publish(land(system, table, schema, batches))


def read(
    system: System,
    table: str,
    *,
    query: str | None = None,
    filter: Filter | None = None,  # noqa: A002
    columns: Columns | None = None,
) -> pa.Table:
    """All rows, part by part; the count of the snapshot is checked."""
    reading = Read("it", system.relation(table), query, filter or Filter(), columns or Columns())
    with system.connector.snapshot(reading) as snapshot:
        schema = arrow_schema(snapshot.schema)
        batches = [batch for part in snapshot.parts for batch in system.connector.batches(part)]
    found = pa.Table.from_batches(batches, schema)
    assert found.num_rows == snapshot.rows
    return found


def ids(system: System, table: str) -> list[int]:
    """The ids in the table now, in order, past the connector."""
    return [row[0] for row in system.execute(f"SELECT id FROM {qualify(system.relation(table))} ORDER BY id")]


def landings(system: System, table: str) -> list[str]:
    """Names of landing tables that attempts at this target left; asking removes them."""
    return system.connector.sweep(Write("it", system.relation(table)))


def with_types(schema: TableSchema, types: Iterable[Type]) -> TableSchema:
    """The same columns with other types."""
    columns = zip(schema.columns, types, strict=True)
    return replace(schema, columns=tuple(replace(column, type=kind) for column, kind in columns))
