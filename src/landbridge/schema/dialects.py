"""The dialects in which this version writes a table's DDL, by name."""

from collections.abc import Callable, Mapping

from landbridge.errors import SchemaMismatch
from landbridge.schema import duckdb, mysql, postgres, snowflake
from landbridge.schema.ddl import Dialect
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import folded

# what a parcel carries; TARGETS is what metadata is written for
DIALECTS: Mapping[str, Callable[[Relation, TableSchema], str]] = {
    "postgres": postgres.create_table,
    "duckdb": duckdb.create_table,
}
TARGETS: Mapping[str, Dialect] = {
    "postgres": postgres.DIALECT,
    "duckdb": duckdb.DIALECT,
    "mysql": mysql.DIALECT,
    "snowflake": snowflake.DIALECT,
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
