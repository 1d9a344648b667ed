"""All that PostgreSQL's catalogue says of tables: one query for each schema."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from landbridge.connectors.postgres.catalog import locate, value
from landbridge.connectors.postgres.session import Server
from landbridge.connectors.postgres.snapshots import query_schema, source_of
from landbridge.contracts.values import Read
from landbridge.schema.metadata import (
    ColumnMetadata,
    Extracted,
    ForeignKey,
    Identity,
    Statistics,
    TableMetadata,
    in_order,
    of_query,
)
from landbridge.schema.model import Relation
from landbridge.schema.postgres import parse_type

if TYPE_CHECKING:
    from landbridge.connectors.postgres.session import Connection

IDENTITIES: Mapping[str, Identity] = {"a": "always", "d": "by default"}

# A domain is described as the type below it. What a generated column is made of is no default: its values travel.
TABLES = """
SELECT c.relname,
       (SELECT json_agg(json_build_object(
                   'name', a.attname,
                   'data_type', CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
                                ELSE format_type(a.atttypid, a.atttypmod) END,
                   'is_nullable', NOT (a.attnotnull OR t.typnotnull),
                   'default_value', CASE a.attgenerated
                                    WHEN '' THEN coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault) END,
                   'identity', a.attidentity,
                   'collation', CASE WHEN a.attcollation <> t.typcollation THEN o.collname END,
                   'comment', col_description(c.oid, a.attnum)) ORDER BY a.attnum)
        FROM pg_attribute a
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        LEFT JOIN pg_collation o ON o.oid = a.attcollation
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
       (SELECT json_agg(json_build_object(
                   'kind', k.contype,
                   'columns', (SELECT json_agg(a.attname ORDER BY n.place)
                               FROM unnest(k.conkey) WITH ORDINALITY n(num, place)
                               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.num),
                   'schema', s.nspname, 'table', f.relname,
                   'referenced', (SELECT json_agg(a.attname ORDER BY n.place)
                                  FROM unnest(k.confkey) WITH ORDINALITY n(num, place)
                                  JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.num)))
        FROM pg_constraint k
        LEFT JOIN pg_class f ON f.oid = k.confrelid
        LEFT JOIN pg_namespace s ON s.oid = f.relnamespace
        WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f')),
       obj_description(c.oid, 'pg_class'),
       (SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid AND i.indisclustered),
       CASE WHEN c.relkind IN ('r', 'm') AND c.reltuples >= 0 THEN c.reltuples::bigint END,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_table_size(c.oid) END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = coalesce(%s, current_schema()) AND c.relname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""


def metadata(connection: "Connection", server: Server, reads: Sequence[Read]) -> list[Extracted | None]:
    """See Catalog.metadata."""
    now: datetime = value(connection, "SELECT clock_timestamp()")
    tables: dict[str | None, dict[str, tuple[TableMetadata, Statistics]]] = {}
    places = [locate(server, read.relation) for read in reads]
    for schema, names in _by_schema(reads, places).items():
        tables[schema] = {row[0]: _table(*row[1:]) for row in connection.execute(TABLES, [schema, names])}
    found: list[Extracted | None] = []
    for read, place in zip(reads, places, strict=True):
        if read.query:
            columns = query_schema(connection, source_of(read, place))
            found.append(of_query("postgres", read.relation, columns, now))
        else:
            told = tables[place.schema].get(place.table)
            found.append(
                told
                and Extracted(
                    connection_type="postgres",
                    relation=read.relation,
                    table=told[0],
                    statistics=told[1],
                    extracted_at=now,
                )
            )
    return found


def _by_schema(reads: Sequence[Read], places: Sequence[Relation]) -> Mapping[str | None, list[str]]:
    names: dict[str | None, list[str]] = defaultdict(list)
    for read, place in zip(reads, places, strict=True):
        if not read.query:
            names[place.schema].append(place.table)
    return names


def _table(
    columns: list[dict[str, Any]] | None,
    keys: list[dict[str, Any]] | None,
    comment: str | None,
    clustered_by: str | None,
    rows: int | None,
    size: int | None,
) -> tuple[TableMetadata, Statistics]:
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for key in keys or ():
        told[key["kind"]].append(key)
    table = TableMetadata(
        columns=tuple(_column(**column) for column in columns or ()),
        primary_key=tuple(told["p"][0]["columns"]) if told["p"] else (),
        unique_keys=tuple(sorted(tuple(key["columns"]) for key in told["u"])),
        foreign_keys=in_order(
            ForeignKey(tuple(k["columns"]), Relation(k["table"], k["schema"]), tuple(k["referenced"]))
            for k in told["f"]
        ),
        comment=comment,
        clustering_key=clustered_by and clustered_by.partition(" USING ")[2],
    )
    return table, Statistics(row_count=rows, size_bytes=size)


def _column(*, data_type: str, identity: str, **told: Any) -> ColumnMetadata:  # noqa: ANN401  as the catalogue has it
    return ColumnMetadata(data_type=data_type, type=parse_type(data_type), identity=IDENTITIES.get(identity), **told)
