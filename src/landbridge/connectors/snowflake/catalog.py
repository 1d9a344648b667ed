"""What a Snowflake account has: one query of the information schema for each schema, keys by SHOW."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.connectors.snowflake.session import fetch, unbound
from landbridge.schema.model import Column, Relation, TableSchema
from landbridge.schema.names import qualify, quote
from landbridge.schema.snowflake import parse_type

if TYPE_CHECKING:
    from snowflake.connector.cursor import SnowflakeCursor

COLUMNS = """
SELECT table_name, column_name, data_type, numeric_precision, numeric_scale, character_maximum_length,
       datetime_precision, is_nullable, column_default, is_identity, collation_name, comment
FROM {database}.INFORMATION_SCHEMA.COLUMNS
WHERE table_schema = %s AND table_name IN ({tables})
ORDER BY table_name, ordinal_position
"""


def located(options: SnowflakeOptions, relation: Relation) -> Relation:
    """The relation with all three levels: those that are missing are the connection's."""
    return Relation(relation.table, relation.schema or options.schema_, relation.database or options.database)


def describe(
    cursor: "SnowflakeCursor", relations: Sequence[Relation], *, keys: bool = True
) -> dict[Relation, TableSchema | None]:
    """See Catalog.describe; the relations have all three levels. Without `keys` no primary key is told."""
    found: dict[Relation, TableSchema | None] = dict.fromkeys(relations)
    for (database, schema), own in by_schema(relations).items():
        columns = rows_of(cursor, COLUMNS, database, schema, own)
        primary = primary_keys(cursor, own) if columns and keys else {}
        for relation in own:
            if told := [row for row in columns if row["table_name"] == relation.table]:
                found[relation] = TableSchema(tuple(map(_column, told)), primary.get(relation.table, ()))
    return found


def by_schema(relations: Sequence[Relation]) -> dict[tuple[str, str], list[Relation]]:
    """The relations of each database and schema."""
    found: dict[tuple[str, str], list[Relation]] = defaultdict(list)
    for relation in relations:
        found[relation.database or "", relation.schema or ""].append(relation)
    return found


def rows_of(
    cursor: "SnowflakeCursor", query: str, database: str, schema: str, relations: Sequence[Relation]
) -> list[dict[str, Any]]:
    """What a query of the information schema says of these tables."""
    places = ", ".join(["%s"] * len(relations))
    text = query.format(database=unbound(quote(database)), tables=places)
    return fetch(cursor, text, [schema, *(relation.table for relation in relations)])


def where_keys_are(own: Sequence[Relation]) -> str:
    """Where SHOW … KEYS looks for those of tables of one schema: it fails above 10,000 rows."""
    one = own[0]
    return (
        f"IN TABLE {qualify(one)}"
        if len(own) == 1
        else f"IN SCHEMA {qualify(Relation(one.schema or '', one.database))}"
    )


def primary_keys(cursor: "SnowflakeCursor", own: Sequence[Relation]) -> Mapping[str, tuple[str, ...]]:
    """Of tables in one schema the names of their keys' columns, in the key's order."""
    shown = fetch(cursor, f"SHOW PRIMARY KEYS {where_keys_are(own)}")
    keys: dict[str, list[str]] = defaultdict(list)
    for row in sorted(shown, key=lambda row: int(row["key_sequence"])):
        keys[row["table_name"]].append(row["column_name"])
    return {table: tuple(names) for table, names in keys.items()}


def native_of(row: Mapping[str, Any]) -> str:
    """The type as a person would write it: `NUMBER(38,0)`, `VARCHAR(16777216)`, `TIMESTAMP_NTZ(9)`."""
    word: str = row["data_type"]
    if word == "NUMBER":
        return f"NUMBER({row['numeric_precision']},{row['numeric_scale'] or 0})"
    if word == "TEXT":
        return f"VARCHAR({row['character_maximum_length']})" if row["character_maximum_length"] else "VARCHAR"
    if word == "TIME" or word.startswith("TIMESTAMP"):
        digits = row["datetime_precision"]
        return f"{word}({9 if digits is None else digits})"
    return word


def _column(row: Mapping[str, Any]) -> Column:
    native = native_of(row)
    has_default = row["column_default"] is not None or row["is_identity"] == "YES"
    return Column(row["column_name"], parse_type(native), row["is_nullable"] == "YES", native, has_default)
