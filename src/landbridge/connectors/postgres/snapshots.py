"""Instants and snapshots of PostgreSQL: a transaction that stays open, and the SELECTs that read as of it in parts."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from landbridge.connectors.postgres.catalog import describe, locate, value
from landbridge.connectors.postgres.session import READS, Server, border, connect
from landbridge.contracts.values import Instant, Part, Read, Snapshot
from landbridge.errors import SourceError
from landbridge.schema.changes import Newest, asked, watermark
from landbridge.schema.columns import chosen
from landbridge.schema.ddl import literal
from landbridge.schema.model import Column, Relation, TableSchema
from landbridge.schema.names import qualify, quote
from landbridge.schema.postgres import parse_type

if TYPE_CHECKING:
    from landbridge.connectors.postgres.session import Connection

PART_BYTES = 32 << 20  # heap bytes of one part
FEW = 50_000  # rows that one part reads
HEX = {"binary": "encode({0}, 'hex')", "uuid": "encode(uuid_send({0}), 'hex')"}

HEAP = """
SELECT coalesce(max(pg_relation_size(leaf.oid)), 0) / current_setting('block_size')::bigint AS blocks,
       coalesce(sum(pg_relation_size(leaf.oid)), 0)::bigint AS bytes
FROM pg_class c
JOIN pg_class leaf ON leaf.oid = c.oid AND c.relkind IN ('r', 'm')
    OR c.relkind = 'p' AND leaf.oid IN (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf)
