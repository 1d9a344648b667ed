"""The dialects in which this version writes a table's DDL."""

from collections.abc import Callable, Mapping

from landbridge.errors import SchemaMismatch
from landbridge.schema import duckdb, postgres
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import folded

DIALECTS: Mapping[str, Callable[[Relation, TableSchema], str]] = {
    "postgres": postgres.create_table,
    "duckdb": duckdb.create_table,
}


def in_every_dialect(relation: Relation, schema: TableSchema) -> dict[str, str]:
    """CREATE TABLE of `relation`, without its database, by dialect; one that cannot hold the table is left out."""
    place = Relation(relation.table, relation.schema)
    found = {}
    for dialect, create_table in DIALECTS.items():
        try:
            found[dialect] = create_table(place, folded(schema))
        except SchemaMismatch:
            continue  # the load into such a target will say why
    return found
