"""Reading Snowflake: one SELECT, whose result batches any process can fetch, each value in a form that has no doubt."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

from landbridge.connectors.snowflake.catalog import describe, located
from landbridge.connectors.snowflake.restoring import fetching, restored
from landbridge.connectors.snowflake.session import Session, fetch
from landbridge.connectors.snowflake.unloading import File, unloaded
from landbridge.contracts.values import Instant, Part, Read, Snapshot
from landbridge.errors import SourceError
from landbridge.schema.arrow import NANOSECONDS
from landbridge.schema.changes import Newest, watermark
from landbridge.schema.columns import chosen
from landbridge.schema.ddl import backslash_literal
from landbridge.schema.filters import where_clause
from landbridge.schema.model import Column, Relation, TableSchema
from landbridge.schema.names import qualify, quote
from landbridge.schema.native import take_apart
from landbridge.schema.snowflake import parse_type

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector.cursor import SnowflakeCursor
    from snowflake.connector.result_batch import ResultBatch

PART_BYTES = 32 << 20  # of a result, as the account counts them
CLOCKS = ("timestamp", "timestamptz")
TEXTS = ("text", "varchar", "string", "char", "character")
# https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api: type_code of a column
CODES = ("FIXED", "REAL", "TEXT", "DATE", "TIMESTAMP", "VARIANT", "TIMESTAMP_LTZ", "TIMESTAMP_TZ", "TIMESTAMP_NTZ",
         "OBJECT", "ARRAY", "BINARY", "TIME", "BOOLEAN", "GEOGRAPHY", "GEOMETRY", "VECTOR")  # fmt: skip


@contextmanager
def instant(session: Session) -> Iterator[Instant]:
    """See Source.instant: the account's own clock; its tables keep their history."""
    with session.cursor(SourceError, f"the time at {session.name}") as cursor:
        yield _now(cursor)


@contextmanager
def snapshot(session: Session, read: Read, held: Instant | None) -> Iterator[Snapshot]:
    """See Source.snapshot. The count comes from a statement of its own, as of the same instant."""
    with session.cursor(SourceError, str(read.relation)) as cursor:
        as_of = held or _now(cursor)
    relation, query = _from(session, read, as_of)
    with session.cursor(SourceError, f"{relation}\n{query}" if read.query else str(relation)) as cursor:
        schema = chosen(schema_of(cursor, read, relation, _table(session, relation, as_of)), read.columns)
        rows, schema = _looked_at(cursor, query, schema, read.columns.unread)
        unload, unread = session.options.unload, read.columns.unread
        columns = (_expression(c, read=c.name not in unread, in_files=unload) for c in schema.columns)
        select = f"SELECT {', '.join(columns)} {query}"
        if unload:
            with unloaded(session, relation, select, rows) as files:
                yield Snapshot(schema, rows, tuple(_file_parts(session.name, files, schema)), as_of.as_of)
        else:
            cursor.execute(select)
            yield Snapshot(schema, rows, tuple(_parts(session.name, cursor, schema)), as_of.as_of)


def _table(session: Session, relation: Relation, as_of: Instant) -> str:
    """As of the instant, where the account's tables keep their history."""
    if not session.options.time_travel:
        return qualify(relation)
    return f"{qualify(relation)} AT(TIMESTAMP => {backslash_literal(as_of.name or '')}::TIMESTAMP_LTZ)"


def _from(session: Session, read: Read, as_of: Instant) -> tuple[Relation, str]:
    """The relation, and all that follows on the columns of a SELECT."""
    relation = located(session.options, read.relation)
    table = _table(session, relation, as_of)
    source = f"(\n{query_of(read, table)}\n)" if read.query else table
    return relation, f"FROM {source}{where_clause(read.filter)}"


def schema_of(cursor: "SnowflakeCursor", read: Read, relation: Relation, table: str) -> TableSchema:
    """All columns of what is read; `table` is the relation, as a query names it."""
    if read.query:
        return query_schema(cursor, query_of(read, table))
    whole = describe(cursor, [relation])[relation]
    if whole is None:
        raise SourceError(f"no table {relation} at {read.connection}", hint="check its name in config/tables.yaml")
    return whole


def newest(session: Session, read: Read, column: str, instant: Instant) -> Newest:
    """See Source.newest."""
    relation, query = _from(session, read, instant)
    with session.cursor(SourceError, str(relation)) as cursor:
        found = watermark(schema_of(cursor, read, relation, _table(session, relation, instant)), column)
    name = quote(column)
    highest = f"max({name})"
    if found.type.kind == "timestamptz":
        highest = f"CONVERT_TIMEZONE('UTC', {highest})::TIMESTAMP_NTZ"
    text = (
        f"TO_VARCHAR({highest}, 'YYYY-MM-DD HH24:MI:SS.FF9')" if found.type.kind in CLOCKS else f"TO_VARCHAR({highest})"
    )
    asking = f"SELECT {text} AS newest, COUNT(*) - COUNT({name}) AS nulls {query}"
    with session.cursor(SourceError, f"{relation}\n{asking}") as cursor:
        (row,) = fetch(cursor, asking)
    value = row["newest"]
    return Newest(found, value + "+00" if value and found.type.kind == "timestamptz" else value, int(row["nulls"]))


