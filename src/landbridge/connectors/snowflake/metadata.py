"""All that Snowflake says of its tables: two queries of the information schema and three SHOWs for each schema."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from landbridge.connectors.snowflake.catalog import COLUMNS, by_schema, located, native_of, rows_of, where_keys_are
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.connectors.snowflake.reading import query_of, query_schema
from landbridge.connectors.snowflake.session import fetch
from landbridge.contracts.values import Read
from landbridge.schema.metadata import (
    ColumnMetadata,
    Extracted,
    ForeignKey,
    Statistics,
    TableMetadata,
    in_order,
    of_query,
)
from landbridge.schema.model import Relation
from landbridge.schema.names import qualify
from landbridge.schema.snowflake import parse_type

if TYPE_CHECKING:
    from snowflake.connector.cursor import SnowflakeCursor

TABLES = """
SELECT table_name, row_count, bytes, last_altered, clustering_key, comment
FROM {database}.INFORMATION_SCHEMA.TABLES WHERE table_schema = %s AND table_name IN ({tables})
"""
Row = Mapping[str, Any]


def metadata(cursor: "SnowflakeCursor", options: SnowflakeOptions, reads: Sequence[Read]) -> list[Extracted | None]:
    """See Catalog.metadata."""
    now = datetime.now(UTC)
    places = {read.relation: located(options, read.relation) for read in reads}
    tables = _tables(cursor, [places[read.relation] for read in reads if not read.query])
    found: list[Extracted | None] = []
    for read in reads:
        place = places[read.relation]
        if read.query:
            told_of = query_schema(cursor, query_of(read, qualify(place)))
            found.append(of_query("snowflake", read.relation, told_of, now))
        elif told := tables.get(place):
            table, statistics = told
            found.append(
                Extracted(
                    connection_type="snowflake",
                    relation=read.relation,
                    table=table,
                    statistics=statistics,
                    extracted_at=now,
                )
            )
        else:
            found.append(None)
    return found


def _tables(
    cursor: "SnowflakeCursor", relations: Sequence[Relation]
) -> dict[Relation, tuple[TableMetadata, Statistics]]:
    found = {}
    for (database, schema), own in by_schema(relations).items():
        columns = _by_table(rows_of(cursor, COLUMNS, database, schema, own))
        if not columns:
            continue
        facts = {row["table_name"]: row for row in rows_of(cursor, TABLES, database, schema, own)}
        keys = {kind: _shown(cursor, kind, own) for kind in ("PRIMARY", "UNIQUE", "IMPORTED")}
        for relation in own:
            if told := columns.get(relation.table):
                own_keys = {kind: keys[kind].get(relation.table, []) for kind in keys}
                found[relation] = _table(told, facts.get(relation.table, {}), own_keys)
    return found


def _table(columns: Sequence[Row], facts: Row, keys: Mapping[str, Sequence[Row]]) -> tuple[TableMetadata, Statistics]:
    primary = sorted(keys["PRIMARY"], key=lambda row: int(row["key_sequence"]))
    table = TableMetadata(
        columns=tuple(map(_column, columns)),
        primary_key=tuple(row["column_name"] for row in primary),
        unique_keys=tuple(sorted(_names(key) for key in _by_name(keys["UNIQUE"], "constraint_name"))),
        foreign_keys=in_order(map(_foreign_key, _by_name(keys["IMPORTED"], "fk_name"))),
        comment=facts.get("comment") or None,
        clustering_key=facts.get("clustering_key") or None,
    )
    altered = facts.get("last_altered")
    return table, Statistics(
        row_count=facts.get("row_count"),
        size_bytes=facts.get("bytes"),
        last_altered=altered.astimezone(UTC) if altered else None,
    )


def _column(row: Row) -> ColumnMetadata:
    native = native_of(row)
    identity = row["is_identity"] == "YES"
    return ColumnMetadata(
        name=row["column_name"],
        data_type=native,
        type=parse_type(native),
        is_nullable=row["is_nullable"] == "YES",
        default_value=None if identity else row["column_default"],
        identity="by default" if identity else None,
        collation=row["collation_name"],
        comment=row["comment"] or None,
    )


def _foreign_key(rows: Sequence[Row]) -> ForeignKey:
    first = rows[0]
    other = Relation(first["pk_table_name"], first["pk_schema_name"], first["pk_database_name"])
    return ForeignKey(_names(rows, "fk_column_name"), other, _names(rows, "pk_column_name"))


def _names(rows: Sequence[Row], column: str = "column_name") -> tuple[str, ...]:
    return tuple(row[column] for row in rows)


def _shown(cursor: "SnowflakeCursor", kind: str, own: Sequence[Relation]) -> dict[str, list[Row]]:
    """Keys of tables of one schema; those that refer to others are told by the table that has them."""
    rows = fetch(cursor, f"SHOW {kind} KEYS {where_keys_are(own)}")
    return _by_table(rows, "fk_table_name" if kind == "IMPORTED" else "table_name")


def _by_table(rows: Iterable[Row], column: str = "table_name") -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


def _by_name(rows: Iterable[Row], column: str) -> list[list[Row]]:
    """The rows of each key, in the key's order."""
    ordered = sorted(rows, key=lambda row: int(row["key_sequence"]))
    return list(_by_table(ordered, column).values())
