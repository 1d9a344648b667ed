"""DDL that PostgreSQL and DuckDB write alike; the types are each dialect's own."""

from collections.abc import Callable

from landbridge.schema.model import Column, Relation, TableSchema, Type
from landbridge.schema.names import qualify, quote


def create_table(relation: Relation, schema: TableSchema, render_type: Callable[[Type], str]) -> str:
    """CREATE TABLE IF NOT EXISTS: quoted names, NOT NULL, PRIMARY KEY; no defaults, they are the source's own SQL."""

    def define(column: Column) -> str:
        return f"{quote(column.name)} {render_type(column.type)}" + ("" if column.nullable else " NOT NULL")

    lines = [define(column) for column in schema.columns]
    if schema.primary_key:
        lines.append(f"PRIMARY KEY ({', '.join(quote(name) for name in schema.primary_key)})")
    body = ",\n".join(f"    {line}" for line in lines)
    return f"CREATE TABLE IF NOT EXISTS {qualify(relation)} (\n{body}\n)"