def count(session: Session, read: Read, instant: Instant) -> int:
    """See Source.count_rows."""
    relation, query = _from(session, read, instant)
    with session.cursor(SourceError, f"{relation}\n{query}") as cursor:
        (row,) = fetch(cursor, f"SELECT COUNT(*) AS n {query}")
    return int(row["n"])


def batches(part: Part) -> "Iterator[pa.RecordBatch]":
    """See Source.batches: no session is needed, the batches name where they lie."""
    for result in cast("Sequence[ResultBatch]", part.payload):
        if result.rowcount:
            with fetching(part):
                found = result.to_arrow(**_exactly(result.to_arrow))
            for batch in found.combine_chunks().to_batches():
                yield restored(batch, part)


def _exactly(to_arrow: Callable[..., object]) -> dict[str, Any]:
    """Driver 5 makes a double of NUMBER(p,s) unless it is told; driver 4 is told when it connects."""
    return {"number_to_decimal": True} if "number_to_decimal" in signature(to_arrow).parameters else {}


def _now(cursor: "SnowflakeCursor") -> Instant:
    (row,) = fetch(cursor, "SELECT CURRENT_TIMESTAMP()::TIMESTAMP_LTZ AS now")
    found: datetime = row["now"].astimezone(UTC)
    return Instant(found, found.isoformat(sep=" "))


def _looked_at(
    cursor: "SnowflakeCursor", query: str, schema: TableSchema, unread: frozenset[str]
) -> tuple[int, TableSchema]:
    """The count, and the schema with microseconds for clocks of 9 digits that need no more: nanoseconds end in 2262."""
    fine = [c for c in schema.columns if c.type.kind in CLOCKS and c.type.precision == NANOSECONDS]
    fine = [column for column in fine if column.name not in unread]
    asked = [f"BOOLOR_AGG(MOD(DATE_PART(NANOSECOND, {quote(c.name)}), 1000) <> 0) AS C{n}" for n, c in enumerate(fine)]
    (row,) = fetch(cursor, f"SELECT {', '.join(['COUNT(*) AS ROW_COUNT', *asked])} {query}")
    coarse = {column.name for number, column in enumerate(fine) if not row[f"c{number}"]}
    columns = (replace(c, type=replace(c.type, precision=6)) if c.name in coarse else c for c in schema.columns)
    return int(row["row_count"]), replace(schema, columns=tuple(columns))


def _expression(column: Column, *, read: bool, in_files: bool) -> str:
    """What is selected for a column, under a name that folds to nothing; `in_files` no page says how TIME is kept."""
    name, kind = quote(column.name), column.type.kind
    if not read:
        return f"NULL::VARCHAR AS {name}"
    unit = "NANOSECOND" if column.type.precision == NANOSECONDS else "MICROSECOND"
    if kind in CLOCKS:
        return f"DATE_PART(EPOCH_{unit}, {name})::NUMBER(38,0) AS {name}"
    if kind == "time" and in_files:
        return f"DATEDIFF({unit}, '00:00:00'::TIME, {name})::NUMBER(38,0) AS {name}"
    if kind == "json":
        return f"TO_JSON({name}) AS {name}"
    if kind == "text" and take_apart(column.native or "text")[0] not in TEXTS:
        return f"TO_VARCHAR({name}) AS {name}"
    return name


def _parts(name: str, cursor: "SnowflakeCursor", schema: TableSchema) -> Iterator[Part]:
    """The result's batches, some of them together where they are small."""
    pieces: list[list[Any]] = []
    size = PART_BYTES
    for batch in cursor.get_result_batches() or ():
        if size >= PART_BYTES:
            pieces.append([])
            size = 0
        pieces[-1].append(batch)
        size += batch.uncompressed_size or 0
    for number, some in enumerate(pieces):
        yield Part(name, number, "", schema, alone=len(pieces) == 1, payload=tuple(some))


def _file_parts(name: str, files: Sequence[File], schema: TableSchema) -> Iterator[Part]:
    for number, file in enumerate(files):
        yield Part(name, number, "", schema, alone=len(files) == 1, payload=file)


def query_of(read: Read, table: str) -> str:
    return (read.query or "").replace("{table}", table)


def query_schema(cursor: "SnowflakeCursor", query: str) -> TableSchema:
    """Columns of a query, described without running it. Raises SourceError for two of one name."""
    described = cursor.describe(query) or []
    names = [column.name for column in described]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(f"source_query has two columns named {', '.join(double)}", hint="give one an alias")
    return TableSchema(
        tuple(Column(c.name, parse_type(native), native=native) for c in described for native in [_native(c)])
    )


def _native(column: Any) -> str:  # noqa: ANN401  the driver's ResultMetadata, of two versions
    word = CODES[column.type_code]
    match word:
        case "FIXED":
            return f"NUMBER({column.precision},{column.scale})"
        case "REAL":
            return "FLOAT"
        case "TEXT":
            return f"VARCHAR({column.internal_size})"
        case "TIME" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            return f"{word}({column.scale})"
    return word
