"""What the DuckDB connector says to DuckDB: reads, and the book of loads."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from landbridge.contracts.target import LOADS
from landbridge.contracts.values import Landing, Load, Loaded, Part, Read
from landbridge.errors import SourceError, TargetError
from landbridge.schema.arrow import travels_as_text
from landbridge.schema.duckdb import render_type
from landbridge.schema.filters import Filter, where_clause
from landbridge.schema.fit import Pairing
from landbridge.schema.model import Column, Relation, TableSchema
from landbridge.schema.names import qualify, quote

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

PART_ROWS = 122_880  # a row group of DuckDB: what it reads at once


def fetch(connection: "duckdb.DuckDBPyConnection", sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    return connection.execute(sql, list(values)).fetchall()


def source(read: Read) -> str:
    if read.query is None:
        return qualify(read.relation)
    return f"({read.query.replace('{table}', qualify(read.relation))}\n) AS source"


def parts(name: str, connection: "duckdb.DuckDBPyConnection", read: Read, schema: TableSchema) -> Iterator[Part]:
    """Ranges of rowid for a plain table; a query, a view or a QUALIFY sees all rows at once."""
    columns = (travelling(column, read=column.name not in read.columns.unread) for column in schema.columns)
    select = f"SELECT {', '.join(columns)} FROM {source(read)}"
    if read.query or read.filter.qualify or not is_table(connection, read.relation):
        yield Part(name, 0, select + where_clause(read.filter), schema, alone=True)
        return
    last = fetch(connection, f"SELECT coalesce(max(rowid), -1) FROM {qualify(read.relation)}")[0][0]
    for number, start in enumerate(range(0, last + 1, PART_ROWS)):
        piece = f"rowid >= {start} AND rowid < {start + PART_ROWS}"
        where = f"{piece} AND {read.filter.where}" if read.filter.where else piece
        yield Part(name, number, select + where_clause(Filter(where)), schema)


def travelling(column: Column, *, read: bool) -> str:
    """The column as it travels: the Arrow type of its kind and nothing lost; NULL if it is not to be read."""
    name = quote(column.name)
    if not read:
        return f"NULL AS {name}"
    if column.type.kind == "uuid":
        return f"unhex(replace(CAST({name} AS VARCHAR), '-', '')) AS {name}"
    if column.type.kind == "json" and column.native != "JSON":
        return f"CAST(to_json({name}) AS VARCHAR) AS {name}"
    text = column.type.kind in ("json", "text", "char") or travels_as_text(column.type)
    return f"CAST({name} AS {'VARCHAR' if text else render_type(column.type)}) AS {name}"


def stored(pairing: Pairing) -> str:
    """The arriving column as the target's type."""
    name = quote(pairing.target.name)
    value = f"hex({name})" if pairing.target.type.kind == "uuid" else name
    return f"CAST({value} AS {pairing.target.native or render_type(pairing.target.type)})"


