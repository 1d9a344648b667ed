"""Rebuild: a new table in the old one's place, where DuckDB's ALTER ends."""

# ruff: noqa: S608 - SQL is text here: identifiers are quoted, literals escaped

from collections.abc import Iterator, Sequence
from dataclasses import replace

from landbridge.schema.alter import Step, Way, define, guard, listed
from landbridge.schema.ddl import literal
from landbridge.schema.drift import Change, Kind, summary
from landbridge.schema.model import Relation
from landbridge.schema.names import qualify, quote

# what DuckDB's ALTER cannot do in a table that has a key
BEYOND_ALTER: set[Kind] = {"column_removed", "column_type_changed", "primary_key_changed", "unique_keys_changed"}


def needed(way: Way, changes: Sequence[Change]) -> bool:
    """Also where a type gets narrower: DuckDB's ALTER fails for values in rows that were deleted long ago."""
    keys = way.standing.primary_key or way.standing.unique_keys or way.after.primary_key or way.after.unique_keys
    beyond = any(c.kind in BEYOND_ALTER if keys else c.kind == "column_type_changed" and not c.safe for c in changes)
    return way.dialect == "duckdb" and beyond


def steps(way: Way, changes: Sequence[Change]) -> Iterator[Step]:
    """A new table in the old one's place; a table with indexes cannot be renamed, so none is lost silently."""
    for change in changes:
        if change.kind == "column_type_changed":
            old = way.old(change.column or "")
            yield from (Step(sql, change.safe, change.line) for sql in guard(way, old, way.new(change.column or "")))
    why = f"made anew, for DuckDB's ALTER cannot do it: {summary(changes)}"
    safe = all(change.safe for change in changes)
    yield from (Step(sql, safe, why) for sql in _anew(way))


def _anew(way: Way) -> Iterator[str]:
    table, old = way.relation, replace(way.relation, table=f"_lb_before_{way.relation.table}")
    schema = "current_schema()" if table.schema is None else literal(table.schema)
    yield (
        f"SELECT error({literal(f'{table} has checks or foreign keys, which would be lost')}) "
        "FROM duckdb_constraints() WHERE constraint_type IN ('CHECK', 'FOREIGN KEY') "
        f"AND lower(table_name) = lower({literal(table.table)}) AND lower(schema_name) = lower({schema})"
    )
    yield f"{way.alter} RENAME TO {quote(old.table)}"
    lines = [define(column) for column in way.after.columns]
    if way.after.primary_key:
        lines.append(f"PRIMARY KEY ({listed(way.after.primary_key)})")
    lines += [f"UNIQUE ({listed(key)})" for key in way.after.unique_keys]
    body = ",\n".join(f"    {line}" for line in lines)
    yield f"CREATE TABLE {qualify(table)} (\n{body}\n)"
    yield from _copy(way, old)
    yield f"DROP TABLE {qualify(old)}"
    if way.after.comment is not None:
        yield f"COMMENT ON TABLE {qualify(table)} IS {literal(way.after.comment)}"
    for column in way.after.columns:
        if column.comment is not None:
            yield f"COMMENT ON COLUMN {qualify(table)}.{quote(column.name)} IS {literal(column.comment)}"


def _copy(way: Way, old: Relation) -> Iterator[str]:
    """Columns that are new get their default, by not being named."""
    values = {new.name: f"CAST({quote(have.name)} AS {new.data_type})" for have, new in way.stayed()}
    if not values:  # a row is there even where nothing of it stays
        first = way.after.columns[0]
        values = {first.name: first.default_value or "NULL"}
    into, chosen = listed(list(values)), ", ".join(values.values())
    yield f"INSERT INTO {qualify(way.relation)} ({into}) SELECT {chosen} FROM {qualify(old)}"
