"""Names: how an identifier is quoted, and what it is called at the target."""

from dataclasses import replace

from landbridge.errors import SchemaMismatch
from landbridge.schema.model import Relation, TableSchema


def quote(name: str) -> str:
    """`name` between double quotes, with those inside doubled. Raises ValueError for an empty name or one with NUL."""
    if not name or "\0" in name:
        raise ValueError(f"not a name that SQL can hold: {name!r}")
    return '"' + name.replace('"', '""') + '"'


def qualify(relation: Relation) -> str:
    """The relation's levels, each quoted, outermost first, joined with dots."""
    return ".".join(quote(level) for level in relation.levels)


def fold(name: str) -> str:
    """THE identifier rule: a name without lower-case letters is lower-cased at the target, any other is kept."""
    return name if any(letter.islower() for letter in name) else name.lower()


def folded(schema: TableSchema) -> TableSchema:
    """`schema` with columns and key folded. Raises SchemaMismatch where two columns fold to one name."""
    sources: dict[str, list[str]] = {}
    for name in schema.names:
        sources.setdefault(fold(name), []).append(name)
    clashes = [f"columns {', '.join(names)} would all be named {to}" for to, names in sources.items() if len(names) > 1]
    if clashes:
        raise SchemaMismatch("\n".join(clashes), hint="rename all but one of them in source_query")
    columns = tuple(replace(column, name=fold(column.name)) for column in schema.columns)
    return TableSchema(columns, tuple(fold(name) for name in schema.primary_key))