def refuse_infinity(batch: "pa.RecordBatch", name: str) -> None:
    """DuckDB's infinite dates arrive as the ends of the number line, and would be some day of the year 294247.

    Its 24:00:00 is no time that Arrow knows.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for field, column in zip(batch.schema, batch.columns, strict=True):
        if pa.types.is_time64(field.type):
            _refuse_24_00(field, column, name)
        if not (pa.types.is_date32(field.type) or pa.types.is_timestamp(field.type)):
            continue
        bits = 32 if pa.types.is_date32(field.type) else 64
        ends = pc.min_max(column.view(pa.int32() if bits == 32 else pa.int64())).as_py()
        if ends["max"] == 2 ** (bits - 1) - 1 or ends["min"] == 1 - 2 ** (bits - 1):
            raise SourceError(
                f"connection {name!r}: column {field.name} holds infinity, which is no date elsewhere",
                hint="replace it in source_query, for example nullif(column, 'infinity')",
            )


def _refuse_24_00(field: "pa.Field", column: "pa.Array", name: str) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    last = pc.max(column.view(pa.int64())).as_py()
    if last is not None and last >= 86_400 * (10**9 if field.type.unit == "ns" else 10**6):
        raise SourceError(
            f"connection {name!r}: column {field.name} holds 24:00:00, which is no time of day elsewhere",
            hint="replace it in source_query, for example by TIME '00:00:00'",
        )


def is_table(connection: "duckdb.DuckDBPyConnection", relation: Relation) -> bool:
    sql = "SELECT 1 FROM duckdb_tables() WHERE " + _named(relation)
    return bool(fetch(connection, sql, relation.levels))


def _named(relation: Relation) -> str:
    """A condition on the catalog's columns; DuckDB's names ignore case, quoted or not."""
    columns = [("database_name", relation.database), ("schema_name", relation.schema), ("table_name", relation.table)]
    unset = {"database_name": "current_database()", "schema_name": "current_schema()", "table_name": "''"}
    number = iter(range(1, 4))
    sides = [(name, f"${next(number)}" if value is not None else unset[name]) for name, value in columns]
    return " AND ".join(f"lower({name}) = lower({value})" for name, value in sides)


def mark(relation: Relation) -> str:
    return f"landbridge landing for {relation}, attempt "


def landing_name(load_id: str) -> str:
    """How the names of its landing tables begin."""
    return f"_lb_{load_id[:8]}_"


def landings(
    connection: "duckdb.DuckDBPyConnection", relation: Relation, keep: str | None, load_id: str | None
) -> list[tuple[str, ...]]:
    """Landing tables of other attempts than `keep`, each as its levels: database, schema, table."""
    return fetch(
        connection,
        "SELECT database_name, schema_name, table_name FROM duckdb_tables() "
        "WHERE starts_with(comment, $1) AND comment <> $1 || $2 AND starts_with(table_name, $3)",
        [mark(relation), keep or "", landing_name(load_id) if load_id else ""],
    )


def stream(connection: "duckdb.DuckDBPyConnection", query: str, rows: int) -> "Iterator[pa.RecordBatch]":
    """Record batches of a query; an error midway is DuckDB's again, and not what Arrow makes of it."""
    import duckdb

    try:
        yield from connection.sql(query).to_arrow_reader(rows)
    except OSError as error:
        raise duckdb.Error(str(error)) from None  # its words may quote a value


def newest_load(connection: "duckdb.DuckDBPyConnection", relation: Relation, load_id: str | None = None) -> Loaded:
    """Of this target, or of this load of it."""
    loads = replace(relation, table=LOADS)
    if not is_table(connection, loads):
        return Loaded()
    newest = fetch(
        connection,
        f"SELECT version, load_id, row_count, parcel_id FROM {qualify(loads)} WHERE target_table = $1 "
        "AND load_id = coalesce($2, load_id) ORDER BY version DESC LIMIT 1",
        [relation.table, load_id],
    )
    return Loaded(*newest[0]) if newest else Loaded()


def check_arrived(connection: "duckdb.DuckDBPyConnection", landing: Landing) -> None:
    """Raise TargetError where the landing table does not hold what was sent."""
    held = fetch(connection, f"SELECT count(*) FROM {qualify(landing.relation)}")[0][0]
    if held != landing.load.rows:
        raise TargetError(f"{held} rows landed for {landing.write.relation}, {landing.load.rows} were sent")


def drop(connection: "duckdb.DuckDBPyConnection", *landings: Landing | None) -> None:
    for landing in filter(None, landings):
        connection.execute(f"DROP TABLE IF EXISTS {qualify(landing.relation)}")


def changed(connection: "duckdb.DuckDBPyConnection", statement: str) -> int:
    """Execute a statement of somebody else's; the rows that it changed. Raises TargetError where it is not one."""
    from duckdb import StatementType

    parsed = connection.extract_statements(statement)
    if len(parsed) != 1 or parsed[0].type == StatementType.TRANSACTION:
        raise TargetError(
            f"a text holds {len(parsed)} statements, or ends the transaction", hint="one statement each, in a list"
        )
    cursor = connection.execute(parsed[0])
    rows = cursor.fetchall() if cursor.description else []
    changing = StatementType.INSERT, StatementType.UPDATE, StatementType.DELETE, StatementType.MERGE_INTO
    if parsed[0].type not in changing:
        return 0
    counted = [column[0] for column in cursor.description or ()] == ["Count"]
    return int(rows[0][0]) if counted else len(rows)


def record_load(
    connection: "duckdb.DuckDBPyConnection", relation: Relation, version: int, load: Load, rows: int
) -> None:
    """`rows` are those of the target now; of a window its own."""
    loads = qualify(replace(relation, table=LOADS))
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {loads} (target_table VARCHAR, version BIGINT, load_id VARCHAR, "
        "pipeline_name VARCHAR, parcel_id VARCHAR, row_count BIGINT, loaded_at TIMESTAMPTZ, "
        "PRIMARY KEY (target_table, version))"
    )
    connection.execute(
        f"INSERT INTO {loads} VALUES ($1, $2, $3, $4, $5, $6, now())",
        [relation.table, version, load.load_id, load.pipeline_name, load.parcel_id, rows],
    )