LEFT JOIN pg_am am ON am.oid = leaf.relam
WHERE c.oid = %s::regclass
HAVING bool_and(coalesce(am.amname = 'heap', false))
"""

# What is truncated, rewritten, detached or put in another's place shows no rows to older snapshots, and no error.
# pg_class and pg_inherits tell what our snapshot sees, the functions what is there now, and our locks keep that so.
REPLACED = """
WITH held AS (SELECT relation AS oid FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'),
replaced AS (
    SELECT h.oid FROM held h LEFT JOIN pg_class c USING (oid)
    WHERE c.relkind IN ('r', 'm') AND c.relfilenode NOT IN (0, pg_relation_filenode(h.oid))
       OR c.oid IS NULL AND pg_partition_root(h.oid) IS NULL AND pg_get_indexdef(h.oid) IS NULL
    UNION ALL
    SELECT i.inhrelid FROM held h JOIN pg_inherits i ON i.inhparent = h.oid
    WHERE pg_partition_root(i.inhrelid) IS DISTINCT FROM pg_partition_root(i.inhparent)
)
SELECT string_agg(oid::regclass::text, ', ') FROM replaced
"""
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@contextmanager
def instant(server: Server, name: str) -> Iterator[Instant]:
    """See Source.instant; it lives as long as this context's connection."""
    with connect(server, READS) as connection:
        with border(SourceError, f"a snapshot of {name}"):
            held = _exported(connection)
        yield held


def _exported(connection: "Connection") -> Instant:
    connection.execute(BEGIN)
    row = connection.execute("SELECT now(), pg_export_snapshot()").fetchone()
    assert row is not None, "a SELECT without FROM gives one row"  # noqa: S101
    return Instant(*row)


def taking_part(snapshot: str) -> str:
    return f"SET TRANSACTION SNAPSHOT {literal(snapshot)}"


@contextmanager
def snapshot(server: Server, read: Read, instant: Instant | None) -> Iterator[Snapshot]:
    """See Source.snapshot; an instant of its own lives as long as this context's connection."""
    relation = locate(server, read.relation)
    with connect(server, READS) as connection:
        with border(SourceError, str(relation)):
            if instant is None:
                instant = _exported(connection)
            else:
                _take_part(connection, instant)
        yield _taken(connection, read, relation, instant)


def newest(server: Server, read: Read, column: str, instant: Instant) -> Newest:
    """See Source.newest."""
    relation = locate(server, read.relation)
    source, conditions = _from(read, relation)
    asking = _select(asked(column), source, conditions)
    with connect(server, READS) as connection:
        with border(SourceError, str(relation)):
            _take_part(connection, instant)
            found = watermark(schema_of(connection, read, relation), column)
        with border(SourceError, f"{relation}\n{asking}"):
            value, nulls = connection.execute(asking).fetchone() or (None, 0)
    return Newest(found, value, nulls)


def count(server: Server, read: Read, instant: Instant) -> int:
    """See Source.count."""
    relation = locate(server, read.relation)
    counting = _select("count(*)", *_from(read, relation))
    with connect(server, READS) as connection, border(SourceError, f"{relation}\n{counting}"):
        _take_part(connection, instant)
        rows: int = value(connection, counting)
    return rows


def _take_part(connection: "Connection", instant: Instant) -> None:
    connection.execute(BEGIN)
    connection.execute(taking_part(instant.name or "none"))


def _from(read: Read, relation: Relation) -> tuple[str, list[str]]:
    """What stands behind FROM, and the conditions. Raises SourceError for QUALIFY."""
    if read.filter.qualify:
        raise SourceError(
            f"{relation}: postgres has no QUALIFY", hint="rank the rows in source_query and filter on that"
        )
    return source_of(read, relation), [f"({read.filter.where}\n)"] if read.filter.where else []


def schema_of(connection: "Connection", read: Read, relation: Relation) -> TableSchema:
    """All columns of what is read."""
    if read.query:
        return query_schema(connection, source_of(read, relation))
    schema = describe(connection, [relation])[relation]
    if schema is None:
        raise SourceError(f"no table {relation} at {read.connection}", hint="check its name in tables.yaml")
    return schema


def _taken(connection: "Connection", read: Read, relation: Relation, instant: Instant) -> Snapshot:
    source, conditions = _from(read, relation)
    with border(SourceError, f"{relation}\n{source if read.query else ''}".strip()):
        schema = chosen(schema_of(connection, read, relation), read.columns)
    columns = ", ".join(_expression(column, read=column.name not in read.columns.unread) for column in schema.columns)
    counting = _select("count(*)", source, conditions)
    with border(SourceError, f"{relation}\n{counting}"):
        rows = value(connection, counting)
        _refuse_replaced(connection, relation, instant)
        # few rows of many: by an index, if there is one; by ranges of blocks each part would look for them anew
        few = read.filter.where is not None and rows <= FEW
        ranges = [""] if read.query or few else _ctid_ranges(connection, relation)
    parts = tuple(
        Part(
            connection=read.connection,
            number=number,
            sql=_select(columns, source, [*conditions, *([ctid] if ctid else [])]),
            schema=schema,
            alone=len(ranges) == 1,
            snapshot=instant.name,
        )
        for number, ctid in enumerate(ranges)
    )
    return Snapshot(schema=schema, rows=rows, parts=parts, as_of=instant.as_of)


def _refuse_replaced(connection: "Connection", relation: Relation, instant: Instant) -> None:
    """Asked after the count: the locks that it took hold until the snapshot ends."""
    if replaced := value(connection, REPLACED):
        raise SourceError(
            f"{relation}: {replaced} was truncated, rewritten or replaced after {instant.as_of:%Y-%m-%d %H:%M:%S} UTC, "
            "and its rows as of then cannot be read any more",
            hint="export it again, with all tables that have to agree with it",
        )


def _select(columns: str, source: str, conditions: list[str]) -> str:
    return f"SELECT {columns}\nFROM {source}{_where(conditions)}\n"


def _where(conditions: list[str]) -> str:
    return "\nWHERE " + "\n  AND ".join(conditions) if conditions else ""


def rows_of(read: Read, relation: Relation) -> str:
    """What stands behind FROM, with its conditions. Raises SourceError for QUALIFY."""
    source, conditions = _from(read, relation)
    return f"{source}{_where(conditions)}\n"


def _expression(column: Column, *, read: bool) -> str:
    name = quote(column.name)
    if not read:
        return f"NULL AS {name}"
    return f"{HEX[column.type.kind].format(name)} AS {name}" if column.type.kind in HEX else name


def source_of(read: Read, relation: Relation) -> str:
    """What stands behind FROM."""
    if not read.query:
        return qualify(relation)
    return f"(\n{read.query.replace('{table}', qualify(relation))}\n) AS landbridge_query"


def query_schema(connection: "Connection", source: str) -> TableSchema:
    """Columns of a query, described without fetching a row. Raises SourceError for two of one name."""
    cursor = connection.execute(f"SELECT * FROM {source} LIMIT 0")
    result = cursor.pgresult
    assert result is not None, "a SELECT has a result"  # noqa: S101
    numbers = range(result.nfields)
    natives = value(
        connection,
        "SELECT array_agg(format_type(t, m) ORDER BY n) FROM unnest(%s::oid[], %s::int[]) WITH ORDINALITY f(t, m, n)",
        [result.ftype(n) for n in numbers],
        [result.fmod(n) for n in numbers],
    )
    names = [column.name for column in cursor.description or ()]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(f"source_query has two columns named {', '.join(double)}", hint="give one an alias")
    return TableSchema(
        tuple(Column(name, parse_type(native), native=native) for name, native in zip(names, natives, strict=True))
    )


def _ctid_ranges(connection: "Connection", relation: Relation) -> list[str]:
    """Block ranges of about PART_BYTES as conditions; one empty condition where rows have no such place.

    A partitioned table's ranges hold in each of its partitions. PostgreSQL 14 and newer scan only the range.
    """
    heap = connection.execute(HEAP, [qualify(relation)]).fetchone()
    count = math.ceil(heap[1] / PART_BYTES) if heap else 1
    if heap is None or count < 2:
        return [""]
    step = math.ceil(heap[0] / count)
    starts = range(0, heap[0], step)
    ends = [f" AND ctid < '({start},0)'" for start in starts[1:]]
    return [f"ctid >= '({start},0)'{end}" for start, end in zip(starts, [*ends, ""], strict=True)]
