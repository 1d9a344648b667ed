"""What a DuckDB file has: its tables described, and all that its catalogue says of them; one query for each schema."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from landbridge.connectors.duckdb import sql
from landbridge.contracts.values import Read
from landbridge.errors import SourceError
from landbridge.schema.duckdb import create_table, parse_type
from landbridge.schema.metadata import (
    ColumnMetadata,
    Extracted,
    ForeignKey,
    Statistics,
    TableMetadata,
    in_order,
    of_query,
)
from landbridge.schema.model import Column, Relation, TableSchema
from landbridge.schema.names import quote

if TYPE_CHECKING:
    import duckdb

Place = tuple[str | None, str | None]  # database and schema; None: as the connection has it
Name = tuple[str | None, str | None, str]

TABLES = """
WITH columns AS (
    SELECT table_name, list(struct_pack(
        name := column_name, data_type := data_type, is_nullable := is_nullable, default_value := column_default,
        comment := comment) ORDER BY column_index) AS columns
    FROM duckdb_columns() WHERE {place} GROUP BY table_name
), keys AS (
    SELECT table_name, list(struct_pack(
        kind := constraint_type, columns := constraint_column_names,
        other := referenced_table, referenced := referenced_column_names)) AS keys
    FROM duckdb_constraints() WHERE {place} AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')
    GROUP BY table_name
)
SELECT c.table_name, c.columns, k.keys, t.comment, t.estimated_size
FROM columns c LEFT JOIN keys k USING (table_name)
LEFT JOIN (SELECT table_name, comment, estimated_size FROM duckdb_tables() WHERE {place}) t USING (table_name)
"""


def metadata(connection: "duckdb.DuckDBPyConnection", reads: Sequence[Read]) -> list[Extracted | None]:
    """See Catalog.metadata."""
    now = datetime.now(UTC)
    tables = _tables(connection, [read.relation for read in reads if not read.query])
    found: list[Extracted | None] = []
    for read in reads:
        if read.query:
            found.append(of_query("duckdb", read.relation, schema_of(connection, read), now))
        else:
            found.append(_extracted(tables, read, now))
    return found


def describe(
    connection: "duckdb.DuckDBPyConnection", relations: Sequence[Relation]
) -> dict[Relation, TableSchema | None]:
    """See Catalog.describe."""
    tables = _tables(connection, relations)
    found = {relation: tables.get(_known_as(relation)) for relation in relations}
    return {relation: told[0].schema if told else None for relation, told in found.items()}


def create(connection: "duckdb.DuckDBPyConnection", relation: Relation, schema: TableSchema) -> None:
    """Make the table, and its schema, if it is missing."""
    if relation.schema:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(relation.schema)}")
    connection.execute(create_table(relation, schema))


def described(connection: "duckdb.DuckDBPyConnection", relation: Relation) -> TableSchema:
    """The schema of a table that is there."""
    found = describe(connection, [relation])[relation]
    assert found is not None, relation  # noqa: S101 - it was made a moment ago
    return found


def schema_of(connection: "duckdb.DuckDBPyConnection", read: Read) -> TableSchema:
    """All columns of what is read. Raises SourceError for a table that is not there."""
    if read.query is None:
        found = describe(connection, [read.relation])[read.relation]
        if found is None:
            raise SourceError(f"there is no table {read.relation}", hint="check config/tables.yaml")
        return found
    rows = sql.fetch(connection, f"DESCRIBE SELECT * FROM {sql.source(read)}")
    return TableSchema(tuple(Column(row[0], parse_type(row[1]), native=row[1]) for row in rows))


def _known_as(relation: Relation) -> Name:
    """DuckDB's names ignore case, quoted or not."""
    return (relation.database, relation.schema, relation.table.lower())


def _tables(
    connection: "duckdb.DuckDBPyConnection", relations: Sequence[Relation]
) -> Mapping[Name, tuple[TableMetadata, Statistics]]:
    names: dict[Place, list[str]] = defaultdict(list)
    for relation in relations:
        names[relation.database, relation.schema].append(relation.table.lower())
    found = {}
    for (database, schema), wanted in names.items():
        place = (
            "lower(database_name) = lower(coalesce($1, current_database())) AND "
            "lower(schema_name) = lower(coalesce($2, current_schema())) AND list_contains($3, lower(table_name))"
        )
        for table, *told in sql.fetch(connection, TABLES.format(place=place), [database, schema, wanted]):
            found[database, schema, table.lower()] = _table(schema, *told)
    return found


def _table(
    schema: str | None,
    columns: list[dict[str, Any]],
    keys: list[dict[str, Any]] | None,
    comment: str | None,
    rows: int | None,
) -> tuple[TableMetadata, Statistics]:
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for key in keys or ():
        told[key["kind"]].append(key)
    table = TableMetadata(
        columns=tuple(ColumnMetadata(type=parse_type(column["data_type"]), **column) for column in columns),
        primary_key=tuple(told["PRIMARY KEY"][0]["columns"]) if told["PRIMARY KEY"] else (),
        unique_keys=tuple(sorted(tuple(key["columns"]) for key in told["UNIQUE"])),
        foreign_keys=in_order(
            ForeignKey(tuple(k["columns"]), Relation(k["other"], schema), tuple(k["referenced"]))
            for k in told["FOREIGN KEY"]
        ),
        comment=comment,
    )
    return table, Statistics(row_count=rows)


def _extracted(tables: Mapping[Name, tuple[TableMetadata, Statistics]], read: Read, now: datetime) -> Extracted | None:
    told = tables.get(_known_as(read.relation))
    return told and Extracted(
        connection_type="duckdb", relation=read.relation, table=told[0], statistics=told[1], extracted_at=now
    )
